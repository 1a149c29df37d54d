/**
 * Staged files that vanish: before the entry nothing was decided, after it the entry is void, and the rows are read
 * again.
 */
import { describe, expect, it } from 'vitest'
import { payDebts } from '../../connectors/lake/debts.ts'
import { readLedger } from '../../connectors/lake/ledger.ts'
import type { Recorded } from '../../connectors/lake/ledger.ts'
import { laneKeys } from '../../connectors/lake/keys.ts'
import { openLane } from '../../connectors/lake/open.ts'
import { history } from '../../connectors/lake/readers.ts'
import { rollForward } from '../../connectors/lake/roll-forward.ts'
import type { CommitEntry, LakeLane } from '../../connectors/lake/protocol.ts'
import { LANE } from './lane-workflow.ts'
import { inMemory, places } from './places.ts'
import type { Place } from './places.ts'
import { checkPromise } from './promise.ts'
import { diesAfter, laneAt, run, workflow } from './scenes.ts'
import { TroubledStore } from './troubled-store.ts'

const DAY_MS = 86_400_000
const ENTRY_2 = /^create .*00000002\.json/

async function outcomes(place: Place): Promise<string[]> {
  const recorded = await history(laneAt(place, LANE), 100)
  return recorded.map(({ n, entry, outcome }) => `${n} ${outcome?.outcome ?? entry.kind}`).toReversed()
}

async function visible(place: Place): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of place.store().list('data/')) keys.push(key)
  return keys
}

