/**
 * Events in the lane's lake, from the moment they are received until an entry that has them is `done`.
 *
 * Laws
 * - `_lakeward/_events/<flow>/<object>/kept/<time>-<nonce>-<events>.jsonl` holds some events that came together,
 *   created once, synced, never changed. Who sent them is answered after that.
 * - What lies there is what waits: whoever is told of events is told to look. A run takes the oldest first, so what an
 *   earlier run delivered and left lying is met while its ids are still known.
 */
import { elementsOf, text } from '../json-span.ts'
import type { Json } from '../connector.ts'
import type { Inbox, KeptEvent } from '../events.ts'
import { damaged } from './documents.ts'
import { addIds, dropReplaced, openIds } from './event-ids.ts'
import { LakeError } from './errors.ts'
import { AT_ONCE, inParallel } from './in-parallel.ts'
import { eventKeys, nonce } from './keys.ts'
import type { Lane } from './protocol.ts'
import type { ObjectStore } from './store.ts'
import { Unchanging } from './unchanging.ts'

export type EventLane = Pick<Lane, 'flow' | 'object'>

const objects = new Unchanging<KeptEvent[]>(64 * 1024 * 1024, (bytes, where) => {
  try {
    return decode(bytes)
  } catch (cause) {
    throw damaged(where, 'events that were received are not readable', { cause })
  }
})

/** One run reads no more than this; a request each, and all of it in memory. */
const MOST_REFS = 2_000
const MOST_BYTES = 64 * 1024 * 1024
/** Further than this nobody looks what else there is. */
const MOST_SEEN = 20_000

const REF = /^([0-9a-z]{9})-[0-9a-f]{16}-([0-9a-z]+)$/

/** Durable when it resolves. */
export async function keepEvents(store: ObjectStore, lane: EventLane, events: KeptEvent[]): Promise<void> {
  const newestMs = Math.max(...events.map(({ atMs }) => atMs))
  // Names sort by the time they were made.
  const ref = `${newestMs.toString(36).padStart(9, '0')}-${nonce()}-${events.length.toString(36)}`
  const key = eventKeys(lane).kept(ref)
  await store.create(key, encode(events))
  if ((await store.head(key)) === null) throw damaged(`${store.name}/${key}`, 'events were written and are not there')
  await store.settle([key])
}

/** How many events wait, or at least so many. */
export async function waitingEvents(store: ObjectStore, lane: EventLane): Promise<number> {
  const { refs, left } = await oldest(store, lane, Number.POSITIVE_INFINITY)
  return refs.reduce((sum, ref) => sum + eventsIn(ref), left)
}

async function oldest(store: ObjectStore, lane: EventLane, rows: number): Promise<{ refs: string[]; left: number }> {
  const { keptFolder } = eventKeys(lane)
  const refs: string[] = []
  let [taken, size, left, seen] = [0, 0, 0, 0]
  for await (const { key, bytes } of store.list(keptFolder)) {
    const ref = key.slice(keptFolder.length).replace(/\.jsonl$/, '')
    if (!REF.test(ref)) continue
    const room = taken < rows && refs.length < MOST_REFS && (size === 0 || size + bytes <= MOST_BYTES)
    if (room && left === 0) {
      refs.push(ref)
      taken += eventsIn(ref)
      size += bytes
    } else left += eventsIn(ref)
    if (++seen >= MOST_SEEN) break
  }
  return { refs, left }
}

/** `rows`: events of a batch, or a few more where the last of them came together with others. */
export function openInbox(store: ObjectStore, lane: EventLane, rows: number): Inbox {
  const keys = eventKeys(lane)
  async function* fresh(refs: string[], state: Json) {
    const isKnown = await openIds(store, state)
    const seen = new Set<string>()
    const found = await inParallel(refs, AT_ONCE, (ref) => objects.get(store, keys.kept(ref)))
    for (const [at, ref] of refs.entries()) {
      const events = found[at]
      if (!events) throw gone(store, keys.kept(ref))
      const novel = events.filter(({ id }) => !seen.has(id) && !isKnown(id) && seen.add(id))
      yield { events: novel, repeated: events.length - novel.length }
    }
  }
  return {
    take: () => oldest(store, lane, rows),
    fresh,
    async remember(refs, state) {
      const ids: string[] = []
      for await (const { events } of fresh(refs, state)) ids.push(...events.map(({ id }) => id))
      if (ids.length === 0) return state
      const newestMs = Math.max(...refs.map(timeOf))
      return (await addIds(store, keys.idsFolder, state, ids, newestMs)) as unknown as Json
    },
    async release(refs, state) {
      await dropReplaced(store, state)
      await inParallel(refs, AT_ONCE, async (ref) => {
        objects.forget(store, keys.kept(ref))
        await store.delete(keys.kept(ref))
      })
    },
  }
}

const timeOf = (ref: string): number => Number.parseInt(REF.exec(ref)?.[1] ?? '0', 36)
const eventsIn = (ref: string): number => Number.parseInt(REF.exec(ref)?.[2] ?? '0', 36)

/** A line each: `[id, kind, atMs, body]`, the body as it was written but for its line ends. */
function encode(events: KeptEvent[]): Uint8Array {
  const lines = events.map(({ id, kind, atMs, body }) => {
    return `[${JSON.stringify(id)},${JSON.stringify(kind)},${atMs},${body.replaceAll(/[\r\n]+/g, ' ')}]\n`
  })
  return Buffer.from(lines.join(''))
}

function decode(bytes: Uint8Array): KeptEvent[] {
  const lines = Buffer.from(bytes).toString('utf8').split('\n')
  if (lines.pop() !== '') throw new Error('the last line has no end')
  return lines.map((line) => {
    const whole = Buffer.from(line)
    const [id, kind, atMs, body] = [...elementsOf(whole, 0)].map((span) => text(whole, span))
    return { id: JSON.parse(id!) as string, kind: JSON.parse(kind!) as string, atMs: Number(atMs), body: body! }
  })
}

/** Another run delivered them, or a person removed them: what waits now tells which, and a new run looks there. */
function gone(store: ObjectStore, key: string): LakeError {
  return new LakeError('StagedDataLost', {
    where: `${store.name}/${key}`,
    what: 'events that this run had taken are gone',
    advice: 'The run begins again with what waits now. If somebody removed the file, its events are lost.',
  })
}
