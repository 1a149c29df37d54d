/** Many at once: what must have one winner has one, and what may be repeated may be repeated at once. */
import { must } from './expect.ts'
import { bytesOf, keysBelow, same, stage, textAt } from './store-reading.ts'
import type { StoreCheck } from './store.ts'

const ROUNDS = 20
const RACERS = 16

export const racingCases = {
  'of many creates at once one wins, and all read the winner': async ({ store, other }) => {
    for (let round = 0; round < ROUNDS; round++) {
      const key = `race/${round}`
      const bodies = Array.from({ length: RACERS }, (_, at) => `${at}`.repeat(200 + at))
      const racers = bodies.map(async (body, at) => {
        const by = at % 2 === 0 ? store : other
        const answer = await by.create(key, bytesOf(body))
        return { body, answer, read: await textAt(by, key) }
      })
      const ends = await Promise.all(racers)
      const winners = ends.filter(({ answer }) => answer === 'created')
      must(winners.length === 1, `round ${round} has ${winners.length} winners`)
      must(
        ends.every(({ read }) => read === winners[0]?.body),
        `round ${round}: somebody read what the winner did not write`,
      )
    }
  },

  'creates in folders that come and go': async ({ store, other }) => {
    for (let round = 0; round < ROUNDS; round++) {
      const one = `come/and/go/${round}/a`
      const two = `come/and/go/${round}/b`
      await store.create(one, bytesOf('1'))
      // A store may answer `exists` here, where a request had to be repeated: what counts is what is read back.
      await Promise.all([other.delete(one), store.create(two, bytesOf('2'))])
      same(await textAt(other, two), '2', 'the content')
      await Promise.all([store.delete(two), other.delete(two)])
    }
    same(await keysBelow(store, ''), [], 'list')
  },

  'many completes of one file at once are all done': async ({ store, other }) => {
    for (let round = 0; round < 5; round++) {
      const file = await stage(store, `data/${round}/a`, 'abc')
      const answers = await Promise.all(Array.from({ length: 8 }, (_, at) => (at % 2 ? store : other).complete(file)))
      same([...new Set(answers)], ['done'], 'the answers')
      same(await textAt(store, file.key), 'abc', 'the content')
    }
  },

  'of a complete and an abort at once one wins': async ({ store, other }) => {
    for (let round = 0; round < ROUNDS; round++) {
      const file = await stage(store, `data/${round}`, 'abc')
      const [, answer] = await Promise.all([other.abort(file), store.complete(file)])
      const found = await textAt(store, file.key)
      same(found, answer === 'done' ? 'abc' : null, `the content after ${answer}`)
      same(await other.complete(file), answer, 'complete again')
    }
  },
} satisfies Record<string, StoreCheck>
