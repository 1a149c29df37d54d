/** Time on the real server: backfills, pauses after failures, what the ledger still knows, a watermark set by hand. */
import { join } from 'node:path'
import { ScheduleOverlapPolicy } from '@temporalio/client'
import { stringify } from 'yaml'
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunResult } from '../../activities/digests.ts'
import { parseFlow } from '../../connectors/flow.ts'
import { LakewardClient } from '../../client/lakeward-client.ts'
import { recorded } from '../client/stand-in/recorder.ts'
import { describeWithTemporal } from '../temporal.ts'
import { nominalTimes } from '../time/nominal-times.ts'
import { NO_WORK, SAME, entriesOf, repeated, sameRows, workOf } from './lane-files.ts'
import { failureOf } from './run-failure.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'
import { until } from './until.ts'

const DAY = '2026-10-05'
const hour = (n: number): string => `${DAY}T${String(n).padStart(2, '0')}:00:00Z`

describeWithTemporal('time', (temporal) => {
  let stage: Stage
  let lakeward: LakewardClient
  const made: string[] = []
  beforeAll(async () => {
    stage = await openStage(temporal, { salesforce: { accounts: 40, contacts: 30, pageRows: 20 }, lake: 'file' })
    await stage.startWorker({ args: ['--task-queue', stage.queue] })
    lakeward = new LakewardClient(stage.client)
    Object.assign(process.env, stage.env)
    // Four records in each hour of the day, one of them on the hour itself.
    for (let n = 0; n < 6; n++) {
      for (const minute of ['00', '07', '30', '59']) {
        stage.sandbox.control.insert({ object: 'Account', stamp: hour(n).replace(':00:00Z', `:${minute}:00.000Z`) })
      }
    }
  })
  afterAll(async () => {
    await Promise.all(made.map((name) => lakeward.delete(name, { cancel: true }).catch(() => {})))
    await stage.stop()
  })

  const truth = (object: string, from = '', to = '9999') =>
    [...stage.sandbox.control.truth(object, { includeDeleted: true })].filter(
      ({ SystemModstamp: stamp }) => String(stamp).slice(0, 19) >= from.slice(0, 19) && String(stamp) < to.slice(0, 19),
    )
  const configured = () => ['--config', join(stage.directory, 'lakeward.yaml'), '--address', temporal.address]
  const command = (...args: string[]) => recorded(...args, ...configured())
  async function applied(yaml: string) {
    const flow = stage.flow(yaml)
    made.push(flow.name)
    await lakeward.apply(flow)
    const schedule = stage.client.schedule.getHandle(`flow/${flow.name}`)
    const ended = (nominal: string): Promise<RunResult> =>
      stage.client.workflow.getHandle(`flow/${flow.name}/run-${nominal}`).result() as Promise<RunResult>
    return { flow, schedule, ended }
  }
  const gone = async (workflowId: string) => {
    const { workflowService, options } = stage.client
    await workflowService.deleteWorkflowExecution({ namespace: options.namespace, workflowExecution: { workflowId } })
    await until(`${workflowId} is deleted`, async () => {
      const query = `WorkflowId = "${workflowId}"`
      return (await stage.client.workflow.count(query)).count === 0
    })
  }

  it('a backfill reads each hour to its nominal time; one of hours that were read reads nothing, and says so', async () => {
    const { flow, schedule, ended } = await applied(`
name: hourly
paused: true
source: { settle: 0s, startFrom: ${hour(0)}, objects: [{ object: Account, into: accounts }] }
destination: { prefix: hourly }
trigger: { every: 1h }
`)
    const backfill = (from: number, to: number, overlap: ScheduleOverlapPolicy) => {
      const [start, end] = [new Date(Date.parse(hour(from)) - 60_000), new Date(Date.parse(hour(to)) + 60_000)]
      return schedule.backfill([{ start, end, overlap }])
    }
    await backfill(1, 3, ScheduleOverlapPolicy.BUFFER_ALL)
    for (const n of [1, 2, 3]) {
      const { objects } = await until(`the run of ${hour(n)} is there`, () => ended(hour(n)).catch(() => null))
      expect(objects[0]).toMatchObject({ read: 4, written: 4, watermark: hour(n).replace('Z', '.000Z') })
    }
    const watermarks = () => entriesOf(stage, flow.name, 'Account').map(({ after }) => after.watermark)
    const before = watermarks()

    await backfill(2, 2, ScheduleOverlapPolicy.ALLOW_ALL)
    // The id of a backfill is that of the hour: the one that ended is run again under it.
    const again = await until('the hour was run again', async () => {
      const result = await ended(hour(2)).catch(() => null)
      return result?.objects[0]?.read === 0 ? result : null
    })
    expect(again.objects[0]).toMatchObject({ status: 'nothing', read: 0 })
    expect(again.objects[0]?.notes.join(' ')).toMatch(/nominal time 2026-10-05T02.* is not after the watermark .*T03/)
    expect(watermarks()).toEqual(before)

    // Windows before startFrom, a hand-started run and the rest: each record once.
    await stage.run({ ...flow, paused: undefined, run: { from: '2024-01-01', to: '2025-01-01' } })
    await stage.run(flow)
    const due = [...truth('Account', '2024', '2025'), ...truth('Account', hour(0))]
    expect(await sameRows(stage, 'hourly/accounts', due)).toEqual(SAME)
    expect(await repeated(stage, 'hourly/accounts')).toEqual([])
  })

  it.each([
    ['30 2 * * *', 'Europe/Berlin', '2027-03-20', '2027-04-05', null],
    ['30 1,2 * * *', 'America/New_York', '2027-10-30', '2027-11-10', null],
    ['20 * * * *', 'Europe/Berlin', '2027-03-27', '2027-03-30', null],
    // Where clocks are turned back, the server leaves out some times of a cron that comes several times an hour.
    ['*/20 * * * *', 'Europe/Berlin', '2027-10-30', '2027-11-01', '2027-10-31T01:00:00Z'],
    ['*/20 * * * *', 'UTC', '2027-10-30', '2027-11-01', null],
    [null, null, '2027-03-27', '2027-03-30', null],
  ])('the server means the same times: %s in %s, from %s', async (cron, timezone, start, end, turned) => {
    const written = cron ? `cron: "${cron}", timezone: ${timezone}` : 'every: 7h'
    const { flow, schedule } = await applied(`
name: times-${made.length}
source: { objects: [Account] }
destination: { prefix: times }
trigger: { ${written}, start: ${start}, end: ${end}, jitter: 1s }
`)
    const due = nominalTimes(parseFlow(flow).trigger, Date.parse(start), Date.parse(end) + 1)
    const seconds = (times: number[]) => times.map((time) => Math.floor(time / 1000))
    const { workflowService, options } = stage.client
    const answer = await workflowService.listScheduleMatchingTimes({
      namespace: options.namespace,
      scheduleId: `flow/${flow.name}`,
      startTime: { seconds: secondsOf(start, -1), nanos: 0 },
      endTime: { seconds: secondsOf(end, 1), nanos: 0 },
    })
    const told = answer.startTime.map(({ seconds: at, nanos }) => Math.floor(Number(at) + (nanos ?? 0) / 1e9))
    // The jitter moves them within their second or to the next.
    const isTold = (at: number) => told.includes(at) || told.includes(at + 1)
    const near = (at: number) => turned !== null && Math.abs(at - Date.parse(turned) / 1000) <= 2 * 3600
    expect(seconds(due).filter((at) => !isTold(at) && !near(at))).toEqual([])
    expect(told.filter((at) => ![at, at - 1].some((second) => due.includes(second * 1000)))).toEqual([])
    const { nextActionTimes } = (await schedule.describe()).info
    expect(nextActionTimes.length).toBeGreaterThan(0)
    for (const [i, at] of nextActionTimes.entries()) expect(at.getTime() - due[i]!).toBeLessThan(2000)
  })

  it('whole reads of a past hour are of now, and move no watermark backwards', async () => {
    const { flow, schedule, ended } = await applied(`
name: snapshot
paused: true
source: { settle: 0s, read: full, objects: [{ object: Contact, into: contacts }] }
destination: { prefix: snapshot, write: replace }
trigger: { every: 1h }
`)
    await stage.run(flow)
    await schedule.backfill([
      { start: new Date(hour(1)), end: new Date(hour(1)), overlap: ScheduleOverlapPolicy.BUFFER_ALL },
    ])
    const { objects } = await until('the backfill is there', () => ended(hour(1)).catch(() => null))
    expect(objects[0]?.notes.join(' ')).toMatch(/everything is read as it is now/)
    const [first, second] = entriesOf(stage, flow.name, 'Contact').map(({ after }) => String(after.watermark))
    expect(first! <= second!).toBe(true)
    expect(await sameRows(stage, 'snapshot/contacts', truth('Contact').filter(isThere))).toEqual(SAME)
  })

  it('failures in a row pause the flow, with a note; one that ends well between them does not', async () => {
    const { flow, schedule } = await applied(`
name: failing
source: { objects: [Nothing__c] }
destination: { prefix: failing }
trigger: { cron: 0 0 1 1 *, pauseAfterFailures: 2 }
`)
    const trigger = async (runs: number) => {
      await schedule.trigger(ScheduleOverlapPolicy.SKIP)
      const started = await until('the run has begun', async () => {
        const { recentActions } = (await schedule.describe()).info
        return recentActions.length === runs ? recentActions.at(-1)!.action.workflow.workflowId : null
      })
      const failure = await failureOf(stage.client.workflow.getHandle(started).result())
      expect(failure.message).toContain('Nothing__c')
      return started
    }
    await trigger(1)
    expect((await schedule.describe()).state.paused).toBe(false)
    // A schedule names its runs by the second.
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    const last = await trigger(2)
    const { state } = await schedule.describe()
    expect(state).toMatchObject({ paused: true, note: `paused: 2 runs in a row failed, the last of them ${last}` })
    expect((await command('list')).out).toMatch(new RegExp(`${flow.name} +paused`))
  })

  it('what Temporal has forgotten, the ledger tells', async () => {
    const flow = stage.flow(`
name: remembered
source: { settle: 0s, objects: [{ object: Contact, into: contacts }] }
destination: { prefix: remembered }
`)
    made.push(flow.name)
    await lakeward.apply(flow)
    const run = await lakeward.run(flow.name)
    const { result } = await lakeward.outcome(run.workflowId)
    const rows = result!.written
    expect(rows).toBeGreaterThan(0)
    stage.sandbox.control.insert({ object: 'Contact', count: 3 })
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    const second = await lakeward.run(flow.name)
    await lakeward.outcome(second.workflowId)
    await gone(run.workflowId)

    const runs = JSON.parse((await command('runs', flow.name, '--json')).out)
    expect(runs.map(({ workflowId, ledger }: { workflowId: string; ledger?: true }) => [workflowId, ledger])).toEqual([
      [second.workflowId, undefined],
      [run.workflowId, true],
    ])
    expect(runs[1].outcome.result.objects[0]).toMatchObject({ object: 'Contact', written: rows, from: null, entry: 1 })
    expect(runs[1].outcome.result.objects[0].watermark).toBe(result!.objects[0]!.watermark)
    expect((await command('runs', flow.name)).out).toMatch(/from the ledger: Temporal no longer keeps it/)

    await gone(second.workflowId)
    const status = await command('status', flow.name)
    expect(status.out).toMatch(/OBJECT +WATERMARK[^]*Contact +2026-/)
    expect(status.out.match(/from the ledger/g)?.length).toBe(2)

    const none = await recorded('runs', flow.name, '--address', temporal.address)
    expect(none.said).toMatch(
      /no lakeward\.yaml: the ledger is not read, and runs that Temporal no longer keeps are missing/,
    )
    expect(none.out).not.toContain(run.workflowId)
  })

  it('a lookback brings what was committed late, once', async () => {
    const flow = stage.flow(`
name: late
source: { settle: 0s, lookback: 2h, objects: [{ object: Contact, into: contacts }] }
destination: { prefix: late }
`)
    const { control } = stage.sandbox
    const stamp = new Date(Date.now() - 30 * 60_000).toISOString()
    const { ids } = control.insert({ object: 'Contact', count: 5, stamp, hidden: true })
    control.insert({ object: 'Contact', count: 4, stamp })
    await stage.run(flow)
    expect((await stage.run(flow)).written).toBe(0)
    control.show({ object: 'Contact', ids })
    const second = await stage.run(flow)
    expect(second).toMatchObject({ written: 5 })
    expect(second.objects[0]?.repeated).toBeGreaterThanOrEqual(4)
    expect(second.objects[0]?.notes.join(' ')).toMatch(/were read again by the lookback, and not written again/)
    expect(await stage.run(flow)).toMatchObject({ written: 0, objects: [{ status: 'nothing' }] })
    expect(await sameRows(stage, 'late/contacts', truth('Contact'))).toEqual(SAME)
    expect(await repeated(stage, 'late/contacts')).toEqual([])
    expect(workOf(stage, flow.name, 'Contact')).toEqual(NO_WORK)
  })

  describe('state', () => {
    let name: string
    beforeAll(async () => {
      const flow = stage.flow(`
name: stated
source: { settle: 0s, startFrom: ${hour(0)}, objects: [{ object: Account, into: accounts }] }
destination: { prefix: stated }
`)
      ;({ name } = flow)
      made.push(name)
      await lakeward.apply(flow)
      await stage.run(flow)
      writeFileSync(join(stage.directory, 'stated.yaml'), stringify(flow))
    })

    it('shows what the ledger says, and sets the watermark by an entry', async () => {
      const shown = await command('state', 'show', name, 'Account')
      for (const word of ['Watermark', 'Generation', 'Fields', 'SystemModstamp timestamp', 'incremental', 'done']) {
        expect(shown.out).toContain(word)
      }
      const set = await command('state', 'set', name, 'Account', '--watermark', hour(3), '--yes')
      expect(set.said).toMatch(
        /are read and written again[^]*entry 2: the next run of Account reads from 2026-10-05T03/,
      )
      const { watermark, n } = JSON.parse((await command('state', 'show', name, 'Account', '--json')).out)
      expect([watermark, n]).toEqual([hour(3).replace('Z', '.000Z'), 2])
      const next = await lakeward.run(name)
      expect((await lakeward.outcome(next.workflowId)).result?.written).toBe(truth('Account', hour(3)).length)
    })

    it.each<[string, string[], RegExp, RegExp]>([
      ['no time', ['--yes'], /not said where the watermark goes/, /--watermark 2026/],
      ['a word', ['--watermark', 'tomorrow'], /'tomorrow' is not a time/, /2024-01-31/],
      ['a day that is none', ['--watermark', '2026-02-30'], /'2026-02-30' is not in the calendar/, /month, day/],
      ['an hour that is none', ['--watermark', '2026-02-20T25:00:00Z'], /not in the calendar/, /hour/],
      ['no zone', ['--watermark', '2026-02-20T10:00:00 Berlin'], /is not a time/, /\+02:00/],
      ['the future', ['--watermark', '2099-01-01'], /lies in the future, by this machine's clock/, /never be read/],
      [
        'finer than milliseconds',
        ['--watermark', '2026-02-20T10:00:00.1234Z'],
        /finer than milliseconds/,
        /three digits/,
      ],
      ['nobody to ask', ['--watermark', hour(2)], /Nobody can be asked here/, /--yes/],
    ])('refuses %s', async (_, flags, what, todo) => {
      const before = entriesOf(stage, name, 'Account').length
      const { code, said, out } = await command('state', 'set', name, 'Account', ...flags)
      expect(said).toMatch(what)
      expect(said).toMatch(todo)
      expect([code, out]).toEqual([2, ''])
      expect(entriesOf(stage, name, 'Account').length).toBe(before)
    })

    it('names what was probably meant', async () => {
      expect((await command('state', 'sho', name, 'Account')).said).toMatch(/no `state sho`, did you mean 'show'/)
      expect((await command('state', 'show', name, 'Acount')).said).toMatch(/no object Acount, did you mean 'Account'/)
    })
  })
})

function isThere({ IsDeleted }: Record<string, string | null>): boolean {
  return IsDeleted !== 'true'
}

/** The wire takes numbers as well; its types know only of their own. */
function secondsOf(day: string, more: number): never {
  return (Date.parse(day) / 1000 + more) as never
}
