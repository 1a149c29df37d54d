/**
 * Bulk API 2.0 queries: a job is made from a query, works while it is asked for, and gives its records as CSV, by
 * locators and by parallel result pages. Documented, not observed: there are no recordings of it.
 *
 * Records are found when the work begins and their values read when it ends; from then on results are fixed. Those of
 * very many records are not kept: their values are read when a page is asked for.
 * https://developer.salesforce.com/docs/platform/api-asynch/guide/query-bulk-api-2-0.html
 */
import { type Answer, json } from './answer.ts'
import { csvLine } from './csv.ts'
import { ApiError, invalidLocator, notFound } from './errors.ts'
import { idOf } from './ids.ts'
import { jsonNumber } from './numbers.ts'
import type { Read } from './pages.ts'
import { parseSoql, type Query } from './soql.ts'
import { type Result, runQuery } from './soql-run.ts'
import type { Column, Org, Table } from './table.ts'
import { mix } from './values.ts'

export interface QueryJob {
  id: string
  object: string
  operation: 'query' | 'queryAll'
  state: 'UploadComplete' | 'InProgress' | 'JobComplete' | 'Failed' | 'Aborted'
  createdDate: string
  version: string
  query: Query
  asked: number
  errorMessage: string | null
  found: Result | null
  lines: Lines
}

/** Results: how many, and some of them as CSV. */
interface Lines {
  length: number
  slice(from: number, to: number): string[]
}

export interface BulkAsk {
  method: string
  /** Behind `jobs/query`. */
  path: string[]
  query: URLSearchParams
  version: string
  body: string
  fault: BulkFault
}

export interface BulkFault {
  emptyPage?: boolean
  repeatCursor?: boolean
  /** The head says so many records more than there are. */
  recordsOff?: number
}

/** What is done to jobs, until it is said otherwise. */
export interface BulkBehaviour {
  /** Times that a job is asked for before it is done. */
  polls: number
  /** They never end. */
  hang: boolean
  /** They fail, for this reason. */
  fail: string | null
  /** The org has parallel result pages. */
  resultPages: boolean
  /** Records of a result page where the client does not say, and at most. */
  pageRows: number
  mostRows: number
}

const FIRST_VERSION = 47
const RESULT_PAGES_VERSION = 58
const PAGES_OF_ANSWER = 5
const MOST_KEPT = 50_000
/** https://developer.salesforce.com/docs/platform/api-asynch/guide/query-create-job.html */
const COMPOUND = new Set(['address', 'location'])

export class BulkQueries {
  readonly behaviour: BulkBehaviour = {
    polls: 2,
    hang: false,
    fail: null,
    resultPages: true,
    pageRows: 50_000,
    mostRows: 250_000,
  }
  readonly jobs = new Map<string, QueryJob>()
  private readonly org: Org
  private readonly user: () => string
  private made = 0
  private turn = 0

  constructor(org: Org, user: () => string) {
    this.org = org
    this.user = user
  }

  answer(ask: BulkAsk): { answer: Answer; read?: Read } {
    const { method, path, version } = ask
    const [id, part] = path
    if (Number.parseInt(version, 10) < FIRST_VERSION) throw notFound()
    if (id === undefined) {
      if (method === 'POST') return { answer: json(this.shown(this.create(ask.body, version))) }
      if (method !== 'GET') throw notAllowed(method)
      const records = Array.from(this.jobs.values(), (job) => this.shown(job))
      return { answer: json({ done: true, records, nextRecordsUrl: null }) }
    }
    const job = this.jobs.get(id)
    if (!job) throw notFound()
    if (job.version !== version) {
      throw new ApiError(409, 'API_ERROR', `The job was created with API version ${job.version}`)
    }
    if (part === undefined) return { answer: this.job(job, ask) }
    if (method !== 'GET') throw notAllowed(method)
    if (job.state !== 'JobComplete') {
      throw new ApiError(400, 'INVALIDJOBSTATE', `Results are not available: the job is in state ${job.state}`)
    }
    if (part === 'results') return this.results(job, ask)
    const known = this.behaviour.resultPages && Number.parseInt(version, 10) >= RESULT_PAGES_VERSION
    if (part !== 'resultPages' || !known) throw notFound()
    return { answer: this.resultPages(job, ask.query) }
  }

