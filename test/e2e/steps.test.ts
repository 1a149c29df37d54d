/**
 * Long loads that commit in parts: what is committed is visible at once and stays, whoever is killed or cancelled
 * between the parts, and the next run finishes the rest up to the same bound.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWithTemporal } from '../temporal.ts'
import type { Hang, KillLane, KillStage } from './kill-lanes.ts'
import { PAGE_ROWS, UNIT_ROWS, openKillStage } from './kill-lanes.ts'
import { PAGE, halt, isHalted } from './kill-points.ts'
import type { KillPoint } from './kill-points.ts'
import { checkPromise, watchVisible } from './kill-promise.ts'
import { pause, until } from './until.ts'
import type { WorkerProcess } from './stage.ts'

const UNITS = 3
const ACCOUNTS = UNITS * UNIT_ROWS
const TYPES = { Id: 'VARCHAR', SystemModstamp: 'TIMESTAMP WITH TIME ZONE' }
/** In the third unit: two are committed by then, or about to be. */
const THIRD: KillPoint['at'] = { request: PAGE, skip: (2.5 * UNIT_ROWS) / PAGE_ROWS }

const entry = (n: number, done: 0 | 1): KillPoint['at'] => ({
  call: 'link',
  path: `{lane}/commits/0000000${n}.json`,
  done,
})
const POINTS: Record<string, KillPoint> = {
  'mid-third-unit': { at: THIRD, left: { entries: 2, outcomes: 2, plans: 1 } },
  'before-the-second-entry': { at: entry(2, 0), left: { entries: 1, outcomes: 1, plans: 1 } },
  'second-entry-written': { at: entry(2, 1), left: { entries: 2, outcomes: 1, plans: 1 } },
  'second-outcome-written': {
    at: { call: 'link', path: '{lane}/commits/00000002.outcome', done: 1 },
    left: { entries: 2, outcomes: 2, plans: 1 },
  },
}
const OVER: Record<string, KillPoint> = {
  cancelled: { at: THIRD, left: { plans: 1 } },
  'given-up': { at: THIRD, left: { plans: 1 } },
}

describeWithTemporal('a long load in parts', (temporal) => {
  let kills: KillStage
  let worker: WorkerProcess
  let watch: ReturnType<typeof watchVisible>
  const lane = (name: string): KillLane => kills.lanes.get(name)!
  const hangs = (): Hang[] => Object.entries({ ...POINTS, ...OVER }).flatMap(([name, point]) => halt(point, lane(name)))

  beforeAll(async () => {
    const names = ['undisturbed', ...Object.keys({ ...POINTS, ...OVER })]
    const flows = Object.fromEntries(names.map((name) => [name, { destination: { commitEvery: { rows: UNIT_ROWS } } }]))
    kills = await openKillStage(temporal, flows, { accounts: ACCOUNTS })
    watch = watchVisible([...kills.lanes.values()])
  })
  afterAll(() => kills.stop())

  const parts = (name: string) =>
    lane(name)
      .entries()
      .filter(({ kind }) => kind === 'commit') as unknown as Part[]
  interface Part {
    n: number
    run: string
    step: number
    last: boolean
    counts: { read: number }
    after: { watermark: string | null }
    proof: { verdict: string }
  }

  it('shows each part at once, and proves the whole', async () => {
    for (const one of kills.lanes.values()) one.expectChanges()
    worker = await kills.startWorker(hangs())
    await Promise.all([...kills.lanes.values()].map((one) => one.start()))
    const result = await lane('undisturbed').result()
    expect(result).toMatchObject({ read: ACCOUNTS, written: ACCOUNTS, objects: [{ status: 'done' }] })
    expect(result.objects[0]?.proof).toMatch(/^proven: 2,400 now ≤ 2,400 read/)
    const entries = parts('undisturbed')
    expect(entries.length).toBeGreaterThan(1)
    expect(entries.map(({ step, last }) => [step, last])).toEqual(entries.map((_, at) => [at + 1, !entries[at + 1]]))
    expect(entries.slice(0, -1).every(({ after }) => after.watermark === null)).toBe(true)
    expect(entries.reduce((sum, { counts }) => sum + counts.read, 0)).toBe(ACCOUNTS)
    expect(result.objects[0]?.notes.join()).toContain(`Committed in ${entries.length} parts`)
    await checkPromise(lane('undisturbed'), TYPES)
  })

  it('whoever is killed between and in the parts', async () => {
    const points = { ...POINTS, ...OVER }
    const onTheWay = () => Object.entries(points).filter(([name, at]) => !isHalted(at, lane(name), worker.output()))
    await until('every lane is at its point', () => onTheWay().length === 0).catch((cause: unknown) => {
      throw new Error(
        `not there: ${onTheWay()
          .map(([name]) => name)
          .join()}\n${worker.output()}`,
        { cause },
      )
    })
    const committed = () => ['mid-third-unit', 'cancelled', 'given-up'].every((name) => done(name) >= 2)
    await until('two parts are committed', async () => (await kills.stage.pull(), committed()))
    await lane('cancelled').cancel()
    await expect(lane('cancelled').result()).rejects.toThrow()
    await kills.kill(worker)
    for (const [name, point] of Object.entries(POINTS)) expect(await lane(name).left(), name).toMatchObject(point.left)
    expect(await lane('cancelled').left()).toMatchObject({ plans: 0, units: 0, staged: 0 })
    await lane('given-up').giveUp()
    for (const name of Object.keys(OVER)) lane(name).sandbox.control.reset()
    worker = await kills.startWorker()
    for (const name of Object.keys(POINTS)) {
      const result = await lane(name).result()
      expect(result, name).toMatchObject({ read: ACCOUNTS, written: ACCOUNTS })
      expect(result.objects[0]?.proof, name).toMatch(/^proven/)
      await checkPromise(lane(name), TYPES)
    }
  })

  const done = (name: string) =>
    lane(name)
      .entries()
      .filter(({ outcome }) => outcome?.outcome === 'done').length

  it('what was committed stays, and the next run finishes the rest, and proves it with what was there', async () => {
    for (const name of Object.keys(OVER)) {
      const before = parts(name)
      expect(before.map(({ last }) => last)).toEqual([false, false])
      const left = ACCOUNTS - before.reduce((sum, { counts }) => sum + counts.read, 0)
      await lane(name).start()
      const result = await lane(name).result()
      expect(result.read, name).toBe(left)
      expect(result.objects[0]?.notes.join(), name).toContain('Finishes the run that was left unfinished')
      expect(parts(name).at(-1), name).toMatchObject({ last: true })
    }
    for (const name of Object.keys(OVER)) lane(name).change(30)
    await pause(1100) // stamps are whole seconds, and a bound leaves out the second it is in
    for (const name of Object.keys(OVER)) {
      const rows = lane(name).expectChanges()
      await lane(name).start()
      expect((await lane(name).result()).read, name).toBe(rows)
      expect((await lane(name).result()).objects[0]?.proof, name).toMatch(/^proven/)
    }
    const { looks, early } = await watch.stop()
    expect(looks).toBeGreaterThan(5)
    expect(early).toEqual([])
    for (const name of Object.keys(OVER)) await checkPromise(lane(name), TYPES)
  })
})
