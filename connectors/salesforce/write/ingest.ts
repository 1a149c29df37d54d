/**
 * Records by Bulk API 2.0 ingest jobs.
 *
 * Laws
 * - A job that is open has written nothing, and never will once it is aborted. So a job that a crash left open is
 *   aborted and its records go again; one that was closed is asked for its results.
 * - Results come in any order: they are told apart by the key, and new records by all they hold; records that hold
 *   the same are interchangeable.
 * - What no result names was not written by an aborted job; of a finished one, nobody knows.
 */
import { z } from 'zod'
import type { HttpRequest, Json, Session } from '../../connector.ts'
import { ConnectorError } from '../../errors.ts'
import type { Outcome, RecordBatch, RecordJob } from '../../record-sink.ts'
import { askJson, dataUrl, jsonOf, wrongAnswer } from '../objects.ts'
import { csvCells, csvLine, meansNull } from './cells.ts'
import { sendCollections } from './collections.ts'
import { type Load, loadOf } from './load.ts'
import { rounds, streams, unblocked } from './order.ts'
import { matchResults } from './results.ts'

interface IngestJob {
  id: string
  state: string
  errorMessage?: string
  numberRecordsProcessed?: number
}

const shape = z.looseObject({
  id: z.string().min(1),
  state: z.string(),
  errorMessage: z.string().nullish(),
  numberRecordsProcessed: z.number().nullish(),
})

const LINE_FEED = 0x0a
const POLL_MS = 5000
const operations = { append: 'insert', upsert: 'upsert', update: 'update', delete: 'delete' }

export const ingest: RecordJob = {
  async open(session, batch): Promise<Json> {
    // https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/create_job.htm
    const { object } = batch.target
    const job = await ask<IngestJob>(session, 'POST', '', `open a job for ${object}`, {
      object,
      operation: operations[batch.write],
      ...(batch.write === 'upsert' ? { externalIdFieldName: batch.key } : {}),
      contentType: 'CSV',
      columnDelimiter: 'COMMA',
      lineEnding: 'LF',
    })
    return job.id
  },

  async start(session, ref, batch): Promise<void> {
    const { csv } = fileOf(batch, loadOf(batch))
    const doing = `load ${batch.target.object}`
    // https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/upload_job_data.htm
    const headers = { 'content-type': 'text/csv; charset=UTF-8' }
    const url = jobUrl(session, ref, '/batches')
    const { status } = await session.http.request({ method: 'PUT', url, headers, body: csv, doing })
    // A page for people, of a proxy or a portal, is no upload: the job would be closed without its data.
    if (status !== 201) {
      const reason = `${status} came where 201 says that the records were taken`
      throw new ConnectorError({ connector: 'salesforce', doing, kind: 'answer', reason })
    }
    // https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/close_job.htm
    await ask(session, 'PATCH', `/${ref as string}`, doing, { state: 'UploadComplete' })
  },

  async resume(session, ref): Promise<boolean> {
    const { state } = await jobOf(session, ref)
    if (state !== 'Open') return state !== 'Aborted'
    await ask(session, 'PATCH', `/${ref as string}`, 'abort a job that was never started', { state: 'Aborted' })
    return false
  },

  async poll(session, ref) {
    const { state, errorMessage, numberRecordsProcessed = 0 } = await jobOf(session, ref)
    // One that failed half-way has results for the first half.
    if (state === 'Failed' && numberRecordsProcessed === 0) throw failedJob(errorMessage)
    return ['JobComplete', 'Failed', 'Aborted'].includes(state) ? 'done' : { waitMs: POLL_MS }
  },

  async outcomes(session, ref, batch): Promise<Outcome[]> {
    const load = loadOf(batch)
    const { rows, cells, aside } = fileOf(batch, load)
    const { state } = await jobOf(session, ref)
    // https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/get_job_successful_results.htm
    const [successful, failed, unprocessed] = await Promise.all(
      ['successfulResults', 'failedResults', 'unprocessedrecords'].map((part) => resultText(session, ref, part)),
    )
    const outcomes = matchResults({
      write: batch.write,
      key: batch.key === null ? -1 : load.fields.findIndex(({ name }) => name === batch.key),
      cells,
      successful: successful!,
      failed: failed!,
      unprocessed: unprocessed!,
      aborted: state === 'Aborted',
    })
    const all = new Map(load.refused)
    rows.forEach((row, at) => all.set(row, outcomes[at]!))
    await sendAside(session, batch, unblocked(aside, all, load.identityOf), all)
    return batch.rows.map((_, row) => all.get(row)!)
  },

  async release(session, ref): Promise<void> {
    try {
      // https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/delete_job.htm
      await session.http.request({ method: 'DELETE', url: jobUrl(session, ref), doing: 'delete a finished job' })
    } catch (error) {
      if (!(error instanceof ConnectorError) || error.kind !== 'missing') throw error
    }
  },
}