describe.each(places)('lost files, on %s', (_, make) => {
  it('before the entry: nothing is committed, and the run begins again', async () => {
    const place = make()
    await run(place, 1, { clock: 20 })
    let lost: string[] = []
    const one = await run(
      place,
      2,
      { clock: 60 },
      {
        before: async (step) => {
          if (step === 'commit' && lost.length === 0) lost = await place.loseStaged((key) => key.includes('half=1'))
        },
      },
    )
    expect(lost.length).toBeGreaterThan(0)
    expect(one.restarts).toBe(1)
    expect(one.report.join()).toMatch(/cannot commit: \d staged files are gone.*Nothing of it counts/s)
    expect(await outcomes(place)).toEqual(['1 done', '2 fence', '3 done'])
    await checkPromise(one.at(place.store()), { quiet: true })
  })

  it('between entry and completion: the entry is void, the watermark goes back, the rows are read again', async () => {
    const place = make()
    await run(place, 1, { clock: 20 })
    await diesAfter(place, 2, { clock: 60 }, ENTRY_2)
    expect((await place.loseStaged((key) => key.includes('half=1'))).length).toBeGreaterThan(0)
    const next = await run(place, 3, { clock: 80 })
    expect(next.report.join()).toMatch(/Entry 2 of run .* is void: \d of \d+ staged files are gone/)
    expect(next.opened?.state.watermark).toBe('2024-01-01T00:00:20.000Z')
    expect(await outcomes(place)).toEqual(['1 done', '2 void', '3 fence', '4 done'])
    const { integers } = await checkPromise(next.at(place.store()), { quiet: true, voids: 1 })
    expect(integers.length).toBe(76)
    expect(place.watch.problems).toEqual([])
  })

  it('some were complete by then: they disappear again', async () => {
    const place = make()
    await run(place, 1, { clock: 20 })
    const before = await visible(place)
    await diesAfter(place, 2, { clock: 60 }, /^complete data/)
    expect((await visible(place)).length).toBeGreaterThan(before.length)
    await place.loseStaged(() => true)
    const opened = await workflow(place, 3, { clock: 60 }).step('open', (at) =>
      openLane(at, workflow(place, 3, { clock: 60 }).run),
    )
    expect(opened.n).toBe(4)
    expect(await visible(place)).toEqual(before)
    const next = await run(place, 4, { clock: 80 })
    await checkPromise(next.at(place.store()), { quiet: true, voids: 1 })
  })

  it('the run that committed says so itself, and begins again', async () => {
    const place = make()
    let lost = 0
    const one = workflow(place, 1, { clock: 40 })
    const process = new TroubledStore(place.store())
    one.process = process
    process.create = async (key, body) => {
      const answer = await place.store().create(key, body)
      if (key.endsWith('00000001.json')) lost = (await place.loseStaged(() => true)).length
      return answer
    }
    const { report } = await one.sync()
    expect(lost).toBeGreaterThan(0)
    expect(report.join()).toMatch(/cannot commit: .* staged files are gone/)
    expect(await outcomes(place)).toEqual(['1 void', '2 fence', '3 done'])
    await checkPromise(one.at(place.store()), { quiet: true, voids: 1 })
  })

  it('who dies after saying void leaves the cleaning to the next open, days later too', async () => {
    const place = make()
    await diesAfter(place, 1, { clock: 60 }, /^complete data/)
    await place.loseStaged((key) => key.includes('half=1'))
    const cleaner = workflow(
      place,
      2,
      { clock: 60 },
      { trouble: { call: /^create .*00000001\.outcome/, how: 'dies after' }, mortal: true },
    )
    await expect(cleaner.sync()).rejects.toThrow()
    expect(await outcomes(place)).toEqual(['1 void'])
    expect((await visible(place)).length).toBeGreaterThan(0)
    const later = laneAt(place, LANE, { now: () => 1_800_000_000_000 + 9 * DAY_MS })
    await openLane(later, workflow(place, 3, { clock: 60 }).run)
    expect(await visible(place)).toEqual([])
  })

  it('a void is cleared again for a day, however many runs are done since', async () => {
    const place = make()
    await diesAfter(place, 1, { clock: 60 }, /^create .*00000001\.json/)
    await place.loseStaged(() => true)
    await run(place, 2, { clock: 60 })
    await run(place, 3, { clock: 70 })
    const oldest = (await history(laneAt(place, LANE), 100)).at(-1) as Recorded
    const [file] = (oldest.entry as CommitEntry).files
    // A completion that was in flight elsewhere, as a store without order might show it.
    const appears = async (): Promise<void> => void (await place.store().create(file?.key as string, new Uint8Array(1)))
    await appears()
    await openLane(laneAt(place, LANE), workflow(place, 4, { clock: 70 }).run)
    expect(await place.store().get(file?.key as string)).toBeNull()
    await appears()
    const later: LakeLane = laneAt(place, LANE, { now: () => 1_800_000_000_000 + DAY_MS + 1 })
    await openLane(later, workflow(place, 5, { clock: 70 }).run)
    expect(await place.store().get(file?.key as string)).not.toBeNull()
    const hint = JSON.parse(Buffer.from((await place.store().get(laneKeys(LANE).hint)) as Uint8Array).toString())
    expect(hint).toEqual({ n: 4, version: 1 })
  })

  it('void aborts first and deletes then: whoever completes in between makes nothing visible', async () => {
    const place = make()
    await diesAfter(place, 1, { clock: 60 }, /^create .*00000001\.json/)
    const entry = (await history(laneAt(place, LANE), 1)).at(0)?.entry as CommitEntry
    // Somebody found a file lost that was in flight, and said so; all of them are there.
    const said = { version: 1, n: 1, outcome: 'void', why: 'x', writtenAt: '2027-01-01T00:00:00Z' }
    await place.store().create(laneKeys(LANE).outcome(1), Buffer.from(JSON.stringify(said)))
    const store = Object.assign(place.store(), {
      delete: async (key: string) => {
        await place.store().delete(key)
        for (const file of entry.files) await place.store().complete(file)
      },
    })
    await rollForward({ ...laneAt(place, LANE), store }, entry)
    expect(await visible(place)).toEqual([])
  })

  it('a zombie that completes beside the one who says void changes nothing', async () => {
    const place = make()
    await run(place, 1, { clock: 20 })
    await diesAfter(place, 2, { clock: 60 }, ENTRY_2)
    await place.loseStaged((key) => key.includes('half=0'))
    const slow = workflow(
      place,
      3,
      { clock: 60 },
      { trouble: { call: /^complete data.*half=1/, how: 'freezes before' } },
    )
    const { process } = slow
    const frozen = payDebts(slow.at(process), await readLedger(slow.at(process)), [])
    await process.frozen
    const report: string[] = []
    await payDebts(laneAt(place, LANE), await readLedger(laneAt(place, LANE)), report)
    expect(report.join()).toContain('Entry 2')
    process.thaw()
    await frozen
    const last = await run(place, 4, { clock: 60 })
    await checkPromise(last.at(place.store()), { quiet: true, voids: 1 })
  })
})

