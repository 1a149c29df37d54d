/** Runs that are stopped in the middle: cancelled, or terminated, which leaves them no time to clean up. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { WorkflowFailedError } from '@temporalio/client'
import { LakewardClient } from '../../client/index.ts'
import type { JsonObject } from '../../connectors/connector.ts'
import { describeWithTemporal } from '../temporal.ts'
import { NO_WORK, SAME, dataFiles, entriesOf, sameRows, workOf } from './lane-files.ts'
import { failureOf } from './run-failure.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'
import { until } from './until.ts'

const SECOND_PAGE = '^GET /services/data/[^/]+/query(All)?/0r8'
const call = promisify(execFile)

describeWithTemporal('runs that are stopped', (temporal) => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage(temporal, { salesforce: { accounts: 500, contacts: 50, opportunities: 1, pageRows: 100 } })
    await stage.startWorker({ args: ['--task-queue', stage.queue] })
  })
  afterAll(() => stage.stop())
  afterEach(() => void stage.sandbox.control.clearFaults())

  const truth = () => stage.sandbox.control.truth('Account', { includeDeleted: true })
  const cli = (...args: string[]) =>
    call(temporal.cli, [...args, '--address', temporal.address, '--namespace', temporal.namespace])
  const flowOf = (name: string) => flowNamed(name) as JsonObject & { name: string }
  const flowNamed = (name: string) =>
    stage.flow(`
name: ${name}
source: { settle: 0s, objects: [{ object: Account, into: ${name} }, { object: Contact, into: ${name}-contacts }] }
destination: { prefix: raw }
`)

  /** Starts a run by `lakeward run` and holds it in its second page. */
  async function heldRun(flow: JsonObject & { name: string }) {
    const { control } = stage.sandbox
    control.fault({ match: SECOND_PAGE, do: { stall: true } })
    const { workflowId } = await new LakewardClient(stage.client).run(flow)
    await until('the run is in its second page', () => control.pendingFaults() === 0)
    await until('the other object is read', () => entriesOf(stage, flow.name, 'Contact')[0]?.outcome)
    expect(workOf(stage, flow.name, 'Account').staged).toHaveLength(1)
    return stage.client.workflow.getHandle(workflowId)
  }

  async function ends(handle: { result(): Promise<unknown>; describe(): Promise<{ status: { name: string } }> }) {
    await handle.result().catch((error: unknown) => {
      if (!(error instanceof WorkflowFailedError)) throw error
    })
    return (await handle.describe()).status.name
  }

  /** The next run brings everything, once, and leaves nothing behind. */
  async function nextIsExact(flow: { name: string }) {
    const next = await stage.run(flow)
    expect(next.objects[0]).toMatchObject({ object: 'Account', status: 'done' })
    expect(await sameRows(stage, `raw/${flow.name.replace(/-[^-]*$/, '')}`, truth())).toEqual(SAME)
    expect(workOf(stage, flow.name, 'Account')).toEqual(NO_WORK)
    return next
  }

  it.each(['temporal', 'lakeward'])('%s cancel: the run ends as cancelled and its staging is gone', async (by) => {
    const flow = flowOf(`${by}-cancel`)
    const run = await heldRun(flow)
    if (by === 'temporal') await cli('workflow', 'cancel', '--workflow-id', run.workflowId)
    else {
      const { code, stderr } = await stage.lakeward('cancel', flow.name)
      expect(stderr).toContain(run.workflowId)
      expect(code).toBe(0)
    }
    expect(await ends(run)).toBe('CANCELLED')
    expect((await stage.client.workflow.getHandle(`flow/${flow.name}/Account`).describe()).status.name).toBe(
      'CANCELLED',
    )
    expect(workOf(stage, flow.name, 'Account')).toEqual(NO_WORK)
    expect(dataFiles(stage, `raw/${by}-cancel`)).toEqual([])
    expect(entriesOf(stage, flow.name, 'Account').map(({ kind }) => kind)).toEqual(['fence'])

    const { currentDetails } = await run.query<{ currentDetails: string }>('__temporal_workflow_metadata')
    expect(currentDetails).toContain('`Account` cancelled')
    expect(currentDetails).toContain('`Contact` done: 50')
    stage.sandbox.control.clearFaults()
    await nextIsExact(flow)
  })

  it('one object of a run cancelled by itself: the others go on, and the run tells', async () => {
    const flow = flowOf('one-cancelled')
    const run = await heldRun(flow)
    await cli('workflow', 'cancel', '--workflow-id', `flow/${flow.name}/Account`)
    const failed = await failureOf(run.result())
    expect(failed.message).toContain('Account: Cancelled')
    expect(failed.objects).toMatchObject([{ status: 'failed' }, { object: 'Contact', status: 'done', read: 50 }])
    stage.sandbox.control.clearFaults()
    await nextIsExact(flow)
  })

  it('terminate the run: its lanes end by themselves and clean up', async () => {
    const flow = flowOf('terminated-run')
    const run = await heldRun(flow)
    await cli('workflow', 'terminate', '--workflow-id', run.workflowId)
    const lane = stage.client.workflow.getHandle(`flow/${flow.name}/Account`)
    expect(await ends(run)).toBe('TERMINATED')
    expect(await ends(lane)).toBe('CANCELLED')
    expect(workOf(stage, flow.name, 'Account')).toEqual(NO_WORK)
    stage.sandbox.control.clearFaults()
    await nextIsExact(flow)
  })

  it('terminate run and lane: the next run fences it off and cleans up, whatever its worker still does', async () => {
    const { control } = stage.sandbox
    const flow = flowOf('terminated-lane')
    const run = await heldRun(flow)
    const lane = stage.client.workflow.getHandle(`flow/${flow.name}/Account`)
    await cli('workflow', 'terminate', '--workflow-id', run.workflowId)
    await cli('workflow', 'terminate', '--workflow-id', lane.workflowId)
    expect(await ends(lane)).toBe('TERMINATED')
    // The step of the dead run goes on beside the next run, and reads to the end.
    const next = stage.start(flow)
    control.clearFaults()
    const result = await (await next).result()
    expect(result.objects[0]?.notes.join('\n')).toContain('had ended without cleaning up')
    expect(entriesOf(stage, flow.name, 'Account').map(({ kind }) => kind)).toEqual(['fence', 'commit'])
    expect(await sameRows(stage, 'raw/terminated-lane', truth())).toEqual(SAME)

    control.insert({ object: 'Account', count: 3 })
    await new Promise((resolve) => setTimeout(resolve, 1100))
    expect(await nextIsExact(flow)).toMatchObject({ read: 3 })
  })
})
