/** Builders of numbers, dates and times. */
import type { Field } from '../connector.ts'
import { BATCH_ROWS } from './batch.ts'
import type { ColumnData } from './batch.ts'
import { ColumnBuilder } from './column-builder.ts'
import type { Cell, Refusal } from './column-builder.ts'
import { bounds, exactOf } from './field-kind.ts'
import { fixedDate, fixedTimestamp } from './fixed-instants.ts'
import { parseDate, parseTime, parseTimestamp } from './instants.ts'
import { TOO_FINE, float64, plainFloat64, plainScaled, scaled } from './numbers.ts'
import type { Spans } from './spans.ts'
import { int64Store, putInt128, putInt64 } from './words.ts'

const WORD = 4_294_967_296
const NO_NUMBER = 'it is not a number'

export class Float64Builder extends ColumnBuilder {
  #values = new Float64Array(BATCH_ROWS)
  text(bytes: Uint8Array, start: number, end: number, row: number): Refusal {
    return this.value(float64(bytes, start, end), row)
  }
  override number(bytes: Uint8Array, start: number, end: number, row: number): Refusal {
    return this.text(bytes, start, end, row)
  }
  override fill(spans: Spans, base: number, first: number, count: number, row: number): void {
    const { bytes, starts, ends } = spans
    const { valid } = this
    const values = this.#values
    this.setRows(row, count)
    for (let i = 0, at = base + first; i < count; i++, at++) {
      const start = starts[at]!
      const to = row + i
      if (start < 0) {
        valid[to >> 3]! &= ~(1 << (to & 7))
        continue
      }
      let value = plainFloat64(bytes, start, ends[at]!)
      if (value !== value && ends[at]! > 0) value = float64(bytes, start, ends[at]!)
      values[to] = value
      if (!(value <= Number.MAX_VALUE && value >= -Number.MAX_VALUE)) spans.refuse(first + i)
    }
  }
  value(value: Cell, row: number): Refusal {
    if (Number.isNaN(value)) return NO_NUMBER
    if (!Number.isFinite(value)) return 'no double is near it'
    this.#values[row] = value as number
    return this.set(row)
  }
  protected take(rows: number): ColumnData {
    const values = this.#values
    if (!this.reuses) this.#values = new Float64Array(BATCH_ROWS)
    return { kind: 'float64', values: values.subarray(0, rows) }
  }
}

/** int32, int64 and decimals: integers at a scale, within bounds. */
abstract class ExactBuilder extends ColumnBuilder {
  protected readonly scale: number
  readonly #least: bigint
  readonly #most: bigint
  /** Numbers within ± this need no comparison of bigints. */
  protected readonly surely: number
  readonly #rounding: boolean

  constructor(field: Field, rounding: boolean) {
    super(field)
    this.#rounding = rounding
    const { least, most } = bounds(field.type)
    this.scale = exactOf(field.type)!.scale
    this.#least = least
    this.#most = most
    this.surely = most > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(most)
  }

  protected abstract put(value: number | bigint, row: number): void

