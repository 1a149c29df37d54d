/**
 * A table as pages of one statement's result.
 *
 * Laws
 * - A statement is run once for a chain of units and sees one snapshot; its result is kept for a day. A cursor names
 *   the statement and the place in its result, so every row comes once.
 * - The end is the vendor's, and then as many rows must have come as the statement gave.
 */
import type { Json, Page, Plan, Session } from '../connector.ts'
import { ConnectorError } from '../errors.ts'
import { type Cells, type DataApi, dataApi } from './data-api.ts'
import { statementError } from './errors.ts'
import { valueOf } from './source-columns.ts'
import { type ReadRequest, requestOf, selectOf } from './source-plan.ts'

interface Cursor {
  /** The statement. */
  id: string
  /** null: its first page. */
  token: string | null
  /** Rows before that. */
  rows: number
  /** Rows that it gave. */
  total: number
}

/** More than that takes who unloads. */
const LONGEST_MS = 30 * 60_000

export async function* readPages(session: Session, plan: Plan, from: Json | null): AsyncGenerator<Page> {
  const request = requestOf(plan)
  // What was counted as nothing is nothing of this run's.
  if (plan.counted === 0 && from === null) {
    yield { body: [], shape: { format: 'rows' }, next: null, position: 'no row' }
    return
  }
  const api = dataApi(session)
  let cursor = (from ?? (await begin(api, session, request))) as unknown as Cursor
  const seen = new Set<string | null>()
  for (;;) {
    seen.add(cursor.token)
    const page = await pageOf(api, request, cursor)
    const rows = cursor.rows + page.rows.length
    if (page.next !== null && seen.has(page.next)) throw notUnderstood(request, 'the same NextToken came twice')
    if (page.next === null && rows !== cursor.total) {
      throw notUnderstood(request, `the statement gave ${cursor.total} rows, and ${rows} came`)
    }
    const next: Cursor | null = page.next === null ? null : { ...cursor, token: page.next, rows }
    yield {
      body: page.rows.map((cells) => rowOf(request, cells)),
      shape: { format: 'rows' },
      next: next as unknown as Json,
      position: `${rows.toLocaleString('en')} of ${cursor.total.toLocaleString('en')} rows`,
    }
    if (next === null) return
    cursor = next
  }
}

async function begin(api: DataApi, session: Session, request: ReadRequest): Promise<Json> {
  const doing = `read ${request.object}`
  const id = await api.start(selectOf(request, 'pages'))
  try {
    const { ResultRows = 0 } = await api.finished(id, doing, LONGEST_MS)
    return { id, token: null, rows: 0, total: ResultRows }
  } catch (error) {
    if (session.signal.aborted) await api.cancel(id).catch(() => {})
    // Table or column went since the plan was made.
    const gone = error instanceof ConnectorError && /does not exist/i.test(error.message)
    throw gone ? statementError(error.reason, doing, 'missing') : error
  }
}

async function pageOf(api: DataApi, request: ReadRequest, { id, token }: Cursor) {
  try {
    return await api.page(id, token ?? undefined)
  } catch (error) {
    if (!(error instanceof ConnectorError) || error.kind !== 'missing') throw error
    throw new ConnectorError({
      connector: 'redshift',
      doing: `read ${request.object}`,
      kind: 'cursor-expired',
      reason: 'the result of the statement is kept no longer',
      cause: error,
    })
  }
}

function rowOf({ fields }: ReadRequest, cells: Cells) {
  return Object.fromEntries(
    fields.map(({ name, type }, at) => {
      const text = cells[at] ?? null
      return [name, text === null ? null : valueOf(type, text, 'pages')]
    }),
  )
}

function notUnderstood({ object }: ReadRequest, reason: string): ConnectorError {
  return new ConnectorError({ connector: 'redshift', doing: `read ${object}`, kind: 'answer', reason })
}
