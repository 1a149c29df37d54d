/** What a Parquet column chunk asks of the encoder of its values. */
import type { Column } from './batch.ts'

/** Encodings by their number in Parquet. */
export const PLAIN = 0
export const RLE = 3
export const RLE_DICTIONARY = 8

export interface ValueEncoder {
  /** Appends the values that are present among the rows, all or the chosen ones. */
  append(column: Column, rows: Uint32Array | undefined): void
  /** Bytes of the page at hand, encoded. */
  readonly size: number
  /** The page at hand; the next one begins. The bytes are good until then. */
  takePage(): { values: Uint8Array; encoding: number }
  /** The dictionary that pages of this chunk refer to. */
  dictionary(): { values: Uint8Array; count: number } | null
  /** Least and greatest value of the chunk in plain encoding, where they are known and worth telling. */
  range(): { least: Uint8Array; greatest: Uint8Array } | null
  /** The chunk is complete; the next one begins. */
  reset(): void
}
