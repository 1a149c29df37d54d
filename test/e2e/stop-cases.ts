/** Runs that are stopped in the middle: cancelled, or terminated, which leaves them no time to clean up. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { WorkflowFailedError } from '@temporalio/client'
import type { WorkflowHandle } from '@temporalio/client'
import { beforeAll, expect, it } from 'vitest'
import { LakewardClient } from '../../client/index.ts'
import type { JsonObject } from '../../connectors/connector.ts'
import type { TestTemporal } from '../global-setup.ts'
import { NO_WORK, SAME, dataFiles, entriesOf, sameRows, workOf } from './lane-files.ts'
import { failureOf } from './run-failure.ts'
import type { Stage } from './stage.ts'
import { pause, until } from './until.ts'

const SECOND_PAGE = '^GET /services/data/[^/]+/query(All)?/0r8'
const call = promisify(execFile)

export function stopCases(opened: () => Stage, temporal: TestTemporal): void {
  const flows = new Map<string, JsonObject & { name: string }>()
  const runs = new Map<string, WorkflowHandle>()
  let stage: Stage

  const cli = (...args: string[]) =>
    call(temporal.cli, [...args, '--address', temporal.address, '--namespace', temporal.namespace])
  const laneOf = (name: string) => stage.client.workflow.getHandle(`flow/${flows.get(name)?.name}/Account`)
  const stops: Record<string, (run: WorkflowHandle, name: string) => Promise<unknown>> = {
    'temporal-cancel': (run) => cli('workflow', 'cancel', '--workflow-id', run.workflowId),
    async 'lakeward-cancel'(run, name) {
      const { code, stderr } = await stage.lakeward('cancel', String(flows.get(name)?.name))
      expect(stderr).toContain(run.workflowId)
      expect(code).toBe(0)
    },
    'lane-cancel': (_, name) => cli('workflow', 'cancel', '--workflow-id', laneOf(name).workflowId),
    'run-terminate': (run) => cli('workflow', 'terminate', '--workflow-id', run.workflowId),
  }

  // A step hears with its next beat that it is to end, some seconds later: all of them wait for that together.
  beforeAll(async () => {
    stage = opened()
    for (const name of Object.keys(stops)) await hold(name)
    await Promise.all(Object.entries(stops).map(([name, stop]) => stop(runs.get(name)!, name)))
    await Promise.all(Object.keys(stops).map((name) => ended(laneOf(name))))
    stage.sandbox.control.clearFaults()
  })

  /** Starts a run and holds it in the second page of Account; Contact has been read by then. */
  async function hold(name: string): Promise<void> {
    const { control } = stage.sandbox
    const flow = stage.flow(`
name: ${name}
source: { settle: 0s, objects: [{ object: Account, into: ${name} }, { object: Contact, into: ${name}-contacts }] }
destination: { prefix: raw }
`) as JsonObject & { name: string }
    flows.set(name, flow)
    control.fault({ match: SECOND_PAGE, do: { stall: true } })
    const { workflowId } = await new LakewardClient(stage.client).run(flow)
    runs.set(name, stage.client.workflow.getHandle(workflowId))
    await until('the run is in its second page', () => control.pendingFaults() === 0)
    await until('the other object is read', async () => {
      await stage.pull()
      return entriesOf(stage, flow.name, 'Contact')[0]?.outcome
    })
    expect(workOf(stage, flow.name, 'Account').staged).toHaveLength(1)
  }

  /** How it ended, once it has. */
  async function ended(handle: WorkflowHandle): Promise<string> {
    await handle.result().catch((error: unknown) => {
      if (!(error instanceof WorkflowFailedError)) throw error
    })
    await stage.pull()
    return (await handle.describe()).status.name
  }

  /** The next run brings everything, once, and leaves nothing behind. */
  async function nextIsExact(name: string) {
    const flow = flows.get(name)!
    const next = await stage.run(flow)
    expect(next.objects[0]).toMatchObject({ object: 'Account', status: 'done' })
    const truth = stage.sandbox.control.truth('Account', { includeDeleted: true })
    expect(await sameRows(stage, `raw/${name}`, truth)).toEqual(SAME)
    expect(workOf(stage, flow.name, 'Account')).toEqual(NO_WORK)
    return next
  }

  it.each(['temporal-cancel', 'lakeward-cancel'])(
    '%s: the run ends as cancelled and its staging is gone',
    async (name) => {
      const flow = flows.get(name)!
      const run = runs.get(name)!
      expect([await ended(run), await ended(laneOf(name))]).toEqual(['CANCELLED', 'CANCELLED'])
      expect(workOf(stage, flow.name, 'Account')).toEqual(NO_WORK)
      expect(dataFiles(stage, `raw/${name}`)).toEqual([])
      expect(entriesOf(stage, flow.name, 'Account').map(({ kind }) => kind)).toEqual(['fence'])

      const { currentDetails } = await run.query<{ currentDetails: string }>('__temporal_workflow_metadata')
      expect(currentDetails).toContain('`Account` cancelled')
      expect(currentDetails).toContain('`Contact` done: 50')
      await nextIsExact(name)
    },
  )

  it('one object cancelled by itself: the others go on, and the run tells', async () => {
    const failed = await failureOf(runs.get('lane-cancel')!.result())
    expect(failed.message).toContain('Account: Cancelled')
    expect(failed.objects).toMatchObject([{ status: 'failed' }, { object: 'Contact', status: 'done', read: 50 }])
    await nextIsExact('lane-cancel')
  })

  it('the run terminated: its lanes end by themselves and clean up', async () => {
    const name = 'run-terminate'
    expect([await ended(runs.get(name)!), await ended(laneOf(name))]).toEqual(['TERMINATED', 'CANCELLED'])
    expect(workOf(stage, flows.get(name)!.name, 'Account')).toEqual(NO_WORK)
    await nextIsExact(name)
  })

  it('run and lane terminated: the next run fences it off and cleans up, whatever its worker still does', async () => {
    const { control } = stage.sandbox
    const name = 'lane-terminate'
    await hold(name)
    await cli('workflow', 'terminate', '--workflow-id', runs.get(name)!.workflowId)
    await cli('workflow', 'terminate', '--workflow-id', laneOf(name).workflowId)
    expect(await ended(laneOf(name))).toBe('TERMINATED')
    // The step of the dead run goes on beside the next run, and reads to the end.
    const flow = flows.get(name)!
    const next = stage.start(flow)
    control.clearFaults()
    const result = await (await next).result()
    expect(result.objects[0]?.notes.join('\n')).toContain('had ended without cleaning up')
    expect(entriesOf(stage, flow.name, 'Account').map(({ kind }) => kind)).toEqual(['fence', 'commit'])
    const truth = control.truth('Account', { includeDeleted: true })
    expect(await sameRows(stage, `raw/${name}`, truth)).toEqual(SAME)

    control.insert({ object: 'Account', count: 3 })
    await pause(1100)
    expect((await nextIsExact(name)).objects[0]).toMatchObject({ read: 3 })
  })
}
