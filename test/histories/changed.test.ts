/**
 * The rule for changes (CONTRIBUTING 2.6), tried on a change: with `patched()` all that was recorded is replayed, and a
 * run that began on the old code ends on the new; without it, the histories tell.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DefaultLogger, NativeConnection, Runtime, Worker, bundleWorkflowCode } from '@temporalio/worker'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { version } from '../../connectors/version.ts'
import { LakewardPlugin, workflowsPath } from '../../worker/plugin.ts'
import { workflowBundle } from '../../worker/workflow-bundle.ts'
import type { Stage } from '../e2e/stage.ts'
import { openStage } from '../e2e/stage.ts'
import { until } from '../e2e/until.ts'
import { describeWithTemporal } from '../temporal.ts'
import { readScene } from './stored-histories.ts'

const logger = new DefaultLogger('ERROR')
const root = dirname(dirname(workflowsPath))
const PLACE = '    const { run } = open\n'
const edits = {
  patched: "    if (patched('a-pause-before-the-plan')) await sleep(1)\n",
  careless: '    await sleep(1)\n',
}

/** These workflows with a pause between two of their steps. */
async function changed(how: keyof typeof edits): Promise<{ code: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'lakeward-changed-'))
  try {
    cpSync(dirname(workflowsPath), join(folder, 'workflows'), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    const path = join(folder, 'workflows/sync-object.ts')
    const text = readFileSync(path, 'utf8')
    expect(text.split(PLACE)).toHaveLength(2)
    const imports = text
      .replace('  log,\n', '  log,\n  patched,\n')
      .replace('  setHandler,\n', '  setHandler,\n  sleep,\n')
    writeFileSync(
      path,
      imports.replace(PLACE, () => `${PLACE}${edits[how]}`),
    )
    return await bundleWorkflowCode({ workflowsPath: join(folder, 'workflows/index.ts'), logger })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function refused(bundle: { code: string }): Promise<string[]> {
  const lanes = ['lake', 'long'].flatMap((scene) => readScene(version(), scene))
  const found: string[] = []
  const replays = Worker.runReplayHistories({ workflowBundle: bundle }, lanes)
  for await (const { error } of replays) if (error) found.push(error.name)
  return found
}

describeWithTemporal('workflows that change', (temporal) => {
  let stage: Stage
  let connection: NativeConnection
  beforeAll(async () => {
    Runtime.install({ logger })
    stage = await openStage(temporal, { salesforce: { accounts: 1, opportunities: 1, contacts: 40 } })
    Object.assign(process.env, stage.env)
    connection = await NativeConnection.connect({ address: temporal.address })
  })
  afterAll(async () => {
    await connection?.close()
    await stage?.stop()
  })

  async function during<T>(bundle: { code: string }, work: () => Promise<T>): Promise<T> {
    const worker = await Worker.create({
      connection,
      namespace: temporal.namespace,
      taskQueue: stage.queue,
      plugins: [new LakewardPlugin({ installation: join(stage.directory, 'lakeward.yaml') })],
      workflowBundle: bundle,
      shutdownGraceTime: 100,
    })
    return worker.runUntil(work())
  }

  it('the histories see a change that is not patched', async () => {
    expect(await refused(await changed('careless'))).toContain('DeterminismViolationError')
  })

  it('a run that began on the old code ends on the new, whose own runs take the new path', async () => {
    const next = await changed('patched')
    expect(await refused(next)).toEqual([])
    const { control } = stage.sandbox
    const flow = stage.flow('name: changed\nsource: { settle: 0s, objects: [Contact] }\ndestination: {}')
    control.fault({ match: 'FROM Contact ', do: { stall: true } })
    const run = await during(await workflowBundle(workflowsPath), async () => {
      const started = await stage.start(flow)
      await until('it reads', () => control.pendingFaults() === 0)
      control.clearFaults()
      control.fault({ match: 'FROM Contact ', times: 99, do: { close: 'before' } })
      return started
    })
    control.clearFaults()
    const lane = stage.client.workflow.getHandle(`flow/${flow.name}/Contact`)
    const timers = async (): Promise<number> => {
      const { events } = await lane.fetchHistory()
      return (events ?? []).filter(({ timerStartedEventAttributes: timer }) => timer).length
    }
    expect(await lane.describe()).toMatchObject({ status: { name: 'RUNNING' } })
    await during(next, async () => expect(await run.result()).toMatchObject({ read: 40, written: 40 }))
    expect(await timers()).toBe(0)
    await during(next, async () => expect(await stage.run(flow)).toMatchObject({ read: 0 }))
    expect(await timers()).toBe(1)
  })
})
