/** Least and greatest text of a column chunk, in the order of their bytes. */
import type { ColumnData } from './batch.ts'
import { viewToEnd } from './parquet-plain.ts'
import type { Bounds, Range } from './parquet-range.ts'
import type { Rows } from './present-rows.ts'

/** Longer bounds are not worth telling in the footer. */
const LONGEST_BOUND = 128
/** Turned over, signed integers are in the order of unsigned ones. */
const SIGN = 0x80000000

export class TextRange implements Range {
  #least: Uint8Array | undefined
  #greatest: Uint8Array | undefined

  extend(data: ColumnData, { at, count }: Rows): void {
    if (data.kind !== 'bytes' || count === 0) return
    const { bytes, offsets } = data
    const view = viewToEnd(bytes)
    let least = offsets[at[0]!]!
    let leastEnd = offsets[at[0]! + 1]!
    let leastHead = head(view, least, leastEnd)
    let greatest = least
    let greatestEnd = leastEnd
    let greatestHead = leastHead
    for (let i = 1; i < count; i++) {
      const row = at[i]!
      const start = offsets[row]!
      const end = offsets[row + 1]!
      const first = end - start >= 4 ? view.getInt32(start) ^ SIGN : head(view, start, end)
      if (first > leastHead && first < greatestHead) continue
      if (first <= leastHead && compare(view, start, end, least, leastEnd) < 0) {
        least = start
        leastEnd = end
        leastHead = first
      } else if (first >= greatestHead && compare(view, start, end, greatest, greatestEnd) > 0) {
        greatest = start
        greatestEnd = end
        greatestHead = first
      }
    }
    this.#take(bytes.subarray(least, leastEnd), bytes.subarray(greatest, greatestEnd))
  }

  bounds(): Bounds | null {
    if (!this.#least || !this.#greatest) return null
    const tooLong = this.#least.length > LONGEST_BOUND || this.#greatest.length > LONGEST_BOUND
    return tooLong ? null : { least: this.#least, greatest: this.#greatest }
  }

  reset(): void {
    this.#least = this.#greatest = undefined
  }

  /** Copies: the batch's memory is not kept. */
  #take(least: Uint8Array, greatest: Uint8Array): void {
    if (!this.#least || Buffer.compare(least, this.#least) < 0) this.#least = new Uint8Array(least)
    if (!this.#greatest || Buffer.compare(greatest, this.#greatest) > 0) this.#greatest = new Uint8Array(greatest)
  }
}

/** The first four bytes as a number in their order; those that are missing count as 0. */
function head(view: DataView, start: number, end: number): number {
  if (end - start >= 4) return view.getInt32(start) ^ SIGN
  let value = 0
  for (let i = 0; i < 4; i++) value = (value << 8) | (start + i < end ? view.getUint8(start + i) : 0)
  return value ^ SIGN
}

function compare(view: DataView, start: number, end: number, other: number, otherEnd: number): number {
  const size = Math.min(end - start, otherEnd - other)
  let i = 0
  while (i + 4 <= size && view.getInt32(start + i, true) === view.getInt32(other + i, true)) i += 4
  for (; i < size; i++) {
    const difference = view.getUint8(start + i) - view.getUint8(other + i)
    if (difference !== 0) return difference
  }
  return end - start - (otherEnd - other)
}
