/** Fifty committers of one entry: one wins, and all the others are told, each time. */
import { expect, it } from 'vitest'
import { thorough } from './thorough.ts'
import { describeOnS3, storeOn } from './s3-place.ts'

const ROUNDS = thorough ? 100 : 3
const COMMITTERS = 50
const CLIENTS = 10

describeOnS3('fifty committers of one entry', (server) => {
  it(`have one winner in each of ${ROUNDS} rounds`, { timeout: 1_800_000 }, async () => {
    const bucket = await server.createBucket()
    const clients = Array.from({ length: CLIENTS }, () => storeOn(server, bucket))
    for (let round = 1; round <= ROUNDS; round++) {
      const key = `_lakeward/flow/Object/commits/${String(round).padStart(8, '0')}.json`
      const ends = await Promise.all(
        Array.from({ length: COMMITTERS }, async (_, at) => {
          const store = clients[at % CLIENTS]!
          const answer = await store.create(key, Buffer.from(JSON.stringify({ by: at })))
          const read = JSON.parse(Buffer.from((await store.get(key))!).toString()) as { by: number }
          return { at, answer, by: read.by }
        }),
      )
      const winners = ends.filter(({ answer }) => answer === 'created')
      expect(winners, `round ${round}`).toHaveLength(1)
      expect(new Set(ends.map(({ by }) => by)), `round ${round}`).toEqual(new Set([winners[0]!.at]))
    }
  })
})
