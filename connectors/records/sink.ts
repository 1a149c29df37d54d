/**
 * Where batches become the bytes of one file.
 *
 * Laws
 * - Sinks are synchronous and pure: I/O is the caller's, with what `drain` and `finish` give.
 * - The bytes of `drain` in order, then those of `finish`, are the file. A file without rows is valid too.
 * - What a sink holds back is bounded: by a row group in Parquet, by what was not drained elsewhere.
 */
import type { Batch } from './batch.ts'

export interface Sink {
  /** All rows, or these. The batch's memory is not kept. */
  append(batch: Batch, rows?: Uint32Array): void
  /** Bytes that are ready; the caller's from now on. */
  drain(): Uint8Array[]
  /** Bytes of the file so far: an estimate for what is not encoded yet, exact after `finish`. */
  readonly bytes: number
  readonly rows: number
  /** Memory that what was appended takes up and `drain` does not give yet. */
  readonly buffered: number
  /** Makes what is buffered ready: for a caller that has many sinks and one memory. */
  flush(): void
  finish(): Uint8Array[]
}
