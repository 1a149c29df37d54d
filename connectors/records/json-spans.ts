/**
 * JSON bytes to spans, for records that are written as one before was: the same members in the same order, and the same
 * bytes between their values.
 *
 * Law: stops before the first record that is written in any other way, or that the page does not end. Those are
 * `RecordReader`'s. Whatever is passed here is good JSON: text without control characters, numbers and words as RFC
 * 8259 has them, and between them bytes that were good in another record.
 */
import type { JsonScanner } from './json-scanner.ts'
import { ANY, RAW, TEXT, shapeOf } from './json-shape.ts'
import type { Shape } from './json-shape.ts'
import { PageError } from './page-error.ts'
import type { RecordBuilder } from './record-builder.ts'
import { NULL, STRIDE } from './spans.ts'
import type { Spans } from './spans.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const OPEN_BRACKET = 0x5b
/** Words as four bytes, the lowest first. */
const NULL_WORD = 0x6c6c756e
const TRUE_WORD = 0x65757274
const ALSE_WORD = 0x65736c61
/** The longest token that is no text or number, and four bytes more. */
const AHEAD = 9
const NO_SEPARATOR = -1
const NO_RECORD = -2
/** Shapes that missed because of what is skipped, before skipping becomes careful. */
const PATIENCE = 8

/** What stands between records: a comma; a line feed; or that, with no other in a record. */
export type Apart = 'array' | 'objects' | 'lines'

export class JsonSpans {
  /** Behind the last record of the last scan, before what separates it from the next. */
  at = 0
  readonly #scanner: JsonScanner
  readonly #spans: Spans
  readonly #records: RecordBuilder
  readonly #separator: number
  readonly #oneLine: boolean
  #compiled: Compiled | null = null
  #flat = true
  #misses = 0
  /** Records since a shape was learned that were written that way. */
  #hits = 0

  constructor(scanner: JsonScanner, spans: Spans, records: RecordBuilder, apart: Apart) {
    this.#scanner = scanner
    this.#spans = spans
    this.#records = records
    this.#separator = apart === 'array' ? 0x2c : 0x0a
    this.#oneLine = apart === 'lines'
  }

