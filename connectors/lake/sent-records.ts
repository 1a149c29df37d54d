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
import { filesPrefix, laneKeys } from './keys.ts'
import type { CommitEntry, DeliveryWay, LakeLane, SentChunk, SentReject } from './protocol.ts'

export interface SentRecords {
  way(proposed: Omit<DeliveryWay, 'version'>): Promise<DeliveryWay>
  /** null: nothing is decided of this chunk yet. */
  chunk(number: number): Promise<SentChunk | null>
  settle(number: number, chunk: Omit<SentChunk, 'version'>): Promise<SentChunk>
  jobs(number: number): JobMemory
  /** Whether the rejects of a chunk are in quarantine. */
  isKept(number: number): Promise<boolean>
  /** `lines`: the chunk's records as JSON, one each. */
  keep(number: number, rejects: SentReject[], lines: string[]): Promise<void>
}

export function sentRecords(at: LakeLane, entry: CommitEntry): SentRecords {
  const { store, lane } = at
  const keys = laneKeys(lane)
  const folder = keys.delivery(entry.n)
  const chunkKey = (number: number): string => `${folder}chunk-${number}.json`
  const rejectsKey = (number: number): string =>
    `${keys.quarantine}${filesPrefix(lane, entry.run)}-delivery-${entry.n}-${number}.jsonl`
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
    isKept: async (number) => (await store.head(rejectsKey(number))) !== null,
    async keep(number, rejects, lines) {
      const { flow, object } = lane
      const about = { flow, object, run: entry.run, attempt: 1, by: 'destination' as const }
      const text = rejects.map(({ row, reason, unknown }) =>
        quarantineLine({ row: lines[row]!, field: '', rule: unknown ? 'unknown' : 'refused', reason }, about),
      )
      await store.create(rejectsKey(number), Buffer.from(text.join('')))
    },
  }
}
