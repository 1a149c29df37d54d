/** Staged files: durable but invisible, until somebody completes or aborts them. */
import { must } from './expect.ts'
import { AREA, AREAS, bytesOf, keysBelow, same, stage, stagedKeys, textAt } from './store-reading.ts'
import type { StoreCheck, StoreHarness } from './store.ts'

/** More than one part, and no whole number of any store's parts. */
const LARGE = 11_000_003

export const stagingCases = {
  'nothing of a staged file is to be seen': async ({ store, other }) => {
    const key = 'data/accounts/part-1.jsonl'
    const writer = await store.stage({ key, area: AREA, unit: 'u' })
    await writer.write(bytesOf('rows\n'))
    await unseen({ store, other }, key, 'while it is written')
    const file = await writer.close()
    await unseen({ store, other }, key, 'when it is closed')
    same([file.key, file.unit, file.bytes], [key, 'u', 5], 'what close answers')
    same(await stagedKeys(other, AREAS, 'data/accounts/'), [key], 'staged, for another client')
  },

  'a completed file is there, whole, and staged no more': async ({ store, other }) => {
    const body = new Uint8Array(LARGE).map((_, at) => (at * 17) % 253)
    const writer = await store.stage({ key: 'data/new/folder/large', area: AREA, unit: 'u' })
    for (const [from, to] of [
      [0, 1],
      [1, 1],
      [1, 6_000_000],
      [6_000_000, LARGE],
    ] as const) {
      await writer.write(body.subarray(from, to))
    }
    const file = await writer.close()
    same(await other.complete(file), 'done', 'complete, by another client')
    const found = await store.get(file.key)
    must(found !== null && Buffer.from(body).equals(found), 'the bytes are others')
    same((await store.head(file.key))?.bytes, LARGE, 'the size')
    same(await keysBelow(store, ''), [file.key], 'list')
    same(await stagedKeys(store, AREAS, 'data/'), [], 'staged')
    await store.settle([file.key])
  },

  'completing again is done again': async ({ store, other }) => {
    const file = await stage(store, 'data/a', 'abc')
    for (const by of [store, other, store]) same(await by.complete(file), 'done', 'complete')
    same(await textAt(store, 'data/a'), 'abc', 'the content')
  },

  'an aborted file cannot be completed': async ({ store, other }) => {
    const file = await stage(store, 'data/a', 'abc')
    await other.abort(file)
    await store.abort(file)
    same(await store.complete(file), 'absent', 'complete')
    await unseen({ store, other }, file.key, 'after the abort')
    same(await stagedKeys(store, AREAS, 'data/'), [], 'staged')
  },

  'aborting a completed file leaves it': async ({ store }) => {
    const file = await stage(store, 'data/a', 'abc')
    await store.complete(file)
    await store.abort(file)
    same(await textAt(store, 'data/a'), 'abc', 'the content')
    same(await store.complete(file), 'done', 'complete')
  },

  'a writer that aborts leaves nothing': async ({ store, other }) => {
    const writer = await store.stage({ key: 'data/a', area: AREA, unit: 'u' })
    await writer.write(new Uint8Array(6_000_000))
    await writer.abort()
    await unseen({ store, other }, 'data/a', 'after the abort')
    same(await stagedKeys(store, AREAS, 'data/'), [], 'staged')
  },

  'staged data that vanished is absent, and does not come back': async ({ store, other, loseStaged }) => {
    const file = await stage(store, 'data/a', 'abc')
    await loseStaged(file)
    same(await stagedKeys(other, AREAS, 'data/'), [], 'staged')
    same(await store.complete(file), 'absent', 'complete')
    same(await store.head(file.key), null, 'head')
  },

  'a completed file that was deleted is absent': async ({ store, other }) => {
    const file = await stage(store, 'data/a', 'abc')
    await store.complete(file)
    await other.delete(file.key)
    same(await store.complete(file), 'absent', 'complete')
    await unseen({ store, other }, file.key, 'after the delete')
  },

  'staged files are told by the keys they will have': async ({ store }) => {
    await stage(store, 'data/accounts/1', 'a')
    await stage(store, 'data/accounts/day=1/2', 'b', { area: `${AREAS}/run-2` })
    await stage(store, 'data/accounts-old/3', 'c')
    await stage(store, 'data/other/4', 'd', { area: '_lakeward/other/Object/staged/run-2' })
    const accounts = ['data/accounts/1', 'data/accounts/day=1/2']
    same(await stagedKeys(store, AREAS, 'data/accounts/'), accounts, 'below data/accounts/, of all runs')
    const other = await stagedKeys(store, '_lakeward/other/Object/staged', 'data/other/')
    same(other, ['data/other/4'], 'below data/other/')
    same(await stagedKeys(store, AREAS, 'data/none/'), [], 'below data/none/')
  },

  'files of one folder are completed and aborted one by one': async ({ store, other }) => {
    const files = await Promise.all(['a', 'b', 'c', 'd'].map((name) => stage(store, `data/f/${name}`, name)))
    const [a, b, c, d] = files as [(typeof files)[0], (typeof files)[0], (typeof files)[0], (typeof files)[0]]
    await Promise.all([store.complete(a), other.abort(b), other.complete(c)])
    same(await stagedKeys(store, AREAS, 'data/f/'), ['data/f/d'], 'staged')
    await store.delete('data/f/a')
    await store.complete(d)
    same(await keysBelow(store, 'data/'), ['data/f/c', 'data/f/d'], 'list')
  },
} satisfies Record<string, StoreCheck>

async function unseen({ store, other }: Pick<StoreHarness, 'store' | 'other'>, key: string, when: string) {
  for (const by of [store, other]) {
    same(await by.get(key), null, `get ${when}`)
    same(await by.head(key), null, `head ${when}`)
    same(await keysBelow(by, ''), [], `list ${when}`)
  }
}
