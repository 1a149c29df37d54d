/**
 * A ledger with one document damaged, by the thousand: named with its key and never guessed around, with nothing
 * written after; or harmless. What `repair` proposes is always a way out.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import {
  decodeDocument,
  entryShape,
  hintShape,
  identityShape,
  outcomeShape,
  planShape,
  receiptShape,
  seenShape,
  unitShape,
  type Shape,
} from '../../../connectors/lake/documents.ts'
import { readReceipt, settleDelivery } from '../../../connectors/lake/deliveries.ts'
import { LakeError } from '../../../connectors/lake/errors.ts'
import { examine, type Damage, type Mend } from '../../../connectors/lake/examine.ts'
import { IDENTITY_KEY, laneKeys } from '../../../connectors/lake/keys.ts'
import { openLane } from '../../../connectors/lake/open.ts'
import type { CommitEntry, Delivery } from '../../../connectors/lake/protocol.ts'
import { currentFiles, history, laneStatus } from '../../../connectors/lake/readers.ts'
import { mend } from '../../../connectors/lake/repair.ts'
import { LANE, LaneWorkflow } from '../../lake/lane-workflow.ts'
import { MemoryPlace, memoryStore } from '../../lake/memory-store.ts'
import type { Place } from '../../lake/places.ts'
import { dies, laneAt, run, workflow } from '../../lake/scenes.ts'
import { Watch } from '../../lake/watched-store.ts'
import type { Chance } from '../../records/pages/chance.ts'
import { unclear } from './clear-errors.ts'
import { mangled, mutated } from './mutations.ts'
import { tryMany, type Verdict } from './rounds.ts'

const keys = laneKeys(LANE)
const delivery: Delivery = {
  kind: 'table',
  connection: 'warehouse',
  identity: 'W',
  target: 'integers',
  write: 'append',
  keys: [],
  order: [],
}
const loaded = { inserted: 1, updated: 0, deleted: 0, rejected: 0 }

const over = (memory: MemoryPlace): Place => ({
  name: 'memory',
  watch: new Watch(),
  store: () => memoryStore(memory),
  loseStaged: async () => [],
})

const scenes: Record<string, (place: Place) => Promise<unknown>> = {
  'with a dead run and its units': async (place) => {
    for (const start of [1, 2]) await run(place, start, { clock: start * 20, unitRows: 30, lookback: 20 })
    await run(place, 3, { clock: 60, unitRows: 5, stepUnits: 2 })
    await dies(place, 4, { clock: 80 }, 'commit')
  },
  'with an entry that is not carried out': async (place) => {
    for (const start of [1, 2, 3]) await run(place, start, { clock: start * 20, unitRows: 30 })
    const { plan } = await dies(place, 4, { clock: 80 }, 'finish')
    await place.store().delete(keys.outcome(plan!.n))
  },
  'with entries that are owed to a table': async (place) => {
    for (const start of [1, 2, 3]) await run(place, start, { clock: start * 20, delivery })
    const at = laneAt(place, LANE)
    const [entry] = (await history(at, 9)).map((one) => one.entry).filter(({ n }) => n === 1)
    await settleDelivery(at, entry as CommitEntry, { result: loaded })
  },
}

describe.each(Object.entries(scenes))('a ledger %s', (_, make) => {
  const base = new MemoryPlace()
  let documents: string[] = []

  beforeAll(async () => {
    await make(over(base))
    documents = [...base.objects.keys()].filter((key) => key.startsWith('_lakeward/') && !key.endsWith('.jsonl'))
  })

  it('any document of which is damaged', async () => {
    const tally = await tryMany(75, async (chance) => {
      const memory = copyOf(base)
      const place = over(memory)
      const { key, readable } = damage(memory, chance.pick(documents), chance)
      const at = laneAt(place, LANE)
      // What an entry owes is paid before any plan is read: that is no guess.
      const unchanged = (): string => textOf(memory, key.startsWith(keys.plans))
      const before = unchanged()

      for (const read of [() => laneStatus(at), () => currentFiles(at), () => history(at, 9)]) {
        const wrong = await refusal(read)
        if (wrong?.unclear !== undefined) return { became: 'crashed', wrong: `${key}: ${wrong.unclear}` }
      }
      const refused = await refusal(() => openLane(at, workflow(place, 9, { clock: 0 }).run))
      if (refused) {
        const wrong = refused.unclear ?? (unchanged() === before ? undefined : 'something was written')
        if (wrong !== undefined) return { became: 'crashed', wrong: `${key}: ${wrong}` }
        if (!readable && !refused.where.includes(key)) {
          return { became: 'refused', wrong: `${key} is damaged, and what is told is ${refused.where}` }
        }
      } else if (!readable && isReadByOpen(key, base)) {
        return { became: 'guessed', wrong: `${key} is damaged, and the lane opens` }
      }
      return { became: refused ? 'refused' : 'harmless', ...(await wayOut(place, key, readable)) }
    })
    expect(Object.keys(tally).toSorted()).toEqual(['harmless', 'refused'])
  })
})

/** Of the document at the key: other bytes, other members, another document, or none. */
function damage(memory: MemoryPlace, key: string, chance: Chance): { key: string; readable: boolean } {
  const { body } = memory.objects.get(key)!
  const put = (bytes: Uint8Array) => memory.objects.set(key, { body: bytes })
  const how = chance.int(12)
  if (how === 0) memory.objects.delete(key)
  else if (how === 1) put(memory.objects.get(chance.pick([...memory.objects.keys()]))!.body)
  else if (how < 7) put(mangled(body, chance))
  else put(Buffer.from(JSON.stringify(mutated(JSON.parse(Buffer.from(body).toString()), chance)) ?? ''))
  const now = memory.objects.get(key)?.body
  const shape = shapeOf(key)
  if (now === undefined || shape === undefined) return { key, readable: true }
  try {
    decodeDocument(now, shape, key)
    return { key, readable: true }
  } catch {
    return { key, readable: false }
  }
}

