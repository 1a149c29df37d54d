/**
 * Bulk API 2.0 ingest: a job is made, given one CSV file, closed, worked off, and asked for its results.
 *
 * https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/bulk_api_2_0_ingest.htm
 */
import { type Answer, json } from './answer.ts'
import { ApiError, notFound } from './errors.ts'
import { idOf } from './ids.ts'
import { IngestRun } from './ingest-run.ts'
import { keyColumn } from './collections.ts'
import type { Operation, Writer } from './writer.ts'

export interface IngestJob {
  id: string
  object: string
  operation: Operation
  externalIdFieldName: string | null
  state: 'Open' | 'UploadComplete' | 'InProgress' | 'JobComplete' | 'Failed' | 'Aborted'
  createdDate: string
  delimiter: string
  csv: string | null
  errorMessage: string | null
  /** Rows as they came, worked off or not. */
  run: IngestRun | null
}

export interface IngestAsk {
  method: string
  /** Behind `jobs/ingest`. */
  path: string[]
  version: string
  headers: Record<string, string | undefined>
  body: string
}

const DELIMITERS: Record<string, string> = {
  COMMA: ',',
  SEMICOLON: ';',
  TAB: '\t',
  PIPE: '|',
  CARET: '^',
  BACKQUOTE: '`',
}
const OPERATIONS = ['insert', 'update', 'upsert', 'delete', 'hardDelete']
const MOST_BYTES = 100_000_000

export class Ingest {
  /** Times a closed job is asked for before it is done. */
  polls = 2
  /** Rows of one piece of the work; pieces are worked off two at a time, and hold the parents of their records. */
  chunkRows = 10_000
  readonly jobs = new Map<string, IngestJob & { asked: number }>()
  private readonly writer: Writer

  constructor(writer: Writer) {
    this.writer = writer
  }

  answer({ method, path, version, headers, body }: IngestAsk): Answer {
    const [id, part] = path
    if (id === undefined) {
      if (method === 'POST') return json(this.shown(this.create(body), version))
      if (method !== 'GET') throw notAllowed(method)
      const records = Array.from(this.jobs.values(), (job) => this.shown(job, version))
      return json({ done: true, records, nextRecordsUrl: null })
    }
    const job = this.jobs.get(id)
    if (!job) throw notFound()
    if (part === undefined) return this.job(job, method, body, version)
    if (part === 'batches' && method === 'PUT') return this.upload(job, headers['content-type'] ?? '', body)
    if (method !== 'GET') throw notAllowed(method)
    return this.results(job, part)
  }

  private job(job: IngestJob & { asked: number }, method: string, body: string, version: string): Answer {
    if (method === 'GET') {
      this.proceed(job)
      return json(this.shown(job, version))
    }
    if (method === 'DELETE') {
      if (job.state === 'Open' || job.state === 'InProgress') {
        throw new ApiError(400, 'INVALIDJOBSTATE', `Job in state ${job.state} cannot be deleted`)
      }
      this.jobs.delete(job.id)
      return { status: 204, headers: {}, body: '' }
    }
    if (method !== 'PATCH') throw notAllowed(method)
    const { state } = JSON.parse(body) as { state?: string }
    if (state === 'UploadComplete') this.close(job)
    else if (state === 'Aborted') this.abort(job)
    else throw new ApiError(400, 'INVALIDJOB', `Invalid job state ${state}`)
    return json(this.shown(job, version))
  }

  private create(body: string): IngestJob & { asked: number } {
    const asked = JSON.parse(body) as Record<string, string | undefined>
    const { object = '', operation = '', externalIdFieldName, columnDelimiter = 'COMMA', contentType = 'CSV' } = asked
    const table = this.writer.org.table(object)
    if (!table) throw new ApiError(400, 'INVALIDENTITY', `Unable to find object: ${object}`)
    if (!table.model.queryable || /History$|__x$/.test(table.model.name)) {
      throw new ApiError(400, 'INVALIDENTITY', `Entity '${table.model.name}' is not supported by the Bulk API.`)
    }
    if (!OPERATIONS.includes(operation)) throw new ApiError(400, 'INVALIDJOB', `Invalid operation: ${operation}`)
    if (contentType !== 'CSV' || !DELIMITERS[columnDelimiter]) throw new ApiError(400, 'INVALIDJOB', 'Invalid content')
    if (operation === 'upsert') {
      if (!externalIdFieldName) throw new ApiError(400, 'INVALIDJOB', 'External ID was blank for upsert')
      keyColumn(this.writer, object, externalIdFieldName)
    }
    const job = {
      id: idOf('750', this.jobs.size + this.made++),
      object: table.model.name,
      operation: operation as Operation,
      externalIdFieldName: externalIdFieldName ?? null,
      state: 'Open' as const,
      createdDate: `${new Date(this.writer.org.now()).toISOString().slice(0, 23)}+0000`,
      delimiter: DELIMITERS[columnDelimiter],
      csv: null,
      errorMessage: null,
      run: null,
      asked: 0,
    }
    this.jobs.set(job.id, job)
    return job
  }
  private made = 0

