/**
 * Pages of a plan, from any position.
 *
 * Laws
 * - A cursor names the vendor's own place (a locator: its rows are fixed, nothing repeats) and, for the day it has
 *   expired, the last record's place in the order (stamp, id): either way every record comes once.
 * - The end is `done`, and then all that was promised must have come.
 * - A record whose stamp has reached the bound was changed while we read: the next run brings it, so this one must not.
 */
import type { Json, Page, Plan, Range, Session } from '../connector.ts'
import { ConnectorError } from '../errors.ts'
import { CutJson } from '../json-span.ts'
import type { Span } from '../json-span.ts'
import { orderedPage } from './ordered-page.ts'
import type { Settled } from './ordered-page.ts'
import { bodyOf, idReader, memberReader } from './page.ts'
import type { QueryPage } from './page.ts'
import type { ReadRequest } from './plan.ts'
import { count, firstUrl, notUnderstood, queryPage } from './query.ts'
import * as soql from './soql.ts'
import type { Position } from './soql.ts'
import { rowsOf, within } from './spans.ts'
import { widen } from './wide.ts'

interface Cursor {
  /** Where the vendor goes on; null: a new query does, behind `after`. */
  locator: string | null
  /** The query of the locator began behind this one. */
  since: Position | null
  /** The last record that was handed out. */
  after: Position | null
  /** Id of the first record of the page before: a page that comes twice is known by it. */
  first: string | null
  /** Records that came by this query, and by all queries of the plan. */
  read: number
  rows: number
}

const start: Cursor = { locator: null, since: null, after: null, first: null, read: 0, rows: 0 }

export async function* readPages(
  session: Session,
  plan: Plan,
  { spec }: Range,
  from: Json | null,
): AsyncGenerator<Page> {
  const request = within(plan.request as unknown as ReadRequest, spec)
  const doing = `read ${request.object}`
  const seen = new Set<string>()
  let cursor: Cursor = from === null ? start : (from as unknown as Cursor)
  // What was counted as nothing stays nothing: records only ever leave a closed window.
  if (plan.counted === 0 && from === null) {
    yield { body: bodyOf([]), ...formOf(request), next: null, position: showPosition(cursor, 0) }
    return
  }
  for (;;) {
    if (cursor.locator !== null) seen.add(cursor.locator)
    const page = await fetchPage(session, request, cursor)
    if (page === 'expired') {
      session.note(`${request.object}: a query locator had expired; reading went on by ${orderOf(request)}.`)
      cursor = { ...cursor, locator: null, since: cursor.after, first: null, read: 0 }
      continue
    }
    if (page.next !== null && seen.has(page.next)) {
      throw notUnderstood(doing, 'the same nextRecordsUrl came twice')
    }
    const { records, first, last } = settled(request, page, cursor.after, doing)
    if (first !== null && first === cursor.first) throw notUnderstood(doing, 'the same page came twice')
    if (records.length < page.records.length) {
      session.note(`${request.object}: some records were changed while they were read; the next run brings them.`)
    }
    const whole = records.length === page.records.length && request.groups.length === 1
    const body = whole ? page.body : bodyOf(await widen(session, request, page.body, records, cursor.after, last))
    cursor = {
      locator: page.next,
      since: cursor.since,
      after: last ?? cursor.after,
      first: first ?? cursor.first,
      read: cursor.read + page.records.length,
      rows: cursor.rows + records.length,
    }
    if (page.done) await proveEnd(session, request, cursor, page.totalSize, doing)
    yield {
      body,
      ...formOf(request),
      records: records.length,
      next: page.done ? null : asJson(cursor),
      position: showPosition(cursor, rowsOf(spec) ?? plan.counted ?? page.totalSize),
    }
    if (page.done) return
  }
}

function formOf({ all }: ReadRequest): Pick<Page, 'shape' | 'op'> {
  return {
    shape: { format: 'json', path: ['records'], ignore: ['attributes'] },
    ...(all ? { op: { field: 'IsDeleted', map: { true: 'delete', false: 'upsert' } } } : {}),
  }
}

