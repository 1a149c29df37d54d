/** Records of JSON bytes into columns: members go to their builders as they come, and no object is made. */
import { BATCH_ROWS } from './batch.ts'
import type { Decoded } from './decode.ts'
import { JsonScanner, unescape } from './json-scanner.ts'
import { JsonSpans } from './json-spans.ts'
import type { Apart } from './json-spans.ts'
import { PageError } from './page-error.ts'
import type { RecordBuilder } from './record-builder.ts'
import { SpanRows } from './span-rows.ts'
import { SCAN_ROWS, Spans } from './spans.ts'

const QUOTE = 0x22
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** The records are the array at `path`; whatever lies beside it is skipped, but has to be JSON. */
export function* decodeJson(body: Uint8Array, path: string[], records: RecordBuilder): Generator<Decoded> {
  const scanner = new JsonScanner(body)
  yield* descend(scanner, path, 0, new RecordReader(scanner, records))
  scanner.finish()
  if (records.pending) yield records.take()
}

/** `apart`: a line that is no object is rejected, and no other with it; else it is the page's fault. */
export function* decodeJsonLines(body: Uint8Array, records: RecordBuilder, apart = false): Generator<Decoded> {
  const scanner = new JsonScanner(body)
  const reader = new RecordReader(scanner, records)
  const one = apart ? () => readApart(scanner, reader) : () => reader.one()
  const swarm = new Swarm(scanner, records, apart ? 'lines' : 'objects', one)
  while (!Number.isNaN(scanner.peek())) {
    swarm.read()
    if (!apart) endLine(scanner)
    if (records.full) yield records.take()
  }
  if (records.pending) yield records.take()
}

function endLine(scanner: JsonScanner): void {
  const { bytes } = scanner
  while (bytes[scanner.at] === 0x20 || bytes[scanner.at] === 0x09 || bytes[scanner.at] === 0x0d) scanner.at++
  if (scanner.at < bytes.length && bytes[scanner.at] !== 0x0a) scanner.fail()
}

/** Stands on the first byte of a line that is not blank; leaves the scanner behind that line, whatever is in it. */
function readApart(scanner: JsonScanner, reader: RecordReader): boolean {
  const start = scanner.at
  const feed = scanner.bytes.indexOf(0x0a, start)
  const end = feed < 0 ? scanner.bytes.length : feed
  let wrong: string | undefined
  try {
    reader.read()
    if (scanner.at > end || (!Number.isNaN(scanner.peek()) && scanner.at < end)) scanner.fail()
  } catch (error) {
    if (!(error instanceof PageError)) throw error
    wrong = 'the line is no JSON object'
  }
  const line = (): string => scanner.slice(start, end).trimEnd()
  if (wrong !== undefined) reader.records.refuseRecord('json', wrong)
  reader.records.end(() => (wrong === undefined ? line() : JSON.stringify({ line: line() })))
  scanner.at = end
  return wrong === undefined
}

function* descend(scanner: JsonScanner, path: string[], depth: number, reader: RecordReader): Generator<Decoded> {
  if (depth === path.length) {
    yield* elements(scanner, reader, path)
    return
  }
  if (scanner.peek() !== OPEN_BRACE) throw missing(path)
  scanner.at++
  let found = false
  let more = scanner.peek() !== CLOSE_BRACE
  if (!more) scanner.at++
  while (more) {
    scanner.name()
    if (scanner.string() === path[depth]) {
      if (found) throw new PageError(`the JSON has ${path.slice(0, depth + 1).join('.')} twice`)
      found = true
      yield* descend(scanner, path, depth + 1, reader)
    } else scanner.skip()
    more = scanner.more(CLOSE_BRACE)
  }
  if (!found) throw missing(path)
}

function* elements(scanner: JsonScanner, reader: RecordReader, path: string[]): Generator<Decoded> {
  if (scanner.peek() !== OPEN_BRACKET) throw missing(path)
  scanner.at++
  if (scanner.peek() === CLOSE_BRACKET) {
    scanner.at++
    return
  }
  const swarm = new Swarm(scanner, reader.records, 'array', () => reader.one())
  do {
    swarm.read()
    if (reader.records.full) yield reader.records.take()
  } while (scanner.more(CLOSE_BRACKET))
}

export function missing(path: string[]): PageError {
  return new PageError(path.length > 0 ? `the JSON has no array at ${path.join('.')}` : 'the JSON is no array')
}

/** Records one after the other: as many as are written alike at once, others one by one. */
class Swarm {
  readonly #scanner: JsonScanner
  readonly #records: RecordBuilder
  readonly #alike: JsonSpans
  readonly #rows: SpanRows
  readonly #one: () => boolean