  /** A record that begins at `start` was not as expected, and is good JSON: others may be like it. */
  learn(start: number): void {
    // Where every record is written differently, learning stops to be worth its while.
    this.#misses++
    if (this.#hits < 8 && (this.#misses & (this.#misses - 1)) !== 0) return
    this.#flat &&= this.#misses <= PATIENCE
    const shape = shapeOf(this.#scanner, start, this.#records, this.#flat)
    this.#compiled = shape && compile(shape, this.#spans, this.#records)
    this.#hits = 0
  }

  /** Records from `from` on, at most `room`; answers how many, and leaves `at` behind them. */
  scan(from: number, room: number): number {
    const compiled = this.#compiled
    this.at = from
    if (compiled === null) return 0
    for (const column of compiled.absent) this.#spans.absent(column, room)
    const count = this.#scan(compiled, from, room)
    this.#hits += count
    return count
  }

  #scan({ words, firsts, heads, tails, lengths, bases, takes, tail }: Compiled, from: number, room: number): number {
    const { bytes, view, starts, ends, records } = this.#spans
    const leaves = bases.length
    /** From here on a record cannot be passed. */
    const near = bytes.length - AHEAD
    let start = from
    let row = 0
    record: while (row < room) {
      let at = start
      for (let leaf = 0; leaf < leaves; leaf++) {
        const length = lengths[leaf]!
        if (at + length >= near) break record
        const value = at + length
        if (length >= 8) {
          const end = firsts[leaf + 1]! - 1
          for (let word = firsts[leaf]!; word < end; word++, at += 8) {
            if (view.getFloat64(at, true) !== words[word]!) break record
          }
          if (view.getFloat64(value - 8, true) !== words[end]!) break record
        } else if (view.getInt32(at, true) !== heads[leaf]! || view.getInt32(value - 4, true) !== tails[leaf]!) {
          break record
        }
        at = value
        const slot = bases[leaf]! + row
        const first = bytes[at]!
        const take = takes[leaf]!
        if (take >= ANY && (take === RAW ? first !== 0x6e : first === OPEN_BRACE || first === OPEN_BRACKET)) {
          starts[slot] = at
          at = this.#value(at)
          if (at < 0) break record
          ends[slot] = at
        } else if (first === QUOTE) {
          starts[slot] = ++at
          while (at < near) {
            const word = view.getInt32(at, true)
            const quote = word ^ 0x22222222
            const slash = word ^ 0x5c5c5c5c
            const hit =
              (((quote - 0x01010101) & ~quote) | ((slash - 0x01010101) & ~slash) | ((word - 0x20202020) & ~word)) &
              0x80808080
            if (hit !== 0) {
              const lowest = hit >>> 7
              at += (31 - Math.clz32(lowest & -lowest)) >> 3
              break
            }
            at += 4
          }
          const stop = bytes[at]!
          if (stop === QUOTE) ends[slot] = at++
          else if (stop !== BACKSLASH || at >= near) break record
          else {
            at = this.#value(starts[slot] - 1)
            if (at < 0) break record
            ends[slot] = ~(at - 1)
          }
        } else if (first === 0x6e) {
          if (view.getInt32(at, true) !== NULL_WORD) break record
          starts[slot] = NULL
          at += 4
        } else if (take === TEXT) break record
        else {
          starts[slot] = at
          if (first === 0x74) {
            if (view.getInt32(at, true) !== TRUE_WORD) break record
            at += 4
          } else if (first === 0x66) {
            if (view.getInt32(at + 1, true) !== ALSE_WORD) break record
            at += 5
          } else {
            let byte = first === 0x2d ? bytes[++at]! : first
            if (byte === 0x30) byte = bytes[++at]!
            else {
              const digits = at
              while (byte >= 0x30 && byte <= 0x39) byte = bytes[++at]!
              if (at === digits) break record
            }
            if (byte === 0x2e || (byte | 0x20) === 0x65) {
              at = this.#value(starts[slot])
              if (at < 0) break record
            }
          }
          ends[slot] = at
        }
      }
      if (at + tail.length >= near) break
      for (let i = 0; i < tail.length; i++) if (bytes[at++] !== tail[i]) break record
      const next = this.#next(at)
      if (next === NO_SEPARATOR && this.#oneLine) break
      records[row++] = start
      this.at = at
      if (next < 0) break
      start = next
    }
    return row
  }

  /** Behind the value of any kind at `at`; -1: it is malformed. */
  #value(at: number): number {
    const scanner = this.#scanner
    scanner.at = at
    try {
      scanner.skip()
    } catch (error) {
      if (error instanceof PageError) return -1
      throw error
    }
    return this.#oneLine && this.#spans.bytes.subarray(at, scanner.at).includes(0x0a) ? -1 : scanner.at
  }

  /** Where the next record begins; below 0: there is none. */
  #next(from: number): number {
    const { bytes } = this.#spans
    let at = from
    let byte = bytes[at]
    while (byte === 0x20 || byte === 0x0d || byte === 0x09 || (byte === 0x0a && this.#separator !== 0x0a))
      byte = bytes[++at]
    if (byte !== this.#separator) return NO_SEPARATOR
    do byte = bytes[++at]
    while (byte === 0x20 || byte === 0x0d || byte === 0x09 || byte === 0x0a)
    return byte === OPEN_BRACE ? at : NO_RECORD
  }
}

/** A shape in typed arrays. */
interface Compiled {
  /**
   * The bytes before a value eight at a time; the last word of a leaf may overlap the one before. As doubles, which are
   * equal where their bytes are: neither a NaN nor a zero is good JSON.
   */
  words: Float64Array
  /** Leaf i has the words from `firsts[i]` up to `firsts[i + 1]`. */
  firsts: Int32Array
  /** The first and the last four bytes before each value, for leaves too short for a word. */
  heads: Int32Array
  tails: Int32Array
  /** Bytes before each leaf's value: four at least, `{"":`. */
  lengths: Int32Array
  /** Where each leaf's column begins in the table. */
  bases: Int32Array
  takes: Uint8Array
  tail: Uint8Array
  /** Columns that the record does not have. */
  absent: number[]
}

function compile({ leaves, from, to }: Shape, { bytes, view }: Spans, { columns }: RecordBuilder): Compiled {
  const words: number[] = []
  const firsts = [0]
  for (const leaf of leaves) {
    if (leaf.to - leaf.from >= 8) {
      for (let at = leaf.from; at < leaf.to; at += 8) words.push(view.getFloat64(Math.min(at, leaf.to - 8), true))
    }
    firsts.push(words.length)
  }
  const seen = new Set(leaves.map(({ column }) => column))
  return {
    words: Float64Array.from(words),
    firsts: Int32Array.from(firsts),
    heads: Int32Array.from(leaves, (leaf) => view.getInt32(leaf.from, true)),
    tails: Int32Array.from(leaves, (leaf) => view.getInt32(leaf.to - 4, true)),
    lengths: Int32Array.from(leaves, (leaf) => leaf.to - leaf.from),
    bases: Int32Array.from(leaves, ({ column }) => (column < 0 ? columns.length : column) * STRIDE),
    takes: Uint8Array.from(leaves, ({ takes }) => takes),
    tail: Uint8Array.from(bytes.subarray(from, to)),
    absent: [...columns.keys()].filter((column) => !seen.has(column)),
  }
}