  private job(job: QueryJob, { method, body }: BulkAsk): Answer {
    const running = job.state === 'UploadComplete' || job.state === 'InProgress'
    if (method === 'GET') {
      if (running) this.proceed(job)
      return json(this.shown(job))
    }
    if (method === 'DELETE') {
      if (job.state === 'InProgress') throw wrongState(`Job in state ${job.state} cannot be deleted`)
      this.jobs.delete(job.id)
      return { status: 204, headers: {}, body: '' }
    }
    if (method !== 'PATCH') throw notAllowed(method)
    const { state } = JSON.parse(body) as { state?: string }
    if (state !== 'Aborted') throw new ApiError(400, 'INVALIDJOB', `Invalid job state ${state}`)
    if (!running) throw wrongState(`Aborting already ${job.state} Job not allowed`)
    job.state = 'Aborted'
    return json(this.shown(job))
  }

  private create(body: string, version: string): QueryJob {
    const asked = JSON.parse(body) as Record<string, string | undefined>
    const { operation, query = '', contentType = 'CSV', columnDelimiter = 'COMMA', lineEnding = 'LF' } = asked
    if (operation !== 'query' && operation !== 'queryAll') {
      throw new ApiError(400, 'INVALIDJOB', `Invalid operation: ${operation}`)
    }
    if (contentType !== 'CSV' || columnDelimiter !== 'COMMA' || lineEnding !== 'LF') {
      throw new ApiError(400, 'INVALIDJOB', 'Only CSV with commas and line feeds is spoken here')
    }
    const parsed = parseSoql(query)
    if (parsed.count || parsed.offset > 0) throw new ApiError(400, 'API_ERROR', 'Aggregate query is not supported')
    const { table, columns } = runQuery(this.org, { ...parsed, limit: 0 }, false, 0)
    if (/__x$/.test(table.model.name)) {
      throw new ApiError(400, 'INVALIDENTITY', `Entity '${table.model.name}' is not supported by the Bulk API.`)
    }
    if (columns.some(({ field }) => COMPOUND.has(field.type))) {
      throw new ApiError(400, 'API_ERROR', 'Selecting compound data not supported in Bulk Query')
    }
    const job: QueryJob = {
      id: idOf('750', 500_000 + this.made++),
      object: table.model.name,
      operation,
      state: 'UploadComplete',
      createdDate: `${new Date(this.org.now()).toISOString().slice(0, 23)}+0000`,
      version,
      query: parsed,
      asked: 0,
      errorMessage: null,
      found: null,
      lines: [],
    }
    this.jobs.set(job.id, job)
    return job
  }

  /** A step each time a client asks. */
  private proceed(job: QueryJob): void {
    const { polls, hang, fail } = this.behaviour
    if (!job.found) job.found = runQuery(this.org, job.query, job.operation === 'queryAll', ++this.turn)
    job.state = 'InProgress'
    if (hang || ++job.asked < polls) return
    if (fail !== null) {
      job.state = 'Failed'
      job.errorMessage = fail
      return
    }
    job.state = 'JobComplete'
    job.lines = linesOf(job.found, job.query.order.length > 0, job.operation === 'queryAll')
  }

