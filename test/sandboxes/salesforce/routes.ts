/** Which request is which, and what is answered when nothing goes wrong. */
import { type Answer, json } from './answer.ts'
import type { BulkAsk } from './bulk-query.ts'
import { collections } from './collections.ts'
import { describeGlobal, describeObject, summary } from './describe.ts'
import { ApiError, invalidSession, noSuchColumn, notFound, requestLimit } from './errors.ts'
import type { FaultAction } from './faults.ts'
import type { Parts } from './control.ts'
import type { Read } from './pages.ts'
import type { Table } from './table.ts'

export interface Ask {
  method: string
  path: string
  query: URLSearchParams
  headers: Record<string, string | undefined>
  body: string
  instanceUrl: string
  fault: FaultAction
}

export interface Routed {
  route: string
  answer: Answer
  read?: Read
}

const NEWEST = 67
const OLDEST = 31
const SEASONS = ['Spring', 'Summer', 'Winter']

export function route(parts: Parts, ask: Ask): Routed {
  const { path, method } = ask
  if (path === '/services/oauth2/token') {
    if (method !== 'POST')
      return { route: 'token', answer: failed(new ApiError(405, 'METHOD_NOT_ALLOWED', 'POST only')) }
    return { route: 'token', answer: parts.oauth.token(new URLSearchParams(ask.body), ask.headers['host'] ?? '') }
  }
  if (path === '/services/oauth2/authorize') {
    return { route: 'authorize', answer: parts.oauth.page.answer(method, ask.query, new URLSearchParams(ask.body)) }
  }
  if (path === '/services/data' || path === '/services/data/') return { route: 'versions', answer: json(versions()) }
  const found: Routed = { route: 'other', answer: json('') }
  try {
    found.answer = resource(parts, ask, found)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    found.answer = failed(error)
  }
  if (found.answer.status < 300) found.answer.headers['sforce-limit-info'] = limitInfo(parts)
  return found
}

function resource(parts: Parts, ask: Ask, found: Routed): Answer {
  const { org, oauth, pages, behaviour } = parts
  const identity = /^\/id\/|^\/services\/oauth2\/userinfo$/.test(ask.path)
  const match = /^\/services\/data\/v(\d+\.\d)\/?(.*)$/.exec(ask.path)
  if (!match && !identity) throw notFound()
  const version = match?.[1] ?? ''
  const major = Number.parseInt(version, 10)
  if (match && major < OLDEST)
    throw new ApiError(410, 'UNSUPPORTED_API_VERSION', 'The requested API version is retired')
  if (match && (major > NEWEST || !version.endsWith('.0'))) throw notFound()

  const token = /^(?:Bearer|OAuth) (.+)$/.exec(ask.headers['authorization'] ?? '')?.[1]
  const session = token === undefined ? null : oauth.session(token)
  if (session === null) throw invalidSession()
  if (behaviour.usedRequests >= behaviour.maxRequests) throw requestLimit()
  behaviour.usedRequests++
  if (identity) {
    found.route = 'identity'
    const id = `${ask.instanceUrl}/id/${org.id}/${org.userId()}`
    const who = { user_id: org.userId(), organization_id: org.id, preferred_username: 'user0@acme.example' }
    return json({ id, sub: id, ...who })
  }
  const path = (match?.[2] ?? '').split('/')
  if (path[0] === 'jobs' && path[1] === 'query')
    return bulkQuery(parts, { ...ask, path: path.slice(2), version }, found)
  const written = write(parts, ask, path, version, found)
  if (written) return written
  if (ask.method !== 'GET')
    throw new ApiError(405, 'METHOD_NOT_ALLOWED', `HTTP Method '${ask.method}' not allowed. Allowed are GET`)

  const [first = '', name = '', third = '', ...rest] = (match?.[2] ?? '').replace(/\/$/, '').split('/')
  const reading = { version, session, fault: ask.fault }
  if ((first === 'query' || first === 'queryAll') && third === '') {
    found.route = name ? 'queryMore' : first
    const batch = /batchSize=(\d+)/i.exec(ask.headers['sforce-query-options'] ?? '')?.[1]
    const [answer, read] = name
      ? pages.more(decodeURIComponent(name), reading)
      : pages.query(ask.query.get('q'), first === 'queryAll', { ...reading, batchSize: batch ? Number(batch) : null })
    found.read = read
    return answer
  }
  if (first === '') {
    found.route = 'resources'
    const root = `/services/data/v${version}`
    return json({
      limits: `${root}/limits`,
      query: `${root}/query`,
      queryAll: `${root}/queryAll`,
      sobjects: `${root}/sobjects`,
    })
  }
  if (first === 'limits' && name === '') {
    found.route = 'limits'
    return json(limits(parts))
  }
  if (first !== 'sobjects' || rest.length > 0) throw notFound()
  if (name === '') {
    found.route = 'sobjects'
    return json(describeGlobal(org.all(), version))
  }
  const table = org.table(decodeURIComponent(name))
  if (!table) throw notFound()
  return sobject(table, third, version, parts, ask, found)
}

/** Bulk queries: `queryJobs`, `queryJob`, `results`, `resultPages`. */
function bulkQuery({ bulk }: Parts, ask: BulkAsk, found: Routed): Answer {
  found.route = ask.path[1] ?? (ask.path[0] === undefined ? 'queryJobs' : 'queryJob')
  const { answer, read } = bulk.answer(ask)
  if (read) found.read = read
  return answer
}

