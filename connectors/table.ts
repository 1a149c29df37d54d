/**
 * The table side of the contract: a warehouse that keeps the lane's ledger beside the rows.
 *
 * Law: this file and `connector.ts` import each other's types and nothing else.
 */
import type { Field, Job, ObjectSchema, Session } from './connector.ts'

export interface Table {
  /** Column type for each field type (`decimal` for all of them); an absent one is refused with advice. */
  types: Partial<Record<string, string>>
  /** Text that names staged files to a load; the core keeps it beside them, and tells its address. */
  manifest(files: TableFile[]): string
  inspect(session: Session, table: string): Promise<ObjectSchema | null>
  /** Refuses what a load would fail on, before anything is read: a view, types that do not fit, missing keys. */
  check(session: Session, load: TableShape): Promise<void>
  /** The newest row of the lane's ledger, kept in the same database. */
  newest(session: Session, lane: string): Promise<TableEntry | null>
  /**
   * One transaction: move the ledger row from `after` to n or fail, then load and merge. A load of a run that has
   * committed already is ready, not repeated. What failed is asked for again under another token.
   */
  load: Job<Load, LoadResult>
}

export interface TableFile {
  url: string
  rows: number
  bytes: number
}

export interface TableShape {
  /** Table, or schema and table with a dot. */
  table: string
  /** In the order of the columns of the staged files. */
  schema: Field[]
  /** Output names; needed by upsert. A replace that has them keeps the newest of each key, and no deletes. */
  keys: string[]
  write: 'append' | 'replace' | 'upsert'
}

export interface Load extends TableShape {
  n: number
  /** The number that the lane's row is moved from; null: whichever it has, where everything is replaced. */
  after: number | null
  lane: string
  /** Whose entry it is. */
  run: string
  watermark: string | null
  files: TableFile[]
  /** Address of what `manifest` said of these files. */
  manifest: string
  /** Names of fields of which the greatest is the newest, for records that came twice; the first counts most. */
  order: string[]
  /** Most bytes of a text of a field, where it was measured. */
  widths?: Record<string, number>
}

export type LoadResult = { inserted: number; updated: number; deleted: number }

export interface TableEntry {
  n: number
  run: string
  watermark: string | null
  result: LoadResult
}
