/** Objects: created once, listed whole and in order. */
import { must } from './expect.ts'
import { bytesOf, keysBelow, same, textAt } from './store-reading.ts'
import type { StoreCheck } from './store.ts'

/** One more than a page of any store's listing. */
const MANY = 1001

export const objectCases = {
  'what is absent is null, and deleting it is no error': async ({ store }) => {
    same(await store.get('a/b'), null, 'get')
    same(await store.head('a/b'), null, 'head')
    same(await keysBelow(store, ''), [], 'list')
    await store.delete('a/b')
    await store.create('a/b/c', bytesOf('x'))
    same(await store.get('a/b'), null, 'get of what is only a folder')
    same(await store.head('a/b'), null, 'head of what is only a folder')
  },

  'the first create stays, whoever comes second': async ({ store, other }) => {
    same(await store.create('ledger/1', bytesOf('first')), 'created', 'the first create')
    same(await other.create('ledger/1', bytesOf('second')), 'exists', 'the second create')
    same(await store.create('ledger/1', bytesOf('first')), 'exists', 'the same create again')
    same(await textAt(other, 'ledger/1'), 'first', 'the content')
    same(await other.head('ledger/1').then((found) => found?.bytes), 5, 'the size')
  },

  'an empty object and a large one': async ({ store, other }) => {
    const large = new Uint8Array(3_000_000).map((_, at) => (at * 31) % 251)
    await store.create('empty', new Uint8Array(0))
    await store.create('large', large)
    same((await other.get('empty'))?.byteLength, 0, 'the empty one')
    const found = await other.get('large')
    must(found !== null && Buffer.from(large).equals(found), 'the large one came back different')
  },

  'a deleted key is free again': async ({ store, other }) => {
    await store.create('folder/one', bytesOf('1'))
    await other.delete('folder/one')
    same(await store.get('folder/one'), null, 'get after delete')
    same(await keysBelow(store, ''), [], 'list after delete')
    same(await store.create('folder/one', bytesOf('2')), 'created', 'create after delete')
    same(await textAt(store, 'folder/one'), '2', 'the content')
  },

  'put overwrites': async ({ store, other }) => {
    await store.put('hint', bytesOf('1'))
    await other.put('hint', bytesOf('22'))
    same(await textAt(store, 'hint'), '22', 'the content')
  },

  'a listing is in byte order, by prefix and not by folder': async ({ store }) => {
    const keys = ['a', 'a-b', 'a/b', 'a/b-c', 'a/b/c', 'a0', 'ab', 'B', 'a/é', 'a/z', 'a/ž', 'a/\u{10000}', 'a/\uFFFD']
    const free = keys.filter((key) => key !== 'a' && key !== 'a/b')
    for (const key of free) await store.create(key, bytesOf(key))
    const inOrder = free.toSorted((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)))
    same(await keysBelow(store, ''), inOrder, 'everything')
    const below = inOrder.filter((key) => key.startsWith('a/b'))
    same(await keysBelow(store, 'a/b'), below, 'below a/b')
    same(await keysBelow(store, 'nothing/'), [], 'below nothing')
  },

  'a listing begins at a key, which need not be there': async ({ store }) => {
    for (const n of [1, 2, 3]) {
      await store.create(`c/commits/${n}.json`, bytesOf('{}'))
      await store.create(`c/commits/${n}.outcome`, bytesOf('{}'))
    }
    await store.create('c/plans/x.json', bytesOf('{}'))
    await store.create('b/commits/9.json', bytesOf('{}'))
    const from2 = ['c/commits/2.json', 'c/commits/2.outcome', 'c/commits/3.json', 'c/commits/3.outcome']
    same(await keysBelow(store, 'c/', 'c/commits/2.json'), [...from2, 'c/plans/x.json'], 'from one that is there')
    same(await keysBelow(store, 'c/', 'c/commits/2'), [...from2, 'c/plans/x.json'], 'from one that is not')
    same(await keysBelow(store, 'c/commits/', 'c/commits/4.json'), [], 'from behind the last')
  },

  'a listing is whole when it has many pages': async ({ store, other }) => {
    const keys = Array.from({ length: MANY }, (_, at) => `many/${String(at).padStart(5, '0')}`)
    for (let at = 0; at < MANY; at += 16) {
      await Promise.all(keys.slice(at, at + 16).map((key) => store.create(key, bytesOf(key))))
    }
    same(await keysBelow(other, 'many/'), keys, 'the keys')
  },

  'names of every kind are kept': async ({ store, other }) => {
    const keys = [
      'x/day=2024-01-01/a b+c&d.jsonl',
      'x/%2Fü%20/日本語.csv',
      "x/it's (1)!~*.json",
      `x/${'n'.repeat(200)}`,
    ]
    for (const key of keys) await store.create(key, bytesOf(key))
    for (const key of keys) same(await textAt(other, key), key, `the content of ${key}`)
    same(new Set(await keysBelow(store, 'x/')).size, keys.length, 'keys listed')
  },
} satisfies Record<string, StoreCheck>