function shapeOf(key: string): Shape<unknown> | undefined {
  if (key === IDENTITY_KEY) return identityShape
  if (key === keys.hint) return hintShape
  if (key.startsWith(keys.plans)) return planShape
  if (key.startsWith(keys.units)) return unitShape
  if (key.startsWith(keys.seenFolder)) return seenShape
  if (key.endsWith('.outcome')) return outcomeShape
  if (key.endsWith('.delivered')) return receiptShape
  return key.startsWith(keys.commits) ? entryShape : undefined
}

/** What an open has to read: the lake's identity, plans, and entries with their outcomes from the hint on. */
function isReadByOpen(key: string, base: MemoryPlace): boolean {
  if (key === IDENTITY_KEY || key.startsWith(keys.plans)) return true
  const hint = base.objects.get(keys.hint)
  const { n } = hint ? (JSON.parse(Buffer.from(hint.body).toString()) as { n: number }) : { n: 1 }
  return key.startsWith(keys.commits) && !key.endsWith('.delivered') && key >= keys.entry(n)
}

/** What is damaged is found and mended, and then the next run goes on; nothing is called an accident. */
async function wayOut(place: Place, key: string, readable: boolean): Promise<Partial<Verdict>> {
  const at = laneAt(place, LANE)
  const { damages } = await examine(at)
  if (!readable && shapeOf(key) !== hintShape && !key.startsWith(keys.seenFolder) && !key.endsWith('.delivered')) {
    const isOfPlannedRun = key.startsWith(keys.units)
    if (!isOfPlannedRun && !damages.some(({ where }) => where === key))
      return { wrong: `${key} is no damage to repair` }
  }
  if (damages.some((one) => one.mend === null)) return {}
  for (const one of damages) await mend(at, one as Damage & { mend: Mend })
  const left = (await examine(at)).damages
  if (left.length > 0) return { wrong: `${key}: left after repair: ${left.map(({ what }) => what).join('; ')}` }
  const next = await refusal(() =>
    new LaneWorkflow({ place: place.store, work: { clock: 120, unitRows: 60 }, start: 20 }).sync(),
  )
  return next?.unclear === undefined ? {} : { wrong: `${key}, mended: ${next.unclear}` }
}

async function refusal(work: () => Promise<unknown>): Promise<{ where: string; unclear?: string } | null> {
  try {
    await work()
    return null
  } catch (error) {
    const wrong = unclear(error)
    return { where: error instanceof LakeError ? error.where : '', ...(wrong !== undefined && { unclear: wrong }) }
  }
}

function copyOf(base: MemoryPlace): MemoryPlace {
  const copy = new MemoryPlace()
  for (const [key, object] of base.objects) copy.objects.set(key, object)
  for (const [id, upload] of base.uploads) copy.uploads.set(id, upload)
  return copy
}

function textOf({ objects, uploads }: MemoryPlace, butDebts: boolean): string {
  const all = [...objects].filter(([key]) => !butDebts || (key.startsWith('_lakeward/') && !key.endsWith('.outcome')))
  const texts = all.map(([key, { body }]) => [key, Buffer.from(body).toString('base64')])
  return JSON.stringify([texts, butDebts ? [] : [...uploads.keys()]])
}

it('reads receipts strictly', async () => {
  const memory = new MemoryPlace()
  memory.objects.set(keys.receipt(1), { body: Buffer.from('{"version":1,"n":"1"}') })
  await expect(readReceipt(laneAt(over(memory), LANE), 1)).rejects.toThrow(/00000001\.delivered/)
})
