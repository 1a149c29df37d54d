/**
 * What verify finds, and what it does not: every file that is missing, extra or of another size, and all that is left.
 */
import { describe, expect, it } from 'vitest'
import { settleDelivery } from '../../connectors/lake/deliveries.ts'
import { lane8, laneKeys } from '../../connectors/lake/keys.ts'
import type { CommitEntry, Delivery } from '../../connectors/lake/protocol.ts'
import { currentFiles, history } from '../../connectors/lake/readers.ts'
import type { ObjectStore } from '../../connectors/lake/store.ts'
import { verifyLane, type Finding, type VerifyPlace } from '../../connectors/lake/verify.ts'
import type { Work } from './integers.ts'
import { LANE } from './lane-workflow.ts'
import { inMemory, places, type Place } from './places.ts'
import { checkPromise } from './promise.ts'
import { dies, laneAt, run } from './scenes.ts'

const keys = laneKeys(LANE)
const here: VerifyPlace = { folder: 'data/integers', isLake: true, isBusy: false }
const of = async (place: Place, more: Partial<VerifyPlace> = {}, store = place.store()) =>
  verifyLane({ ...laneAt(place, LANE), store }, { ...here, ...more })
const faults = (findings: Finding[]) => findings.filter(({ fault }) => fault)

async function begun(make: () => Place, work: Partial<Work> = {}): Promise<Place> {
  const place = make()
  for (const start of [1, 2, 3]) await run(place, start, { clock: start * 20, ...work })
  return place
}

