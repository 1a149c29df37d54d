/**
 * What a listener is told and asked: names, for ever, because people, scripts and receivers of older releases send
 * these; members may be added, never renamed.
 */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow'
import type { Json, JsonObject } from '../connectors/connector.ts'
import type { HandEvent, KeepDigest } from '../activities/digests.ts'

/** Events lie in the lake: how many, by the object's id in the flow. */
export interface Received {
  objects?: { [object: string]: number }
}

/** A small event, in the message itself. */
export interface GivenEvent {
  /** Comes again with the event if that does; absent: it is an event of its own. */
  id?: string
  /** What the flow's objects name; may be absent where it has one. */
  kind?: string
  body: Json
}

export interface FlushAsk {
  /** Id of an object; absent: all. */
  object?: string
}
export interface Flushed {
  object: string
  status: string
  read: number
  written: number
}

export interface ListenProgress {
  flow: string
  paused: boolean
  objects: LaneListening[]
  /** Events that came in a message and are not in the lake yet. */
  held: number
  /** Messages that could not be used. */
  refused: number
  notes: string[]
}

export interface LaneListening {
  object: string
  phase: 'waiting' | 'collecting' | 'writing' | 'failing'
  /** Events in the lake that no batch has taken, as far as is known. */
  waiting: number
  /** When the oldest of them was told of, epoch milliseconds. */
  sinceMs: number | null
  batches: number
  read: number
  written: number
  /** When the last batch was committed, epoch milliseconds. */
  lastMs: number | null
  /** Batches that failed, one after the other. */
  failures: number
  problem?: { type: string; message: string }
}

export const received = defineSignal<[Received]>('received')
export const event = defineSignal<[GivenEvent]>('event')
export const define = defineSignal<[JsonObject]>('define')
export const pause = defineSignal('pause')
export const resume = defineSignal('resume')
export const end = defineSignal('end')
export const progress = defineQuery<ListenProgress>('progress')
export const flush = defineUpdate<Flushed[], [FlushAsk]>('flush')
export const send = defineUpdate<KeepDigest, [{ events: GivenEvent[] }]>('send')

export const about = {
  received: 'Events lie in the lake: {"objects":{"orders":3}}. Sent by `lakeward listen`; asks to look, and no more',
  event: 'A small event: {"id":"evt-1","kind":"orders","body":{…}}, up to 64 KB; `send` answers when it is durable',
  define: 'The flow was applied again: its definition. What waits is committed by the new one',
  pause: 'Commit nothing until `resume`; events are kept',
  resume: 'Commit again; batches that failed are tried at once',
  end: 'Commit what waits, and end',
  progress: 'What waits, and what was committed, by object',
  flush: 'Commit what waits now, and answer when it is done: {} or {"object":"orders"}',
  send: 'Small events: {"events":[{"id":"evt-1","kind":"orders","body":{…}}]}; answers when they are in the lake',
} as const

export const MOST_EVENT_BYTES = 64 * 1024
const LONGEST = 512

/** The event, or why it cannot be used. */
export function handEvent(given: unknown, ownId: string): HandEvent | string {
  const { id = ownId, kind, body } = Object(given) as Partial<GivenEvent>
  if (body === undefined) return 'it has no `body`'
  if (typeof id !== 'string' || id === '' || id.length > LONGEST)
    return `its \`id\` is no text of 1 to ${LONGEST} letters`
  if (kind !== undefined && (typeof kind !== 'string' || kind === '' || kind.length > LONGEST))
    return `its \`kind\` is no text of 1 to ${LONGEST} letters`
  const bytes = sizeOf(body)
  if (bytes > MOST_EVENT_BYTES)
    return `it has ${bytes} bytes, and a message may have ${MOST_EVENT_BYTES}; larger ones go to \`lakeward listen\``
  return { id, body, ...(kind === undefined ? {} : { kind }) }
}

export function sizeOf(value: Json): number {
  return new TextEncoder().encode(JSON.stringify(value)).length
}
