/**
 * Builders: typed values of one column, row by row, from the text a source wrote.
 *
 * Laws
 * - A row that is never set is null. Setting a row again replaces it, so a record can be given up half-way and its row
 *   be used for the next one. Rows come in order.
 * - A value that does not fit the type is refused with a reason and changes nothing; it is never bent to fit.
 * - What `finish` gives is the receiver's: the builder begins anew with memory of its own.
 */
import type { Field } from '../connector.ts'
import { BATCH_ROWS } from './batch.ts'
import type { Column, ColumnData } from './batch.ts'

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

  clear(row: number): void {
    this.valid[row >> 3]! &= ~(1 << (row & 7))
  }

  finish(rows: number): Column {
    const { valid } = this
    const nulls = rows - countBits(valid, rows)
    this.valid = new Uint8Array(BATCH_ROWS / 8)
    const data = this.take(rows)
    return nulls === 0 ? { length: rows, nulls, data } : { length: rows, nulls, valid, data }
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
