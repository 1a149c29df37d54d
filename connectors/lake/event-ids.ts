/**
 * Which events a lane has had: hashes of their ids, in objects that never change.
 *
 * Laws
 * - The state of the lane names the objects, so what is known and what is committed change with one entry.
 * - An object is named by its content and created before the entry that names it; a batch that is tried again writes
 *   the same one. It is removed only when an entry that no longer names it is `done`.
 * - Each batch adds one object; eight of a size become one: a lane has few, and each is read once per worker.
 * - The newest two million ids are known, of the last three days; what is older is forgotten by whole objects.
 */
import { createHash } from 'node:crypto'
import type { Json } from '../connector.ts'
import { damaged } from './documents.ts'
import type { ObjectStore } from './store.ts'
import { Unchanging } from './unchanging.ts'

/** Vendors send again for hours, at most for three days. */
export const KEPT_MS = 3 * 86_400_000
export const MOST_IDS = 2_000_000
const FAN = 8
const HASH = 16

/** As the entry has it. */
export interface KnownIds {
  version: 1
  parts: Part[]
  /** Objects that this entry no longer names, and the one before it did. */
  replaced: string[]
}
interface Part {
  key: string
  ids: number
  /** When the newest of them came, epoch milliseconds. */
  toMs: number
  /** How many times eight were made one. */
  level: number
}

/** Sorted hashes, one behind the other. */
const objects = new Unchanging<Buffer>(64 * 1024 * 1024, (bytes, where) => {
  if (bytes.length % HASH === 0) return Buffer.from(bytes)
  throw damaged(where, 'what the lane knows of events is cut off')
})

export function knownIds(state: Json): KnownIds {
  const found = state as unknown as Partial<KnownIds> | null
  return found?.version === 1 && found.parts ? (found as KnownIds) : { version: 1, parts: [], replaced: [] }
}

/** Answers whether an id is among those of the state. */
export async function openIds(store: ObjectStore, state: Json): Promise<(id: string) => boolean> {
  const parts = await Promise.all(knownIds(state).parts.map(({ key }) => read(store, key)))
  return (id) => {
    const hash = hashOf(id)
    return parts.some((part) => holds(part, hash))
  }
}

/** The state that knows these ids as well. `nowMs`: when the newest of them came. */
export async function addIds(
  store: ObjectStore,
  folder: string,
  state: Json,
  ids: string[],
  nowMs: number,
  limits = { most: MOST_IDS, keptMs: KEPT_MS },
): Promise<KnownIds> {
  const before = knownIds(state).parts
  const hashes = [...new Set(ids.map((id) => hashOf(id).toString('latin1')))].toSorted()
  let parts = trimmed(before, nowMs, hashes.length, limits)
  let added: Buffer = Buffer.from(hashes.join(''), 'latin1')
  let [level, toMs] = [0, nowMs]
  for (;;) {
    const same = parts.filter((part) => part.level === level)
    if (same.length < FAN - 1) break
    const bodies = await Promise.all(same.map(({ key }) => read(store, key)))
    added = merged([...bodies, added])
    toMs = same.reduce((newest, part) => Math.max(newest, part.toMs), toMs)
    parts = parts.filter((part) => !same.includes(part))
    level++
  }
  const key = `${folder}${createHash('sha256').update(added).digest('hex').slice(0, 32)}.ids`
  await store.create(key, added)
  // What is stored counts, whoever stored it; its name says what that is.
  await read(store, key)
  await store.settle([key])
  parts = [...parts, { key, ids: added.length / HASH, toMs, level }]
  const named = new Set(parts.map((part) => part.key))
  return { version: 1, parts, replaced: before.map((part) => part.key).filter((one) => !named.has(one)) }
}

/** After an entry of this state is `done`: what the entry before it named alone. */
export async function dropReplaced(store: ObjectStore, state: Json): Promise<void> {
  for (const key of knownIds(state).replaced) await store.delete(key)
}

function trimmed(parts: Part[], nowMs: number, coming: number, { most, keptMs }: { most: number; keptMs: number }) {
  let room = most - coming
  const newestFirst = parts.toSorted((a, b) => b.toMs - a.toMs)
  const kept = newestFirst.filter(({ ids, toMs }) => toMs > nowMs - keptMs && (room -= ids) >= 0)
  return parts.filter((part) => kept.includes(part))
}

async function read(store: ObjectStore, key: string): Promise<Buffer> {
  const found = await objects.get(store, key)
  if (found) return found
  throw damaged(`${store.name}/${key}`, 'what the lane knows of events is gone', {
    advice: 'Restore the file: without it, events that come again would be written again.',
  })
}

function hashOf(id: string): Buffer {
  return createHash('sha256').update(id).digest().subarray(0, HASH)
}

function holds(sorted: Buffer, hash: Buffer): boolean {
  let [low, high] = [0, sorted.length / HASH]
  while (low < high) {
    const middle = (low + high) >>> 1
    const order = hash.compare(sorted, middle * HASH, (middle + 1) * HASH)
    if (order === 0) return true
    if (order < 0) high = middle
    else low = middle + 1
  }
  return false
}

function merged(parts: Buffer[]): Buffer {
  const all = Buffer.concat(parts)
  const hashes = Array.from({ length: all.length / HASH }, (_, at) =>
    all.toString('latin1', at * HASH, (at + 1) * HASH),
  )
  return Buffer.from([...new Set(hashes)].toSorted().join(''), 'latin1')
}
