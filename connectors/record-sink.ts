/**
 * The contract's part for destinations that take records one by one and answer for each: the APIs of SaaS systems.
 *
 * Laws
 * - What may be sent twice is sent by `send`. What may not goes by a `job` alone: it is opened, remembered, and only
 *   then given its records, so that a crash leaves either an empty job or one whose results can be asked for.
 * - An outcome belongs to its record: there is one for each row of a batch, in the batch's order.
 * - A sink opens no lake. What is too large for the vendor it hands to `claim`, and sends the address.
 * - `again` says that nothing was written and that the same row may be accepted later; all else is final.
 * - Like `connector.ts`, of which it is a part, it imports nothing else.
 */
import type { Field, Json, JsonObject, Row, Session, Validator } from './connector.ts'

export type RecordWrite = 'append' | 'upsert' | 'update' | 'delete'

export interface RecordSink {
  /** Strict schema of `destination.options`. */
  options: Validator<JsonObject>
  writes: WriteKind[]
  /** The target as it is now, with the fields named: also those a description does not list, `Account__r.Number__c`. */
  target(session: Session, object: string, fields: string[]): Promise<RecordTarget>
  /** By which way a load of so many rows goes, as the options say; it is fixed once per load. */
  way(options: JsonObject, write: RecordWrite, rows: number): 'send' | 'job'
  /** Any number of rows; where it is not `repeatable`, `way` never leads here. */
  send(session: Session, batch: RecordBatch): Promise<Outcome[]>
  job?: RecordJob
}

export interface WriteKind {
  write: RecordWrite
  /** Sending the same batch again changes nothing. */
  repeatable: boolean
  /** Records are found by a key: `any` field of the target with `key`, or the one that is named. */
  key?: { named: string } | 'any'
  /** Of one job; calls are given no more at once either. */
  maxRows: number
  maxBytes: number
}

/** JSON: it is stored with the plan of a load. */
export interface RecordTarget {
  object: string
  fields: TargetField[]
  /** Takes any field of any type: there is nothing to compare names with. */
  open?: true
}

export interface TargetField extends Field {
  /** May be written in new records, in those there are. */
  create: boolean
  update: boolean
  /** A new record is refused without it. */
  required: boolean
  /** Records can be found by it. */
  key: boolean
  /** Holds the parent of a record: what is written below one parent at once may lock it. */
  parent?: boolean
  /** The field that it writes by another name: a parent's, which `Account__r.Number__c` finds by its key. */
  of?: string
  /** What the connector needs to write it. */
  spec?: JsonObject
}

export interface RecordBatch {
  target: RecordTarget
  write: RecordWrite
  /** Name of the field that records are found by; null: they are new. */
  key: string | null
  /** The names and types of what the rows hold; names are those of target fields. */
  fields: Field[]
  /** Cells as JSON lines writes them: ISO text for times, exact text or a number for decimals. */
  rows: Row[]
  /** One for each row: the same in every attempt and run of its delivery, and no other row's. */
  ids: string[]
  options: JsonObject
  /**
   * Keeps a body that the vendor does not take, for its reader to fetch: the same address for the same id, in every
   * attempt. Absent: the connection names no `staging`.
   */
  claim?: (id: string, body: Uint8Array) => Promise<{ url: string }>
}

export type Outcome =
  /** `created`: an upsert made it. */
  | { ok: true; id: string | null; created?: boolean }
  /**
   * `reason` begins with the vendor's code and a colon, where it has one; what follows may hold values. `unknown`: it
   * may have been written all the same.
   */
  | { ok: false; reason: string; again: boolean; unknown?: true }

/** A vendor's asynchronous load. References are JSON, stored before they are used. */
export interface RecordJob {
  /** Makes an empty job; nothing is written by it before `start`. */
  open(session: Session, batch: RecordBatch): Promise<Json>
  /** Hands the records over and lets it run; once, by whoever opened it. */
  start(session: Session, ref: Json, batch: RecordBatch): Promise<void>
  /** After a crash: lets nothing run that was not started, and answers whether it was. */
  resume(session: Session, ref: Json): Promise<boolean>
  poll(session: Session, ref: Json): Promise<{ waitMs: number } | 'done'>
  /** May be asked for again as long as the job is not released. */
  outcomes(session: Session, ref: Json, batch: RecordBatch): Promise<Outcome[]>
  release(session: Session, ref: Json): Promise<void>
}
