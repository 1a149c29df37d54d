/**
 * CSV bytes to spans, for the records that almost all are: as many fields as there are columns, nothing behind a
 * closing quote, a line feed at the end.
 *
 * Law: stops before the first record that is anything else, and before one that the page does not end. Those are
 * `CsvReader`'s, by the same grammar.
 */
import type { RecordBuilder } from './record-builder.ts'
import { NULL, STRIDE } from './spans.ts'
import type { Spans } from './spans.ts'

const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

export interface CsvMarks {
  delimiter: number
  /** -1: fields are never quoted. */
  quote: number
  /** The null text; null: there is none. */
  none: Uint8Array | null
  /** The source has no empty texts. */
  noEmpty: boolean
}

export class CsvSpans {
  /** Behind the last record of the last scan. */
  at = 0
  readonly #spans: Spans
  readonly #marks: CsvMarks
  /** Where each field's column begins in the table. */
  readonly #bases: Int32Array
  /** Per field: nothing at all is null, quoted or not. */
  readonly #emptyIsNull: Uint8Array
  readonly #absent: number[]

  /** `slots`: the column of each field, -1 for none; no column twice. */
  constructor(spans: Spans, marks: CsvMarks, slots: number[], { columns }: RecordBuilder) {
    this.#spans = spans
    this.#marks = marks
    this.#bases = Int32Array.from(slots, (slot) => (slot < 0 ? columns.length : slot) * STRIDE)
    this.#emptyIsNull = Uint8Array.from(slots, (slot) => (marks.noEmpty || columns[slot]?.emptyIsNull ? 1 : 0))
    this.#absent = [...columns.keys()].filter((column) => !slots.includes(column))
  }

  /** Records from `from` on, at most `room`; answers how many, and leaves `at` behind them. */
  scan(from: number, room: number): number {
    for (const column of this.#absent) this.#spans.absent(column, room)
    const { bytes, view, starts, ends, records } = this.#spans
    const { delimiter, quote } = this.#marks
    const bases = this.#bases
    const fields = bases.length
    const last = fields - 1
    const end = bytes.length
    /** From here on four bytes cannot be read at once. */
    const near = end - 4
    const quotes = (quote & 0xff) * 0x01010101
    let at = from
    let row = 0
    record: for (; row < room; row++) {
      let pos = at
      for (let field = 0; field < fields; field++) {
        if (pos >= end) break record
        const slot = bases[field]! + row
        let start = pos
        let stop = -1
        if (bytes[pos] === quote) {
          start = ++pos
          let doubled = false
          for (;;) {
            while (pos < near) {
              const x = view.getInt32(pos, true) ^ quotes
              const hit = (x - 0x01010101) & ~x & 0x80808080
              if (hit !== 0) {
                const first = hit >>> 7
                pos += (31 - Math.clz32(first & -first)) >> 3
                break
              }
              pos += 4
            }
            while (pos < end && bytes[pos] !== quote) pos++
            if (pos >= near) break record
            if (bytes[pos + 1] !== quote) break
            doubled = true
            pos += 2
          }
          stop = doubled ? ~pos : pos
          const next = bytes[++pos]
          if (field < last) {
            if (next !== delimiter) break record
          } else if (next !== LINE_FEED) {
            if (next !== CARRIAGE_RETURN || bytes[++pos] !== LINE_FEED || next === delimiter) break record
          }
          pos++
          if (start === stop && this.#emptyIsNull[field] === 1) start = NULL
        } else {
          let byte = bytes[pos]
          while (byte !== delimiter && byte !== LINE_FEED) {
            if (++pos >= end) break record
            byte = bytes[pos]
          }
          stop = pos++
          if (field < last ? byte !== delimiter : byte === delimiter) break record
          if (field === last && stop > start && bytes[stop - 1] === CARRIAGE_RETURN) stop--
          if ((start === stop && this.#emptyIsNull[field] === 1) || this.#isNull(start, stop)) start = NULL
        }
        starts[slot] = start
        ends[slot] = stop
      }
      records[row] = at
      at = pos
    }
    this.at = at
    return row
  }

  #isNull(start: number, stop: number): boolean {
    const { none } = this.#marks
    if (none === null || stop - start !== none.length) return false
    const { bytes } = this.#spans
    for (let i = 0; i < none.length; i++) if (bytes[start + i] !== none[i]) return false
    return true
  }
}

/** One of two quotes. */
export function unquote(quote: number) {
  return (bytes: Uint8Array, start: number, end: number, out: Uint8Array, from: number): number => {
    let to = from
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!
      out[to++] = byte
      if (byte === quote) at++
    }
    return to
  }
}