  text(bytes: Uint8Array, start: number, end: number, row: number): Refusal {
    return this.value(scaled(bytes, start, end, this.scale, this.#rounding), row)
  }

  value(value: Cell, row: number): Refusal {
    if (!(typeof value === 'number' && value <= this.surely && value >= -this.surely)) {
      if (Number.isNaN(value)) return NO_NUMBER
      if (value === TOO_FINE) return `it has more digits behind the point than ${this.field.type} holds`
      if ((value as number | bigint) > this.#most || (value as number | bigint) < this.#least)
        return `it is too large for ${this.field.type}`
    }
    this.put(value as number | bigint, row)
    return this.set(row)
  }

  override number(bytes: Uint8Array, start: number, end: number, row: number): Refusal {
    return this.text(bytes, start, end, row)
  }
}

export class Int32Builder extends ExactBuilder {
  #values = new Int32Array(BATCH_ROWS)
  override fill(spans: Spans, base: number, first: number, count: number, row: number): void {
    const { bytes, starts, ends } = spans
    const { valid, surely } = this
    const values = this.#values
    this.setRows(row, count)
    for (let i = 0, at = base + first; i < count; i++, at++) {
      const start = starts[at]!
      const to = row + i
      if (start < 0) {
        valid[to >> 3]! &= ~(1 << (to & 7))
        continue
      }
      const value = plainScaled(bytes, start, ends[at]!, 0)
      if (value <= surely && value >= -surely) values[to] = value
      else this.fillOne(spans, at, first + i, to)
    }
  }
  protected put(value: number | bigint, row: number): void {
    this.#values[row] = Number(value)
  }
  protected take(rows: number): ColumnData {
    const values = this.#values
    if (!this.reuses) this.#values = new Int32Array(BATCH_ROWS)
    return { kind: 'int32', values: values.subarray(0, rows) }
  }
}

export class Int64Builder extends ExactBuilder {
  #store = int64Store(BATCH_ROWS)
  override fill(spans: Spans, base: number, first: number, count: number, row: number): void {
    const { bytes, starts, ends } = spans
    const { valid, scale, surely } = this
    const { words } = this.#store
    this.setRows(row, count)
    for (let i = 0, at = base + first; i < count; i++, at++) {
      const start = starts[at]!
      const to = row + i
      if (start < 0) {
        valid[to >> 3]! &= ~(1 << (to & 7))
        continue
      }
      const value = plainScaled(bytes, start, ends[at]!, scale)
      if (value <= surely && value >= -surely) {
        const high = Math.floor(value / WORD)
        words[to * 2] = value - high * WORD
        words[to * 2 + 1] = high
      } else this.fillOne(spans, at, first + i, to)
    }
  }
  protected put(value: number | bigint, row: number): void {
    putInt64(this.#store, row, value)
  }
  protected take(rows: number): ColumnData {
    const { values } = this.#store
    if (!this.reuses) this.#store = int64Store(BATCH_ROWS)
    return { kind: 'int64', values: values.subarray(0, rows) }
  }
}

export class Int128Builder extends ExactBuilder {
  #words = new BigInt64Array(BATCH_ROWS * 2)
  protected put(value: number | bigint, row: number): void {
    putInt128(this.#words, row, BigInt(value))
  }
  protected take(rows: number): ColumnData {
    const words = this.#words
    if (!this.reuses) this.#words = new BigInt64Array(BATCH_ROWS * 2)
    return { kind: 'int128', words: words.subarray(0, rows * 2) }
  }
}

export class DateBuilder extends ColumnBuilder {
  #values = new Int32Array(BATCH_ROWS)
  override fill(spans: Spans, base: number, first: number, count: number, row: number): void {
    const { view, starts, ends } = spans
    const { valid } = this
    const values = this.#values
    this.setRows(row, count)
    for (let i = 0, at = base + first; i < count; i++, at++) {
      const start = starts[at]!
      const to = row + i
      if (start < 0) {
        valid[to >> 3]! &= ~(1 << (to & 7))
        continue
      }
      const days = ends[at]! - start === 10 ? fixedDate(view, start) : Number.NaN
      if (days === days) values[to] = days
      else spans.refuse(first + i)
    }
  }
  text(bytes: Uint8Array, start: number, end: number, row: number): Refusal {
    return this.value(parseDate(bytes, start, end), row)
  }
  value(value: Cell, row: number): Refusal {
    if (Number.isNaN(value)) return 'it is not a date'
    this.#values[row] = value as number
    return this.set(row)
  }
  protected take(rows: number): ColumnData {
    const values = this.#values
    if (!this.reuses) this.#values = new Int32Array(BATCH_ROWS)
    return { kind: 'int32', values: values.subarray(0, rows) }
  }
}

/** time and timestamp. */
export class MicrosBuilder extends ColumnBuilder {
  readonly #isTime: boolean = this.field.type === 'time'
  #store = int64Store(BATCH_ROWS)
  override fill(spans: Spans, base: number, first: number, count: number, row: number): void {
    if (this.#isTime) {
      super.fill(spans, base, first, count, row)
      return
    }
    const { view, starts, ends } = spans
    const { valid } = this
    const { words } = this.#store
    this.setRows(row, count)
    for (let i = 0, at = base + first; i < count; i++, at++) {
      const start = starts[at]!
      const to = row + i
      if (start < 0) {
        valid[to >> 3]! &= ~(1 << (to & 7))
        continue
      }
      const micros = fixedTimestamp(view, start, ends[at]!)
      if (micros === micros) {
        const high = Math.floor(micros / WORD)
        words[to * 2] = micros - high * WORD
        words[to * 2 + 1] = high
      } else this.fillOne(spans, at, first + i, to)
    }
  }
  text(bytes: Uint8Array, start: number, end: number, row: number): Refusal {
    return this.value(this.#isTime ? parseTime(bytes, start, end) : parseTimestamp(bytes, start, end), row)
  }
  value(value: Cell, row: number): Refusal {
    if (Number.isNaN(value)) return this.#isTime ? 'it is not a time of day' : 'it is not a date and time'
    putInt64(this.#store, row, value as number | bigint)
    return this.set(row)
  }
  protected take(rows: number): ColumnData {
    const { values } = this.#store
    if (!this.reuses) this.#store = int64Store(BATCH_ROWS)
    return { kind: 'int64', values: values.subarray(0, rows) }
  }
}
