/** Lanes beside each other: runs that collide, objects that fail, flows that share a folder. */
import { afterEach, beforeAll, expect, it } from 'vitest'
import type { RunProgress, RunResult } from '../../activities/digests.ts'
import { LakewardClient } from '../../client/index.ts'
import { NO_WORK, SAME, dataFiles, entriesOf, repeated, sameRows, workOf } from './lane-files.ts'
import { failureOf } from './run-failure.ts'
import type { Stage } from './stage.ts'
import { pause, until } from './until.ts'

const SECOND_PAGE = '^GET /services/data/[^/]+/query(All)?/0r8'

export function laneCases(opened: () => Stage): void {
  let stage: Stage
  beforeAll(() => void (stage = opened()))
  afterEach(() => void stage.sandbox.control.clearFaults())

  const truth = () => stage.sandbox.control.truth('Account', { includeDeleted: true })
  const accounts = (name: string, more = '') =>
    stage.flow(`
name: ${name}
source: { settle: 0s, objects: [{ object: Account, into: ${name} }] }
destination: { prefix: raw }
${more}`)

  /** Starts a run and holds it behind its first page until the faults are cleared. */
  async function heldRun(flow: { name: string }) {
    const { control } = stage.sandbox
    control.fault({ match: SECOND_PAGE, do: { stall: true } })
    const started = await stage.start(flow)
    await until('the run asks for its second page', () => control.pendingFaults() === 0)
    await until('its first page is staged', async () => {
      await stage.pull()
      return workOf(stage, flow.name, 'Account').staged.length > 0
    })
    return started
  }

  it('of two runs of one flow one works, the other says who does; in line, it waits and then works', async () => {
    const { control } = stage.sandbox
    const flow = accounts('twice')
    const first = await heldRun(flow)
    const lane = `flow/${flow.name}/Account`

    const refused = await failureOf(stage.run(flow))
    expect(refused.type).toBe('AnotherRunInProgress')
    expect(refused.message).toContain(first.workflowId)
    expect(refused.message).toContain('--queue')
    expect(refused.objects).toMatchObject([{ object: 'Account', status: 'failed', read: 0 }])

    const queued = await stage.start({ ...flow, run: { queue: true } })
    const handle = stage.client.workflow.getHandle(queued.workflowId)
    await until('the other run waits in line', async () => {
      const { objects } = await handle.query<RunProgress>('progress').catch(() => ({ objects: [] }))
      return objects[0]?.position.includes(first.workflowId)
    })
    expect((await handle.describe()).status.name).toBe('RUNNING')
    const { ids } = control.insert({ object: 'Account', count: 5 })
    await pause(1100) // stamps are whole seconds, and a bound leaves out the second it is in
    control.clearFaults()

    const rows = [...truth()].length
    expect(await first.result()).toMatchObject({ read: rows - ids.length })
    expect(await queued.result()).toMatchObject({ read: ids.length, objects: [{ status: 'done' }] })
    expect(await sameRows(stage, 'raw/twice', truth())).toEqual(SAME)
    expect((await stage.client.workflow.getHandle(lane).describe()).status.name).toBe('COMPLETED')
  })

  it('a scheduled run that collides ends well, by a trigger and by a backfill', async () => {
    const lakeward = new LakewardClient(stage.client)
    const flow = accounts('hourly', 'trigger: { every: 1h }')
    await lakeward.apply({ ...flow, paused: true })
    const schedule = stage.client.schedule.getHandle(`flow/${flow.name}`)
    const first = await heldRun(flow)

    await schedule.trigger()
    const triggered = await resultOfScheduled(flow.name, 1)
    expect(triggered.objects).toMatchObject([{ object: 'Account', status: 'skipped', read: 0 }])
    expect(triggered.objects[0]?.notes.join()).toContain('another run')

    const hour = Math.floor(Date.now() / 3_600_000) * 3_600_000
    await schedule.backfill({ start: new Date(hour - 1000), end: new Date(hour + 1000), overlap: 'ALLOW_ALL' })
    const backfilled = await resultOfScheduled(flow.name, 2)
    expect(backfilled.objects).toMatchObject([{ status: 'skipped' }])

    stage.sandbox.control.clearFaults()
    expect(await first.result()).toMatchObject({ objects: [{ status: 'done' }] })
    expect(await sameRows(stage, 'raw/hourly', truth())).toEqual(SAME)
    const runs = await lakeward.runs(flow.name)
    expect(runs.map(({ status }) => status)).toEqual(runs.map(() => 'done'))
    await lakeward.delete(flow.name)
  })

  it('an object that fails harms no other, and the failure has the table', async () => {
    const flow = stage.flow(`
name: some
source: { settle: 0s, objects: [{ object: Account, into: some }, NoSuch__c, { object: Opportunity, into: deals }] }
destination: { prefix: raw }
`)
    const failed = await failureOf(stage.run(flow))
    expect(failed.type).toBe('ObjectsFailed')
    expect(failed.message).toContain('1 of 3 objects failed')
    expect(failed.message).toContain('NoSuch__c: ObjectMissing')
    expect(failed.objects).toMatchObject([
      { object: 'Account', status: 'done' },
      { object: 'NoSuch__c', status: 'failed', error: { type: 'ObjectMissing' } },
      { object: 'Opportunity', status: 'done', read: 200 },
    ])
    expect(await sameRows(stage, 'raw/some', truth())).toEqual(SAME)
    expect(workOf(stage, flow.name, 'NoSuch__c')).toEqual(NO_WORK)
  })

  it('two flows with one folder: the slow one keeps what it has staged, and both are exact', async () => {
    const shared = (name: string) =>
      stage.flow(`
name: ${name}
source: { settle: 0s, objects: [{ object: Account, into: shared }] }
destination: { prefix: raw }
`)
    const [slow, fast] = [shared('slow'), shared('fast')]
    const held = await heldRun(slow)
    const before = workOf(stage, slow.name, 'Account')
    expect(before.staged).toHaveLength(1)
    expect(before.plans).toHaveLength(1)

    await stage.run(fast)
    expect(await sameRows(stage, 'raw/shared', truth())).toEqual(SAME)
    await stage.run({ ...fast, run: { full: true } })
    expect(await sameRows(stage, 'raw/shared', truth())).toEqual(SAME)
    expect(workOf(stage, slow.name, 'Account')).toEqual(before)

    stage.sandbox.control.clearFaults()
    await held.result()
    expect(await sameRows(stage, 'raw/shared', [...truth(), ...truth()])).toEqual(SAME)
    const manifests = [slow, fast].map(({ name }) => entriesOf(stage, name, 'Account').at(-1)?.outcome?.manifest ?? [])
    const listed = manifests.flat().map(({ key }) => `${stage.lake}/${key}`)
    expect(listed.toSorted()).toEqual(dataFiles(stage, 'raw/shared'))
    for (const { name } of [slow, fast]) expect(workOf(stage, name, 'Account')).toEqual(NO_WORK)
  })

  it('a flow on demand has its next time in 2099, so that the server never takes its schedule for idle', async () => {
    const flow = accounts('idle')
    const lakeward = new LakewardClient(stage.client)
    await lakeward.apply(flow)
    const { info, raw } = await stage.client.schedule.getHandle(`flow/${flow.name}`).describe()
    expect(info.nextActionTimes[0]?.toISOString()).toBe('2099-01-01T00:00:00.000Z')
    expect(raw.schedule?.state?.paused ?? false).toBe(false)
    expect((await lakeward.flow(flow.name)).nextTimes).toEqual([])
    expect(await repeated(stage, 'raw/twice')).toEqual([])
    await lakeward.delete(flow.name)
  })

  /** The nth run that the schedule started; the index is behind, so it is asked for until it is there. */
  async function resultOfScheduled(flow: string, nth: number): Promise<RunResult> {
    const query = `WorkflowType = "runFlow" AND TemporalScheduledById = "flow/${flow}"`
    const run = await until(`scheduled run ${nth} of ${flow}`, async () => {
      const found = []
      for await (const info of stage.client.workflow.list({ query })) found.push(info)
      return found.toSorted((a, b) => Number(a.startTime) - Number(b.startTime))[nth - 1]
    })
    return stage.client.workflow.getHandle(run.workflowId).result()
  }
}
