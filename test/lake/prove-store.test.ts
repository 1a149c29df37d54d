/** Stores that break one promise of the port each: the proof must see it, and leave nothing behind. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Check } from '../../connectors/check.ts'
import { fileStore } from '../../connectors/lake/file/file-store.ts'
import { oneDevice } from '../../connectors/lake/file/prove-directory.ts'
import { proveStore } from '../../connectors/lake/prove-store.ts'
import type { ObjectStore, StagedFile } from '../../connectors/lake/store.ts'
import { MemoryPlace, memoryStore } from './memory-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'lakeward-prove-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function proof(store: ObjectStore): Promise<Map<string, Check>> {
  const checks = new Map<string, Check>()
  for await (const check of proveStore(store)) checks.set(check.name, check)
  return checks
}

async function keysOf(store: ObjectStore): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list('')) keys.push(key)
  return keys
}

it('a good store passes, and holds afterwards what it held before', async () => {
  const store = memoryStore(new MemoryPlace(), 0)
  await store.create('_lakeward/numbers/x.json', Buffer.from('{}'))
  const checks = await proof(store)
  expect([...checks.values()].filter(({ state }) => state !== 'ok')).toEqual([])
  expect([...checks.keys()]).toEqual([
    'lake',
    'missing keys',
    'read after write',
    'create once',
    'race of creates',
    'staged files',
  ])
  expect(await keysOf(store)).toEqual(['_lakeward/numbers/x.json'])
})

it('a directory passes, with what only a directory is asked', async () => {
  const lake = join(folder, 'lake')
  const checks = await proof(fileStore(lake))
  expect([...checks.values()].filter(({ state }) => state === 'failed')).toEqual([])
  for (const name of ['file system', 'hard links', 'one device', 'letter case', 'fsync', 'free space']) {
    expect([...checks.keys()]).toContain(name)
  }
  expect(new Set<unknown>(readdirSync(lake, { recursive: true })), 'nothing is left').toEqual(
    new Set(['_lakeward', '_lakeward/_tmp']),
  )
})

describe('a store is refused that', () => {
  const place = () => new MemoryPlace()
  const broken = (change: (good: ObjectStore) => Partial<ObjectStore>): ObjectStore => {
    const good = memoryStore(place(), 0)
    return Object.assign(memoryStore(place(), 0), methods(good), change(good))
  }
  const methods = (store: ObjectStore): Partial<ObjectStore> => ({
    list: (prefix, options) => store.list(prefix, options),
    get: (key) => store.get(key),
    head: (key) => store.head(key),
    create: (key, body) => store.create(key, body),
    put: (key, body) => store.put(key, body),
    delete: (key) => store.delete(key),
    stage: (file) => store.stage(file),
    complete: (file) => store.complete(file),
    abort: (file) => store.abort(file),
    staged: (areas, prefix) => store.staged(areas, prefix),
  })
  const denied = () => Promise.reject(new Error('403 AccessDenied'))

  it.each<[string, string, (good: ObjectStore) => Partial<ObjectStore>, RegExp]>([
    [
      'ignores If-None-Match',
      'create once',
      (good) => ({ create: async (key, body) => (await good.put(key, body), 'created') }),
      /a second create overwrote the first/,
    ],
    [
      'checks, and then acts',
      'race of creates',
      (good) => ({
        async create(key, body) {
          if (await good.head(key)) return 'exists'
          await new Promise((resolve) => setImmediate(resolve))
          await good.put(key, body)
          return 'created'
        },
      }),
      /round 1 of 20: 16 of 16 were told that they had created the key/,
    ],
    [
      'names a winner, and keeps the bytes of another',
      'race of creates',
      (good) => ({
        async create(key, body) {
          const answer = await good.create(key, body)
          if (key.includes('/race/') && answer === 'exists') await good.put(key, body)
          return answer
        },
      }),
      /was told that it had won, and racer \d+ of round 0 is read/,
    ],
    [
      'answers 403 for what is missing',
      'missing keys',
      (good) => ({ get: (key) => (key.includes('nothing') ? denied() : good.get(key)) }),
      /403/,
    ],
    [
      'lists late',
      'read after write',
      (good) => ({
        async *list(prefix, options) {
          for await (const object of good.list(prefix, options)) if (!object.key.includes('/read/')) yield object
        },
      }),
      /what was just written is not listed/,
    ],
    ['reads old versions', 'read after write', () => ({ put: async () => {} }), /overwritten is still read/],
    ['does not list uploads', 'staged files', () => ({ async *staged() {} }), /is not listed as such/],
    [
      'forgets half of a file',
      'staged files',
      (good) => ({
        get: async (key) => {
          const body = await good.get(key)
          return key.endsWith('.bin') ? (body?.subarray(0, 100) ?? null) : body
        },
      }),
      /does not read as it was staged/,
    ],
    [
      'calls a second completion lost',
      'staged files',
      (good) => {
        const completed = new Set<string>()
        return {
          async complete(file: StagedFile) {
            if (completed.has(file.upload)) return 'absent'
            completed.add(file.upload)
            return good.complete(file)
          },
        }
      },
      /second completion is not told as done/,
    ],
  ])('%s', async (_, name, change, found) => {
    const store = broken(change)
    const checks = await proof(store)
    expect(checks.get(name)).toMatchObject({ state: 'failed', found: expect.stringMatching(found) })
  })

  it('cannot be written, told once; cannot be reached, told alone; keeps probes, told after', async () => {
    const readOnly = await proof(broken(() => ({ create: denied, put: denied })))
    expect(readOnly.get('read after write')?.state).toBe('failed')
    expect(readOnly.get('race of creates')).toMatchObject({ state: 'skipped', found: 'nothing can be written' })
    expect([...(await proof(broken(() => ({ get: denied })))).keys()]).toEqual(['lake'])
    const keeps = await proof(
      broken((good) => ({ delete: async (key) => (key.includes('once') ? undefined : good.delete(key)) })),
    )
    expect(keeps.get('clean-up')).toMatchObject({ state: 'failed', found: expect.stringMatching(/1 probes are left/) })
  })
})

it('a mount in the lake is found; one beside it, and none at all, are no matter', () => {
  const mounted = (point: string) =>
    `22 1 8:1 / / rw - ext4 /dev/sda rw\n36 35 98:0 / ${point} rw,noatime master:1 - ext3 /dev/root rw\n`
  expect(oneDevice('/data/lake', mounted('/data/lake/raw\\040files'))).toMatchObject({
    state: 'failed',
    found: 'mounted in the lake: /data/lake/raw files',
  })
  for (const point of ['/data/lake', '/data/lake-2/raw', '/data']) {
    expect(oneDevice('/data/lake', mounted(point))).toContain('no other device')
  }
  expect(oneDevice('/data/lake', null)).toMatchObject({ state: 'skipped' })
})
