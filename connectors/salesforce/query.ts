/** The query resource: one page, or one count. */
import type { Session } from '../connector.ts'
import { ConnectorError } from '../errors.ts'
import { CutJson } from '../json-span.ts'
import type { ReadRequest } from './plan.ts'
import { readPage } from './page.ts'
import type { QueryPage } from './page.ts'
import * as soql from './soql.ts'
import type { Position } from './soql.ts'

/** Only a hint to Salesforce, which sends fewer where records are wide. */
const headers = { 'sforce-query-options': 'batchSize=2000' }

/** Where a read begins: behind a position, or at the window's start; `part` is the group of fields. */
export function firstUrl(request: ReadRequest, since: Position | null, part = 0, to: Position | null = null): string {
  const { apiVersion, object, cursorField, order, all } = request
  const stamp = order === 'stamp' ? cursorField : null
  const where = [...request.where]
  if (since) where.push(soql.after(stamp, since))
  if (to) where.push(soql.upTo(stamp, to))
  const orderBy = stamp ? [stamp, 'Id'] : ['Id']
  return soql.queryUrl(apiVersion, soql.select({ object, fields: request.groups[part] ?? [], where, orderBy }), all)
}

export async function queryPage(session: Session, url: string, object: string): Promise<QueryPage> {
  const doing = `read ${object}`
  // https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_query.htm
  const { body } = await session.http.request({ url, headers, accept: 'json', doing })
  try {
    return readPage(body)
  } catch (error) {
    if (error instanceof CutJson || error instanceof SyntaxError) throw notUnderstood(doing, error.message)
    throw error
  }
}

export function notUnderstood(doing: string, reason: string): ConnectorError {
  return new ConnectorError({ connector: 'salesforce', doing, kind: 'answer', reason })
}

/** Records in the window as Salesforce counts them now; null where counting takes it too long. */
export async function count(
  session: Session,
  { object, where, apiVersion, all }: Pick<ReadRequest, 'object' | 'where' | 'apiVersion' | 'all'>,
): Promise<number | null> {
  const text = soql.select({ object, fields: [], where, orderBy: [] })
  try {
    const { totalSize } = await queryPage(session, soql.queryUrl(apiVersion, text, all), object)
    return totalSize
  } catch (error) {
    if (!(error instanceof ConnectorError) || error.code !== 'QUERY_TIMEOUT') throw error
    session.note(`${object} could not be counted in time, so its rows are not proven by a count.`)
    return null
  }
}
