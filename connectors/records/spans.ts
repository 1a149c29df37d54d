/**
 * Where the values of up to `SCAN_ROWS` records lie in a page's bytes: what a scanner writes and the columns' kernels
 * read.
 *
 * Laws
 * - A span is written and read within one turn: nobody keeps one over a `yield`, so all pages share the same memory.
 * - A span is good JSON or CSV already; whether it is a value of its column's type is for the kernel to say.
 */

/** So many records are scanned, then put into columns, that their bytes are still in the processor's cache. */
export const SCAN_ROWS = 256

/** Rows that a column has in the table. No power of two: columns would meet in the same lines of the cache. */
export const STRIDE = SCAN_ROWS + 16

/** Start of a value that is null. */
export const NULL = -1

/** Puts the meaning of bytes [start, end) into `out` from `at` on; answers where it ends, never later than they do. */
export type Unescape = (bytes: Uint8Array, start: number, end: number, out: Uint8Array, at: number) => number

let sharedStarts = new Int32Array(0)
let sharedEnds = new Int32Array(0)
const sharedRecords = new Int32Array(SCAN_ROWS)
const sharedRefused = new Uint8Array(SCAN_ROWS)

export class Spans {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly format: 'csv' | 'json'
  readonly unescape: Unescape
  /**
   * Record i's value of column c begins at `starts[c * STRIDE + i]`. Behind the columns one more takes what no field
   * wants.
   */
  readonly starts: Int32Array
  /** And ends before this byte; ~ of it, where the value has to be unescaped. */
  readonly ends: Int32Array
  /** Where each record begins. */
  readonly records: Int32Array
  /** Set where a kernel could not take a value. */
  readonly refused: Uint8Array
  anyRefused = false

  constructor(bytes: Uint8Array, format: 'csv' | 'json', columns: number, unescape: Unescape) {
    const size = (columns + 1) * STRIDE
    if (sharedStarts.length < size) {
      sharedStarts = new Int32Array(size)
      sharedEnds = new Int32Array(size)
    }
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.format = format
    this.unescape = unescape
    this.starts = sharedStarts
    this.ends = sharedEnds
    this.records = sharedRecords
    this.refused = sharedRefused
  }

  refuse(record: number): void {
    this.refused[record] = 1
    this.anyRefused = true
  }

  /** No record of the next `rows` has a value in this column. */
  absent(column: number, rows: number): void {
    this.starts.fill(NULL, column * STRIDE, column * STRIDE + rows)
  }
}
