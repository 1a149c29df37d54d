/** Builders of text, JSON, bytes and booleans. */
import { BATCH_ROWS } from './batch.ts'
import type { ColumnData } from './batch.ts'
import { ColumnBuilder } from './column-builder.ts'
import type { Cell, Refusal } from './column-builder.ts'
import { ascii } from './numbers.ts'

const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')

/** string, json, binary. */
abstract class BytesBuilder extends ColumnBuilder {
  #offsets = new Int32Array(BATCH_ROWS + 1)
  #bytes: Uint8Array = Buffer.allocUnsafeSlow(BATCH_ROWS * 16)
  /** Rows below it have their end in `#offsets`. */
  #set = 0

  protected put(bytes: Uint8Array, start: number, end: number, row: number): null {
    const length = end - start
    const offsets = this.#offsets
    while (this.#set < row) {
      offsets[this.#set + 1] = offsets[this.#set]!
      this.#set++
    }
    const from = offsets[row]!
    if (from + length > this.#bytes.length) this.#grow(from, from + length)
    const out = this.#bytes
    if (length > 48) out.set(bytes.subarray(start, end), from)
    else for (let i = 0; i < length; i++) out[from + i] = bytes[start + i]!
    offsets[row + 1] = from + length
    this.#set = row + 1
    return this.set(row)
  }

  value(value: Cell, row: number): Refusal {
    const bytes = typeof value === 'string' ? Buffer.from(value) : (value as Uint8Array)
    return this.put(bytes, 0, bytes.length, row)
  }

  override clear(row: number): void {
    super.clear(row)
    if (row < this.#set) this.#set = row
  }

  protected take(rows: number): ColumnData {
    const offsets = this.#offsets
    for (let row = this.#set; row < rows; row++) offsets[row + 1] = offsets[row]!
    const used = offsets[rows]!
    const bytes = this.#bytes.subarray(0, used)
    this.#offsets = new Int32Array(BATCH_ROWS + 1)
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(1024, used + (used >> 2)))
    this.#set = 0
    return { kind: 'bytes', offsets: offsets.subarray(0, rows + 1), bytes }
  }

  #grow(used: number, wanted: number): void {
    if (wanted > 0x7fffffff) throw new RangeError(`the values of ${this.field.name} in one batch exceed 2 GB`)
    const larger = Buffer.allocUnsafeSlow(Math.max(wanted, this.#bytes.length * 2))
    larger.set(this.#bytes.subarray(0, used))
    this.#bytes = larger
  }
}

export class TextBuilder extends BytesBuilder {
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
  text(bytes: Uint8Array, start: number, end: number, row: number): Refusal {
    return this.put(bytes, start, end, row)
  }
}

export class BinaryBuilder extends BytesBuilder {
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
  value(value: Cell, row: number): Refusal {
    return this.boolean(value as boolean, row)
  }
  protected take(): ColumnData {
    const bits = this.#bits
    this.#bits = new Uint8Array(BATCH_ROWS / 8)
    return { kind: 'bits', bits }
  }
}
