/** A process dies at each call it makes of the store, before the call or after it, and the lane goes on in two ways. */
import { describe, expect, it } from 'vitest'
import type { Work } from './integers.ts'
import { LaneWorkflow, Terminated } from './lane-workflow.ts'
import { places } from './places.ts'
import type { Place } from './places.ts'
import { checkPromise } from './promise.ts'
import { every } from './thorough.ts'
import type { Trouble } from './troubled-store.ts'

const first: Work = { clock: 40, unitRows: 12 }
const second: Work = { clock: 61, unitRows: 12 }
const inSteps: Work = { clock: 75, unitRows: 5, stepUnits: 3 }
const anew: Work = { clock: 80, unitRows: 40, ask: { full: true } }

/** Runs `work` on a lane that has had a run, with this trouble; gives the number of calls it made. */
async function play(place: Place, work: Work, trouble: Trouble | null, mortal: boolean): Promise<number> {
  await new LaneWorkflow({ place: place.store, work: first, start: 1 }).sync()
  const troubled = new LaneWorkflow({ place: place.store, work, start: 2, trouble, mortal })
  const calls = troubled.process
  try {
    await troubled.sync()
    await checkPromise(troubled.at(place.store()), { quiet: true })
  } catch (error) {
    if (!(error instanceof Terminated)) throw error
    await checkPromise(troubled.at(place.store()))
  }
  // The first run after it may have to finish the plan of the dead one, under its old bound; the second is free.
  for (const start of [3, 4]) {
    const next = new LaneWorkflow({ place: place.store, work: { clock: 90 }, start })
    await next.sync()
    const { integers } = await checkPromise(next.at(place.store()), { quiet: true })
    if (start === 4) expect(integers.length).toBe(85)
  }
  expect(place.watch.problems).toEqual([])
  return calls.calls
}

describe.each(places)('a crash at each call, on %s', (_, make) => {
  describe.each([
    ['an incremental run', second, 4],
    ['a run in steps', inSteps, 9],
    ['a run that replaces', anew, 5],
  ])('%s', (__, work, stride) => {
    it.each([
      ['tried again', false],
      ['left to the next run', true],
    ])('%s', async (___, mortal) => {
      const calls = await play(make(), work, null, mortal)
      expect(calls).toBeGreaterThan(30)
      // To die before a call is to die after the one before it, as long as one call is made at a time.
      const deaths: Trouble[] = [{ at: 1, how: 'dies before' }]
      for (let at = mortal ? 1 : 2; at <= calls; at += every(stride)) deaths.push({ at, how: 'dies after' })
      for (const trouble of deaths) {
        try {
          await play(make(), work, trouble, mortal)
        } catch (error) {
          throw new Error(`${trouble.how} call ${trouble.at}`, { cause: error })
        }
      }
    })
  })
})
