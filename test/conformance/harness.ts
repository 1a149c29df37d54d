/** What a connector's test gives the suite: its system (a sandbox, as a rule) and the ways to make trouble in it. */
import type { JsonObject, Session } from '../../connectors/connector.ts'

/** A record as the system itself has it: every field as exact text, null where it has no value. */
export interface TrueRecord {
  values: Record<string, string | null>
  deleted: boolean
}

export type Trouble =
  /** The access token ends; a new login gives another. */
  | 'expired'
  /** 429 without a word about how long. */
  | 'throttled'
  /** 429 with `Retry-After: 77`. */
  | 'throttled for 77 s'
  /** 503. */
  | 'unavailable'
  /** A page for people with status 200. */
  | 'html'
  /** The connection closes in the middle of the body. */
  | 'truncated'
  /** Half a body that looks like a whole answer. */
  | 'cut'
  /** A page of no records that is not the last. */
  | 'empty page'
  /** A page whose cursor is the one it was asked with. */
  | 'repeated cursor'
  /** No answer at all, until `calm`. */
  | 'stall'

export interface SourceHarness {
  /**
   * An object with several pages of records, more records of one stamp than a page holds, deleted records where the
   * source shows them, and no record that is younger than an hour.
   */
  object: string
  options: JsonObject
  /** What a flow has to name where the source does not: the field that tells what changed, and those of the key. */
  cursorField?: string
  keys?: string[]
  /** As a worker makes it, each with a transport of its own; retries may be made short. */
  session(signal: AbortSignal): Session | Promise<Session>
  /** All records that are visible now, deleted ones too. */
  truth(): Promise<TrueRecord[]>
  /** The system's clock, epoch milliseconds. */
  now(): number
  /** Moves the system's clock on. */
  advance(ms: number): Promise<void>
  /** Strikes requests for pages of records: lets `skip` pass, then meets `times` (0: all that come). */
  trouble(trouble: Trouble, when: { skip: number; times: number }): Promise<void>
  calm(): Promise<void>
  /** Records with this stamp (ISO instant); gives their keys. */
  insert(count: number, stamp: string): Promise<string[]>
  /** Records with this stamp that nobody sees until the function is called. */
  insertLate(count: number, stamp: string): Promise<{ keys: string[]; show(): Promise<void> }>
  update(keys: string[], stamp: string): Promise<void>
  remove(keys: string[], stamp: string): Promise<void>
  close(): Promise<void>
}
