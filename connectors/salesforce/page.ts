/**
 * A page of query results as bytes: its envelope, its records as spans, their stamps. Pure; no record becomes an
 * object. https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query.htm
 */
import { CutJson, arrayAt, membersOf, text } from '../json-span.ts'
import type { Span } from '../json-span.ts'

export interface QueryPage {
  body: Uint8Array
  totalSize: number
  done: boolean
  next: string | null
  records: Span[]
}

/** Members may stand in any order. Throws `CutJson` where the page is not whole or not a page. */
export function readPage(body: Uint8Array): QueryPage {
  const page: Partial<QueryPage> = {}
  const intoRecords = (name: string, at: number): number | undefined => {
    if (name !== 'records') return undefined
    const { elements, end } = markedRecords(body, at) ?? arrayAt(body, at)
    page.records = elements
    return end
  }
  for (const [name, span] of membersOf(body, 0, intoRecords)) {
    if (name === 'totalSize') page.totalSize = value(body, span, 'number')
    else if (name === 'done') page.done = value(body, span, 'boolean')
    else if (name === 'nextRecordsUrl') page.next = text(body, span) === 'null' ? null : value(body, span, 'string')
  }
  const { totalSize, done, records, next = null } = page
  if (totalSize === undefined || done === undefined || records === undefined) {
    throw new CutJson('there is no totalSize, done or records')
  }
  if (!done && next === null) throw new CutJson('done is false, but there is no nextRecordsUrl')
  return { body, totalSize, done, next: done ? null : next, records }
}

/** How Salesforce begins a record. Within a text its quotes would be escaped; an object in a record follows a colon. */
const MARK = Buffer.from('{"attributes":')

/**
 * Records where each begins so and nothing follows their array; null: it is otherwise. What lies within a record is not
 * looked at: who decodes the page finds what is wrong there, and how many records there are.
 */
function markedRecords(body: Uint8Array, at: number): { elements: Span[]; end: number } | null {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const end = bytes.length - 1
  if (!bytes.subarray(-3).equals(Buffer.from('}]}'))) return null
  const elements: Span[] = []
  if (bytes[at] !== 0x5b || !bytes.subarray(at + 1, at + 1 + MARK.length).equals(MARK)) return null
  for (let start = at + 1; ;) {
    const next = bytes.indexOf(MARK, start + MARK.length)
    elements.push({ start, end: next < 0 ? end - 1 : next - 1 })
    if (next < 0) return { elements, end }
    if (bytes[next - 1] !== 0x2c || bytes[next - 2] !== 0x7d) return null
    start = next
  }
}

interface Primitives {
  number: number
  boolean: boolean
  string: string
}

function value<T extends keyof Primitives>(body: Uint8Array, span: Span, type: T): Primitives[T] {
  const found: unknown = JSON.parse(text(body, span))
  // oxlint-disable-next-line valid-typeof -- the types are those of Primitives
  if (typeof found !== type) throw new CutJson(`a ${type} is due at byte ${span.start}`)
  return found as Primitives[T]
}

/**
 * Reads one text member of records, null where it is null: by a search for its name, which inside a text could only
 * stand with escaped quotes.
 */
export function memberReader(body: Uint8Array, name: string): (record: Span) => string | null {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const key = Buffer.from(`"${name}"`)
  const afterSpace = (from: number): number => {
    let at = from
    while (isSpace(bytes[at])) at++
    return at
  }
  return ({ start, end }) => {
    for (let at = bytes.indexOf(key, start); at >= 0 && at < end; at = bytes.indexOf(key, at + 1)) {
      const colon = afterSpace(at + key.length)
      if (bytes[colon] !== 0x3a) continue // the same text as a value
      const from = afterSpace(colon + 1)
      return bytes[from] === 0x22 ? bytes.toString('latin1', from + 1, bytes.indexOf(0x22, from + 1)) : null
    }
    throw new CutJson(`a record has no ${name}`)
  }
}

export function idReader(body: Uint8Array): (record: Span) => string {
  const read = memberReader(body, 'Id')
  return (record) => {
    const id = read(record)
    if (id === null) throw new CutJson('a record has no Id')
    return id
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

/** A page body of these records; each is bytes of JSON objects. */
export function bodyOf(records: Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [Buffer.from('{"records":[')]
  records.forEach((record, index) => parts.push(...(index > 0 ? [comma, record] : [record])))
  return Buffer.concat([...parts, Buffer.from(']}')])
}

/** One record out of parts of it; members of later parts named in `skip` are left out. */
export function joined(parts: { body: Uint8Array; record: Span }[], skip: Set<string>): Uint8Array {
  const pieces: Uint8Array[] = []
  parts.forEach(({ body, record }, index) => {
    for (const [name, span] of membersOf(body, record.start)) {
      if (index > 0 && skip.has(name)) continue
      pieces.push(pieces.length > 0 ? comma : open, Buffer.from(`${JSON.stringify(name)}:`))
      pieces.push(body.subarray(span.start, span.end))
    }
  })
  return Buffer.concat([...pieces, close])
}

const comma = Buffer.from(',')
const open = Buffer.from('{')
const close = Buffer.from('}')
