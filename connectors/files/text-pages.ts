/**
 * CSV and JSON lines in pages of whole records, from any offset of the text.
 *
 * Laws
 * - A page ends behind a record. Bad lines are the records' own fault and set apart when the page is decoded.
 * - A file that ends in the middle of a record (an open quote, half a JSON object, too few fields and no line end) is
 *   cut off: an error, since nobody knows what is missing.
 */
import { isUtf8 } from 'node:buffer'
import type { Json, Page, Shape } from '../connector.ts'
import { CsvCutter, csvHeader } from '../records/csv-records.ts'
import { isJson } from '../records/is-json.ts'
import { PageError } from '../records/page-error.ts'
import type { FileKeys } from './file-keys.ts'
import type { FileBytes, FoundFile } from './file-tree.ts'
import { unreadable } from './file-tree.ts'
import { textOf } from './text-stream.ts'

/** Of text: what is held in memory, but for a record that is longer. */
const PAGE_BYTES = 1024 * 1024
const MOST_RECORD = 64 * 1024 * 1024
const LINE_FEED = 0x0a

export interface FilePage {
  body: Page['body']
  shape: Shape
  /** Where to go on in the file; null: this was its end. */
  next: Json | null
  position: string
}

/** `columns`: the header, known since the beginning of the file was read. */
interface TextCursor {
  at: number
  columns?: string[]
}

/** What every reader of a format is given; `from`: a `FilePage.next` of this file, null for its beginning. */
export interface FileReading {
  tree: FileBytes
  file: FoundFile
  keys: FileKeys
  from: Json | null
  /** A sentence for the run's report. */
  note: (text: string) => void
}

export async function* textPages(reading: FileReading): AsyncGenerator<FilePage> {
  yield* new TextReader(reading).pages()
}

/** One sentence for all files that lack the same columns. */
export const absentNote = ({ key }: FoundFile, names: string[]): string =>
  `Files in ${key.slice(0, key.lastIndexOf('/') + 1) || 'the root'} have no column ${names.join(', ')}: null there.`

class TextReader {
  readonly #tree: FileBytes
  readonly #file: FoundFile
  readonly #keys: FileKeys
  readonly #shape: Shape
  readonly #cutter: CsvCutter | undefined
  readonly #note: FileReading['note']
  #columns: string[] | undefined
  /** Offset of the text behind the last page. */
  #at: number
  /** Whole records, and what comes behind the last of them. */
  #whole: Uint8Array[] = []
  #ready = 0
  #rest: Uint8Array[] = []
  #waiting = 0

  constructor({ tree, file, keys, from, note }: FileReading) {
    const { at, columns } = (from ?? { at: 0 }) as unknown as TextCursor
    this.#note = note
    this.#tree = tree
    this.#file = file
    this.#keys = keys
    this.#at = at
    const { delimiter, quote, header, null: nullText } = keys.csv
    const isCsv = keys.format === 'csv'
    this.#columns = columns ?? (isCsv && !header ? Object.keys(keys.schema) : undefined)
    this.#cutter = isCsv ? new CsvCutter({ delimiter, quote }) : undefined
    this.#shape = isCsv
      ? { format: 'csv', delimiter, quote, header: false, nullText }
      : { format: 'jsonl', badLines: 'reject' }
  }

