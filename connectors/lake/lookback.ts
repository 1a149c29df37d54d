/**
 * What one unit knows of the records that its lane has read lately: read by `seen.ts`, asked and added to wherever the
 * unit's records are decoded.
 */
import { createHash } from 'node:crypto'
import { timestampText } from '../records/instants.ts'
import { microsOf } from './instants.ts'
import type { SeenPart } from './protocol.ts'

/** Records that are kept in mind; 24 bytes each. */
export const MOST_SEEN = 250_000
const HASH_BYTES = 16
const RECORD_BYTES = HASH_BYTES + 8

/** Hashes (16 bytes as latin1) with stamps in microseconds, whole from `from` on. */
export class Memory {
  readonly stamps = new Map<string, bigint>()
  readonly #most: number
  from: bigint

  constructor(from: bigint, most = MOST_SEEN) {
    this.from = from
    this.#most = most
  }

  add(hash: string, stamp: bigint): void {
    if (stamp < this.from) return
    const known = this.stamps.get(hash)
    if (known === undefined || known < stamp) this.stamps.set(hash, stamp)
    if (this.stamps.size > this.#most * 2) this.trim()
  }

  /** Forgets what lies before `from`, and the oldest where there are too many. */
  trim(from = this.from): void {
    if (from > this.from) this.from = from
    if (this.stamps.size > this.#most) {
      const newest = BigInt64Array.from(this.stamps.values()).toSorted()
      // Records that share the stamp of the last one left out are left out with it.
      const cut = newest[newest.length - this.#most - 1]! + 1n
      if (cut > this.from) this.from = cut
    }
    for (const [hash, stamp] of this.stamps) if (stamp < this.from) this.stamps.delete(hash)
  }

  part(): SeenPart {
    const bytes = Buffer.alloc(this.stamps.size * RECORD_BYTES)
    let at = 0
    for (const [hash, stamp] of [...this.stamps].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      bytes.write(hash, at, 'latin1')
      bytes.writeBigInt64BE(stamp, at + HASH_BYTES)
      at += RECORD_BYTES
    }
    return { from: timestampText(this.from), rows: bytes.toString('base64') }
  }

  addPart({ rows }: SeenPart): void {
    const bytes = Buffer.from(rows, 'base64')
    for (let at = 0; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES) {
      this.add(bytes.toString('latin1', at, at + HASH_BYTES), bytes.readBigInt64BE(at + HASH_BYTES))
    }
  }
}

/** What one unit asks of every record it reads. */
export interface Lookback {
  /** Whether a record with this stamp has to be asked about at all. */
  concerns(stamp: bigint): boolean
  /**
   * Whether an earlier run has read the record; it is remembered either way. Without a stamp: a record that no batch
   * can hold, known by its text.
   */
  repeats(identity: string, stamp?: bigint): boolean
  part(): SeenPart
}

/** What a lookback starts from; it can be cloned into a thread. */
export interface LookbackStart {
  /** Records from here on are kept in mind, microseconds. */
  window: bigint
  /** The greatest stamp of the run. */
  newest: bigint
  /** What earlier runs have read. */
  read: SeenPart | null
  /** What earlier runs have read lies before it. */
  watermark: bigint | null
}

export function lookback({ window, newest, read, watermark }: LookbackStart): Lookback {
  const own = new Memory(window)
  const earlier = read && new Memory(microsOf(read.from), Number.POSITIVE_INFINITY)
  if (read) earlier?.addPart(read)
  return {
    concerns: (stamp) => stamp >= own.from || (watermark !== null && stamp < watermark),
    repeats(identity, stamp = newest) {
      const hash = createHash('sha256').update(identity).digest().toString('latin1', 0, HASH_BYTES)
      own.add(hash, stamp)
      return earlier?.stamps.has(hash) === true
    },
    part() {
      own.trim()
      return own.part()
    },
  }
}
