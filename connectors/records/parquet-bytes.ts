/**
 * Values of any length: through a dictionary while they repeat, plain from then on.
 *
 * A chunk may hold pages of both kinds. A column whose values did not repeat is not tried again in this file.
 */
import type { Field } from '../connector.ts'
import type { Column } from './batch.ts'
import { ByteWriter } from './byte-writer.ts'
import { present } from './cells.ts'
import { Dictionary } from './parquet-dictionary.ts'
import { PLAIN, RLE_DICTIONARY } from './parquet-values.ts'
import type { ValueEncoder } from './parquet-values.ts'
import { varint } from './thrift.ts'

const FEW_ENTRIES = 1024
/** Longer ones are not worth telling in the footer. */
const LONGEST_BOUND = 128

interface Span {
  bytes: Uint8Array
  start: number
  end: number
}

export class BytesEncoder implements ValueEncoder {
  readonly #plain = new ByteWriter()
  #dictionary = new Dictionary()
  /** Dictionary entries of the values of the page at hand. */
  #indices = new Int32Array(2048)
  #count = 0
  #values = 0
  #trying: boolean
  #encoding: number
  /** Pages of this chunk that were taken with the dictionary. */
  #referred = false
  readonly #ordered: boolean
  #least: Uint8Array | undefined
  #greatest: Uint8Array | undefined

  constructor({ type }: Field, dictionary = true) {
    this.#trying = dictionary && type !== 'binary'
    this.#encoding = this.#trying ? RLE_DICTIONARY : PLAIN
    this.#ordered = type === 'string'
  }

  append(column: Column, rows: Uint32Array | undefined): void {
    if (column.data.kind !== 'bytes') return
    const { bytes, offsets } = column.data
    const count = rows?.length ?? column.length
    let least: Span | undefined = this.#least && whole(this.#least)
    let greatest: Span | undefined = this.#greatest && whole(this.#greatest)
    if (this.#count + count > this.#indices.length) this.#growIndices(count)
    for (let i = 0; i < count; i++) {
      const row = rows ? rows[i]! : i
      if (!present(column, row)) continue
      const start = offsets[row]!
      const end = offsets[row + 1]!
      this.#put(bytes, start, end)
      if (!this.#ordered) continue
      if (!least || compare(bytes, start, end, least) < 0) least = { bytes, start, end }
      if (!greatest || compare(bytes, start, end, greatest) > 0) greatest = { bytes, start, end }
    }
    // The batch's memory is not kept.
    if (least && least.bytes === bytes) this.#least = bytes.slice(least.start, least.end)
    if (greatest && greatest.bytes === bytes) this.#greatest = bytes.slice(greatest.start, greatest.end)
  }

  get size(): number {
    return this.#encoding === PLAIN ? this.#plain.length : this.#count * 2
  }

  takePage(): { values: Uint8Array; encoding: number } {
    // Without any value there is no dictionary to refer to.
    const encoding = this.#count === 0 ? PLAIN : this.#encoding
    if (encoding === RLE_DICTIONARY) {
      this.#packIndices()
      this.#referred = true
    }
    const values = this.#plain.view
    this.#plain.length = 0
    this.#count = 0
    return { values, encoding }
  }

  dictionary(): { values: Uint8Array; count: number } | null {
    if (!this.#referred) return null
    const { bytes, ends, count } = this.#dictionary
    const out = new ByteWriter(ends[count]! + count * 4)
    for (let i = 0; i < count; i++) putPlain(out, bytes, ends[i]!, ends[i + 1]!)
    return { values: out.view, count }
  }

  range(): { least: Uint8Array; greatest: Uint8Array } | null {
    if (!this.#least || !this.#greatest) return null
    const tooLong = this.#least.length > LONGEST_BOUND || this.#greatest.length > LONGEST_BOUND
    return tooLong ? null : { least: this.#least, greatest: this.#greatest }
  }

  reset(): void {
    // Many files may be open at once: none holds on to what a large chunk took.
    this.#plain.release()
    if (this.#dictionary.count > FEW_ENTRIES) this.#dictionary = new Dictionary()
    else this.#dictionary.clear()
    if (this.#indices.length > FEW_ENTRIES * 2) this.#indices = new Int32Array(FEW_ENTRIES * 2)
    this.#encoding = this.#trying ? RLE_DICTIONARY : PLAIN
    this.#referred = false
    this.#values = 0
    this.#least = undefined
    this.#greatest = undefined
  }

  #put(bytes: Uint8Array, start: number, end: number): void {
    if (this.#encoding === RLE_DICTIONARY) {
      const entry = this.#dictionary.find(bytes, start, end, this.#values)
      if (entry >= 0) {
        this.#indices[this.#count++] = entry
        this.#values++
        return
      }
      this.#giveUp()
    }
    putPlain(this.#plain, bytes, start, end)
  }

  /** The page at hand becomes plain, and so do those that follow. */
  #giveUp(): void {
    const { bytes, ends } = this.#dictionary
    for (let i = 0; i < this.#count; i++) {
      const entry = this.#indices[i]!
      putPlain(this.#plain, bytes, ends[entry]!, ends[entry + 1]!)
    }
    this.#encoding = PLAIN
    this.#trying = false
    this.#count = 0
  }

  /** Width, then groups of eight indices, packed from the least significant bit on. */
  #packIndices(): void {
    const out = this.#plain
    const width = Math.max(1, 32 - Math.clz32(Math.max(0, this.#dictionary.count - 1)))
    const groups = (this.#count + 7) >> 3
    out.room(groups * width + 16)
    out.byte(width)
    varint(out, groups * 2 + 1)
    const { bytes } = out
    let at = out.length
    let held = 0
    let bits = 0
    for (let i = 0; i < groups * 8; i++) {
      held |= (i < this.#count ? this.#indices[i]! : 0) << bits
      bits += width
      for (; bits >= 8; bits -= 8) {
        bytes[at++] = held
        held >>>= 8
      }
    }
    out.length = at
  }

  #growIndices(more: number): void {
    const larger = new Int32Array((this.#count + more) * 2)
    larger.set(this.#indices.subarray(0, this.#count))
    this.#indices = larger
  }
}

function putPlain(out: ByteWriter, bytes: Uint8Array, start: number, end: number): void {
  const length = end - start
  out.room(length + 4)
  const target = out.bytes
  const at = out.length
  target[at] = length
  target[at + 1] = length >> 8
  target[at + 2] = length >> 16
  target[at + 3] = length >> 24
  out.length = at + 4
  out.put(bytes, start, end)
}

function whole(bytes: Uint8Array): Span {
  return { bytes, start: 0, end: bytes.length }
}

function compare(bytes: Uint8Array, start: number, end: number, other: Span): number {
  const length = Math.min(end - start, other.end - other.start)
  for (let i = 0; i < length; i++) {
    const difference = bytes[start + i]! - other.bytes[other.start + i]!
    if (difference !== 0) return difference
  }
  return end - start - (other.end - other.start)
}
