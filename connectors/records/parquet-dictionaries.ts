/** Dictionaries by what they hold: bytes, or numbers of four or eight bytes. */
import type { ColumnData } from './batch.ts'
import { ByteWriter } from './byte-writer.ts'
import { Dictionary } from './parquet-dictionary.ts'
import { viewToEnd } from './parquet-plain.ts'
import type { Rows } from './present-rows.ts'
import { wordsOf } from './words.ts'

/** Long texts are told apart by their beginnings, ends and lengths, or found different when they are compared. */
const HASHED = 64

/** undefined: no dictionary helps values of this kind. */
export function dictionaryOf(kind: ColumnData['kind']): Dictionary | undefined {
  switch (kind) {
    case 'bytes':
      return new BytesDictionary()
    case 'int32':
    case 'int64':
    case 'float64':
      return new WordsDictionary(kind)
    default:
      return undefined
  }
}

class BytesDictionary extends Dictionary {
  readonly #bytes = new ByteWriter()
  /** Entry i is bytes[ends[i], ends[i + 1]). */
  #ends = new Int32Array(1025)

  get entries(): ColumnData {
    return { kind: 'bytes', offsets: this.#ends, bytes: this.#bytes.bytes }
  }

  get size(): number {
    return this.#bytes.length
  }

  override clear(): void {
    super.clear()
    this.#bytes.length = 0
  }

  protected find(data: ColumnData, { at: rows, count }: Rows, indices: Uint32Array, from: number): number {
    if (data.kind !== 'bytes') return 0
    const { bytes, offsets } = data
    const view = viewToEnd(bytes)
    let { table, hashes } = this
    let ends = this.#ends
    let own = this.#bytes.data
    let mask = table.length - 1
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      const start = offsets[row]!
      const end = offsets[row + 1]!
      const size = end - start
      const hash = hashOf(view, start, end)
      let at = hash & mask
      let entry = table[at]! - 1
      for (; entry >= 0; entry = table[at]! - 1) {
        const begin = ends[entry]!
        if (hashes[entry] === hash && ends[entry + 1]! - begin === size && equal(own, begin, view, start, size)) break
        at = (at + 1) & mask
      }
      if (entry < 0) {
        if (!this.fits(this.#bytes.length + size)) return i
        entry = this.count
        this.#bytes.put(bytes, start, end)
        ends[entry + 1] = this.#bytes.length
        this.enter(hash, at)
        own = this.#bytes.data
        if (table !== this.table) {
          ;({ table, hashes } = this)
          mask = table.length - 1
          ends = this.#ends
        }
      }
      indices[from + i] = entry
    }
    return count
  }

  protected override double(): void {
    super.double()
    const ends = new Int32Array(this.count * 2 + 1)
    ends.set(this.#ends)
    this.#ends = ends
  }
}

class WordsDictionary extends Dictionary {
  readonly #kind: 'int32' | 'int64' | 'float64'
  readonly #width: 1 | 2
  #words: Int32Array<ArrayBuffer>

  constructor(kind: 'int32' | 'int64' | 'float64') {
    super()
    this.#kind = kind
    this.#width = kind === 'int32' ? 1 : 2
    this.#words = new Int32Array(1024 * this.#width)
  }

  get entries(): ColumnData {
    const { buffer } = this.#words
    if (this.#kind === 'int32') return { kind: 'int32', values: this.#words }
    if (this.#kind === 'int64') return { kind: 'int64', values: new BigInt64Array(buffer) }
    return { kind: 'float64', values: new Float64Array(buffer) }
  }

  get size(): number {
    return this.count * this.#width * 4
  }

  protected find(data: ColumnData, { at: rows, count }: Rows, indices: Uint32Array, from: number): number {
    if (data.kind === 'bytes' || data.kind === 'bits' || data.kind === 'int128') return 0
    const source = data.kind === 'int32' ? data.values : wordsOf(data.values)
    const width = this.#width
    const top = width - 1
    let { table } = this
    let words = this.#words
    let mask = table.length - 1
    for (let i = 0; i < count; i++) {
      const row = rows[i]! * width
      const low = source[row]!
      const high = source[row + top]!
      let hash = Math.imul(low ^ Math.imul(high, 0x2c1b3c6d), 0x85ebca6b)
      hash ^= hash >>> 15
      let at = hash & mask
      let entry = table[at]! - 1
      for (; entry >= 0; entry = table[at]! - 1) {
        if (words[entry * width] === low && words[entry * width + top] === high) break
        at = (at + 1) & mask
      }
      if (entry < 0) {
        if (!this.fits(this.size)) return i
        entry = this.count
        words[entry * width] = low
        words[entry * width + top] = high
        this.enter(hash, at)
        if (table !== this.table) {
          table = this.table
          mask = table.length - 1
          words = this.#words
        }
      }
      indices[from + i] = entry
    }
    return count
  }

  protected override double(): void {
    super.double()
    const words = new Int32Array(this.count * 2 * this.#width)
    words.set(this.#words)
    this.#words = words
  }
}

function hashOf(view: DataView, start: number, end: number): number {
  const size = end - start
  let hash = size
  if (size < 4) {
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ view.getUint8(i), 0x5bd1e995)
  } else {
    const until = Math.min(end - 4, start + HASHED)
    for (let i = start; i < until; i += 4) {
      hash = Math.imul(hash ^ view.getInt32(i, true), 0x5bd1e995)
      hash ^= hash >>> 15
    }
    hash = Math.imul(hash ^ view.getInt32(end - 4, true), 0x5bd1e995)
  }
  return hash ^ (hash >>> 13)
}

function equal(a: DataView, start: number, b: DataView, other: number, size: number): boolean {
  if (size < 4) {
    for (let i = 0; i < size; i++) if (a.getUint8(start + i) !== b.getUint8(other + i)) return false
    return true
  }
  const last = size - 4
  for (let i = 0; i < last; i += 4) if (a.getInt32(start + i) !== b.getInt32(other + i)) return false
  return a.getInt32(start + last) === b.getInt32(other + last)
}
