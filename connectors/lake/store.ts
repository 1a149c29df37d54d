/**
 * The object-store port: all that the commit protocol asks of a place that holds files. S3 and a directory are its two
 * stores.
 *
 * Laws
 * - `create` is create-once, and its status is never trusted: whoever creates reads back.
 * - A staged file is invisible to `list`, `get` and `head` below its key until it is completed.
 * - A listing is complete, in byte order of the keys, and shows everything created before it began. Where a store keeps
 *   staged or temporary files of its own beside the objects, no listing, `get` or `head` shows them.
 * - Keys use `/`, have no `.` or `..` segment and are relative to the connection's `path`.
 */
import type { Check } from '../check.ts'

export interface ObjectStore {
  /** For people: `s3://acme-lake/base` or an absolute directory. */
  readonly name: string
  /** How long an absent and unlisted staged file may still appear, milliseconds (S3: 15 minutes; a directory: 0). */
  readonly settleMs: number
  list(prefix: string, options?: { startAt?: string }): AsyncIterable<StoredObject>
  /** null: there is no such object. */
  get(key: string): Promise<Uint8Array | null>
  head(key: string): Promise<StoredObject | null>
  /**
   * Writes the object whole if the key is free. `exists` is also the answer to a repeated request that had succeeded.
   */
  create(key: string, body: Uint8Array): Promise<'created' | 'exists'>
  /** Overwrites, in one step: for hints, which may be wrong or absent, and for what `repair.ts` finds unreadable. */
  put(key: string, body: Uint8Array): Promise<void>
  /** An absent key is no error. */
  delete(key: string): Promise<void>
  stage(file: StageRequest): Promise<StagedWriter>
  /**
   * Makes a staged file visible at its key, durably; any number of times, by anyone, without conditions. An error is
   * settled by the object at the key: right size (and unit, where the store keeps it) is `done`. `absent`: there is
   * neither the staged file nor the object, which a completion in flight elsewhere may still change until `settleMs`
   * have passed. `lost`: its bytes were replaced or cut; nothing will change that. Throws on anything else, and names
   * `repair` where a person must look.
   */
  complete(file: StagedFile): Promise<'done' | 'absent' | 'lost'>
  /** Drops a staged file; absent is no error. A completed object at the key stays. */
  abort(file: Pick<StagedFile, 'key' | 'upload'>): Promise<void>
  /**
   * Staged files that are not completed. `areas`: the folder that the areas of `StageRequest` lie in, which stores that
   * stage elsewhere ignore; `prefix`: what the keys they will have begin with.
   */
  staged(areas: string, prefix: string): AsyncIterable<{ key: string; upload: string }>
  /**
   * Makes durable what was created, completed and deleted at these keys, by whomever; called before it is relied on.
   */
  settle(keys: string[]): Promise<void>
  /**
   * What `doctor` can ask of this kind of store alone, in words for people. It writes below `folder`, which exists for
   * that, and removes it.
   */
  prove?(folder: string): AsyncIterable<Check>
}

export interface StoredObject {
  key: string
  bytes: number
  /** The unit id given at `stage`; undefined for objects that were not staged, or where a listing does not carry it. */
  unit?: string
}

export interface StageRequest {
  /** Where the file will be visible. */
  key: string
  /** Folder of the run's staging: `_lakeward/<flow>/<object>/staged/<run>`; stores that stage elsewhere ignore it. */
  area: string
  /** Kept with the object as metadata, where the store can. */
  unit: string
}

export interface StagedWriter {
  /** The chunk is the writer's from now on. */
  write(chunk: Uint8Array): Promise<void>
  /** Bytes that fill memory until there are enough to be sent; absent: none do. */
  readonly held?: number
  /** Durable but invisible. Not called for a file without rows: `abort` is. */
  close(): Promise<StagedFile>
  abort(): Promise<void>
}

/** What an entry remembers of a file: enough to complete it from anywhere. */
export interface StagedFile {
  key: string
  /** The upload id, or the staged path. */
  upload: string
  unit: string
  bytes: number
  /** Parts in order, where the store has them. */
  parts?: { number: number; etag: string; crc32?: string }[]
  /** ISO instant at which the store drops it by a rule of its own, if it is not completed before. */
  dropped?: string
}