describe('a store whose completions may still be in flight', () => {
  const SETTLE_MS = 900_000

  async function committed(place: Place): Promise<CommitEntry> {
    await diesAfter(place, 1, { clock: 60 }, /^create .*00000001\.json/)
    const [found] = await history(laneAt(place, LANE), 1)
    return found?.entry as CommitEntry
  }

  it('waits fifteen minutes, with beats, before it says lost', async () => {
    const place = inMemory(SETTLE_MS)
    const entry = await committed(place)
    await place.loseStaged((key) => key.includes('half=1'))
    let slept = 0
    let beats = 0
    const at = laneAt(place, LANE, {
      sleep: async (ms) => {
        expect(ms).toBeLessThanOrEqual(60_000)
        slept += ms
      },
      beat: () => (beats += 1),
    })
    expect((await rollForward(at, entry)).outcome).toBe('void')
    expect(slept).toBe(SETTLE_MS)
    expect(beats).toBeGreaterThan(15)
    expect(await visible(place)).toEqual([])
  })

  it('ends the wait when somebody else has decided', async () => {
    const place = inMemory(SETTLE_MS)
    const entry = await committed(place)
    await place.loseStaged((key) => key.includes('half=1'))
    let naps = 0
    const at = laneAt(place, LANE, {
      sleep: async () => {
        if (++naps < 3) return
        const why = { version: 1, n: 1, outcome: 'void', why: 'decided elsewhere', writtenAt: '2027-01-01T00:00:00Z' }
        await place.store().create(laneKeys(LANE).outcome(1), Buffer.from(JSON.stringify(why)))
      },
    })
    expect((await rollForward(at, entry)).why).toBe('decided elsewhere')
    expect(naps).toBe(3)
    expect(await visible(place)).toEqual([])
  })

  it('is done when the files appear after all', async () => {
    const place = inMemory(SETTLE_MS)
    const entry = await committed(place)
    const hidden = place.store()
    let naps = 0
    const slow = Object.assign(place.store(), {
      complete: async (file: CommitEntry['files'][0]) =>
        naps < 4 && file.key.includes('half=1') ? ('absent' as const) : hidden.complete(file),
    })
    const at = laneAt(place, LANE, { sleep: async () => void (naps += 1) })
    expect((await rollForward({ ...at, store: slow }, entry)).outcome).toBe('done')
    expect(naps).toBe(4)
    const next = await run(place, 2, { clock: 80 })
    await checkPromise(next.at(place.store()), { quiet: true })
  })

  it('does not wait for what is certainly lost', async () => {
    const place = inMemory(SETTLE_MS)
    const entry = await committed(place)
    const store = Object.assign(place.store(), { complete: async () => 'lost' as const })
    const at = laneAt(place, LANE, {
      sleep: async () => {
        throw new Error('waited')
      },
    })
    expect((await rollForward({ ...at, store }, entry)).outcome).toBe('void')
  })

  it('is an error, and no outcome, when the store does not answer', async () => {
    const place = inMemory(SETTLE_MS)
    const entry = await committed(place)
    const store = Object.assign(place.store(), {
      complete: async () => {
        throw new Error('503')
      },
    })
    await expect(rollForward({ ...laneAt(place, LANE), store }, entry)).rejects.toThrow('503')
    expect(await outcomes(place)).toEqual(['1 commit'])
    const next = await run(place, 2, { clock: 80 })
    await checkPromise(next.at(place.store()), { quiet: true })
  })
})
