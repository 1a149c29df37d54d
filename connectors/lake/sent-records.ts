/**
 * What is remembered of a delivery record by record, below `deliveries/<n>/`, and what was refused, in quarantine.
 *
 * Law: every document here is created once and read back, so that the first attempt that says something is the one that
 * counts; what is in quarantine is made of such documents alone.
 */
import type { Json } from '../connector.ts'
import type { JobMemory } from '../deliver.ts'
import { quarantineLine } from '../records/quarantine.ts'
import { chunkShape, createOnce, jsonShape, readDocument, wayShape } from './documents.ts'
import { AT_ONCE, inParallel } from './in-parallel.ts'
import { digits, filesPrefix, laneKeys } from './keys.ts'
import type { CommitEntry, DeliveryWay, LakeLane, SentChunk, SentReject } from './protocol.ts'
import { UNKNOWN } from './replay.ts'

export interface SentRecords {
  way(proposed: Omit<DeliveryWay, 'version'>): Promise<DeliveryWay>
  /** null: nothing is decided of this chunk yet. */
  chunk(number: number): Promise<SentChunk | null>
  settle(number: number, chunk: Omit<SentChunk, 'version'>): Promise<SentChunk>
  jobs(number: number): JobMemory
  /** Whether the rejects of a chunk are in quarantine. */
  isKept(number: number, rejects: SentReject[]): Promise<boolean>
  /** `lines`: the chunk's records as JSON, one each; `refused`: how often they were before. */
  keep(number: number, rejects: SentReject[], lines: string[], refused: number): Promise<void>
}

/** What was refused of an entry that another replaces: everything has been read again. */
export async function clearRejects({ store, lane }: LakeLane, { run, n }: CommitEntry): Promise<void> {
  const keys: string[] = []
  for await (const { key } of store.list(rejectsOf(lane, run, n))) keys.push(key)
  await inParallel(keys, AT_ONCE, (key) => store.delete(key))
}

/** How the keys of what was refused of an entry begin: in their order, what was sent first is replayed first. */
function rejectsOf(lane: LakeLane['lane'], run: string, n: number): string {
  return `${laneKeys(lane).quarantine}${filesPrefix(lane, run)}-delivery-${digits(n)}-`
}

export function sentRecords(at: LakeLane, entry: CommitEntry): SentRecords {
  const { store, lane } = at
  const keys = laneKeys(lane)
  const folder = keys.delivery(entry.n)
  const chunkKey = (number: number): string => `${folder}chunk-${number}.json`
  const rejectsKey = (number: number, end = '.jsonl'): string =>
    `${rejectsOf(lane, entry.run, entry.n)}${digits(number)}${end}`
  const filesOf = (number: number, rejects: SentReject[]): [key: string, rejects: SentReject[]][] => {
    const [known, unknown] = [rejects.filter((one) => !one.unknown), rejects.filter((one) => one.unknown)]
    const all: [string, SentReject[]][] = [
      [rejectsKey(number), known],
      [rejectsKey(number, UNKNOWN), unknown],
    ]
    return all.filter(([, some]) => some.length > 0)
  }
  return {
    way: (proposed) => createOnce(store, `${folder}way.json`, { version: 1, ...proposed }, wayShape),
    chunk: (number) => readDocument(store, chunkKey(number), chunkShape),
    settle: (number, chunk) => createOnce(store, chunkKey(number), { version: 1, ...chunk }, chunkShape),
    jobs(number) {
      const key = (round: number): string => `${folder}job-${number}-${round}.json`
      return {
        read: async (round): Promise<Json | null> => (await readDocument(store, key(round), jsonShape))?.value ?? null,
        write: async (round, value) => (await createOnce(store, key(round), { version: 1, value }, jsonShape)).value,
      }
    },
    async isKept(number, rejects) {
      for (const [key] of filesOf(number, rejects)) if ((await store.head(key)) === null) return false
      return true
    },
    async keep(number, rejects, lines, refused) {
      const { flow, object } = lane
      const about = { flow, object, run: entry.run, attempt: refused + 1, by: 'destination' as const }
      for (const [key, some] of filesOf(number, rejects)) {
        const text = some.map(({ row, reason, unknown }) =>
          quarantineLine({ row: lines[row]!, field: '', rule: unknown ? 'unknown' : 'refused', reason }, about),
        )
        await store.create(key, Buffer.from(text.join('')))
      }
    },
  }
}