async function fetchPage(session: Session, request: ReadRequest, cursor: Cursor): Promise<QueryPage | 'expired'> {
  if (cursor.locator === null) return queryPage(session, firstUrl(request, cursor.since), request.object)
  try {
    return await queryPage(session, cursor.locator, request.object)
  } catch (error) {
    const gone = error instanceof ConnectorError && (error.kind === 'cursor-expired' || error.code === 'NOT_FOUND')
    if (gone) return 'expired'
    throw error
  }
}

/** The records of a page that belong to this run, and the position of the last of them. */
function settled(request: ReadRequest, page: QueryPage, after: Position | null, doing: string): Settled {
  try {
    return orderedPage(request, page, after) ?? settledRecords(request, page, after)
  } catch (error) {
    if (error instanceof CutJson) throw notUnderstood(doing, error.message)
    throw error
  }
}

function settledRecords(request: ReadRequest, page: QueryPage, after: Position | null): Settled {
  const { cursorField, bound } = request
  const records: Span[] = []
  let first: string | null = null
  let last: Position | null = null
  const idOf = idReader(page.body)
  if (page.records[0]) first = idOf(page.records[0])
  const stampOf = cursorField === null ? null : memberReader(page.body, cursorField)
  const end = bound === null ? null : stampKey(bound)
  let highest = after?.stamp ? stampKey(after.stamp) : ''
  for (const record of page.records) {
    const stamp = stampOf?.(record) ?? null
    const key = stamp === null ? '' : stampKey(stamp)
    if (end !== null && key >= end) continue
    records.push(record)
    if (request.order === 'key' || stamp === null) {
      if (request.order === 'key') last = { stamp: null, id: idOf(record) }
      continue
    }
    // A stamp of the system only ever grows, and grown beyond the bound it was left out above.
    if (key < highest && cursorField === 'SystemModstamp') throw new CutJson('records are not in the order asked for')
    if (key < highest) continue
    highest = key
    last = { stamp: stamp.replace('+0000', 'Z'), id: idOf(record) }
  }
  return { records, first, last }
}

/** Sorts like the instant: stamps come in UTC, as `…44.000+0000` or `…44.000Z`. */
function stampKey(stamp: string): string {
  if (/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}(\+0000|Z)$/.test(stamp)) return stamp.slice(0, 23)
  const ms = Date.parse(stamp)
  if (Number.isNaN(ms)) throw new CutJson('a stamp is no date-time')
  return new Date(ms).toISOString().slice(0, 23)
}

/**
 * As many records as the query promised. Fewer: either they have left its window since, or something was lost. More:
 * some came twice.
 */
async function proveEnd(session: Session, request: ReadRequest, cursor: Cursor, total: number, doing: string) {
  if (cursor.read === total) return
  const { cursorField, order } = request
  const stamp = order === 'stamp' ? cursorField : null
  const where = cursor.since ? [...request.where, soql.after(stamp, cursor.since)] : request.where
  const now = cursor.read > total ? null : await count(session, { ...request, where })
  if (now === null || now > cursor.read) {
    throw notUnderstood(doing, `the query promised ${total} records, and ended after ${cursor.read}`)
  }
  session.note(`${request.object}: ${total - cursor.read} records were changed or removed while they were read.`)
}

function asJson(cursor: Cursor): Json {
  return cursor as unknown as Json
}

function orderOf({ order, cursorField }: ReadRequest): string {
  return order === 'stamp' ? `${cursorField} and Id` : 'Id'
}

function showPosition({ rows, after }: Cursor, total: number): string {
  const at = after?.stamp ? `, at ${after.stamp.replace('.000Z', 'Z')}` : ''
  return `${grouped(rows)} of ${grouped(total)}${at}`
}

export function grouped(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',')
}