  async *pages(): AsyncGenerator<FilePage> {
    const { encoding } = this.#keys.csv
    let begins = this.#at === 0
    for await (const piece of textOf(this.#tree, this.#file, this.#cutter ? encoding : 'utf-8', this.#at)) {
      let bytes = piece
      if (begins) {
        const mark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
        this.#at += mark
        bytes = bytes.subarray(mark)
        begins = false
      }
      this.#take(bytes)
      if (this.#ready >= PAGE_BYTES) yield this.#page(false)
    }
    this.#end()
    yield this.#page(true)
  }

  #take(bytes: Uint8Array): void {
    let from = 0
    if (this.#cutter && !this.#columns) {
      const cut = this.#cutter.push(bytes, true)
      if (cut === 0) return this.#wait(bytes)
      this.#header([...this.#rest, bytes.subarray(0, cut)])
      from = cut
    }
    const records = from === 0 ? bytes : bytes.subarray(from)
    const cut = this.#cutter ? this.#cutter.push(records) : records.lastIndexOf(LINE_FEED) + 1
    if (cut === 0) return this.#wait(records)
    this.#whole.push(...this.#rest, records.subarray(0, cut))
    this.#ready += this.#waiting + cut
    this.#rest = []
    this.#waiting = 0
    if (cut < records.length) this.#wait(records.subarray(cut))
  }

  #wait(bytes: Uint8Array): void {
    this.#rest.push(bytes)
    this.#waiting += bytes.length
    if (this.#waiting <= MOST_RECORD) return
    const advice = this.#cutter ? 'Is a quote not closed, or `quote` another one?' : 'Is it JSON lines at all?'
    throw this.#wrong(`a record has more than ${MOST_RECORD / 1024 / 1024} MB`, advice)
  }

  #header(pieces: Uint8Array[]): void {
    const line = Buffer.concat(pieces)
    this.#checkText(line)
    const { delimiter, quote, null: nullText } = this.#keys.csv
    const columns = csvHeader(line, { format: 'csv', delimiter, quote, header: true, nullText }) ?? []
    if (columns.length === 0)
      throw this.#wrong('its first line is blank', 'Remove it, or write `header: false` into `csv`.')
    const twice = columns.find((name, at) => columns.indexOf(name) < at && Object.hasOwn(this.#keys.schema, name))
    if (twice !== undefined) throw this.#wrong(`its header has ${twice} twice`, 'Rename one of the columns.')
    if (!columns.some((name) => Object.hasOwn(this.#keys.schema, name))) {
      throw this.#wrong(
        'its header has none of the columns of `schema`',
        'Compare `delimiter`, `header` and `schema` with it.',
      )
    }
    const absent = Object.keys(this.#keys.schema).filter((name) => !columns.includes(name))
    if (absent.length > 0) this.#note(absentNote(this.#file, absent))
    this.#columns = columns
    this.#at += line.length
    this.#rest = []
    this.#waiting = 0
  }

  /** What stands behind the last line end. */
  #end(): void {
    const rest = Buffer.concat(this.#rest)
    if (rest.length === 0) return
    const cut = 'the file ends in the middle of a record'
    const advice = 'It is cut off, or still being written: put a whole one in its place, or remove it.'
    if (!this.#cutter) {
      if (rest.toString().trim() !== '' && !isJson(rest)) throw this.#wrong(cut, advice)
    } else if (this.#columns) {
      if (this.#cutter.quoted || this.#fieldsOf(rest) < this.#columns.length) throw this.#wrong(cut, advice)
    } else return this.#header(this.#rest)
    this.#whole.push(rest)
    this.#ready += rest.length
    this.#rest = []
  }

  #fieldsOf(line: Uint8Array): number {
    try {
      return csvHeader(line, { ...(this.#shape as Extract<Shape, { format: 'csv' }>), header: true })?.length ?? 0
    } catch (error) {
      if (error instanceof PageError) return 0
      throw error
    }
  }

  #page(ends: boolean): FilePage {
    const body = this.#whole.length === 1 ? this.#whole[0]! : Buffer.concat(this.#whole)
    this.#checkText(body)
    this.#at += body.length
    this.#whole = []
    this.#ready = 0
    const columns = this.#columns
    const next: Json | null = ends ? null : { at: this.#at, ...(columns ? { columns } : {}) }
    const shape = this.#cutter ? { ...this.#shape, columns: columns ?? [] } : this.#shape
    return { body, shape: shape, next, position: `${this.#at.toLocaleString('en')} bytes of text` }
  }

  #checkText(bytes: Uint8Array): void {
    if (isUtf8(bytes)) return
    const advice = this.#cutter ? 'Write its encoding into `csv`: windows-1252, utf-16le …' : 'JSON is UTF-8.'
    throw this.#wrong('it is not UTF-8', advice)
  }

  #wrong(reason: string, advice: string): Error {
    return unreadable(this.#tree, this.#file.key, reason, advice)
  }
}
