/** A run is cancelled wherever it stands, and whoever was still at work on it finds that out. */
import { describe, expect, it } from 'vitest'
import { cancelRun } from '../../connectors/lake/cancel.ts'
import { readPlan } from '../../connectors/lake/plans.ts'
import { history } from '../../connectors/lake/readers.ts'
import { LANE, LaneWorkflow, Terminated } from './lane-workflow.ts'
import type { Work } from './integers.ts'
import { inMemory, onDisk, places } from './places.ts'
import type { Place } from './places.ts'
import { checkPromise } from './promise.ts'
import { dies, laneAt, run } from './scenes.ts'
import { every } from './thorough.ts'
import { Crash, TroubledStore } from './troubled-store.ts'

const plain: Work = { clock: 60, unitRows: 30 }
const inSteps: Work = { clock: 60, unitRows: 10, stepUnits: 3 }

/** Run 2 meets its trouble at call `at` and is cancelled; false: it makes no such call. */
async function play(place: Place, work: Work, at: number, how: 'dies after' | 'freezes before'): Promise<boolean> {
  await run(place, 1, { clock: 20, unitRows: 30 })
  const one = new LaneWorkflow({ place: place.store, work, start: 2, trouble: { at, how }, mortal: true })
  try {
    await one.sync()
    return false
  } catch (error) {
    if (!(error instanceof Terminated)) throw error
  }
  const hadPlan = (await readPlan(laneAt(place, LANE), one.run.key)) !== null
  const cancelled = await cancelRun(laneAt(place, LANE), one.run, one.opened?.n ?? null)
  const mine = (await history(laneAt(place, LANE), 100)).filter(({ entry }) => entry.run === one.run.key)
  const committed = mine.filter(({ entry }) => entry.kind === 'commit')
  expect(cancelled.committed).toBe(committed.length > 0)
  expect(cancelled.report.length).toBe(committed.length)
  for (const { outcome } of committed) expect(outcome?.outcome).toBe('done')
  const isWhole = committed.some(({ entry }) => entry.kind === 'commit' && entry.last)
  expect(mine.some(({ entry }) => entry.kind === 'fence')).toBe(hadPlan && !isWhole)
  for (const zombie of one.zombies) {
    zombie.thaw()
    await zombie.end
  }
  // A zombie that had begun to plan may write its plan even now; it can stage and commit nothing any more.
  if (how === 'dies after') await checkPromise(laneAt(place, LANE), { quiet: committed.length === 0 || isWhole })
  else await checkPromise(laneAt(place, LANE))
  for (const start of [3, 4]) {
    const next = await run(place, start, { clock: 80, unitRows: 30 })
    await checkPromise(next.at(), { quiet: true })
  }
  expect((await checkPromise(laneAt(place, LANE))).integers.length).toBe(76)
  expect(place.watch.problems).toEqual([])
  return true
}

async function everyCall(make: () => Place, work: Work, how: 'dies after' | 'freezes before', stride: number) {
  for (let at = 1; ; at += stride) {
    try {
      if (!(await play(make(), work, at, how))) return at
    } catch (error) {
      throw new Error(`${how} call ${at}`, { cause: error })
    }
  }
}

describe.each([
  ['a plain run', plain],
  ['a run in steps', inSteps],
])('%s is cancelled', (_, work) => {
  it.each(['dies after', 'freezes before'] as const)('when a step %s any call', async (how) => {
    expect(await everyCall(() => inMemory(), work, how, every(5))).toBeGreaterThan(40)
    expect(await everyCall(() => onDisk(), work, how, every(23))).toBeGreaterThan(40)
  })
})

describe.each(places)('cancelling, on %s', (_, make) => {
  it.each([
    ['before its plan', 'plan'],
    ['with staged files', 'commit'],
    ['after its commit', 'finish'],
  ])('may itself die at each call: %s', async (__, step) => {
    for (let at = 1, met = true; met; at++) {
      const place = make()
      const one = await dies(place, 1, plain, step)
      const dying = new TroubledStore(place.store(), { at, how: 'dies after' })
      const cancelling = cancelRun(one.at(dying), one.run, one.opened?.n ?? null)
      met = await cancelling.then(
        () => false,
        (error: unknown) => error instanceof Crash,
      )
      const again = await cancelRun(laneAt(place, LANE), one.run, one.opened?.n ?? null)
      expect(again.committed).toBe(step === 'finish')
      await checkPromise(laneAt(place, LANE), { quiet: true })
    }
  })

  it('removes nothing of others', async () => {
    const place = make()
    const other = await dies(place, 1, plain, 'commit', 1, { id: 'other' })
    const one = await dies(place, 1, plain, 'commit', 1, { id: 'one' })
    await cancelRun(laneAt(place, LANE), one.run, one.opened?.n ?? null)
    expect(await readPlan(laneAt(place, LANE), other.run.key)).not.toBeNull()
    expect(await readPlan(laneAt(place, LANE), one.run.key)).toBeNull()
    await expect(checkPromise(laneAt(place, LANE), { quiet: true })).rejects.toThrow(/left behind/)
    await checkPromise(laneAt(place, LANE), { quiet: true, except: [other.run.key] })
  })

  it('before open answered, it has nothing to do', async () => {
    const place = make()
    const one = await dies(place, 1, plain, 'open')
    expect(await cancelRun(laneAt(place, LANE), one.run, null)).toEqual({ committed: false, entries: [], report: [] })
    expect(await history(laneAt(place, LANE), 10)).toEqual([])
  })
})
