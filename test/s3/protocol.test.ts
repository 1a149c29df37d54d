/**
 * The commit protocol in buckets of every kind. `LAKEWARD_PLACES=versitygw npx vitest run test/lake` plays all of its
 * scenes there; these are the ones that a bucket may do otherwise than a directory.
 */
import { describe, expect, it } from 'vitest'
import { history } from '../../connectors/lake/readers.ts'
import type { BucketOptions } from '../s3-servers.ts'
import { LANE } from '../lake/lane-workflow.ts'
import { inBucket } from '../lake/places.ts'
import type { Place } from '../lake/places.ts'
import { checkPromise } from '../lake/promise.ts'
import { dies, diesAfter, laneAt, run } from '../lake/scenes.ts'
import { THOROUGH_ONLY, describeOnS3 } from './s3-place.ts'
import { thorough } from './thorough.ts'

const ENTRY_2 = /^create .*00000002\.json/
const LONG = { timeout: 180_000 }

async function outcomes(place: Place): Promise<string[]> {
  const recorded = await history(laneAt(place, LANE), 100)
  return recorded.map(({ n, entry, outcome }) => `${n} ${outcome?.outcome ?? entry.kind}`).toReversed()
}

const locked: [kind: string, options: BucketOptions] = ['locked, and so versioned', { locked: true }]
const others: [kind: string, options: BucketOptions][] = [
  ['plain', {}],
  ['versioned', { versioned: true }],
]

describeOnS3(
  'the commit protocol',
  (server) => {
    describe.each(thorough ? [locked, ...others] : [locked])('in a bucket that is %s', (_, options) => {
      const place = async (settleMs = 0): Promise<Place> =>
        inBucket(server, await server.createBucket(options), settleMs)

      it('two runs, and one that replaces what was there', LONG, async () => {
        const one = await place()
        await run(one, 1, { clock: 20 })
        const two = await run(one, 2, { clock: 40 })
        await checkPromise(two.at(one.store()))
        const again = await run(one, 3, { clock: 50, ask: { read: 'full', write: 'replace' } })
        await checkPromise(again.at(one.store()))
        expect(one.watch.problems).toEqual([])
      })

      it('what a killed run staged is removed, and what it committed is carried out', LONG, async () => {
        const one = await place()
        await dies(one, 1, { clock: 20 }, 'commit')
        await diesAfter(one, 2, { clock: 40 }, ENTRY_2)
        const last = await run(one, 3, { clock: 60 })
        await checkPromise(last.at(one.store()), { quiet: true })
        expect(await outcomes(one)).toEqual(['1 fence', '2 done', '3 fence', '4 done'])
        expect(one.watch.problems).toEqual([])
      })

      it('a rule that drops staged uploads after the commit: void, said, and read again', LONG, async () => {
        const one = await place(3_000)
        await run(one, 1, { clock: 20 })
        await diesAfter(one, 2, { clock: 60 }, ENTRY_2)
        const lost = await one.loseStaged(() => true)
        expect(lost.length).toBeGreaterThan(0)
        const last = await run(one, 3, { clock: 80 })
        expect(await outcomes(one)).toEqual(['1 done', '2 void', '3 fence', '4 done'])
        expect(last.report.join()).toMatch(/Entry 2 .* is void: \d+ of \d+ staged files are gone.*read again/s)
        await checkPromise(last.at(one.store()), { quiet: true, voids: 1 })
        expect(one.watch.problems).toEqual([])
      })
    })
  },
  THOROUGH_ONLY,
)
