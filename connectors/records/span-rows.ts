/**
 * Scanned records into columns, column by column.
 *
 * Law: what comes out is what the records would have given one by one. A record with a value that a kernel does not
 * take is read again by itself, in its place: that way finds the reason, or a value that the kernel was too simple for.
 */
import { OpTeller } from './op-teller.ts'
import type { RecordBuilder } from './record-builder.ts'
import { STRIDE } from './spans.ts'
import type { Spans } from './spans.ts'

export class SpanRows {
  readonly #spans: Spans
  readonly #records: RecordBuilder
  /** Reads the record that begins there by itself, to its end. */
  readonly #alone: (start: number) => void
  readonly #teller: OpTeller | undefined
  readonly #tells: number

  constructor(spans: Spans, records: RecordBuilder, alone: (start: number) => void) {
    this.#spans = spans
    this.#records = records
    this.#alone = alone
    this.#tells = records.tells === undefined ? -1 : records.index.get(records.tells.field)!
    if (records.tells) this.#teller = new OpTeller(records.tells.map, records.columns[this.#tells]!.raw)
  }

  /** Takes the first `count` records of the table; no more than the batch has room for. */
  take(count: number): void {
    const spans = this.#spans
    const records = this.#records
    this.#fill(0, count)
    const ops = this.#teller?.ops(spans, this.#tells * STRIDE, count)
    if (!spans.anyRefused) {
      records.keep(count, ops)
      return
    }
    let first = 0
    for (let at = 0; at <= count; at++) {
      if (at < count && spans.refused[at] === 0) continue
      // Rows before the first refusal are in their places already.
      if (first > 0) this.#fill(first, at - first)
      records.keep(at - first, ops?.subarray(first))
      for (const column of records.columns) column.cut(records.row)
      if (at < count) this.#alone(spans.records[at]!)
      first = at + 1
    }
    spans.refused.fill(0, 0, count)
    spans.anyRefused = false
  }

  #fill(first: number, count: number): void {
    const { row, columns } = this.#records
    for (let i = 0; i < columns.length; i++) columns[i]!.fill(this.#spans, i * STRIDE, first, count, row)
  }
}
