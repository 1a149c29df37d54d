/**
 * A namespace that knows none of our search attributes, a worker with one slot, and tokens that all expire at once.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { LakewardClient } from '../../client/index.ts'
import type { JsonObject } from '../../connectors/connector.ts'
import { describeWithTemporal } from '../temporal.ts'
import { textIn } from './history-text.ts'
import type { Stage, WorkerProcess } from './stage.ts'
import { SECRET, openStage } from './stage.ts'
import { until } from './until.ts'

const call = promisify(execFile)
const LANES = 20
/** Longer than a token of the sandbox lives. */
const HOURS_MS = 3 * 3_600_000

describeWithTemporal('a namespace of its own', (temporal) => {
  let stage: Stage
  let worker: WorkerProcess
  const namespace = `bare-${process.pid}`
  const cli = (...args: string[]) =>
    call(temporal.cli, [...args, '--address', temporal.address], { env: { ...process.env, NO_COLOR: '1' } })

  beforeAll(async () => {
    await cli('operator', 'namespace', 'create', '--namespace', namespace)
    stage = await openStage({ ...temporal, namespace })
    await until('the namespace is served', () =>
      stage.client.workflow.count().then(
        () => true,
        () => false,
      ),
    )
    worker = await start(1)
  })
  afterAll(() => stage.stop())

  const lanes = () => {
    const ids = Array.from({ length: LANES }, (_, at) => `{ object: Group, id: g${at}, into: g${at} }`)
    return stage.flow(`
name: lanes
source: { read: full, settle: 0s, objects: [${ids.join(', ')}] }
destination: { prefix: lanes, write: replace, format: jsonl }
`)
  }
  const start = (slots: number) =>
    stage.startWorker({ args: ['--task-queue', stage.queue, '--slots', String(slots), '--namespace', namespace] })

  it('a namespace without our search attributes: it runs, and what the details say adds them', async () => {
    const flow = stage.flow('name: bare\nsource: { settle: 0s, objects: [Group] }\ndestination: {}')
    await (await stage.start(flow, 'bare')).result()
    const details = await detailsOf('bare')
    const commands = [...details.matchAll(/`temporal (operator search-attribute create [^`]+)`/g)]
    expect(commands.map(([, args]) => /--name (\S+)/.exec(args as string)?.[1])).toEqual([
      'LakewardFlow',
      'LakewardConnector',
      'LakewardDestination',
    ])
    for (const [, args] of commands) await cli(...(args as string).split(' '))

    // The server knows them some seconds later.
    const { workflowId } = await until('runs get attributes', () =>
      new LakewardClient(stage.client).run(flow as JsonObject).catch(() => null),
    )
    const handle = stage.client.workflow.getHandle(workflowId)
    await handle.result()
    const { typedSearchAttributes } = await handle.describe()
    expect(Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]))).toMatchObject(
      {
        LakewardFlow: flow.name,
        LakewardConnector: 'salesforce',
        LakewardDestination: 'file',
      },
    )
    expect(await detailsOf(workflowId)).not.toContain('search-attribute')
  })

  it.each([
    { slots: 1, lanes: LANES, expiries: 4 },
    { slots: 20, lanes: 10, expiries: 3 },
  ])('slots for $slots of the steps of $lanes lanes: one token request per expiry, and no deadlock', async (of) => {
    const { control } = stage.sandbox
    if (of.slots > 1) {
      await worker.kill()
      worker = await start(of.slots)
    }
    control.expireTokens()
    control.reset()
    const objects = Array.from({ length: of.lanes }, (_, at) => `g${at}`)
    let ended = false
    const run = stage.run({ ...lanes(), run: { objects } }).finally(() => (ended = true))
    run.catch(() => {}) // seen below
    for (let expiry = 1; ; expiry++) {
      await until(`token ${expiry}`, () => ended || control.counts()['token'] === expiry, { everyMs: 5 })
      const before = control.log().length
      await until('the run goes on', () => ended || control.log().length > before + 10, { everyMs: 2 })
      expect(ended).toBe(false)
      if (expiry === of.expiries) break
      if (expiry % 2 === 0) control.expireTokens()
      else control.clock({ offsetMs: control.now() - Date.now() + HOURS_MS })
    }
    const result = await run
    expect(result.objects.map(({ object, status, read }) => [object, status, read])).toEqual(
      objects.map((object) => [object, 'done', 40]),
    )
    expect(control.counts()['token']).toBe(of.expiries)
  })

  it('a refresh that nobody works on stops nothing for ever: when it is ended, the next one begins', async () => {
    const dead = await stage.client.workflow.start('refreshConnection', {
      workflowId: `connection/${stage.crm}/refresh`,
      taskQueue: 'nobody-polls',
      args: [],
    })
    stage.sandbox.control.expireTokens()
    const flow = { ...lanes(), run: { objects: ['g0'] } }
    const run = await stage.start(flow)
    await until('its lane waits for a token', async () => {
      const lane = await stage.client.workflow.getHandle(`flow/${flow.name}/g0`).describe()
      return lane.status.name === 'RUNNING' && stage.sandbox.control.log().at(-1)?.status === 401
    })
    expect((await stage.client.workflow.getHandle(run.workflowId).describe()).status.name).toBe('RUNNING')
    await dead.terminate()
    expect(await run.result()).toMatchObject({ objects: [{ status: 'done' }] })
  })

  it('every refresh was a run of one id that tells a version, and nothing secret is in any history', async () => {
    const secrets = [SECRET, '!AQ', 'stage-client']
    const versions: number[] = []
    let histories = 0
    for await (const { workflowId, runId, type, status } of stage.client.workflow.list()) {
      const handle = stage.client.workflow.getHandle(workflowId, runId)
      const text = textIn(await handle.fetchHistory())
      histories++
      for (const secret of secrets) expect(text.includes(secret), `${secret} in ${workflowId}`).toBe(false)
      if (type !== 'refreshConnection' || status.name === 'TERMINATED') continue
      expect(workflowId).toBe(`connection/${stage.crm}/refresh`)
      const { version, ...more } = await handle.result()
      expect(more).toEqual({})
      versions.push(version)
    }
    expect(histories).toBeGreaterThan(LANES + 10)
    expect([...new Set(versions)].toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  /** What the Web UI shows of a run. */
  async function detailsOf(workflowId: string): Promise<string> {
    const handle = stage.client.workflow.getHandle(workflowId)
    const { currentDetails } = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata')
    return currentDetails
  }
})
