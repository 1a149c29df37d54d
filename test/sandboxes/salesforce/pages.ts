/**
 * Query answers in pages. A locator holds the rows that a query found, in its order; their values are read when a page
 * is asked for, and a row that was deleted meanwhile is left out, so that a page may be short or empty and not the
 * last.
 *
 * https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query_more_results.htm
 */
import type { Answer } from './answer.ts'
import { json } from './answer.ts'
import { ApiError, invalidLocator } from './errors.ts'
import { idOf, rowOf } from './ids.ts'
import { parseSoql } from './soql.ts'
import { runQuery } from './soql-run.ts'
import type { Column, Org, Table } from './table.ts'

interface Locator {
  table: Table
  columns: Column[]
  rows: Int32Array
  withDeleted: boolean
  size: number
  session: string
}

/** What a page was about, for the log. */
export interface Read {
  object: string
  soql?: string
  offset: number
  rows: number
}

/** One line of the request: what to spoil, if anything. */
export interface PageFault {
  emptyPage?: boolean
  repeatCursor?: boolean
}

const PREFIX = '0r8'
const KEPT = 64
const LONGEST_NARROW_TEXT = 4100

export class Pages {
  /** A session reads its own locators only: seen where a refresh ends the session before it. */
  perSession = false
  /** What a client asks for is a hint; the org may always send fewer. */
  mostRows = 2000
  private readonly org: Org
  private readonly locators = new Map<number, Locator>()
  private readonly served = new Map<Table, Uint16Array>()
  private turn = 0

  constructor(org: Org) {
    this.org = org
  }

  query(
    soql: string | null,
    withDeleted: boolean,
    ask: { version: string; session: string; batchSize: number | null; fault: PageFault },
  ): [Answer, Read] {
    if (!soql?.trim()) throw new ApiError(400, 'MALFORMED_QUERY', 'A query string has to be specified')
    const query = parseSoql(soql)
    const { table, columns, rows } = runQuery(this.org, query, withDeleted, ++this.turn)
    const read = { object: table.model.name, soql }
    if (query.count) return [json({ totalSize: rows.length, done: true, records: [] }), { ...read, offset: 0, rows: 0 }]
    const locator: Locator = {
      table,
      columns,
      rows,
      withDeleted,
      size: Math.min(this.mostRows, pageSize(columns, ask.batchSize)),
      session: ask.session,
    }
    const number = rows.length > locator.size || ask.fault.emptyPage || ask.fault.repeatCursor ? this.keep(locator) : 0
    const [answer, count] = this.page(locator, number, 0, ask)
    return [answer, { ...read, offset: 0, rows: count }]
  }

  more(reference: string, ask: { version: string; session: string; fault: PageFault }): [Answer, Read] {
    const match = /^(0r8\w{15})-(\d+)$/.exec(reference)
    const number = match ? rowOf(PREFIX, match[1]!) : -1
    const locator = this.locators.get(number)
    const offset = Number(match?.[2])
    if (!locator || offset > locator.rows.length) throw invalidLocator()
    if (this.perSession && locator.session !== ask.session) throw invalidLocator()
    const [answer, count] = this.page(locator, number, offset, ask)
    return [answer, { object: locator.table.model.name, offset, rows: count }]
  }

  expire(): void {
    this.locators.clear()
  }

  /** How often each row was given out since the last reset. */
  servedRows(table: Table): { rows: number; distinct: number; again: number } {
    const counts = this.served.get(table)
    let [rows, distinct] = [0, 0]
    for (const count of counts ?? []) {
      rows += count
      if (count > 0) distinct++
    }
    return { rows, distinct, again: rows - distinct }
  }

  forgetServed(): void {
    this.served.clear()
  }

  private page(
    locator: Locator,
    number: number,
    offset: number,
    ask: { version: string; fault: PageFault },
  ): [Answer, number] {
    const { table, rows, size } = locator
    const { emptyPage = false, repeatCursor = false } = ask.fault
    const end = emptyPage ? offset : Math.min(rows.length, offset + size)
    const done = end === rows.length && !emptyPage && !repeatCursor
    // An empty page leads on through another locator: the cursor is new, the position is not.
    const on = emptyPage ? this.keep({ ...locator }) : number
    const place = `${idOf(PREFIX, on)}-${repeatCursor ? offset : end}`
    const next = done ? '' : `,"nextRecordsUrl":"/services/data/v${ask.version}/query/${place}"`
    const head = `{"totalSize":${rows.length},"done":${done}${next},"records":[`
    const [body, count] = render(locator, offset, end, ask.version, head)
    this.count(table, rows, offset, end)
    return [{ status: 200, headers: {}, body }, count]
  }

  private keep(locator: Locator): number {
    const number = ++this.turn
    this.locators.set(number, locator)
    if (this.locators.size > KEPT) this.locators.delete(this.locators.keys().next().value!)
    return number
  }

  private count(table: Table, rows: Int32Array, from: number, to: number): void {
    let counts = this.served.get(table)
    if (!counts || counts.length < table.size) {
      const more = new Uint16Array(table.size)
      if (counts) more.set(counts)
      counts = more
      this.served.set(table, counts)
    }
    for (let at = from; at < to; at++) counts[rows[at]!]!++
  }
}

/** Up to 2,000; fewer of wide rows, whatever was asked for. */
function pageSize(columns: Column[], asked: number | null): number {
  const longText = columns.some(({ field }) => field.length > LONGEST_NARROW_TEXT)
  const most = longText || columns.length > 100 ? 1000 : 2000
  return Math.min(most, Math.max(200, asked ?? 2000))
}

/** Records go into the body one by one: a page of strings kept until its end costs more than all the rest. */
function render(locator: Locator, from: number, to: number, version: string, head: string): [Buffer, number] {
  const { table, columns, rows, withDeleted } = locator
  const { name } = table.model
  const start = `{"attributes":{"type":"${name}","url":"/services/data/v${version}/sobjects/${name}/`
  const keys = columns.map((column) => `,"${column.field.name}":`)
  let body = Buffer.allocUnsafe(65_536)
  let length = body.write(head)
  let count = 0
  const append = (text: string): void => {
    if (length + text.length * 3 > body.length) {
      const more = Buffer.allocUnsafe(Math.max(body.length * 2, length + text.length * 3))
      body.copy(more, 0, 0, length)
      body = more
    }
    length += body.write(text, length)
  }
  for (let at = from; at < to; at++) {
    const row = rows[at]!
    if (!table.visible(row, withDeleted)) continue
    let record = count++ === 0 ? start : `,${start}`
    record += `${table.id(row)}"}`
    for (let column = 0; column < columns.length; column++) record += keys[column]! + table.json(row, columns[column]!)
    append(`${record}}`)
  }
  append(']}')
  return [body.subarray(0, length), count]
}
