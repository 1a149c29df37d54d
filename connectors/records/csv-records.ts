/**
 * Records of CSV bytes into columns, by RFC 4180 with any delimiter and quote.
 *
 * Laws
 * - A quote opens a field only at its beginning; elsewhere it is text. In a quoted field two quotes are one, and line
 *   ends are text. `CsvCutter` cuts by the same grammar: a page that it cut holds whole records.
 * - Null is the null text without quotes, and an empty field of a type that has no empty value; `""` is empty text
 *   where the source knows such a thing.
 * - A line that is no record of the header's fields is rejected, and no other with it.
 */
import type { CsvShape } from '../connector.ts'
import type { ColumnBuilder, Refusal } from './column-builder.ts'
import { BATCH_ROWS } from './batch.ts'
import { CsvSpans, unquote } from './csv-spans.ts'
import type { Decoded } from './decode.ts'
import { isJson } from './is-json.ts'
import { PageError } from './page-error.ts'
import type { RecordBuilder } from './record-builder.ts'
import { SpanRows } from './span-rows.ts'
import { SCAN_ROWS, Spans } from './spans.ts'

const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

/** Delimiter and quote as bytes; -1: fields are never quoted. */
export function marksOf({ delimiter, quote = '"' }: Pick<CsvShape, 'delimiter' | 'quote'>) {
  return { delimiter: delimiter.charCodeAt(0), quote: quote === '' ? -1 : quote.charCodeAt(0) }
}

export function* decodeCsv(body: Uint8Array, shape: CsvShape, records: RecordBuilder): Generator<Decoded> {
  const reader = new CsvReader(body, shape)
  const header = shape.header && reader.next() ? reader.texts() : undefined
  const columns = shape.columns ?? header
  if (!columns) {
    if (body.length > 0) throw new PageError('nothing names the columns of the CSV')
    return
  }
  const fill = filler(columns, shape, records)
  reader.single = columns.length === 1
  const many = swarm(reader, columns, shape, records, one)
  while (many() || one()) if (records.full) yield records.take()
  if (records.pending) yield records.take()

  /** False: there is none. */
  function one(): boolean {
    if (!reader.next()) return false
    const wrong = reader.wrong ?? fill(reader)
    if (wrong !== undefined) records.refuseRecord('csv', wrong)
    records.end(() => JSON.stringify(wrong === undefined ? reader.record(columns!) : { line: reader.line() }))
    return true
  }
}

/** Reads as many records at once as are plain enough for it; the answer is false where that is none. */
function swarm(
  reader: CsvReader,
  columns: string[],
  shape: CsvShape,
  records: RecordBuilder,
  one: () => boolean,
): () => boolean {
  const marks = marksOf(shape)
  const slots = columns.map((name) => records.index.get(name) ?? -1)
  const wanted = slots.filter((slot) => slot >= 0)
  const odd = [marks.delimiter, marks.quote].some((mark) => mark === LINE_FEED || mark === CARRIAGE_RETURN)
  if (odd || slots.length === 0 || marks.delimiter === marks.quote || new Set(wanted).size < wanted.length)
    return () => false
  const spans = new Spans(reader.bytes, 'csv', records.columns.length, unquote(marks.quote))
  const none = shape.nullText === null ? null : Buffer.from(shape.nullText)
  const plain = new CsvSpans(spans, { ...marks, none, noEmpty: shape.noEmpty === true }, slots, records)
  const rows = new SpanRows(spans, records, (start) => {
    reader.at = start
    one()
  })
  return () => {
    const count = plain.scan(reader.at, Math.min(SCAN_ROWS, BATCH_ROWS - records.row))
    if (count === 0) return false
    rows.take(count)
    reader.at = plain.at
    return true
  }
}

/** Puts a record's fields into the row; answers what is wrong with the record as a whole. */
function filler(columns: string[], { nullText }: CsvShape, records: RecordBuilder) {
  const slots = columns.map((name) => records.index.get(name) ?? -1)
  const tells = records.tells === undefined ? -1 : columns.indexOf(records.tells.field)
  const none = nullText === null ? null : Buffer.from(nullText)
  return (reader: CsvReader): string | undefined => {
    if (reader.fields !== slots.length) return `it has ${reader.fields} fields, and there are ${slots.length} columns`
    for (let at = 0; at < slots.length; at++) {
      if (at === tells) records.tell(reader.isNull(at, none) ? '' : reader.text(at))
      if (slots[at]! < 0) continue
      const column = records.columns[slots[at]!]!
      const refusal = reader.put(at, column, none, records.row)
      if (refusal !== null) records.refuse(column, refusal)
    }
    return undefined
  }
}

class CsvReader {
  /** Fields of the record at hand. */
  fields = 0
  /** What makes the line no record at all. */
  wrong: string | undefined
  /** There is one column, so a blank line is a record. */
  single = false
  readonly bytes: Uint8Array
  /** Where the next record begins. */
  at = 0
  readonly #delimiter: number
  readonly #quote: number
  readonly #noEmpty: boolean
  /** Field i lies in [spans[2i], spans[2i + 1]). */
  #spans: number[] = []
  /** 0: plain, 1: quoted, 2: quoted and with doubled quotes in it. */
  #kinds: number[] = []
  #plain: Uint8Array = Buffer.allocUnsafeSlow(1024)
  #start = 0

