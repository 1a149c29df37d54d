/**
 * A step freezes at each call it makes of the store, is taken for dead, and wakes up again: beside its second attempt,
 * after its run, in the middle of the next run, or after that. With `mortal` its workflow is terminated when it
 * freezes.
 */
import { describe, expect, it } from 'vitest'
import type { Work } from './integers.ts'
import { LaneWorkflow, Terminated } from './lane-workflow.ts'
import { inMemory, onDisk } from './places.ts'
import type { Place } from './places.ts'
import { checkPromise } from './promise.ts'
import { every } from './thorough.ts'

const first: Work = { clock: 40, unitRows: 30 }
const plain: Work = { clock: 61, unitRows: 8 }
const inSteps: Work = { clock: 75, unitRows: 10, stepUnits: 2 }
const anew: Work = { clock: 80, unitRows: 60, ask: { full: true } }
const third: Work = { clock: 90, unitRows: 30 }

type Waking = 'beside the second attempt' | 'after its run' | 'while the next reads' | 'after the next run'

const wakings: Waking[] = ['beside the second attempt', 'after its run', 'while the next reads', 'after the next run']

interface Scene {
  work: Work
  waking: Waking
  mortal: boolean
}

/** Plays it with a freeze at call `at`; false: the run makes no such call. */
async function play(place: Place, { work, waking, mortal }: Scene, at: number): Promise<boolean> {
  await new LaneWorkflow({ place: place.store, work: first, start: 1 }).sync()
  const wake = async (): Promise<void> => {
    for (const zombie of sleeper.zombies.splice(0)) {
      zombie.thaw()
      await zombie.end
    }
  }
  const sleeper: LaneWorkflow = new LaneWorkflow({
    place: place.store,
    work,
    start: 2,
    mortal,
    trouble: { at, how: 'freezes before' },
    before: () => {
      // Not awaited: the two go on at once.
      if (waking === 'beside the second attempt') for (const zombie of sleeper.zombies) zombie.thaw()
    },
  })
  try {
    await sleeper.sync()
  } catch (error) {
    if (!(error instanceof Terminated)) throw error
  }
  const froze = sleeper.zombies.length > 0
  if (waking === 'beside the second attempt' || waking === 'after its run') await wake()
  await checkPromise(sleeper.at(place.store()))
  const next = new LaneWorkflow({
    place: place.store,
    work: third,
    start: 3,
    before: async (step) => {
      if (waking === 'while the next reads' && step === 'unit') await wake()
    },
  })
  await next.sync()
  await checkPromise(next.at(place.store()))
  await wake()
  await checkPromise(next.at(place.store()))
  const last = new LaneWorkflow({ place: place.store, work: { clock: 99 }, start: 4 })
  await last.sync()
  const { integers } = await checkPromise(last.at(place.store()), { quiet: true })
  expect(integers.length).toBe(94)
  expect(place.watch.problems).toEqual([])
  return froze
}

/** The number of calls; scenes that differ in their waking try others of them. */
async function everyCall(make: () => Place, scene: Scene, stride: number): Promise<number> {
  for (let at = 1 + (wakings.indexOf(scene.waking) % stride); ; at += stride) {
    try {
      if (!(await play(make(), scene, at))) return at - 1
    } catch (error) {
      throw new Error(`frozen at call ${at}`, { cause: error })
    }
  }
}

describe.each([
  ['an incremental run', plain],
  ['a run in steps', inSteps],
  ['a run that replaces', anew],
])('%s with a zombie', (_, work) => {
  it.each(wakings)('that wakes %s', async (waking) => {
    expect(await everyCall(() => inMemory(), { work, waking, mortal: false }, every(5))).toBeGreaterThan(40)
  })

  it.each(wakings.slice(1))('whose workflow is gone, and that wakes %s', async (waking) => {
    expect(await everyCall(() => inMemory(), { work, waking, mortal: true }, every(5))).toBeGreaterThan(40)
  })

  it('on a directory', async () => {
    let at = 0
    for (const waking of wakings) {
      at += await everyCall(() => onDisk(), { work, waking, mortal: false }, every(23))
      if (waking !== 'beside the second attempt')
        at += await everyCall(() => onDisk(), { work, waking, mortal: true }, every(23))
    }
    expect(at).toBeGreaterThan(200)
  })
})
