/** The way out of a damaged ledger: what is proposed, what it leaves, and that no done data is ever deleted. */
import { describe, expect, it } from 'vitest'
import { examine } from '../../connectors/lake/examine.ts'
import type { Damage, Mend } from '../../connectors/lake/examine.ts'
import { IDENTITY_KEY, laneKeys } from '../../connectors/lake/keys.ts'
import { openLane } from '../../connectors/lake/open.ts'
import { currentFiles } from '../../connectors/lake/readers.ts'
import { mend } from '../../connectors/lake/repair.ts'
import type { ObjectStore } from '../../connectors/lake/store.ts'
import { LANE } from './lane-workflow.ts'
import { places } from './places.ts'
import type { Place } from './places.ts'
import { checkPromise } from './promise.ts'
import { diesAfter, dies, laneAt, run, workflow } from './scenes.ts'

const keys = laneKeys(LANE)
const text = async (store: ObjectStore, key: string) => Buffer.from((await store.get(key)) ?? []).toString()

async function keysBelow(store: ObjectStore, prefix: string): Promise<string[]> {
  const found: string[] = []
  for await (const { key } of store.list(prefix)) found.push(key)
  return found
}

describe.each(places)('repair on %s', (_, make) => {
  let place: Place
  let store: ObjectStore

  async function begin(entries = 4): Promise<void> {
    place = make()
    store = place.store()
    for (let start = 1; start <= entries; start++) await run(place, start, { clock: start * 20, unitRows: 30 })
  }
  const at = () => laneAt(place, LANE)
  const opens = () => openLane(at(), workflow(place, 9, { clock: 0 }).run)

  /** The damages found; afterwards there is none, and the lane opens. */
  async function repairs(...doubted: number[]): Promise<Damage[]> {
    const { damages } = await examine(at(), doubted)
    for (const damage of damages) {
      expect(damage.mend, damage.what).not.toBeNull()
      await mend(at(), damage as Damage & { mend: Mend })
    }
    expect((await examine(at())).damages).toEqual([])
    await opens()
    return damages
  }

  /** What is left is a promise for everything that was not lost. */
  const goesOn = async (clock: number, voids = 0) => {
    await run(place, 10, { clock })
    await checkPromise(at(), { quiet: true, voids })
  }

  it('leaves a number to people that is far behind the others: nobody looks at all between', async () => {
    await begin()
    await store.create(keys.entry(99_999_999), Buffer.from('{}'))
    const { damages, found } = await examine(at())
    expect(damages).toMatchObject([
      { where: keys.entry(99_999_999), mend: null, what: expect.stringMatching(/the ledger ends with 4/) as string },
    ])
    expect(found.length).toBe(4)
    await expect(opens()).rejects.toThrow(/entry 5 is missing/)
  })

  it('names the outcome where that is of a newer version', async () => {
    await begin()
    await store.put(keys.outcome(4), Buffer.from('{"version":2}'))
    expect((await examine(at())).damages).toMatchObject([{ where: keys.outcome(4), mend: null }])
  })

  it('finds nothing in a whole ledger, nor in one with an entry that is owed', async () => {
    await begin()
    expect((await examine(at())).damages).toEqual([])
    await dies(place, 5, { clock: 100 }, 'finish')
    await store.delete(keys.outcome(5))
    expect((await examine(at())).damages).toEqual([])
  })

  it.each<[string, (n: number) => Promise<void>, RegExp]>([
    ['missing', async (n) => store.delete(keys.entry(n)), /entry \d is missing/],
    ['empty', async (n) => store.put(keys.entry(n), Buffer.from('')), /not readable as JSON/],
    ['half there', async (n) => store.put(keys.entry(n), Buffer.from('{"version":1,"ki')), /not readable as JSON/],
    [
      'another one',
      async (n) => store.put(keys.entry(n), Buffer.from(await text(store, keys.entry(1)))),
      /holds entry 1/,
    ],
  ])(
    'a done entry in the middle that is %s becomes a fence; its files stay, its rows can be read again',
    async (how, damage, what) => {
      await begin()
      const files = await keysBelow(store, 'data/')
      await damage(3)
      const was = await text(store, keys.entry(3))
      const [found, ...more] = await repairs()
      expect(more).toEqual([])
      expect(found?.what).toMatch(what)
      expect(found?.where).toBe(keys.entry(3))
      expect(found?.means.join('\n')).toMatch(/--from \S+ --to \S+`\./)
      expect(found?.means.join('\n')).toContain('stay where they are')
      expect(await keysBelow(store, 'data/'), 'no data is deleted').toEqual(files)
      const fence = JSON.parse(await text(store, keys.entry(3))) as { kind: string; why: string }
      expect(fence).toMatchObject({ kind: 'fence', n: 3, why: expect.stringMatching(/^repaired: .*copied to/) })
      const copies = await Promise.all((await keysBelow(store, keys.repairs)).map((key) => text(store, key)))
      expect(
        copies.some((copy) => copy.includes('"done"')),
        'its outcome is kept',
      ).toBe(true)
      if (how !== 'missing') expect(copies).toContain(was)
      expect((await currentFiles(at())).length).toBeGreaterThan(0)
      expect((await opens()).state.n).toBe(4)
    },
  )

  it('the newest entry, done and lost: the lane goes back, and its files are named', async () => {
    await begin()
    const { watermark } = (await opens()).state
    await store.put(keys.entry(4), Buffer.from('x'))
    const [found] = await repairs()
    expect(found?.means.join('\n')).toMatch(/goes back to watermark \S+ of entry 3/)
    expect(found?.means.join('\n')).toMatch(/Its files \(data\/.*\) stay/)
    const opened = await opens()
    expect(opened.state.n).toBe(3)
    expect(opened.state.watermark! < watermark!).toBe(true)
    expect(opened.n).toBe(5)
  })

  it('a lost fence, a lost void, a lost entry that nobody completed: nothing is lost with them', async () => {
    await begin(2)
    await dies(place, 3, { clock: 60 }, 'commit')
    await run(place, 4, { clock: 60 }) // behind a fence, 3
    await store.delete(keys.entry(3))
    const [found] = await repairs()
    expect(found?.means.join('\n')).toContain('nothing is lost')
    await goesOn(80)
  })

  it('the first entry, and several at once', async () => {
    await begin()
    for (const n of [1, 3]) for (const key of [keys.entry(n), keys.outcome(n)]) await store.delete(key)
    await store.delete(keys.hint)
    const found = await repairs()
    expect(found.map(({ where }) => where)).toEqual([keys.entry(1), keys.entry(3)])
    expect(found[0]?.means.join()).toContain('run NAME --full')
  })

  it.each([
    'x',
    '',
    '{"version":1,"n":3,"outcome":"done","manifest":[],"writtenAt":""}',
    '{"version":1,"n":4,"outcome":"maybe","writtenAt":""}',
  ])('an outcome of %j is decided anew: all files are there, so it is done', async (content) => {
    await begin()
    const before = await currentFiles(at())
    await store.put(keys.outcome(4), Buffer.from(content))
    const [found] = await repairs()
    expect(found?.means.join()).toMatch(/All \d+ files of the entry are there/)
    expect(await currentFiles(at())).toEqual(before)
    await goesOn(100)
  })

  it('an unreadable outcome of an entry that others stand on is done, also where a file is missing', async () => {
    await begin()
    const files = await keysBelow(store, 'data/')
    const entry = JSON.parse(await text(store, keys.entry(2))) as { files: { key: string }[] }
    await store.delete(entry.files[0]!.key)
    await store.put(keys.outcome(2), Buffer.from('x'))
    const [found] = await repairs()
    expect(found?.mend).toMatchObject({ do: 'decide', outcome: 'done' })
    expect(found?.means.join()).toContain(`${entry.files[0]!.key} is not there`)
    expect(await keysBelow(store, 'data/')).toEqual(files.filter((key) => key !== entry.files[0]!.key))
  })

  it('an unreadable outcome of the newest entry, with a file missing: void, told before, and read again', async () => {
    await begin()
    const entry = JSON.parse(await text(store, keys.entry(4))) as { files: { key: string }[] }
    await store.delete(entry.files[0]!.key)
    await store.put(keys.outcome(4), Buffer.from('x'))
    const [found] = await repairs()
    expect(found?.mend).toMatchObject({ do: 'decide', outcome: 'void' })
    expect(found?.means.join()).toMatch(/becomes void.*reads them again/)
    await goesOn(100, 1)
  })

  it('an outcome without an entry, and one of a fence', async () => {
    await begin(2)
    await store.create(keys.outcome(3), Buffer.from('{}'))
    const [found] = await repairs()
    expect(found?.where).toBe(keys.entry(3))
    await store.create(keys.outcome(3), Buffer.from(await text(store, keys.outcome(2))))
    const [stray] = await repairs()
    expect(stray).toMatchObject({ where: keys.outcome(3), mend: { do: 'remove' } })
    await goesOn(60)
  })

  it('an entry whose file somebody else wrote: void', async () => {
    await begin(2)
    const one = await diesAfter(place, 3, { clock: 60 }, /^create .*commits\/00000003\.json/)
    expect(one.opened?.n).toBe(3)
    const entry = JSON.parse(await text(store, keys.entry(3))) as { files: { key: string }[] }
    const foreign = entry.files[0]!.key
    await store.put(foreign, Buffer.from('not ours'))
    const [found] = await repairs()
    expect(found?.what).toContain(`${foreign} has 8 bytes`)
    expect(found?.means.join()).toContain(`deleted (move away what you need): ${foreign}`)
    expect(JSON.parse(await text(store, keys.outcome(3)))).toMatchObject({
      outcome: 'void',
      why: expect.stringContaining('repaired'),
    })
    await goesOn(60, 1)
  })

  it('an entry that is given up by hand', async () => {
    await begin(2)
    await diesAfter(place, 3, { clock: 60 }, /^create .*commits\/00000003\.json/)
    expect((await examine(at())).damages).toEqual([])
    expect((await repairs(3)).map(({ where }) => where)).toEqual([keys.entry(3)])
    await goesOn(60, 1)
  })

  it('an outcome that appears while it is repaired is obeyed', async () => {
    await begin(2)
    await diesAfter(place, 3, { clock: 60 }, /^create .*commits\/00000003\.json/)
    const { damages } = await examine(at(), [3])
    await opens() // completes it
    await mend(at(), damages[0] as Damage & { mend: Mend })
    expect(JSON.parse(await text(store, keys.outcome(3)))).toMatchObject({ outcome: 'done' })
    await goesOn(60)
  })

  it('an unreadable plan: its run can commit nothing any more', async () => {
    await begin(2)
    const one = await dies(place, 3, { clock: 60 }, 'commit')
    await store.put(keys.plan(one.run.key), Buffer.from('{"version":1}'))
    const [found] = await repairs()
    expect(found).toMatchObject({ where: keys.plan(one.run.key), mend: { do: 'remove', close: 3 } })
    expect(JSON.parse(await text(store, keys.entry(3)))).toMatchObject({ kind: 'fence', run: 'repair' })
  })

  it('an unreadable record of a unit that is nobody’s', async () => {
    await begin(2)
    const key = keys.unit('000000003-w3000000-0', '0', '000001-abc')
    await store.create(key, Buffer.from('half'))
    await expect(opens()).rejects.toMatchObject({ type: 'LedgerDamaged' })
    expect((await repairs()).map(({ where }) => where)).toEqual([key])
    await goesOn(60)
  })

  it.each(['unreadable', 'missing'])('the lake’s identity, %s, is what the entries say', async (how) => {
    await begin(2)
    const { id } = JSON.parse(await text(store, IDENTITY_KEY)) as { id: string }
    if (how === 'missing') await store.delete(IDENTITY_KEY)
    else await store.put(IDENTITY_KEY, Buffer.from('{'))
    await repairs()
    expect(JSON.parse(await text(store, IDENTITY_KEY))).toMatchObject({ id, repaired: expect.any(String) })
    await goesOn(60)
  })

  it('what cannot be judged is left alone: newer versions, an identity that nothing tells', async () => {
    await begin(2)
    await store.put(keys.entry(2), Buffer.from('{"version":2,"kind":"commit"}'))
    await store.put(keys.outcome(1), Buffer.from('{"version":7}'))
    const { damages } = await examine(at())
    expect(damages.map(({ mend: step }) => step)).toEqual([null, null])
    expect(damages[0]?.means.join()).toContain('newer Lakeward')
    const fresh = laneAt(make(), LANE)
    await fresh.store.put(IDENTITY_KEY, Buffer.from('{'))
    expect((await examine(fresh)).damages).toMatchObject([{ where: IDENTITY_KEY, mend: null }])
  })

  it('dies in the middle and goes on: a fence with an outcome is found again', async () => {
    await begin()
    await store.put(keys.entry(3), Buffer.from('x'))
    const { damages } = await examine(at())
    const dying: ObjectStore = Object.assign(place.store(), {
      delete: () => Promise.reject(new Error('killed')),
    })
    await expect(mend({ ...at(), store: dying }, damages[0] as Damage & { mend: Mend })).rejects.toThrow('killed')
    expect(await repairs()).toMatchObject([{ where: keys.outcome(3), what: expect.stringContaining('is a fence') }])
  })
})
