/**
 * The way a record of JSON is written, learned from one: what stands between its values, byte for byte, white space and
 * all. The next record mostly differs in nothing but the values.
 */
import type { JsonScanner } from './json-scanner.ts'
import type { RecordBuilder } from './record-builder.ts'

const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** What a place in the record may hold. */
export const SCALAR = 0
/** Only text or null: numbers and words are refused there. */
export const TEXT = 1
/** Any value; no column wants it. */
export const ANY = 2
/** Any value, kept as it is written. */
export const RAW = 3

/** Objects in objects that are told apart; whatever lies deeper is one value. */
const DEPTH = 4

export interface Leaf {
  /** Bytes [from, to) stand before the value; the first leaf's begin the record. */
  from: number
  to: number
  /** -1: none. */
  column: number
  takes: typeof SCALAR | typeof TEXT | typeof ANY | typeof RAW
}

export interface Shape {
  leaves: Leaf[]
  /** Bytes [from, to) stand behind the last value. */
  from: number
  to: number
}

/**
 * Of the record that begins at `start` and was read before, so it is good JSON; null: it has a member twice, or none.
 * `flat`: members of an object that no field wants are told apart, which skips such objects fastest; else it is one
 * value.
 */
export function shapeOf(scanner: JsonScanner, start: number, records: RecordBuilder, flat: boolean): Shape | null {
  const back = scanner.at
  const leaves: Leaf[] = []
  const seen = new Set<string>()
  let from = start
  scanner.at = start
  const once = object([])
  const shape = { leaves, from, to: scanner.at }
  scanner.at = back
  return once && leaves.length > 0 ? shape : null

  /** `inside`: names of the objects around, which no field wants. */
  function object(inside: string[]): boolean {
    scanner.expect(OPEN_BRACE)
    if (scanner.peek() === CLOSE_BRACE) {
      scanner.at++
      return true
    }
    do {
      scanner.name()
      const name = scanner.string()
      const column = inside.length === 0 ? (records.index.get(name) ?? -1) : -1
      const path = [...inside, name]
      const key = JSON.stringify(path)
      if (seen.has(key)) return false
      seen.add(key)
      if (scanner.peek() === OPEN_BRACE && column < 0 && flat && path.length < DEPTH) {
        if (!object(path)) return false
      } else value(column)
    } while (scanner.more(CLOSE_BRACE))
    return true
  }

  function value(column: number): void {
    scanner.peek()
    const builder = records.columns[column]
    const takes = !builder ? ANY : builder.raw ? RAW : builder.textOnly ? TEXT : SCALAR
    leaves.push({ from, to: scanner.at, column, takes })
    scanner.skip()
    from = scanner.at
  }
}
