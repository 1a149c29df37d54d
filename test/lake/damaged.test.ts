/** A ledger that is not what it should be: said, and never guessed around. */
import { beforeEach, describe, expect, it } from 'vitest'
import { lakeIdentity } from '../../connectors/lake/identity.ts'
import { IDENTITY_KEY, laneKeys } from '../../connectors/lake/keys.ts'
import { openLane } from '../../connectors/lake/open.ts'
import { plannedRun, planHash } from '../../connectors/lake/plans.ts'
import { currentFiles, history } from '../../connectors/lake/readers.ts'
import type { ObjectStore } from '../../connectors/lake/store.ts'
import { LANE } from './lane-workflow.ts'
import { inMemory } from './places.ts'
import type { Place } from './places.ts'
import { checkPromise } from './promise.ts'
import { dies, laneAt, run, workflow } from './scenes.ts'

const keys = laneKeys(LANE)
const next = (place: Place) => openLane(laneAt(place, LANE), workflow(place, 9, { clock: 0 }).run)

let place: Place
let store: ObjectStore

beforeEach(async () => {
  place = inMemory()
  store = place.store()
  for (const start of [1, 2, 3, 4]) await run(place, start, { clock: start * 20, unitRows: 30 })
})

async function rewrite(key: string, change: (document: Record<string, unknown>) => unknown): Promise<void> {
  const document = JSON.parse(Buffer.from((await store.get(key)) as Uint8Array).toString()) as Record<string, unknown>
  await store.put(key, Buffer.from(JSON.stringify(change(document))))
}

async function forgetHint(): Promise<void> {
  await store.delete(keys.hint)
}

async function isDamaged(about: RegExp): Promise<void> {
  const before = await whole()
  const opening = next(place)
  await expect(opening).rejects.toMatchObject({ name: 'LakeError', type: 'LedgerDamaged' })
  await expect(opening).rejects.toThrow(about)
  await expect(opening).rejects.toThrow(/lakeward repair|newer Lakeward/)
  expect(await whole(), 'nothing was changed').toEqual(before)
  for (const reading of [currentFiles(laneAt(place, LANE)), history(laneAt(place, LANE), 9)]) {
    await expect(reading).rejects.toMatchObject({ type: 'LedgerDamaged' })
  }
}

async function whole(): Promise<[string, string][]> {
  const all: [string, string][] = []
  for await (const { key } of store.list(''))
    all.push([key, Buffer.from((await store.get(key)) as Uint8Array).toString()])
  return all
}

