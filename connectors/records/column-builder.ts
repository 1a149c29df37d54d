/**
 * Builders: typed values of one column, row by row, from the text a source wrote.
 *
 * Laws
 * - A row that is never set is null. Setting a row again replaces it, so a record can be given up half-way and its row
 *   be used for the next one. Rows come in order.
 * - A value that does not fit the type is refused with a reason and changes nothing; it is never bent to fit.
 * - What `finish` gives is the receiver's: the builder begins anew with memory of its own. A builder that `reuses`
 *   gives its memory only until the next row is set.
 */
import type { Field } from '../connector.ts'
import { BATCH_ROWS } from './batch.ts'
import type { Column, ColumnData } from './batch.ts'
import type { Spans } from './spans.ts'

/** Why a value was not taken; null: it was. */
export type Refusal = string | null

/**
 * One value: string and json are strings, binary is bytes, exact numbers are unscaled integers, dates are days, times
 * and timestamps are microseconds.
 */
export type Cell = string | number | bigint | boolean | Uint8Array

export abstract class ColumnBuilder {
  readonly field: Field
  /** Values are wanted as the JSON text the source wrote, quotes and all. */
  readonly raw: boolean = false
  /** Numbers and words of JSON are none of its values, even if their text is. */
  readonly textOnly: boolean = false
  /** In CSV nothing at all is no value, quoted or not. */
  readonly emptyIsNull: boolean = true
  reuses = false
  protected valid = new Uint8Array(BATCH_ROWS / 8)

  constructor(field: Field) {
    this.field = field
  }

  /** The text in bytes [start, end), unescaped. */
  abstract text(bytes: Uint8Array, start: number, end: number, row: number): Refusal
  /** A value as `cells.ts` reads it. */
  abstract value(value: Cell, row: number): Refusal
  protected abstract take(rows: number): ColumnData

  /** A number as the source wrote it. */
  number(_bytes: Uint8Array, _start: number, _end: number, _row: number): Refusal {
    return `a number where ${this.field.type} is expected`
  }

  boolean(_value: boolean, _row: number): Refusal {
    return `true or false where ${this.field.type} is expected`
  }

  /**
   * Rows `row` and on from records `first` and on of the table; `base` is where the column begins in it. Records whose
   * value is not taken are refused there, and their rows hold nothing that counts.
   */
  fill(spans: Spans, base: number, first: number, count: number, row: number): void {
    for (let i = 0; i < count; i++) {
      if (spans.starts[base + first + i]! < 0) this.clear(row + i)
      else this.fillOne(spans, base + first + i, first + i, row + i)
    }
  }

  /** The value at place `at` of the table, by the builder's general way. */
  protected fillOne(spans: Spans, at: number, record: number, row: number): void {
    const end = spans.ends[at]!
    if (end < 0 || this.text(spans.bytes, spans.starts[at]!, end, row) !== null) spans.refuse(record)
  }

  /** Rows `row` and on are as if they had never been set. */
  cut(row: number): void {
    this.valid[row >> 3]! &= (1 << (row & 7)) - 1
    this.valid.fill(0, (row >> 3) + 1)
  }

  clear(row: number): void {
    this.valid[row >> 3]! &= ~(1 << (row & 7))
  }

  finish(rows: number): Column {
    const valid = this.reuses ? this.valid.slice() : this.valid
    const nulls = rows - countBits(valid, rows)
    if (this.reuses) this.valid.fill(0)
    else this.valid = new Uint8Array(BATCH_ROWS / 8)
    const data = this.take(rows)
    return nulls === 0 ? { length: rows, nulls, data } : { length: rows, nulls, valid, data }
  }

  /** Rows are set, `count` of them. */
  protected setRows(row: number, count: number): void {
    const { valid } = this
    const end = row + count
    let at = row
    for (; at < end && (at & 7) !== 0; at++) valid[at >> 3]! |= 1 << (at & 7)
    if (at === end) return
    valid.fill(0xff, at >> 3, end >> 3)
    if ((end & 7) !== 0) valid[end >> 3]! |= (1 << (end & 7)) - 1
  }

  protected set(row: number): null {
    this.valid[row >> 3]! |= 1 << (row & 7)
    return null
  }
}

export function countBits(bits: Uint8Array, rows: number): number {
  let count = 0
  const whole = rows >> 3
  for (let i = 0; i < whole; i++) count += ONES[bits[i]!]!
  if (rows & 7) count += ONES[bits[whole]! & ((1 << (rows & 7)) - 1)]!
  return count
}

const ONES = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length)
