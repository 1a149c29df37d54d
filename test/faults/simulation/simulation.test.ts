/**
 * Histories of a lane with any number of processes, interleaved at every call of the store: a fixed sample;
 * `npm run faults:simulate` plays millions. A failure prints its seed, and its shortest tape becomes a test: `FAILED`
 * below.
 */
import { writeSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { ObjectStore } from '../../../connectors/lake/store.ts'
import { memoryStore } from '../../lake/memory-store.ts'
import type { MemoryPlace } from '../../lake/memory-store.ts'
import { failureText } from './failure-text.ts'
import { bound } from './invariants.ts'
import { shrink } from './shrink.ts'
import { simulations } from './simulations.ts'
import type { Simulated } from './simulations.ts'
import { simulate } from './world.ts'
import type { History, SimulationOptions } from './world.ts'

const SAMPLE = 15_000
const wanted = Number(process.env['LAKEWARD_INTERLEAVINGS'] ?? SAMPLE)
const first = Number(process.env['LAKEWARD_SEED'] ?? 1)

/** All choices are dull but these. */
function tapeOf(choices: Record<number, number>): number[] {
  const places = Object.keys(choices).map(Number)
  return Array.from({ length: Math.max(...places) + 1 }, (_, at) => choices[at] ?? 0)
}

/** Histories that failed once, by their seed and tape, and what was mended since. */
const FAILED: { of: Simulated; seed: number; tape: number[]; mended: string }[] = [
  {
    of: 'lookback',
    seed: 144,
    tape: tapeOf({ 8: 1, 13: 14, 22: 5, 23: 1, 25: 1, 74: 1 }),
    mended: 'a plan that was taken up again had forgotten what was read before it began',
  },
]

async function failure(seed: number, options: SimulationOptions = {}): Promise<History | null> {
  const history = await simulate(seed, options)
  return history.problem === null ? null : history
}

describe('any number of processes', () => {
  it(
    'keep the promise, whatever befalls them and in whatever order they go',
    async () => {
      let [interleavings, troubles, histories] = [0, 0, 0]
      for (let seed = first; interleavings < wanted; seed++) {
        const history = await simulate(seed)
        if (history.problem !== null) {
          throw new Error(await failureText(seed, history, (tape) => simulate(seed, { tape })))
        }
        interleavings += history.interleavings
        troubles += history.troubles
        if (++histories % 5000 === 0) writeSync(1, `${histories} histories, ${interleavings} interleavings\n`)
      }
      expect(troubles).toBeGreaterThan(histories * 5)
      writeSync(1, `simulated: ${histories} histories, ${interleavings} interleavings, ${troubles} troubles\n`)
    },
    wanted > SAMPLE ? 86_400_000 : undefined,
  )

  it('bring what comes late, once, where they look back', async () => {
    let interleavings = 0
    for (let seed = 1; interleavings < SAMPLE / 3; seed++) {
      const history = await simulations.lookback(seed)
      if (history.problem !== null) {
        throw new Error(await failureText(seed, history, (tape) => simulations.lookback(seed, { tape })))
      }
      interleavings += history.interleavings
    }
  })

  it('go the same way again by the same seed, and by its tape', async () => {
    const [one, two] = [await simulate(7), await simulate(7)]
    expect(two.log).toEqual(one.log)
    expect(one.troubles).toBeGreaterThan(0)
    expect((await simulate(7, { tape: one.tape })).log).toEqual(one.log)
  })

  it.each(FAILED)('no longer fail by seed $seed of $of: $mended', async ({ of, seed, tape }) => {
    expect((await simulations[of](seed, { tape })).problem).toBeNull()
  })
})

const eventful = ({ tape }: History): number => tape.filter((choice) => choice !== 0).length

/** A store that keeps one of its promises no longer. */
const broken: [promise: string, over: (place: MemoryPlace) => ObjectStore][] = [
  [
    'a create of a key that is taken',
    (place) => {
      const store = memoryStore(place)
      return { ...bound(store), create: async (key, body) => (await store.put(key, body), 'created') }
    },
  ],
  [
    'a listing that leaves out what is newest',
    (place) => {
      const store = memoryStore(place)
      const newest = (key: string): boolean => key === [...place.objects.keys()].at(-1)
      return {
        ...bound(store),
        async *list(prefix, options) {
          for await (const object of store.list(prefix, options)) if (!newest(object.key)) yield object
        },
      }
    },
  ],
  [
    'a completion that is said and not done',
    (place) => {
      const store = memoryStore(place)
      let completions = 0
      return { ...bound(store), complete: async (file) => (++completions % 9 === 0 ? 'done' : store.complete(file)) }
    },
  ],
]

describe('the simulation sees', () => {
  it.each(broken)('%s', async (_, over) => {
    let failed: History | null = null
    let seed = 0
    while (failed === null && seed < 200) failed = await failure(++seed, { over })
    expect(failed, `none of ${seed} histories failed`).not.toBeNull()
    const short = await shrink(failed!, (tape) => simulate(seed, { over, tape }))
    expect(short.problem).not.toBeNull()
    expect(eventful(short)).toBeLessThan(eventful(failed!))
  })
})