  constructor(bytes: Uint8Array, shape: CsvShape) {
    this.bytes = bytes
    const { delimiter, quote } = marksOf(shape)
    this.#delimiter = delimiter
    this.#quote = quote
    this.#noEmpty = shape.noEmpty === true
  }

  /** The next record; false at the end. Blank lines are none, unless there is just one column. */
  next(): boolean {
    do {
      if (this.at >= this.bytes.length) return false
      this.#start = this.at
      this.fields = 0
      this.wrong = undefined
      while (this.#field());
    } while (!this.single && this.fields === 1 && this.#kinds[0] === 0 && this.#spans[0] === this.#spans[1])
    return true
  }

  /** One field; true where another one follows in the record. */
  #field(): boolean {
    const bytes = this.bytes
    const [delimiter, quote] = [this.#delimiter, this.#quote]
    let at = this.at
    let start = at
    let end = -1
    let kind = 0
    if (bytes[at] === quote) {
      kind = 1
      start = ++at
      for (;;) {
        while (at < bytes.length && bytes[at] !== quote) at++
        if (at >= bytes.length)
          throw new PageError('the CSV ends inside quotes: it is cut off, or a quote is not closed')
        if (bytes[at + 1] !== quote) break
        kind = 2
        at += 2
      }
      end = at++
    }
    const behind = at
    while (at < bytes.length && bytes[at] !== delimiter && bytes[at] !== LINE_FEED) at++
    let stop = at
    if (bytes[at] !== delimiter && stop > behind && bytes[stop - 1] === CARRIAGE_RETURN) stop--
    if (kind === 0) end = stop
    else if (stop > behind) this.wrong = 'there is text behind a closing quote'
    this.#spans[this.fields * 2] = start
    this.#spans[this.fields * 2 + 1] = end
    this.#kinds[this.fields++] = kind
    const more = bytes[at] === delimiter
    this.at = at + 1
    return more
  }

  isNull(at: number, none: Uint8Array | null): boolean {
    const [start, end] = [this.#spans[at * 2]!, this.#spans[at * 2 + 1]!]
    if (none === null || this.#kinds[at] !== 0 || end - start !== none.length) return false
    for (let i = 0; i < none.length; i++) if (this.bytes[start + i] !== none[i]) return false
    return true
  }

  put(at: number, column: ColumnBuilder, none: Uint8Array | null, row: number): Refusal {
    const [start, end] = [this.#spans[at * 2]!, this.#spans[at * 2 + 1]!]
    const empty = start === end && (this.#noEmpty || column.emptyIsNull)
    if (empty || this.isNull(at, none)) {
      column.clear(row)
      return null
    }
    if (column.raw && !isJson(this.text(at))) return 'it is not JSON'
    if (this.#kinds[at] !== 2) return column.text(this.bytes, start, end, row)
    // `#unquote` may put a larger buffer in the place of `#plain`.
    const length = this.#unquote(start, end)
    return column.text(this.#plain, 0, length, row)
  }

  /** Makes one of two quotes, in `#plain`; answers how many bytes are left. */
  #unquote(start: number, end: number): number {
    if (this.#plain.length < end - start) this.#plain = Buffer.allocUnsafeSlow((end - start) * 2)
    return unquote(this.#quote)(this.bytes, start, end, this.#plain, 0)
  }

  text(at: number): string {
    const text = this.#slice(this.#spans[at * 2]!, this.#spans[at * 2 + 1]!)
    if (this.#kinds[at] !== 2) return text
    const quote = String.fromCharCode(this.#quote)
    return text.replaceAll(quote + quote, quote)
  }

  texts(): string[] {
    return Array.from({ length: this.fields }, (_, at) => this.text(at))
  }

  record(columns: string[]): Record<string, string> {
    return Object.fromEntries(columns.map((name, at) => [name, this.text(at)]))
  }

  line(): string {
    return this.#slice(this.#start, Math.min(this.at, this.bytes.length)).replace(/\r?\n$/, '')
  }

  #slice(start: number, end: number): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, end - start).toString()
  }
}

/** Names of the first record's fields; undefined: there is none. */
export function csvHeader(bytes: Uint8Array, shape: CsvShape): string[] | undefined {
  const reader = new CsvReader(bytes, shape)
  return reader.next() ? reader.texts() : undefined
}

/** Finds the ends of records in bytes that come piece by piece. */
export class CsvCutter {
  readonly #delimiter: number
  readonly #quote: number
  /** 0: a field begins, 1: in a plain field, 2: in a quoted one, 3: behind a quote in it. */
  #state = 0

  constructor(shape: Pick<CsvShape, 'delimiter' | 'quote'>) {
    const { delimiter, quote } = marksOf(shape)
    this.#delimiter = delimiter
    this.#quote = quote
  }

  /** What was given so far ends inside quotes. */
  get quoted(): boolean {
    return this.#state === 2
  }

  /** Behind the last record that ends in `bytes` (behind the first, with `first`); 0: none does. */
  push(bytes: Uint8Array, first = false): number {
    const [delimiter, quote] = [this.#delimiter, this.#quote]
    let state = this.#state
    let cut = 0
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!
      if (state === 2) {
        if (byte === quote) state = 3
      } else if (byte === LINE_FEED) {
        state = 0
        cut = at + 1
        if (first) break
      } else if (byte === delimiter) state = 0
      else if (byte === quote && state !== 1) state = 2
      else state = 1
    }
    this.#state = state
    return cut
  }
}