  /** `one` reads the record on which the scanner stands; false: it is none. */
  constructor(scanner: JsonScanner, records: RecordBuilder, apart: Apart, one: () => boolean) {
    this.#scanner = scanner
    this.#records = records
    const spans = new Spans(scanner.bytes, 'json', records.columns.length, unescape)
    this.#alike = new JsonSpans(scanner, spans, records, apart)
    this.#one = one
    this.#rows = new SpanRows(spans, records, (start) => {
      scanner.at = start
      one()
    })
  }

  /** At least one; leaves the scanner behind the last. */
  read(): void {
    const scanner = this.#scanner
    scanner.peek()
    const start = scanner.at
    const count = this.#alike.scan(start, Math.min(SCAN_ROWS, BATCH_ROWS - this.#records.row))
    if (count === 0) {
      scanner.at = start
      if (this.#one()) this.#alike.learn(start)
      return
    }
    this.#rows.take(count)
    scanner.at = this.#alike.at
  }
}

class RecordReader {
  readonly records: RecordBuilder
  /** Where the record read last begins. */
  start = 0
  readonly #scanner: JsonScanner
  /** `"Name"` of each column, as it stands in the bytes of most sources. */
  readonly #names: Uint8Array[]
  readonly #tells: number

  constructor(scanner: JsonScanner, records: RecordBuilder) {
    this.records = records
    this.#scanner = scanner
    this.#names = records.columns.map((column) => Buffer.from(JSON.stringify(column.field.name)))
    this.#tells = records.tells === undefined ? -1 : records.index.get(records.tells.field)!
  }

  one(): boolean {
    this.read()
    this.end()
    return true
  }

  read(): void {
    const scanner = this.#scanner
    scanner.expect(OPEN_BRACE)
    this.start = scanner.at - 1
    let expected = 0
    let more = scanner.peek() !== CLOSE_BRACE
    if (!more) scanner.at++
    while (more) {
      const column = this.#column(expected)
      if (column < 0) scanner.skip()
      else {
        this.#value(column)
        expected = column + 1
      }
      more = scanner.more(CLOSE_BRACE)
    }
  }

  /** The record that was read is complete; the scanner stands behind it. */
  end(): void {
    const { at } = this.#scanner
    this.records.end(() => oneLine(this.#scanner.slice(this.start, at)))
  }

  /**
   * The member's column, -1 for none: the one that is expected next, or by its name. Leaves the scanner at the value.
   */
  #column(expected: number): number {
    const scanner = this.#scanner
    const name = this.#names[expected]
    if (name && scanner.peek() === QUOTE) {
      const { bytes, at } = scanner
      let i = name.length - 1
      while (i > 0 && bytes[at + i] === name[i]) i--
      if (i === 0) {
        scanner.at = at + name.length
        if (bytes[scanner.at] === 0x3a) scanner.at++
        else scanner.expect(0x3a)
        return expected
      }
    }
    scanner.name()
    return this.records.index.get(scanner.string()) ?? -1
  }

  #value(index: number): void {
    const scanner = this.#scanner
    const { bytes } = scanner
    const { row } = this.records
    const column = this.records.columns[index]!
    const first = scanner.peek()
    let refusal: string | null = null
    if (column.raw && first !== 0x6e) {
      scanner.skip()
      refusal = column.text(bytes, scanner.start, scanner.end, row)
    } else if (first === QUOTE) {
      scanner.text()
      if (scanner.escaped) {
        const plain = scanner.unescape()
        refusal = column.text(plain.bytes, 0, plain.length, row)
      } else refusal = column.text(bytes, scanner.start, scanner.end, row)
      if (index === this.#tells) this.records.tell(scanner.string())
    } else if (first === 0x2d || (first >= 0x30 && first <= 0x39)) {
      scanner.number()
      refusal = column.number(bytes, scanner.start, scanner.end, row)
      if (index === this.#tells) this.records.tell(scanner.string())
    } else if (first === OPEN_BRACE || first === OPEN_BRACKET) {
      scanner.skip()
      refusal = `an object or array where ${column.field.type} is expected`
    } else {
      const word = scanner.word()
      if (word === 'null') column.clear(row)
      else refusal = column.boolean(word === 'true', row)
      if (index === this.#tells) this.records.tell(word === 'null' ? '' : word)
    }
    if (refusal !== null) this.records.refuse(column, refusal)
  }
}

/** Line breaks of JSON lie between its tokens, never in its texts. */
export function oneLine(json: string): string {
  return json.replace(/[\r\n]+\s*/g, ' ')
}
