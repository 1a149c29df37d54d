/** Ops of scanned records, from the bytes of the field that tells them. */
import type { Op } from '../connector.ts'
import { DELETE, UPSERT } from './record-builder.ts'
import { SCAN_ROWS } from './spans.ts'
import type { Spans } from './spans.ts'

export class OpTeller {
  readonly #told: { text: Uint8Array; op: number }[]
  readonly #ops = new Uint8Array(SCAN_ROWS)

  readonly #raw: boolean

  /** `raw`: the field is JSON as it was written, which single records know how to tell. */
  constructor(map: Record<string, Op | 'drop'>, raw: boolean) {
    this.#raw = raw
    // What is dropped goes the way of single records, like what is not in the map at all.
    this.#told = Object.entries(map)
      .filter(([, op]) => op !== 'drop')
      .map(([text, op]) => ({ text: Buffer.from(text), op: op === 'delete' ? DELETE : UPSERT }))
  }

  /** One per record, good until the next call; records that tell none are refused. */
  ops(spans: Spans, base: number, count: number): Uint8Array {
    const { bytes, starts, ends } = spans
    for (let i = 0; i < count; i++) {
      const start = starts[base + i]!
      const op = this.#op(bytes, start, start < 0 ? start : ends[base + i]!)
      if (op < 0 || this.#raw) spans.refuse(i)
      else this.#ops[i] = op
    }
    return this.#ops
  }

  /** -1: none. An end below the start is that of a value with escapes. */
  #op(bytes: Uint8Array, start: number, end: number): number {
    for (let i = 0; i < this.#told.length; i++) {
      const { text, op } = this.#told[i]!
      if (text.length !== end - start) continue
      let at = 0
      while (at < text.length && bytes[start + at] === text[at]) at++
      if (at === text.length) return op
    }
    return -1
  }
}
