/**
 * Events in the lane's lake, from the moment they are received until an entry that has them is `done`.
 *
 * Laws
 * - `_lakeward/_events/<flow>/<object>/kept/<time>-<nonce>.jsonl` holds some events that came together, created once,
 *   synced, never changed. Who sent them is answered after that, and after the lane's listener was told the name.
 * - The name is remembered with the ids of its events: an object that is gone and whose name is known was delivered;
 *   one that is gone and not known is lost, and no run goes past it.
 */
import { elementsOf, text } from '../json-span.ts'
import type { Json } from '../connector.ts'
import type { Inbox, KeptEvent } from '../events.ts'
import { damaged } from './documents.ts'
import { addIds, dropReplaced, openIds } from './event-ids.ts'
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

/** Names sort by the time they were made. */
export function newRef(nowMs: number): string {
  return `${nowMs.toString(36).padStart(9, '0')}-${nonce()}`
}

/** When an object of this name was made, epoch milliseconds. */
export function refTime(ref: string): number {
  return Number.parseInt(ref.slice(0, 9), 36)
}

/** Durable when it resolves; the same ref again leaves what is there. */
export async function keepEvents(store: ObjectStore, lane: EventLane, ref: string, events: KeptEvent[]): Promise<void> {
  const key = eventKeys(lane).kept(ref)
  await store.create(key, encode(events))
  if ((await store.head(key)) === null) throw damaged(`${store.name}/${key}`, 'events were written and are not there')
  await store.settle([key])
}

/** Names of all that is kept, the oldest first. */
export async function keptRefs(store: ObjectStore, lane: EventLane, most: number): Promise<string[]> {
  const { keptFolder } = eventKeys(lane)
  const refs: string[] = []
  for await (const { key } of store.list(keptFolder)) {
    const ref = /^([0-9a-z]{9}-[0-9a-f]{16})\.jsonl$/.exec(key.slice(keptFolder.length))?.[1]
    if (ref !== undefined) refs.push(ref)
    if (refs.length >= most) break
  }
  return refs
}

export function openInbox(store: ObjectStore, lane: EventLane, refs: string[]): Inbox {
  const keys = eventKeys(lane)
  async function* fresh(wanted: string[], state: Json) {
    const isKnown = await openIds(store, state)
    const seen = new Set<string>()
    const found = await inParallel(wanted, AT_ONCE, (ref) => objects.get(store, keys.kept(ref)))
    for (const [at, ref] of wanted.entries()) {
      const events = found[at]
      if (!events && !isKnown(nameId(ref))) throw lost(store, keys.kept(ref))
      const all = isKnown(nameId(ref)) ? [] : events!
      const novel = all.filter(({ id }) => !isKnown(eventId(id)) && !seen.has(id) && seen.add(id))
      yield { ref, events: novel, repeated: (events?.length ?? 0) - novel.length }
    }
  }
  return {
    refs,
    fresh,
    async remember(wanted, state) {
      const ids = wanted.map(nameId)
      let newestMs = 0
      for (const ref of wanted) newestMs = Math.max(newestMs, refTime(ref))
      for await (const { events } of fresh(wanted, state)) ids.push(...events.map(({ id }) => eventId(id)))
      return (await addIds(store, keys.idsFolder, state, ids, newestMs)) as unknown as Json
    },
    async release(wanted, state) {
      await dropReplaced(store, state)
      await inParallel(wanted, AT_ONCE, async (ref) => {
        objects.forget(store, keys.kept(ref))
        await store.delete(keys.kept(ref))
      })
    },
  }
}

// Names of objects and ids of events are told apart, whatever vendors choose.
const nameId = (ref: string): string => `object ${ref}`
const eventId = (id: string): string => `event ${id}`

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

function lost(store: ObjectStore, key: string) {
  return damaged(`${store.name}/${key}`, 'events that were received are gone before they were delivered', {
    advice: 'Restore the file. To go on without it: delete the flow and apply it again, which takes what is there.',
  })
}
