/**
 * What a lane with a lookback has read lately: hashes of key and stamp, so that a window before the watermark can be
 * read again and only what was not there before goes through.
 *
 * Laws
 * - The object is created before the entry that refers to it, is never changed, and holds what the lane had read when
 *   that entry was `done`. Watermark and seen come together from one entry.
 * - It is whole from `from` on: a run that looks back further would take what was read before for new. A window with
 *   more records than fit is told by a later `from`, never by a record left out.
 * - Its name has the number of its entry. Once that number is closed, it is either what the newest `done` entry refers
 *   to or nobody's: an open removes it. What a number that is still open may yet refer to, nobody removes.
 */
import { createHash } from 'node:crypto'
import { timestampText } from '../records/instants.ts'
import { hashOf } from './canonical.ts'
import { createOnce, damaged, readDocument, seenShape } from './documents.ts'
import { microsOf } from './instants.ts'
import { laneKeys, parseSeenName } from './keys.ts'
import { closedMeanwhile, readPlan } from './plans.ts'
import type { LakeLane, LaneState, RunPlan, SeenObject, SeenPart, SeenRef, UnitRecord } from './protocol.ts'
import { stateKey } from './state-object.ts'

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

/** null: the run neither looks back nor leaves anything to look back to. */
export async function openLookback(at: LakeLane, plan: RunPlan): Promise<Lookback | null> {
  const window = keptFrom(plan)
  if (window === null) return null
  const { kind, before } = plan
  const read = kind.kind === 'incremental' && before.seen ? await readSeen(at, plan, before.seen) : null
  const watermark = read && before.watermark !== null ? microsOf(before.watermark) : null
  const newest = microsOf(plan.plan.bound as string) - 1n
  const own = new Memory(window)
  return {
    concerns: (stamp) => stamp >= own.from || (watermark !== null && stamp < watermark),
    repeats(identity, stamp = newest) {
      const hash = createHash('sha256').update(identity).digest().toString('latin1', 0, HASH_BYTES)
      own.add(hash, stamp)
      return read?.stamps.has(hash) === true
    },
    part() {
      own.trim()
      return own.part()
    },
  }
}

/** Where the next run may look back to; null: this run leaves nothing for that. */
function keptFrom({ lookback, plan, kind }: RunPlan): bigint | null {
  if (!lookback || plan.bound === null || kind.kind === 'window' || kind.kind === 'full') return null
  return microsOf(plan.bound) - BigInt(lookback.ms) * 1000n
}

/** What the first entry of a run adds to: a whole new read knows of nothing that was read before. */
export function seenBefore({ kind, before, resumes }: RunPlan): SeenRef | undefined {
  return kind.kind === 'incremental' || resumes ? before.seen : undefined
}

/** Writes what the lane will have read once entry `n` is `done`. */
export async function writeSeen(
  at: LakeLane,
  plan: RunPlan,
  before: SeenRef | undefined,
  units: UnitRecord[],
  n: number,
): Promise<SeenRef | undefined> {
  const kept = keptFrom(plan)
  if (kept === null) return undefined
  const memory = new Memory(kept)
  const { from } = plan.plan
  const covered = [...(from === null ? [] : [microsOf(from)]), ...(before ? [microsOf(before.from)] : [])]
  if (from !== null) memory.trim(covered.reduce((least, one) => (one < least ? one : least)))
  if (before) memory.addPart(await readSeenObject(at, plan, before))
  for (const { seen } of units) {
    if (!seen) continue
    memory.trim(microsOf(seen.from))
    memory.addPart(seen)
  }
  memory.trim()
  const object: SeenObject = { version: 1, ...memory.part() }
  const key = laneKeys(at.lane).seen(n, plan.run, hashOf(object).slice(0, 16))
  const stored = await createOnce(at.store, key, object, seenShape)
  await at.store.settle([key])
  return { key, from: stored.from, rows: memory.stamps.size }
}

async function readSeen(at: LakeLane, plan: RunPlan, ref: SeenRef): Promise<Memory> {
  const memory = new Memory(microsOf(ref.from), Number.POSITIVE_INFINITY)
  memory.addPart(await readSeenObject(at, plan, ref))
  return memory
}

async function readSeenObject(at: LakeLane, plan: RunPlan, { key }: SeenRef): Promise<SeenObject> {
  const object = await readDocument(at.store, key, seenShape)
  if (object) return object
  // Another run has moved on, and removed what its entry replaced.
  if ((await readPlan(at, plan.run)) === null) throw closedMeanwhile(at, plan.run)
  throw damaged(`${at.store.name}/${key}`, 'what the lane has read lately is gone', {
    advice: 'Restore the file, or remove `lookback` from the flow for one run: it begins anew after that.',
  })
}

/** Removes what no entry refers to any more. `closed`: the highest number that nobody can take. */
export async function sweepSeen(
  at: LakeLane,
  listed: string[],
  closed: number,
  { seen, state }: LaneState,
): Promise<void> {
  const current = new Set([seen?.key, stateKey(state)])
  for (const key of listed) {
    const n = parseSeenName(key.slice(laneKeys(at.lane).seenFolder.length))
    if (n !== null && n <= closed && !current.has(key)) await at.store.delete(key)
  }
}
