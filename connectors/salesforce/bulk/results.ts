/**
 * The results of a finished Bulk job, page by page.
 * https://developer.salesforce.com/docs/platform/api-asynch/guide/query-get-job-results.html
 *
 * Laws
 * - Results are fixed once the job is complete: a locator, or a place in the list of pages, is an exact position.
 * - A page is whole: as many records as its head says, and its last line ended. The end of a chain of locators is the
 *   word `null`.
 * - A record whose stamp has reached the bound was changed while the job ran: the next run brings it, so this one must
 *   not.
 */
import { createHash } from 'node:crypto'
import type { Json, Page, Plan, Range, Session } from '../../connector.ts'
import { ConnectorError } from '../../errors.ts'
import type { ReadRequest } from '../plan.ts'
import { count, notUnderstood } from '../query.ts'
import { grouped } from '../read.ts'
import { again, fieldsOf } from './request.ts'
import { settledLines } from './settled-lines.ts'

export interface ResultSpan {
  /** Pages of a size that Salesforce chose, one after the other; null: a chain of locators. */
  urls: string[] | null
  /** Where the results of the job are. */
  results: string
  /** Records of a page in a chain of locators. */
  size: number
  /** Records of the whole job, in a chain of locators; null: it is not known, or the span is a part of it. */
  rows: number | null
}

interface Cursor {
  /** Page of `urls`. */
  at: number
  locator: string | null
  size: number
  /** Records that came, and those of them that were handed out. */
  read: number
  rows: number
  /** Tells the page before, should it come twice. */
  mark: string
}

export interface ResultPage {
  body: Uint8Array
  /** Those of `body` without the header. */
  lines: Uint8Array
  /** null: the page has no header line. */
  header: string[] | null
  records: number
  next: string | null
}

/** Bytes of a page: some of them are held at once, as text and as columns. */
export const PAGE_BYTES = 8 * 1024 * 1024
const LEAST_ROWS = 200
const MOST_ROWS = 100_000

/** How many records of this size make a page. */
export function pageRows(bytesOfOne: number): number {
  return Math.round(Math.min(MOST_ROWS, Math.max(LEAST_ROWS, PAGE_BYTES / Math.max(1, bytesOfOne))))
}

export async function* readResults(
  session: Session,
  plan: Plan,
  range: Range,
  from: Json | null,
): AsyncGenerator<Page> {
  const request = plan.request as unknown as ReadRequest
  const span = range.spec as unknown as ResultSpan
  const doing = `read ${request.object}`
  const columns = fieldsOf(request)
  const seen = new Set<string>()
  let cursor = (from ?? { at: 0, locator: null, size: span.size, read: 0, rows: 0, mark: '' }) as unknown as Cursor
  for (;;) {
    const page = await fetchResults(session, request.object, urlOf(span, cursor), columns)
    const { lines, header, records, next } = page
    if (!span.urls && next !== null && (next === cursor.locator || seen.has(next))) {
      throw notUnderstood(doing, 'the same locator came twice')
    }
    if (next !== null) seen.add(next)
    const mark = records > 0 ? markOf(lines) : cursor.mark
    if (records > 0 && mark === cursor.mark) throw notUnderstood(doing, 'the same page came twice')
    const names = header ?? columns
    const settled = settledLines(lines, names, request, await session.now())
    if (settled.left > 0) {
      session.note(`${request.object}: some records were changed while they were read; the next run brings them.`)
    }
    const rows = cursor.rows + records - settled.left
    const size = records > 0 ? pageRows(lines.length / records) : cursor.size
    cursor = { at: cursor.at + 1, locator: next, size, read: cursor.read + records, rows, mark }
    const done = span.urls ? cursor.at >= span.urls.length : next === null
    if (done) await proveEnd(session, request, span, cursor.read, doing)
    // The answer as it came, header line and all, changes hands without being copied.
    const whole = settled.left === 0
    yield {
      body: whole ? page.body : settled.lines,
      shape: {
        ...{ format: 'csv', delimiter: ',', nullText: '', noEmpty: true, columns: names },
        header: whole && header !== null,
      },
      ...(request.all ? { op: { field: 'IsDeleted', map: { true: 'delete', false: 'upsert' } } } : {}),
      records: records - settled.left,
      next: done ? null : (cursor as unknown as Json),
      position: `${grouped(rows)} of ${grouped(plan.counted ?? rows)} by job`,
    }
    if (done) return
  }
}

/** As many records as the job found, or at least those that are there now. */
async function proveEnd(session: Session, request: ReadRequest, { rows }: ResultSpan, read: number, doing: string) {
  if (rows === null || rows === read) return
  const now = await count(session, request)
  if (now !== null && now <= read && read <= rows) return
  throw notUnderstood(doing, `the job found ${rows} records, and its results ended after ${read}`)
}

function urlOf({ urls, results }: ResultSpan, { at, locator, size }: Cursor): string {
  if (urls) return urls[at]!
  return `${results}?maxRecords=${size}${locator === null ? '' : `&locator=${encodeURIComponent(locator)}`}`
}

/** Results that have expired, or whose job is gone, are no longer to be had by any attempt. */
export async function fetchResults(
  session: Session,
  object: string,
  url: string,
  columns: string[],
): Promise<ResultPage> {
  const doing = `read ${object}`
  try {
    const { body, headers } = await session.http.request({ url, headers: { accept: 'text/csv' }, doing })
    const records = Number(headers['sforce-numberofrecords'] ?? Number.NaN)
    if (!Number.isSafeInteger(records)) throw notUnderstood(doing, 'a page does not say how many records it has')
    const locator = headers['sforce-locator'] ?? 'null'
    if (body.length > 0 && body.at(-1) !== LINE_FEED) throw notUnderstood(doing, 'a page ends within a line')
    return { body, ...lineParts(body, columns), records, next: locator === 'null' || locator === '' ? null : locator }
  } catch (error) {
    const gone = error instanceof ConnectorError && (error.kind === 'missing' || error.kind === 'cursor-expired')
    if (gone) throw again(object, `the results of its Bulk job are gone: ${error.reason}`, error)
    throw error
  }
}

const LINE_FEED = 0x0a

/** Sources disagree whether pages behind the first have the header line again: its names tell. */
function lineParts(body: Uint8Array, columns: string[]): Pick<ResultPage, 'lines' | 'header'> {
  const end = body.indexOf(LINE_FEED)
  const first = Buffer.from(body.buffer, body.byteOffset, Math.max(0, end)).toString('utf8').trimEnd()
  const names = first.split(',').map((name) => name.replaceAll('"', ''))
  const known = new Map(columns.map((name) => [name.toLowerCase(), name]))
  const isHeader = names.length === columns.length && names.every((name) => known.has(name.toLowerCase()))
  if (!isHeader) return { lines: body, header: null }
  return { lines: body.subarray(end + 1), header: names.map((name) => known.get(name.toLowerCase())!) }
}

/** Two pages that begin alike hold the same record, by its Id. */
function markOf(lines: Uint8Array): string {
  return createHash('sha256').update(lines.subarray(0, 65_536)).digest('base64').slice(0, 12)
}
