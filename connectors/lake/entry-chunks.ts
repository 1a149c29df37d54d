/**
 * The records of an entry that are delivered one by one: its files of JSON lines, in their order, cut into chunks.
 *
 * Law: where a chunk begins and ends depends on the entry and on the limits alone, so that every attempt cuts the same.
 * A chunk lies in one file.
 */
import { damaged } from './documents.ts'
import type { ChunkPlace, CommitEntry, CommittedFile, DeliveryWay } from './protocol.ts'
import type { ObjectStore } from './store.ts'

export interface Chunk {
  /** Whole lines. */
  body: Uint8Array
  rows: number
  /** How often its records were refused before. */
  refused: number
  /** Where the one after it begins; null: there is none. */
  next: ChunkPlace | null
}

export interface ChunkReader {
  /** Where the first begins; null: the entry has no records. */
  start: ChunkPlace | null
  read(place: ChunkPlace): Promise<Chunk>
}

type Limits = Pick<DeliveryWay, 'maxRows' | 'maxBytes'>

const FEED = 0x0a

export function chunkReader(store: ObjectStore, entry: CommitEntry, limits: Limits): ChunkReader {
  const files = entry.files.filter((file) => !file.quarantine)
  const total = files.reduce((sum, { rows }) => sum + rows, 0)
  let held: { file: CommittedFile; bytes: Uint8Array } | null = null

  const bytesOf = async (file: CommittedFile): Promise<Uint8Array> => {
    if (held?.file === file) return held.bytes
    const bytes = await store.get(file.key)
    if (bytes === null) throw damaged(`${store.name}/${file.key}`, `this file of entry ${entry.n} is gone, undelivered`)
    held = { file, bytes }
    return bytes
  }

  return {
    start: files.length > 0 ? { file: 0, from: 0, row: 0 } : null,
    async read({ file, from, row }) {
      const one = files[file]!
      const bytes = await bytesOf(one)
      const { to, rows } = cut(bytes, from, limits)
      const next = { file: to < bytes.length ? file : file + 1, from: to % bytes.length, row: row + rows }
      const chunk = { body: bytes.subarray(from, to), rows, refused: one.refused ?? 0 }
      if (next.file < files.length) return { ...chunk, next }
      if (next.row === total) return { ...chunk, next: null }
      const what = `the files of entry ${entry.n} have ${next.row} records, and it says ${total}`
      throw damaged(`${store.name}/${one.key}`, what)
    },
  }
}

/** One line at least. */
function cut(bytes: Uint8Array, from: number, { maxRows, maxBytes }: Limits): { to: number; rows: number } {
  let [to, rows] = [from, 0]
  while (to < bytes.length && rows < maxRows) {
    const feed = bytes.indexOf(FEED, to)
    const end = feed < 0 ? bytes.length : feed + 1
    if (rows > 0 && end - from > maxBytes) break
    to = end
    rows++
  }
  return { to, rows }
}