describe('a damaged ledger', () => {
  it('with a gap behind the hint', async () => {
    await run(place, 5, { clock: 100 })
    await store.delete(keys.entry(4))
    await store.delete(keys.outcome(4))
    await isDamaged(/00000004\.json: entry 4 is missing/)
  })

  it('with a gap anywhere, when there is no hint', async () => {
    await forgetHint()
    await store.delete(keys.entry(2))
    await isDamaged(/entry 2 is missing/)
  })

  it('without its first entry', async () => {
    await forgetHint()
    await store.delete(keys.entry(1))
    await store.delete(keys.outcome(1))
    await isDamaged(/entry 1 is missing/)
  })

  it('with an outcome and no entry', async () => {
    await store.create(keys.outcome(5), Buffer.from('{}'))
    await isDamaged(/entry 5 is missing/)
  })

  it.each([
    ['nothing', ''],
    ['half a document', '{"version":1,"kind":"comm'],
    ['no UTF-8', Buffer.from([0xff, 0xfe, 0x7b])],
    ['another kind of JSON', '[]'],
    ['a kind that is not known', '{"version":1,"kind":"rebase","n":4}'],
  ])('with %s for an entry', async (_, content) => {
    await store.put(keys.entry(4), Buffer.from(content))
    await isDamaged(/00000004\.json: an entry is not/)
  })

  it.each(['files', 'after', 'units', 'counts', 'before', 'generation', 'last'])(
    'with an entry without %s',
    async (name) => {
      await rewrite(keys.entry(4), (entry) => ({ ...entry, [name]: undefined }))
      await isDamaged(new RegExp(`an entry is not of its shape: ${name}`))
    },
  )

  it('with an entry of a later version', async () => {
    await rewrite(keys.entry(4), (entry) => ({ ...entry, version: 2 }))
    await isDamaged(/version 2, and this Lakeward reads version 1\. It was written by a newer Lakeward/)
  })

  it('with an entry in the wrong place', async () => {
    await rewrite(keys.entry(4), (entry) => ({ ...entry, n: 7 }))
    await isDamaged(/the file holds entry 7/)
  })

  it.each([
    ['unreadable', 'x', /an outcome is not readable/],
    [
      'of another entry',
      '{"version":1,"n":3,"outcome":"done","manifest":[],"writtenAt":""}',
      /does not belong to entry 4/,
    ],
    ['of a later version', '{"version":3,"n":4,"outcome":"done","writtenAt":""}', /version 3/],
    ['neither done nor void', '{"version":1,"n":4,"outcome":"maybe","writtenAt":""}', /outcome/],
  ])('with an outcome %s', async (_, content, about) => {
    await store.put(keys.outcome(4), Buffer.from(content))
    await isDamaged(about)
  })

  it('with a member that is missing, said so', async () => {
    await rewrite(keys.entry(4), (entry) => ({ ...entry, files: undefined }))
    await isDamaged(/an entry is not of its shape: files is missing/)
  })

  it('with a plan for a number that no entry can have', async () => {
    const one = await dies(place, 5, { clock: 100 }, 'unit')
    await rewrite(keys.plan(one.run.key), (plan) => ({ ...plan, n: 1e9 }))
    await expect(next(place)).rejects.toThrow(/plans\/\S+: a plan is not of its shape: n/)
  })

  it('with an unreadable plan', async () => {
    await store.create(keys.plan('000000007-w7000000-0'), Buffer.from('{"version":1}'))
    await expect(next(place)).rejects.toMatchObject({ type: 'LedgerDamaged' })
  })

  it('with an unreadable identity of the lake', async () => {
    await store.put(IDENTITY_KEY, Buffer.from('{"version":1}'))
    await expect(next(place)).rejects.toThrow(/lake\.json: the lake's identity is not of its shape: id/)
  })
})

describe('what is not damage', () => {
  it('members that a later release added', async () => {
    await rewrite(keys.entry(4), (entry) => ({ ...entry, compaction: { of: [1, 2] } }))
    expect((await next(place)).n).toBe(5)
  })

  it('files that are not the ledger’s', async () => {
    await store.put(`${keys.commits}README.txt`, Buffer.from('keep out'))
    await store.put(`${keys.commits}00000004.json~`, Buffer.from('a copy'))
    expect((await next(place)).n).toBe(5)
  })

  it.each([
    ['no hint', null],
    ['a hint that is no document', 'x'],
    ['a hint for an entry that is not there', '{"version":1,"n":77}'],
    ['a hint for a number that no entry can have', '{"version":1,"n":100000000}'],
    ['a hint for an entry without outcome', '{"version":1,"n":5}'],
    ['a hint that is too early', '{"version":1,"n":1}'],
  ])('%s', async (_, content) => {
    await dies(place, 5, { clock: 100 }, 'finish')
    await store.delete(keys.outcome(5))
    await forgetHint()
    if (content) await store.put(keys.hint, Buffer.from(content))
    const last = await run(place, 6, { clock: 120 })
    expect(last.report.join()).toContain('Entry 5')
    expect((await checkPromise(last.at(), { quiet: true })).integers.length).toBe(113)
  })

  it('a gap that a listing shows once: it was made while the entry was written', async () => {
    await forgetHint()
    let listings = 0
    const racy: ObjectStore = Object.assign(place.store(), {
      async *list(prefix: string, options?: { startAt?: string }) {
        listings += 1
        for await (const object of store.list(prefix, options)) {
          if (listings > 1 || !object.key.includes('00000003')) yield object
        }
      },
    })
    const opened = await openLane({ ...laneAt(place, LANE), store: racy }, workflow(place, 9, { clock: 0 }).run)
    expect(opened.n).toBe(5)
    expect(listings).toBe(2)
  })
})

describe('a listing from the hint', () => {
  it('is all that an open of an old lane reads', async () => {
    const heard: string[] = []
    const listening: ObjectStore = Object.assign(place.store(), {
      list: (prefix: string, options?: { startAt?: string }) => {
        heard.push(options?.startAt ?? prefix)
        return store.list(prefix, options)
      },
      get: (key: string) => {
        heard.push(key)
        return store.get(key)
      },
    })
    await openLane({ ...laneAt(place, LANE), store: listening }, workflow(place, 9, { clock: 0 }).run)
    expect(heard).toEqual([
      IDENTITY_KEY,
      keys.hint,
      keys.entry(3),
      keys.entry(3),
      keys.entry(4),
      keys.outcome(3),
      keys.outcome(4),
    ])
  })
})

describe('identity and plan', () => {
  it('the lake has one identity, however many make it', async () => {
    const fresh = inMemory()
    const ids = await Promise.all(Array.from({ length: 8 }, () => lakeIdentity(fresh.store())))
    expect(new Set(ids).size).toBe(1)
  })

  it('the plan that history names is the plan, or there is none', async () => {
    const one = await dies(place, 5, { clock: 100 }, 'unit')
    const at = laneAt(place, LANE)
    const hash = planHash(one.plan!)
    expect((await plannedRun(at, one.run.key, hash)).n).toBe(5)
    await expect(plannedRun(at, one.run.key, 'other')).rejects.toMatchObject({ type: 'LedgerDamaged' })
    await store.delete(keys.plan(one.run.key))
    await expect(plannedRun(at, one.run.key, hash)).rejects.toMatchObject({ type: 'CommitConflict' })
  })
})