/** The resources that change records; undefined: it is none of them. */
function write(
  { writer, ingest }: Parts,
  ask: Ask,
  path: string[],
  version: string,
  found: Routed,
): Answer | undefined {
  const [first, second, ...rest] = path
  if (first === 'composite' && second === 'sobjects') {
    found.route = 'collections'
    return collections(writer, { ...ask, path: rest })
  }
  if (first !== 'jobs' || second !== 'ingest') return undefined
  found.route = rest[1] ?? (rest[0] === undefined ? 'jobs' : 'job')
  return ingest.answer({ ...ask, path: rest, version })
}

function sobject(table: Table, part: string, version: string, parts: Parts, ask: Ask, found: Routed): Answer {
  if (part === '') {
    found.route = 'sobject'
    return json({ objectDescribe: summary(table.model, version), recentItems: [] })
  }
  if (part === 'describe') {
    found.route = 'describe'
    const modified = new Date(table.described).toUTCString()
    const since = Date.parse(ask.headers['if-modified-since'] ?? '')
    if (since >= table.described) return { status: 304, headers: { 'last-modified': modified }, body: '' }
    return json(describeObject(table, version), { 'last-modified': modified })
  }
  if (part === 'deleted' || part === 'updated') {
    found.route = part
    return changes(table, part === 'deleted', parts, ask)
  }
  found.route = 'record'
  return record(table, decodeURIComponent(part), version, ask)
}

// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_getdeleted.htm
function changes(table: Table, deleted: boolean, { org }: Parts, ask: Ask): Answer {
  if (!table.model.replicateable) throw new ApiError(400, 'INVALID_TYPE', `${table.model.name} is not replicateable`)
  const minute = (name: string): number => {
    const time = Date.parse((ask.query.get(name) ?? '').replace(' ', '+'))
    if (Number.isNaN(time)) throw new ApiError(400, 'MALFORMED_QUERY', `${name} must be an ISO 8601 time`)
    return Math.floor(time / 60_000) * 60_000
  }
  const [start, end] = [minute('start'), minute('end')]
  const earliest = Math.floor((org.now() - (deleted ? 15 : 30) * 86_400_000) / 60_000) * 60_000
  if (start < earliest)
    throw new ApiError(400, 'INVALID_REPLICATION_DATE', 'startDate before org replication enabled date')
  if (end <= start)
    throw new ApiError(400, 'INVALID_REPLICATION_DATE', 'endDate must be at least one minute greater than startDate')
  const rows = Array.from(table.byStamp()).filter((row) => {
    const stamp = table.stamp(row)
    return stamp >= start && stamp < end && table.visible(row, deleted) && table.isDeleted(row) === deleted
  })
  const shown = (millis: number): string => `${new Date(millis).toISOString().slice(0, 23)}+0000`
  const latestDateCovered = shown(Math.min(end, Math.floor(org.now() / 60_000) * 60_000))
  if (!deleted) return json({ ids: rows.map((row) => table.id(row)), latestDateCovered })
  const deletedRecords = rows.map((row) => ({ id: table.id(row), deletedDate: shown(table.stamp(row)) }))
  return json({ deletedRecords, earliestDateAvailable: shown(earliest), latestDateCovered })
}

function record(table: Table, id: string, version: string, ask: Ask): Answer {
  const row = table.row(id)
  if (row < 0 || !table.visible(row, false)) throw notFound()
  const names = ask.query.get('fields')?.split(',') ?? table.model.fields.map((field) => field.name)
  const members = names.map((name) => {
    const column = table.column(name)
    if (!column) throw noSuchColumn(name, 0, name, table.model.name)
    return `"${column.field.name}":${table.json(row, column)}`
  })
  const url = `/services/data/v${version}/sobjects/${table.model.name}/${table.id(row)}`
  return json(`{"attributes":{"type":"${table.model.name}","url":"${url}"},${members.join(',')}}`)
}

function limits({ behaviour }: Parts): object {
  const { maxRequests, usedRequests } = behaviour
  return {
    DailyApiRequests: { Max: maxRequests, Remaining: Math.max(0, maxRequests - usedRequests) },
    DailyBulkV2QueryFileStorageMB: { Max: 976_562, Remaining: 976_562 },
    DailyBulkV2QueryJobs: { Max: 10_000, Remaining: 10_000 },
    DataStorageMB: { Max: 5, Remaining: 3 },
  }
}

/** Approximate, as in life: parallel answers disagree about it. */
function limitInfo({ behaviour }: Parts): string {
  const { maxRequests, usedRequests } = behaviour
  return `api-usage=${Math.max(1, usedRequests - ((usedRequests * 7) % 3))}/${maxRequests}`
}

function versions(): object[] {
  return Array.from({ length: NEWEST - OLDEST + 1 }, (_, at) => {
    const number = OLDEST + at
    const year = 2014 + Math.ceil(at / 3)
    const label = `${SEASONS[number % 3 === 1 ? 1 : number % 3 === 2 ? 2 : 0]} '${String(year).slice(2)}`
    return { label, url: `/services/data/v${number}.0`, version: `${number}.0` }
  })
}

function failed(error: ApiError): Answer {
  return { status: error.status, headers: {}, body: error.body() }
}
