/** Builders of text, JSON, bytes and booleans. */
import { BATCH_ROWS } from './batch.ts'
import type { ColumnData } from './batch.ts'
import { ColumnBuilder } from './column-builder.ts'
import type { Cell, Refusal } from './column-builder.ts'
import { isJson } from './is-json.ts'
import { ascii } from './numbers.ts'
import type { Spans } from './spans.ts'

const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
/** The same as four bytes, the lowest first. */
const TRUE_WORD = 0x65757274
const FALS_WORD = 0x736c6166
/** Longer text is copied by the library, shorter faster eight bytes at a time. */
const SHORT = 128

/** string, json, binary. */
abstract class BytesBuilder extends ColumnBuilder {
  #offsets = new Int32Array(BATCH_ROWS + 1)
  #bytes: Uint8Array = Buffer.allocUnsafeSlow(BATCH_ROWS * 16)
  #view = viewOf(this.#bytes)
  /** Rows below it have their end in `#offsets`. */
  #set = 0

  protected put(bytes: Uint8Array, start: number, end: number, row: number): null {
    const length = end - start
    const offsets = this.#offsets
    this.#reach(row)
    const from = offsets[row]!
    if (from + length > this.#bytes.length) this.#grow(from, from + length)
    const out = this.#bytes
    if (length > 48) out.set(bytes.subarray(start, end), from)
    else for (let i = 0; i < length; i++) out[from + i] = bytes[start + i]!
    offsets[row + 1] = from + length
    this.#set = row + 1
    return this.set(row)
  }

  /** As `fill`: the values are the bytes in the spans, unescaped. */
  protected fillBytes(spans: Spans, base: number, first: number, count: number, row: number): void {
    this.#reach(row)
    this.setRows(row, count)
    const { bytes, view, starts, ends } = spans
    const { valid } = this
    const offsets = this.#offsets
    /** From here on eight bytes cannot be read at once. */
    const near = bytes.length - 7
    let out = this.#view
    let room = this.#bytes.length - 8
    let to = offsets[row]!
    for (let i = 0, at = base + first; i < count; i++, at++) {
      let from = starts[at]!
      if (from < 0) valid[(row + i) >> 3]! &= ~(1 << ((row + i) & 7))
      else {
        const end = ends[at]!
        const stop = end < 0 ? ~end : end
        if (to + stop - from > room) {
          this.#grow(to, to + stop - from + 8)
          out = this.#view
          room = this.#bytes.length - 8
        }
        if (end < 0) to = spans.unescape(bytes, from, stop, this.#bytes, to)
        else if (end - from <= SHORT && end < near) {
          const next = to + end - from
          // The last step may put up to seven bytes too many, which the next value overwrites. Doubles keep every bit
          // of
          // UTF-8, which has no bytes that would be a NaN: 0x7f or 0xff behind 0xf0 or more.
          for (; from < end; from += 8, to += 8) out.setFloat64(to, view.getFloat64(from, true), true)
          to = next
        } else {
          this.#bytes.set(bytes.subarray(from, end), to)
          to += end - from
        }
      }
      offsets[row + i + 1] = to
    }
    this.#set = row + count
  }

  value(value: Cell, row: number): Refusal {
    const bytes = typeof value === 'string' ? Buffer.from(value) : (value as Uint8Array)
    return this.put(bytes, 0, bytes.length, row)
  }

  override clear(row: number): void {
    super.clear(row)
    if (row < this.#set) this.#set = row
  }

  override cut(row: number): void {
    super.cut(row)
    if (row < this.#set) this.#set = row
  }

  protected take(rows: number): ColumnData {
    const offsets = this.#offsets
    for (let row = this.#set; row < rows; row++) offsets[row + 1] = offsets[row]!
    const used = offsets[rows]!
    const bytes = this.#bytes.subarray(0, used)
    this.#set = 0
    if (!this.reuses) {
      this.#offsets = new Int32Array(BATCH_ROWS + 1)
      this.#bytes = Buffer.allocUnsafeSlow(Math.max(1024, used + (used >> 2)))
      this.#view = viewOf(this.#bytes)
    }
    return { kind: 'bytes', offsets: offsets.subarray(0, rows + 1), bytes }
  }

  /** Rows below `row` that nobody set are empty. */
  #reach(row: number): void {
    const offsets = this.#offsets
    while (this.#set < row) {
      offsets[this.#set + 1] = offsets[this.#set]!
      this.#set++
    }
  }

  #grow(used: number, wanted: number): void {
    if (wanted > 0x7fffffff) throw new RangeError(`the values of ${this.field.name} in one batch exceed 2 GB`)
    const larger = Buffer.allocUnsafeSlow(Math.max(wanted, this.#bytes.length * 2))
    larger.set(this.#bytes.subarray(0, used))
    this.#bytes = larger
    this.#view = viewOf(larger)
  }
}

export class TextBuilder extends BytesBuilder {
  override readonly emptyIsNull = false
  override fill(spans: Spans, base: number, first: number, count: number, row: number): void {
    this.fillBytes(spans, base, first, count, row)
  }
  text(bytes: Uint8Array, start: number, end: number, row: number): Refusal {
    return this.put(bytes, start, end, row)
  }
  override number(bytes: Uint8Array, start: number, end: number, row: number): Refusal {
    return this.put(bytes, start, end, row)
  }
  override boolean(value: boolean, row: number): Refusal {
    const text = value ? TRUE : FALSE
    return this.put(text, 0, text.length, row)
  }
}

export class JsonBuilder extends BytesBuilder {
  override readonly raw = true
  override fill(spans: Spans, base: number, first: number, count: number, row: number): void {
    if (spans.format === 'csv') {
      const { bytes, starts, ends } = spans
      for (let i = 0; i < count; i++) {
        const [start, end] = [starts[base + first + i]!, ends[base + first + i]!]
        if (start < 0) continue
        const plain = end < 0 ? unescaped(spans, start, ~end) : bytes.subarray(start, end)
        if (!isJson(plain)) spans.refuse(first + i)
      }
    }
    this.fillBytes(spans, base, first, count, row)
  }
  text(bytes: Uint8Array, start: number, end: number, row: number): Refusal {
    return this.put(bytes, start, end, row)
  }
}

export class BinaryBuilder extends BytesBuilder {
  override readonly textOnly = true
  override readonly emptyIsNull = false
  text(bytes: Uint8Array, start: number, end: number, row: number): Refusal {
    const text = ascii(bytes, start, end)
    if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return 'it is not base64'
    const decoded = Buffer.from(text, 'base64')
    return this.put(decoded, 0, decoded.length, row)
  }
}

export class BooleanBuilder extends ColumnBuilder {
  #bits = new Uint8Array(BATCH_ROWS / 8)
  text(bytes: Uint8Array, start: number, end: number, row: number): Refusal {
    const text = ascii(bytes, start, end)
    return text === 'true' || text === 'false' ? this.boolean(text === 'true', row) : 'it is neither true nor false'
  }
  override boolean(value: boolean, row: number): Refusal {
    if (value) this.#bits[row >> 3]! |= 1 << (row & 7)
    else this.#bits[row >> 3]! &= ~(1 << (row & 7))
    return this.set(row)
  }
  override fill(spans: Spans, base: number, first: number, count: number, row: number): void {
    const { bytes, view, starts, ends } = spans
    const { valid } = this
    const bits = this.#bits
    this.setRows(row, count)
    for (let i = 0, at = base + first; i < count; i++, at++) {
      const start = starts[at]!
      const to = row + i
      const bit = 1 << (to & 7)
      bits[to >> 3]! &= ~bit
      if (start < 0) {
        valid[to >> 3]! &= ~bit
        continue
      }
      const length = ends[at]! - start
      if (length === 4 && view.getInt32(start, true) === TRUE_WORD) bits[to >> 3]! |= bit
      else if (length !== 5 || view.getInt32(start, true) !== FALS_WORD || bytes[start + 4] !== 0x65)
        spans.refuse(first + i)
    }
  }
  value(value: Cell, row: number): Refusal {
    return this.boolean(value as boolean, row)
  }
  protected take(): ColumnData {
    const bits = this.#bits
    if (!this.reuses) this.#bits = new Uint8Array(BATCH_ROWS / 8)
    return { kind: 'bits', bits }
  }
}

function unescaped(spans: Spans, start: number, end: number): Uint8Array {
  const plain = Buffer.allocUnsafe(end - start)
  return plain.subarray(0, spans.unescape(spans.bytes, start, end, plain, 0))
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}