/** What goes into the file, in its order, and what only a call can send: repeated keys, and a text `#N/A`. */
function fileOf(batch: RecordBatch, load: Load): { rows: number[]; cells: string[][]; aside: number[]; csv: string } {
  const [first = [], ...later] = rounds(load.open, load.identityOf)
  const misread = (row: number): boolean => meansNull(load.fields, batch.rows[row]!)
  const aside = [...first.filter(misread), ...later.flat()]
  const filed = first.filter((row) => !misread(row))
  const rows = streams(filed, load.parentOf, 1).flat()
  const cells = rows.map((row) => csvCells(load.fields, batch.rows[row]!, load.nulls))
  const header = load.fields.map(({ name }) => name)
  return { rows, cells, aside, csv: [header, ...cells].map(csvLine).join('') }
}

async function sendAside(
  session: Session,
  batch: RecordBatch,
  aside: number[],
  all: Map<number, Outcome>,
): Promise<void> {
  if (aside.length === 0) return
  if (batch.write === 'append') {
    const reason = 'a text is #N/A, by which Bulk jobs mean no value, and new records go by jobs alone'
    for (const row of aside) all.set(row, { ok: false, reason, again: false })
    return
  }
  const outcomes = await sendCollections(session, { ...batch, rows: aside.map((row) => batch.rows[row]!) })
  aside.forEach((row, at) => all.set(row, outcomes[at]!))
}

// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/get_job_info.htm
async function jobOf(session: Session, ref: Json): Promise<IngestJob> {
  return askJson<IngestJob>(session, `jobs/ingest/${ref as string}`, 'ask for a job', shape)
}

async function resultText(session: Session, ref: Json, part: string): Promise<string> {
  const url = jobUrl(session, ref, `/${part}`)
  const doing = 'read the results'
  const { body } = await session.http.request({ url, headers: { accept: 'text/csv' }, doing })
  if (body.length > 0 && body.at(-1) !== LINE_FEED) throw wrongAnswer(doing, 'they end within a line')
  return Buffer.from(body).toString('utf8')
}

async function ask<T>(session: Session, method: HttpRequest['method'], path: string, doing: string, body: object) {
  const headers = { 'content-type': 'application/json' }
  const url = dataUrl(session, `jobs/ingest${path}`)
  const answer = await session.http.request({
    ...(method ? { method } : {}),
    url,
    headers,
    body: JSON.stringify(body),
    accept: 'json',
    doing,
  })
  return jsonOf(answer.body, doing, shape) as T
}

function jobUrl(session: Session, ref: Json, part = ''): string {
  return dataUrl(session, `jobs/ingest/${ref as string}${part}`)
}

function failedJob(reason = 'Salesforce gives no reason'): ConnectorError {
  return new ConnectorError({ connector: 'salesforce', doing: 'load records', kind: 'rejected', reason })
}