  private results(job: QueryJob, { query, fault }: BulkAsk): { answer: Answer; read: Read } {
    const { pageRows, mostRows } = this.behaviour
    const locator = query.get('locator')
    const [offset, chosen] = locator === null ? [0, null] : placeOf(job, locator)
    const asked = query.get('maxRecords')
    if (asked !== null && !/^[1-9]\d*$/.test(asked)) throw new ApiError(400, 'INVALIDJOB', 'maxRecords is not valid')
    const rows = Math.min(mostRows, asked === null ? (chosen ?? pageRows) : Number(asked))
    const end = fault.emptyPage ? offset : Math.min(job.lines.length, offset + rows)
    const more = end < job.lines.length || fault.repeatCursor
    // The cursor of an empty page is new, its place is not.
    const next = fault.repeatCursor ? (locator ?? locatorOf(job, offset)) : locatorOf(job, end, fault.emptyPage)
    const lines = job.lines.slice(offset, end)
    const headers = {
      'content-type': 'text/csv',
      'sforce-numberofrecords': String(lines.length + (fault.recordsOff ?? 0)),
      'sforce-locator': more ? next : 'null',
    }
    const body = Buffer.from(csvLine(job.query.fields.map(({ text }) => text)) + lines.join(''))
    const read = { object: job.object, offset, rows: lines.length }
    return { answer: { status: 200, headers, body }, read }
  }

  private resultPages({ id, version, lines }: QueryJob, query: URLSearchParams): Answer {
    const { pageRows } = this.behaviour
    const root = `/services/data/v${version}/jobs/query/${id}`
    const first = Number(query.get('page') ?? 0)
    const last = Math.ceil(lines.length / pageRows)
    const end = Math.min(last, first + PAGES_OF_ANSWER)
    const resultPages = Array.from({ length: end - first }, (_, at) => {
      const locator = Buffer.from(`0:${id}:${(first + at) * pageRows}:${pageRows}`).toString('base64url')
      return { resultUrl: `${root}/results?locator=${locator}` }
    })
    const done = end === last
    return json({ resultPages, done, ...(done ? {} : { nextRecordsUrl: `${root}/resultPages?page=${end}` }) })
  }

  private shown({ id, operation, object, createdDate, state, version, errorMessage, lines }: QueryJob): object {
    const counters = {
      jobType: 'V2Query',
      numberRecordsProcessed: lines.length,
      retries: 0,
      totalProcessingTime: 100,
      isPkChunkingSupported: true,
    }
    return {
      id,
      operation,
      object,
      createdById: this.user(),
      createdDate,
      systemModstamp: createdDate,
      state,
      concurrencyMode: 'Parallel',
      contentType: 'CSV',
      apiVersion: Number(version),
      ...(state === 'UploadComplete' ? {} : counters),
      lineEnding: 'LF',
      columnDelimiter: 'COMMA',
      ...(errorMessage === null ? {} : { errorMessage }),
    }
  }
}

/** Without an order the object is worked off in parts, which come in any order. */
function linesOf({ table, columns, rows }: Result, ordered: boolean, withDeleted: boolean): Lines {
  const shown = rows.filter((row) => table.visible(row, withDeleted))
  if (!ordered) shown.sort((a, b) => mix(a >> 6, 7) - mix(b >> 6, 7) || a - b)
  const slice = (from: number, to: number): string[] =>
    Array.from(shown.subarray(from, to), (row) => csvLine(columns.map((column) => cellOf(table, row, column))))
  return shown.length > MOST_KEPT ? { length: shown.length, slice } : slice(0, shown.length)
}

/** No value is an empty cell. */
function cellOf(table: Table, row: number, column: Column): string {
  const value = table.value(row, column)
  if (value === null) return ''
  if (column.kind === 'number') return jsonNumber(String(value))
  return String(value)
}

/** Opaque to clients; `again` is another one for the same place. */
function locatorOf({ id }: QueryJob, offset: number, again = false): string {
  return Buffer.from(`0:${id}:${offset}${again ? `::${Math.random()}` : ''}`).toString('base64url')
}

function placeOf({ id, lines }: QueryJob, locator: string): [offset: number, rows: number | null] {
  const [, job, offset, rows] = Buffer.from(locator, 'base64url').toString().split(':')
  const at = Number(offset)
  if (job !== id || !(at >= 0 && at <= lines.length)) throw invalidLocator()
  return [at, rows ? Number(rows) : null]
}

function notAllowed(method: string): ApiError {
  return new ApiError(405, 'METHOD_NOT_ALLOWED', `HTTP Method '${method}' not allowed`)
}

function wrongState(message: string): ApiError {
  return new ApiError(400, 'INVALIDJOBSTATE', message)
}