  private upload(job: IngestJob, type: string, body: string): Answer {
    if (!type.startsWith('text/csv')) throw new ApiError(400, 'INVALIDCONTENTTYPE', `Content-Type ${type} is no CSV`)
    if (job.state !== 'Open') throw new ApiError(400, 'INVALIDJOBSTATE', `Job is in state ${job.state}`)
    if (job.csv !== null) {
      const advice = `please 'Close' / 'Abort' / 'Delete' the current Job then create a new Job and make sure you only do`
      throw new ApiError(
        400,
        'CLIENT_INPUT_ERROR',
        `Found multiple contents for job: <${job.id}>, ${advice} 'PUT' once`,
      )
    }
    if (Buffer.byteLength(body) > MOST_BYTES) throw new ApiError(400, 'EXCEEDED_MAX_SIZE_REQUEST', 'Too much data')
    job.csv = body
    return { status: 201, headers: {}, body: '' }
  }

  private close(job: IngestJob): void {
    if (job.state === 'UploadComplete') return
    if (job.state !== 'Open') throw closed(`Closing already ${words(job.state)} Job not allowed`)
    if (job.csv === null) throw closed('Unable to find object store for batch')
    job.state = 'UploadComplete'
  }

  private abort(job: IngestJob): void {
    if (job.state === 'JobComplete' || job.state === 'Failed') {
      throw closed(`Aborting already ${words(job.state)} Job not allowed`)
    }
    job.run ??= job.csv === null ? null : new IngestRun(this.writer, job)
    job.state = 'Aborted'
  }

  /** Work goes on while a client waits: a step each time it asks. */
  private proceed(job: IngestJob & { asked: number }): void {
    if (job.state !== 'UploadComplete' && job.state !== 'InProgress') return
    job.asked++
    if (job.asked < this.polls) {
      job.state = 'InProgress'
      return
    }
    job.run = new IngestRun(this.writer, job)
    job.errorMessage = job.run.work(this.chunkRows)
    job.state = job.errorMessage === null ? 'JobComplete' : 'Failed'
  }

  private results(job: IngestJob, part: string): Answer {
    const { run } = job
    const csv = { 'content-type': 'text/csv' }
    if (part === 'successfulResults') return { status: 200, headers: csv, body: run?.successful() ?? '' }
    if (part === 'failedResults') return { status: 200, headers: csv, body: run?.failed() ?? '' }
    if (part === 'unprocessedrecords') return { status: 200, headers: csv, body: run?.unprocessed() ?? '' }
    throw notFound()
  }

  private shown(job: IngestJob, version: string): object {
    const { id, object, operation, externalIdFieldName, state, createdDate, errorMessage, run } = job
    const finished = state === 'JobComplete' || state === 'Failed'
    return {
      id,
      operation,
      object,
      createdById: this.writer.org.userId(),
      createdDate,
      systemModstamp: createdDate,
      state,
      ...(externalIdFieldName ? { externalIdFieldName } : {}),
      concurrencyMode: 'Parallel',
      contentType: 'CSV',
      apiVersion: Number(version),
      ...(state === 'Open' ? { contentUrl: `services/data/v${version}/jobs/ingest/${id}/batches` } : {}),
      lineEnding: 'LF',
      columnDelimiter: Object.keys(DELIMITERS).find((name) => DELIMITERS[name] === job.delimiter),
      ...(finished ? { jobType: 'V2Ingest', retries: 0, totalProcessingTime: 100, apexProcessingTime: 0 } : {}),
      ...(finished ? { numberRecordsProcessed: run?.processed ?? 0, numberRecordsFailed: run?.rejected ?? 0 } : {}),
      ...(errorMessage ? { errorMessage } : {}),
    }
  }
}

function notAllowed(method: string): ApiError {
  return new ApiError(405, 'METHOD_NOT_ALLOWED', `HTTP Method '${method}' not allowed`)
}

function closed(message: string): ApiError {
  return new ApiError(400, 'INVALIDJOBSTATE', message)
}

function words(state: string): string {
  return state === 'JobComplete' ? 'Completed' : state
}
