/**
 * Values of a column chunk, page by page: through a dictionary while they repeat, plain from then on.
 *
 * A chunk may hold pages of both kinds. Where a chunk gave its dictionary up, those behind it do without for a while.
 */
import type { Field } from '../connector.ts'
import type { ColumnData } from './batch.ts'
import { ByteWriter } from './byte-writer.ts'
import { kindOf } from './field-kind.ts'
import { dictionaryOf } from './parquet-dictionaries.ts'
import type { Dictionary } from './parquet-dictionary.ts'
import { packIndices } from './parquet-indices.ts'
import { plainOf } from './parquet-plain.ts'
import type { Plain } from './parquet-plain.ts'
import { rangeOf } from './parquet-range.ts'
import type { Bounds, Range } from './parquet-range.ts'
import { firstRows } from './present-rows.ts'
import type { Rows } from './present-rows.ts'

/** Encodings by their number in Parquet. */
export const PLAIN = 0
export const RLE = 3
export const RLE_DICTIONARY = 8

/** Chunks that do without a dictionary once one was given up. */
const REST = 8
const FEW_ENTRIES = 1024

export interface Values {
  append(data: ColumnData, rows: Rows): void
  /** Bytes of the page at hand, encoded. */
  readonly size: number
  /** Bytes of what the chunk's pages refer to. */
  readonly shared: number
  /** Puts the page at hand behind what `out` has, and begins the next; says its encoding. */
  takePage(out: ByteWriter): number
  /** The dictionary that pages of this chunk refer to; how many values it has, 0: there is none. */
  takeDictionary(out: ByteWriter): number
  /** Least and greatest value of the chunk, where they are known and worth telling. */
  bounds(): Bounds | null
  /** The chunk is complete; the next one begins. */
  reset(): void
}

export class ColumnValues implements Values {
  readonly #put: Plain
  readonly #plain = new ByteWriter()
  readonly #range: Range | undefined
  readonly #fresh: () => Dictionary | undefined
  #dictionary: Dictionary | undefined
  /** The page at hand goes through the dictionary. */
  #referring: boolean
  /** Pages of this chunk did. */
  #referred = false
  /** Entries of the values of the page at hand. */
  #indices = new Uint32Array(2048)
  #count = 0
  /** Chunks that a dictionary is not tried for. */
  #rest = 0

  constructor(field: Field, dictionary: boolean) {
    this.#put = plainOf(field)
    this.#range = rangeOf(field)
    const kind = kindOf(field.type)
    this.#fresh = () => (dictionary && field.type !== 'binary' ? dictionaryOf(kind) : undefined)
    this.#dictionary = this.#fresh()
    this.#referring = this.#dictionary !== undefined
  }

  append(data: ColumnData, rows: Rows): void {
    const left = this.#referring ? this.#refer(data, rows) : rows
    if (!left) return
    this.#put(this.#plain, data, left)
    this.#range?.extend(data, left)
  }

  get size(): number {
    return this.#referring ? this.#count * 2 : this.#plain.length
  }

  get shared(): number {
    return this.#dictionary?.size ?? 0
  }

  takePage(out: ByteWriter): number {
    // Without any value there is no dictionary to refer to.
    if (this.#referring && this.#count > 0) {
      packIndices(out, this.#indices, this.#count, this.#dictionary!.count)
      this.#referred = true
      this.#count = 0
      return RLE_DICTIONARY
    }
    out.put(this.#plain.bytes, 0, this.#plain.length)
    this.#plain.length = 0
    return PLAIN
  }

  takeDictionary(out: ByteWriter): number {
    if (!this.#referred) return 0
    const { entries, count } = this.#dictionary!
    this.#put(out, entries, firstRows(count))
    return count
  }

  bounds(): Bounds | null {
    if (this.#referring) this.#extendByEntries()
    return this.#range?.bounds() ?? null
  }

  reset(): void {
    // Many files may be open at once: none holds on to what a large chunk took.
    this.#plain.release()
    if (this.#indices.length > FEW_ENTRIES * 2) this.#indices = new Uint32Array(FEW_ENTRIES * 2)
    const gaveUp = this.#dictionary !== undefined && !this.#referring
    if (gaveUp && this.#rest === 0) this.#rest = REST
    if (this.#rest > 0) {
      this.#dictionary = undefined
      if (--this.#rest === 0) this.#dictionary = this.#fresh()
    } else if (this.#dictionary) {
      if (this.#dictionary.count > FEW_ENTRIES) this.#dictionary = this.#fresh()
      else this.#dictionary.clear()
    }
    this.#referring = this.#dictionary !== undefined
    this.#referred = false
    this.#range?.reset()
  }

  /** The rows that the dictionary does not take; undefined: it took all. */
  #refer(data: ColumnData, rows: Rows): Rows | undefined {
    if (this.#count + rows.count > this.#indices.length) this.#growIndices(rows.count)
    const taken = this.#dictionary!.take(data, rows, this.#indices, this.#count)
    this.#count += taken
    if (taken === rows.count) return undefined
    this.#giveUp()
    return taken === 0 ? rows : { at: rows.at.subarray(taken, rows.count), count: rows.count - taken, dense: false }
  }

  /** The page at hand becomes plain, and so do those that follow. */
  #giveUp(): void {
    this.#extendByEntries()
    this.#put(this.#plain, this.#dictionary!.entries, { at: this.#indices, count: this.#count, dense: false })
    this.#referring = false
    this.#count = 0
  }

  #extendByEntries(): void {
    this.#range?.extend(this.#dictionary!.entries, firstRows(this.#dictionary!.count))
  }

  #growIndices(more: number): void {
    const larger = new Uint32Array((this.#count + more) * 2)
    larger.set(this.#indices.subarray(0, this.#count))
    this.#indices = larger
  }
}
