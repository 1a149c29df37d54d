/**
 * The events side of the contract: what a system tells by itself, and how a flow reads what it told.
 *
 * Laws
 * - This file and `connector.ts` import each other's types and nothing else.
 * - An event is kept in the lane's lake before anybody is told that it has arrived, and is never changed there.
 * - Its id decides whether it is new, and nothing else: a delivery that comes again has the same one.
 */
import type { Json, JsonObject, Session } from './connector.ts'

export interface Events {
  /** Settles whether a request is the vendor's, and what it says. Pure: it asks nobody, and no clock. */
  verify?(request: RawRequest, by: VerifyBy): Verdict
  /** What was published after a position; the position is committed with the records, like any cursor. */
  subscribe?(session: Session, topic: Json, from: Json | null): AsyncIterable<Delivery>
}

export interface VerifyBy {
  settings: JsonObject
  /** Any of them may have signed: while a secret is changed there are two. */
  secrets: string[]
  /** Epoch milliseconds. */
  nowMs: number
}

/** Names of headers in lower case; the body as it came, byte by byte. */
export type RawRequest = { method: string; path: string; headers: Record<string, string>; body: Uint8Array }

/** `answer`: what the vendor wants to read, where it asks before it sends (text). */
export type Verdict = { accept: Delivery[]; answer?: string } | { reject: string; status: 400 | 401 }

export interface Delivery {
  /** Unique at the vendor: the key of de-duplication. */
  id: string
  /** What kind of event it is; objects of flows name these. */
  kind: string
  /** JSON text, as the vendor wrote it. */
  body: string
  /** Where a stream goes on behind it. */
  next?: Json
}

/** What a lane's lake keeps of an event. */
export interface KeptEvent {
  id: string
  kind: string
  /** When it was received, epoch milliseconds. */
  atMs: number
  /** JSON text without line ends. */
  body: string
}

/** What waits in the lane's lake, by the names of the objects that hold it, and what the lane has had before. */
export interface Inbox {
  /** The oldest, up to a batch of events; how many are left after them, as far as was looked. */
  take(): Promise<{ refs: string[]; left: number }>
  /** Events of these objects that are new to a lane of this state, each once, object by object. */
  fresh(refs: string[], state: Json): AsyncIterable<{ events: KeptEvent[]; repeated: number }>
  /** The state with the events of these objects in it. */
  remember(refs: string[], state: Json): Promise<Json>
  /** After `done`: the events are where they belong, and need not be kept any more. */
  release(refs: string[], state: Json): Promise<void>
}
