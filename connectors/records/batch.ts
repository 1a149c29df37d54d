/**
 * Columns: what every record is between a source's bytes and a sink's.
 *
 * The memory layout is Apache Arrow's (validity bits and booleans least significant bit first, 32-bit offsets, little
 * endian), so that a batch can be handed to any Arrow library without a copy; no Arrow builder is used. Batches hold
 * about a thousand rows, which keeps a batch's columns inside the processor's cache.
 */
import type { Field } from '../connector.ts'

export const BATCH_ROWS = 1024

export interface Batch {
  fields: Field[]
  rows: number
  columns: Column[]
}

export interface Column {
  length: number
  nulls: number
  /** One bit per row, 1 = present; absent when `nulls` is 0. */
  valid?: Uint8Array
  data: ColumnData
}

export type ColumnData =
  /** string, json (text as the source wrote it), binary: row i is bytes[offsets[i], offsets[i + 1]). */
  | { kind: 'bytes'; offsets: Int32Array; bytes: Uint8Array }
  /** boolean: one bit per row. */
  | { kind: 'bits'; bits: Uint8Array }
  /** int32; date as days since 1970-01-01. */
  | { kind: 'int32'; values: Int32Array }
  /**
   * int64; timestamp as microseconds since the epoch; time as microseconds since midnight; decimal(p ≤ 18, s) unscaled.
   */
  | { kind: 'int64'; values: BigInt64Array }
  | { kind: 'float64'; values: Float64Array }
  /** decimal(p > 18, s): unscaled two's complement, two words per row, low word first. */
  | { kind: 'int128'; words: BigInt64Array }
