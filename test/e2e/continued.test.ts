/**
 * Long runs continue as new: on a server of its own that suggests it after twenty events, with a worker that keeps no
 * workflow in memory, so that every task replays.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RunResult } from '../../activities/digests.ts'
import { LakewardClient } from '../../client/index.ts'
import { LakewardPlugin, workflowsPath } from '../../worker/plugin.ts'
import type { DevServer } from '../../worker/temporal-server.ts'
import { startDevServer } from '../../worker/temporal-server.ts'
import { workflowBundle } from '../../worker/workflow-bundle.ts'
import { describeWithTemporal } from '../temporal.ts'
import { NO_WORK, SAME, entriesOf, sameRows, workOf } from './lane-files.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'
import { until } from './until.ts'

const EVENTS = 20
/** More than run at once, so that some are left when the server suggests to continue. */
const LANES = 18

describeWithTemporal('runs that continue as new', (temporal) => {
  const folder = mkdtempSync(join(tmpdir(), 'lakeward-continued-'))
  let server: DevServer
  let stage: Stage
  let stop: () => Promise<void>

  beforeAll(async () => {
    server = await startDevServer({
      cli: temporal.cli,
      logFile: join(folder, 'server.log'),
      uiPort: null,
      searchAttributes: { LakewardFlow: 'Keyword', LakewardConnector: 'Keyword', LakewardDestination: 'Keyword' },
      args: ['--dynamic-config-value', `limit.historyCount.suggestContinueAsNew=${EVENTS}`],
    })
    const { address, namespace } = server
    const salesforce = { accounts: 8000, opportunities: 1, pageRows: 500 }
    stage = await openStage({ ...temporal, address, namespace }, { salesforce })
    Object.assign(process.env, stage.env)
    Runtime.install({ logger: new DefaultLogger('WARN') })
    const connection = await NativeConnection.connect({ address })
    const worker = await Worker.create({
      connection,
      namespace,
      taskQueue: stage.queue,
      plugins: [new LakewardPlugin({ installation: join(stage.directory, 'lakeward.yaml') })],
      workflowBundle: await workflowBundle(workflowsPath),
      maxCachedWorkflows: 0,
    })
    const running = worker.run()
    stop = async () => {
      worker.shutdown()
      await running
      await connection.close()
    }
  })
  afterAll(async () => {
    await stop()
    await stage.stop()
    await server.stop(0)
    rmSync(folder, { recursive: true, force: true })
  })

  /** Runs of one workflow id, one after the other; the index is behind, so it is asked until enough are there. */
  const chainOf = (workflowId: string, atLeast: number) =>
    until(`${atLeast} runs of ${workflowId}`, async () => {
      const found = []
      for await (const { runId, status, searchAttributes } of stage.client.workflow.list({
        query: `WorkflowId = "${workflowId}"`,
      })) {
        found.push({ runId, status: status.name, flow: searchAttributes['LakewardFlow'] })
      }
      return found.length >= atLeast && found.every(({ status }) => status !== 'RUNNING') ? found : null
    })

  it('a lane of many units: each row once, nothing read again', async () => {
    const { control } = stage.sandbox
    const flow = stage.flow(`
name: long
source: { settle: 0s, objects: [{ object: Account, into: accounts }] }
destination: { prefix: long, format: jsonl, fileSize: 1MB }
`)
    control.reset()
    const result = await stage.run(flow)
    const truth = [...control.truth('Account', { includeDeleted: true })]
    expect(result).toMatchObject({ read: truth.length, written: truth.length, objects: [{ entry: 1 }] })
    expect(result.objects[0]?.proof).toMatch(/^proven/)
    expect(await sameRows(stage, 'long/accounts', truth, 'jsonl')).toEqual(SAME)
    expect(control.served({ object: 'Account' })).toMatchObject({ rows: truth.length, again: 0 })
    expect(entriesOf(stage, flow.name, 'Account')).toHaveLength(1)
    expect(workOf(stage, flow.name, 'Account')).toEqual(NO_WORK)

    const chain = await chainOf(`flow/${flow.name}/Account`, 3)
    expect(chain.filter(({ status }) => status === 'CONTINUED_AS_NEW')).toHaveLength(chain.length - 1)
    expect(chain.map(({ flow: name }) => String(name))).toEqual(chain.map(() => flow.name))
  })

  it('a scheduled run of many objects goes on with those that are left, and still gives way', async () => {
    const { control } = stage.sandbox
    const ids = Array.from({ length: LANES }, (_, at) => `g${at}`)
    const flow = stage.flow(`
name: many
source: { settle: 0s, objects: [${ids.map((id) => `{ object: Group, id: ${id}, into: ${id} }`).join(', ')}] }
destination: { prefix: many }
`)
    control.fault({ match: 'FROM Group', do: { stall: true } })
    const held = await stage.start({ ...flow, run: { objects: [ids.at(-1)] } })
    await until('the last object is held', () => control.pendingFaults() === 0)

    await new LakewardClient(stage.client).apply(flow)
    await stage.client.schedule.getHandle(`flow/${flow.name}`).trigger()
    const { workflow } = await until('the schedule has started a run', async () => {
      const { info } = await stage.client.schedule.getHandle(`flow/${flow.name}`).describe()
      return info.recentActions[0]?.action
    })
    const result = (await stage.client.workflow.getHandle(workflow.workflowId).result()) as RunResult
    expect(result.objects.map(({ object, status, read }) => `${object} ${status} ${read}`)).toEqual(
      ids.map((id) => (id === ids.at(-1) ? `${id} skipped 0` : `${id} done 40`)),
    )
    control.clearFaults()
    expect(await held.result()).toMatchObject({ objects: [{ object: ids.at(-1), status: 'done', read: 40 }] })
    const chain = await chainOf(workflow.workflowId, 2)
    const statuses = chain.map(({ status }) => status).toSorted()
    expect(statuses).toEqual(['COMPLETED', ...chain.slice(1).map(() => 'CONTINUED_AS_NEW')])
  })
})
