/** Entries that are to be delivered further: what a lane owes, in which order, and when it is settled. */
import { describe, expect, it } from 'vitest'
import {
  clearDelivered,
  deliveredBefore,
  owedOf,
  readReceipt,
  settleDelivery,
} from '../../connectors/lake/deliveries.ts'
import { encodeDocument, entryShape, readDocument } from '../../connectors/lake/documents.ts'
import { laneKeys } from '../../connectors/lake/keys.ts'
import { readLedger } from '../../connectors/lake/ledger.ts'
import { openLane } from '../../connectors/lake/open.ts'
import type { CommitEntry, Delivery } from '../../connectors/lake/protocol.ts'
import type { Work } from './integers.ts'
import { LANE } from './lane-workflow.ts'
import { inMemory } from './places.ts'
import { laneAt, run } from './scenes.ts'

const delivery: Delivery = {
  kind: 'table',
  connection: 'warehouse',
  identity: 'W',
  target: 'integers',
  write: 'append',
  keys: [],
  order: [],
}
const keys = laneKeys(LANE)
const none = { inserted: 0, updated: 0, deleted: 0, rejected: 0 }

function scene() {
  const place = inMemory()
  const at = laneAt(place, LANE)
  return {
    at,
    load: (start: number, clock: number, more: Partial<Work> = {}) => run(place, start, { clock, delivery, ...more }),
    open: (start: number) =>
      openLane(at, { key: `10000000${start}-w-0`, startedMs: start, workflowId: 'w', firstRunId: 'w' }),
    entry: async (n: number) => (await readDocument(at.store, keys.entry(n), entryShape)) as CommitEntry,
    listed: async (prefix: string) => {
      const found: string[] = []
      for await (const { key } of at.store.list(prefix)) found.push(key)
      return found
    },
    hint: async () => {
      const bytes = await at.store.get(keys.hint)
      return bytes ? (JSON.parse(Buffer.from(bytes).toString()) as { n: number }).n : 0
    },
  }
}

describe('a lane whose destination is no lake', () => {
  it('owes its done entries in order, until their receipts stand; the hint waits for the first', async () => {
    const { at, load, open, entry, hint } = scene()
    for (const start of [1, 2, 3]) await load(start, start * 20)
    expect((await open(4)).owed).toEqual([1, 2, 3])
    expect(await hint()).toBe(0)
    await settleDelivery(at, await entry(1), { result: { ...none, inserted: 19 } })
    expect((await open(5)).owed).toEqual([2, 3])
    expect(await hint()).toBe(1)
    expect([await deliveredBefore(at, 3), await deliveredBefore(at, 1)]).toEqual([1, 0])
    await settleDelivery(at, await entry(2), { result: none })
    await settleDelivery(at, await entry(3), { result: none })
    expect((await open(6)).owed).toEqual([])
    expect(await hint()).toBe(3)
    expect(owedOf(await readLedger(at))).toEqual([])
  })

  it('keeps what the first receipt says, and what a later entry is delivered from', async () => {
    const { at, load, entry, listed } = scene()
    await load(1, 40)
    await load(2, 80)
    await at.store.put(`${keys.delivery(1)}try-1.json`, Buffer.from('{}'))
    await settleDelivery(at, await entry(1), { result: { ...none, inserted: 7 } })
    const again = await settleDelivery(at, await entry(1), { result: { ...none, inserted: 99 } })
    expect(again.result.inserted).toBe(7)
    expect((await readReceipt(at, 1))?.result.inserted).toBe(7)
    const left = await listed('')
    const staged = (one: CommitEntry) => one.files.filter((file) => !file.quarantine).map(({ key }) => key)
    const [first, second] = [await entry(1), await entry(2)]
    expect(left.filter((key) => staged(first).includes(key) || key.startsWith(keys.delivery(1)))).toEqual([])
    expect(left).toEqual(expect.arrayContaining(staged(second)))
    // What was set apart is the user's.
    expect(left).toEqual(expect.arrayContaining(first.files.filter((file) => file.quarantine).map(({ key }) => key)))
  })

  it('clears behind a receipt that a crash left alone', async () => {
    const { at, load, open, entry, listed } = scene()
    await load(1, 40)
    const { run: key, files } = await entry(1)
    const receipt = { version: 1, n: 1, run: key, result: none, writtenAt: '2026-01-01T00:00:00.000Z' }
    await at.store.put(keys.receipt(1), encodeDocument(receipt))
    await open(2)
    const left = await listed('')
    expect(files.filter((file) => !file.quarantine && left.includes(file.key))).toEqual([])
    await clearDelivered(at, await entry(1))
  })

  it('owes nothing of what a new generation replaced', async () => {
    const { load, open } = scene()
    await load(1, 20)
    await load(2, 40)
    await load(3, 60, { ask: { full: true } })
    expect((await open(4)).owed).toEqual([3])
  })
})