describe.each(places)('verify on %s', (_, make) => {
  it('finds nothing wrong with a lane that is whole, and says what it holds', async () => {
    const place = await begun(make)
    const { integers } = await checkPromise(laneAt(place, LANE))
    const { findings, ...sums } = await of(place)
    expect(findings).toEqual([])
    expect(sums).toMatchObject({ entries: 3, rows: integers.length, delivered: null })
    expect(sums.files).toBe((await currentFiles(laneAt(place, LANE))).length)
  })

  it('a file that is missing, one of another size, one that is extra: each by its key', async () => {
    const place = await begun(make)
    const [first, second] = await currentFiles(laneAt(place, LANE))
    const store = place.store()
    await store.delete(first!.key)
    await store.put(second!.key, Buffer.from('1\n'))
    await store.put('data/integers/half=1/notes.txt', Buffer.from('mine'))
    const uncommitted = `data/integers/${lane8(LANE)}-000000001-w1000000-0-r0-000001-0123456789abcdef.jsonl`
    await store.put(uncommitted, Buffer.from('1\n'))
    const { findings } = await of(place)
    expect(findings.map(({ kind, where, fault }) => `${kind} ${where} ${fault}`).toSorted()).toEqual(
      [
        `missing ${first!.key} true`,
        `size ${second!.key} true`,
        'extra data/integers/half=1/notes.txt true',
        `extra ${uncommitted} true`,
      ].toSorted(),
    )
    expect(findings.find(({ kind }) => kind === 'size')!.what).toMatch(/it has 2 bytes, and entry 1 says \d+/)
  })

  it('files of other lanes in the same folder are told, and are no fault', async () => {
    const place = await begun(make)
    await run(place, 4, { clock: 20 }, { lane: { ...LANE, flow: 'others' } })
    const { findings } = await of(place)
    expect(faults(findings)).toEqual([])
    expect(findings.length).toBeGreaterThan(0)
    for (const finding of findings)
      expect(finding).toMatchObject({ kind: 'extra', what: expect.stringMatching(/another flow/) as string })
  })

  it('files where the flow wrote before it had another prefix are looked at too', async () => {
    const place = await begun(make)
    const [first] = await currentFiles(laneAt(place, LANE))
    expect((await of(place, { folder: 'elsewhere' })).findings).toEqual([])
    await place.store().put(`${first!.key}.copy`, Buffer.from('1\n'))
    expect((await of(place, { folder: 'elsewhere' })).findings).toMatchObject([{ kind: 'extra', fault: true }])
  })

  it('what a replacing run has not deleted yet', async () => {
    const place = await begun(make)
    const [old] = await currentFiles(laneAt(place, LANE))
    await run(place, 4, { clock: 80, ask: { full: true } })
    expect((await of(place)).findings).toEqual([])
    await place.store().put(old!.key, Buffer.from('1\n'))
    expect((await of(place)).findings).toMatchObject([
      { kind: 'extra', where: old!.key, what: expect.stringMatching(/entry 4 replaced it/) as string },
    ])
  })

  it('what a generation kept is the user’s: missing it is told, and no fault', async () => {
    const place = await begun(make)
    const [old] = await currentFiles(laneAt(place, LANE))
    await run(place, 4, { clock: 80, ask: { full: true, keepOld: true } })
    await place.store().delete(old!.key)
    expect((await of(place)).findings).toMatchObject([{ kind: 'missing', where: old!.key, fault: false }])
  })

  it('an entry that is not carried out, and what a dead run left', async () => {
    const place = await begun(make)
    await dies(place, 4, { clock: 80 }, 'commit')
    const left = await of(place)
    expect(left.findings).toMatchObject([
      { kind: 'leftover', fault: false, what: expect.stringMatching(/is over and left [1-9]\d* staged/) as string },
    ])
    expect((await of(place, { isBusy: true })).findings, 'of a run that goes on').toEqual([])
    await run(place, 5, { clock: 80 })
    expect((await of(place)).findings).toEqual([])
    await place.store().delete(keys.outcome(5))
    expect((await of(place)).findings).toMatchObject([{ kind: 'unfinished', where: keys.entry(5), fault: false }])
  })

  it('a damaged ledger, and a manifest that names other files than its entry', async () => {
    const place = await begun(make)
    const store = place.store()
    const outcome = JSON.parse(Buffer.from((await store.get(keys.outcome(3)))!).toString()) as { manifest: object[] }
    await store.put(keys.outcome(3), Buffer.from(JSON.stringify({ ...outcome, manifest: outcome.manifest.slice(1) })))
    await store.put(keys.entry(1), Buffer.from('{'))
    const { findings } = await of(place)
    expect(findings.filter(({ kind }) => kind === 'damaged').map(({ where }) => where)).toEqual([
      keys.entry(1),
      keys.outcome(3),
    ])
  })

  it('looks twice: what a run deletes or writes meanwhile is not told', async () => {
    const place = await begun(make)
    const [first] = await currentFiles(laneAt(place, LANE))
    let looks = 0
    const store: ObjectStore = Object.assign(place.store(), {
      async *list(prefix: string, options?: { startAt?: string }) {
        if (prefix === 'data/integers/') looks++
        for await (const one of place.store().list(prefix, options)) if (looks > 1 || one.key !== first!.key) yield one
      },
    })
    expect((await of(place, {}, store)).findings).toEqual([])
    expect(looks).toBe(2)
  })
})

describe('verify of a lane whose destination is no lake', () => {
  const delivery: Delivery = {
    kind: 'table',
    connection: 'warehouse',
    identity: 'W',
    target: 'integers',
    write: 'append',
    keys: [],
    order: [],
  }

  it('tells what is delivered, what is owed, and that staged files go behind the receipt', async () => {
    const place = await begun(inMemory, { delivery })
    const at = laneAt(place, LANE)
    const [entry] = (await history(at, 9)).map((one) => one.entry as CommitEntry).filter(({ n }) => n === 1)
    await settleDelivery(at, entry!, { result: { inserted: 19, updated: 0, deleted: 0, rejected: 0 } })
    const { findings, delivered } = await of(place, { isLake: false })
    expect(delivered).toEqual({ inserted: 19, updated: 0, deleted: 0, rejected: 0 })
    expect(findings).toMatchObject([
      {
        kind: 'undelivered',
        where: keys.entry(2),
        fault: false,
        what: expect.stringMatching(/to integers of warehouse/) as string,
      },
      { kind: 'undelivered', where: keys.entry(3), fault: false },
    ])
    await place.store().put(entry!.files[0]!.key, Buffer.from('1\n'))
    const left = (await of(place, { isLake: false })).findings.filter(({ kind }) => kind === 'extra')
    expect(left).toMatchObject([
      { fault: false, what: expect.stringMatching(/that is delivered: the next run deletes it/) as string },
    ])
  })
})
