/** Least and greatest value of a column chunk, exactly: readers leave out chunks by them. */
import type { Field } from '../connector.ts'
import type { ColumnData } from './batch.ts'
import { ByteWriter } from './byte-writer.ts'
import { kindOf } from './field-kind.ts'
import { plainOf } from './parquet-plain.ts'
import { firstRows } from './present-rows.ts'
import type { Rows } from './present-rows.ts'
import { TextRange } from './parquet-text-range.ts'
import { wordsOf } from './words.ts'

/** In plain encoding, a text without its length. */
export interface Bounds {
  least: Uint8Array
  greatest: Uint8Array
}

export interface Range {
  extend(data: ColumnData, rows: Rows): void
  /** null: there is no value, or the bounds are not worth telling. */
  bounds(): Bounds | null
  reset(): void
}

/** undefined: the type has no order that readers agree on. */
export function rangeOf(field: Field): Range | undefined {
  switch (kindOf(field.type)) {
    case 'int32':
      return new NumberRange((values) => Int32Array.from(values))
    case 'float64':
      // Readers may tell the two zeros apart, so each bound takes the outer one.
      return new NumberRange(([least, greatest]) =>
        Float64Array.of(least === 0 ? -0 : least, greatest === 0 ? 0 : greatest),
      )
    case 'int64':
      return new WordsRange(field, 2)
    case 'int128':
      return new WordsRange(field, 4)
    default:
      return field.type === 'string' ? new TextRange() : undefined
  }
}

class NumberRange implements Range {
  #least = Infinity
  #greatest = -Infinity
  readonly #pair: (values: [number, number]) => Int32Array | Float64Array

  constructor(pair: (values: [number, number]) => Int32Array | Float64Array) {
    this.#pair = pair
  }

  extend(data: ColumnData, { at, count }: Rows): void {
    if (data.kind !== 'int32' && data.kind !== 'float64') return
    const { values } = data
    let least = this.#least
    let greatest = this.#greatest
    for (let i = 0; i < count; i++) {
      const value = values[at[i]!]!
      if (value < least) least = value
      if (value > greatest) greatest = value
    }
    this.#least = least
    this.#greatest = greatest
  }

  bounds(): Bounds | null {
    if (this.#least > this.#greatest) return null
    const pair = this.#pair([this.#least, this.#greatest])
    const bytes = new Uint8Array(pair.buffer)
    return { least: bytes.subarray(0, pair.BYTES_PER_ELEMENT), greatest: bytes.subarray(pair.BYTES_PER_ELEMENT) }
  }

  reset(): void {
    this.#least = Infinity
    this.#greatest = -Infinity
  }
}

/** Integers of two or four words, low word first. By words: a bigint per value would double the time. */
class WordsRange implements Range {
  readonly #width: 2 | 4
  readonly #plain
  /** The least value, then the greatest. */
  readonly #words: Int32Array
  readonly #data: ColumnData
  #any = false

  constructor(field: Field, width: 2 | 4) {
    const words = new BigInt64Array(width)
    this.#width = width
    this.#plain = plainOf(field)
    this.#words = wordsOf(words)
    this.#data = width === 2 ? { kind: 'int64', values: words } : { kind: 'int128', words }
  }

  extend(data: ColumnData, { at, count }: Rows): void {
    const width = this.#width
    const words =
      data.kind === 'int64' ? wordsOf(data.values) : data.kind === 'int128' ? wordsOf(data.words) : undefined
    if (!words || count === 0) return
    const top = width - 1
    let least = at[0]! * width
    let greatest = least
    for (let i = 1; i < count; i++) {
      const from = at[i]! * width
      const high = words[from + top]!
      if (high <= words[least + top]! && below(words, from, words, least, width)) least = from
      else if (high >= words[greatest + top]! && below(words, greatest, words, from, width)) greatest = from
    }
    const own = this.#words
    if (!this.#any || below(words, least, own, 0, width)) own.set(words.subarray(least, least + width))
    if (!this.#any || below(own, width, words, greatest, width))
      own.set(words.subarray(greatest, greatest + width), width)
    this.#any = true
  }

  bounds(): Bounds | null {
    if (!this.#any) return null
    const out = new ByteWriter(64)
    this.#plain(out, this.#data, firstRows(2))
    return { least: out.view.slice(0, out.length / 2), greatest: out.view.slice(out.length / 2) }
  }

  reset(): void {
    this.#any = false
  }
}

function below(a: Int32Array, from: number, b: Int32Array, other: number, width: number): boolean {
  let word = width - 1
  if (a[from + word] !== b[other + word]) return a[from + word]! < b[other + word]!
  for (word--; word > 0 && a[from + word] === b[other + word];) word--
  return a[from + word]! >>> 0 < b[other + word]! >>> 0
}
