/**
 * A query as a Bulk API 2.0 job, whose result pages are the ranges.
 * https://developer.salesforce.com/docs/platform/api-asynch/guide/query-bulk-api-2-0.html
 *
 * Laws
 * - A job has nothing to be found by again: one whose reference was lost with a crash is left to Salesforce, which
 *   ends it by itself and forgets it after seven days. Nothing is ever read of it.
 * - What Salesforce will not do as a job is refused before anything was read. A job that somebody aborted or deleted is
 *   begun again.
 * - All that is asked of a job is asked in the version that it was made with.
 */
import { z } from 'zod'
import type { HttpRequest, Job, Json, Plan, Range, Session } from '../../connector.ts'
import { ConnectorError } from '../../errors.ts'
import { jsonOf } from '../objects.ts'
import type { ReadRequest } from '../plan.ts'
import { again, jobQuery } from './request.ts'
import { rangesOf } from './result-ranges.ts'

/** What is kept of a job. */
export type Ref = { refused: string } | JobRef
export interface JobRef {
  id: string
  apiVersion: string
  object: string
  /** Ranges that may be read at once. */
  parallel: number
}

/** https://developer.salesforce.com/docs/platform/api-asynch/guide/query-get-one-job.html */
interface QueryJob {
  id: string
  state: 'UploadComplete' | 'InProgress' | 'Aborted' | 'JobComplete' | 'Failed'
  createdDate: string
  errorMessage?: string
  numberRecordsProcessed?: number
}

const LEAST_WAIT_MS = 2_000
const MOST_WAIT_MS = 60_000
/** The wait grows with the age of the job: a tenth more than it needs is lost at most. */
const WAITS_OF_AGE = 10

export const queryJob: Job<Plan, Range[]> = {
  async submit(session, plan): Promise<Json> {
    const request = plan.request as unknown as ReadRequest
    const { apiVersion, object, parallel } = request
    try {
      // https://developer.salesforce.com/docs/platform/api-asynch/guide/query-create-job.html
      const { id } = await ask<QueryJob>(session, 'POST', `/services/data/${apiVersion}/jobs/query`, doing(object), {
        operation: request.all ? 'queryAll' : 'query',
        query: jobQuery(request),
        contentType: 'CSV',
        columnDelimiter: 'COMMA',
        lineEnding: 'LF',
      })
      return { id, apiVersion, object, parallel }
    } catch (error) {
      if (!isRefusal(error)) throw error
      return { refused: `Salesforce does not export ${object} by a Bulk job: ${error.reason}` }
    }
  },

  async poll(session, kept) {
    const ref = kept as unknown as Ref
    if ('refused' in ref) return ref
    const { object } = ref
    const { state, createdDate, errorMessage, numberRecordsProcessed } = await jobOf(session, ref)
    if (state === 'JobComplete') {
      return { ready: await rangesOf(session, { ...ref, url: jobUrl(ref), rows: numberRecordsProcessed ?? null }) }
    }
    if (state === 'Failed') {
      return { refused: `The Bulk job of ${object} failed: ${errorMessage ?? 'Salesforce gives no reason'}` }
    }
    if (state === 'Aborted') throw again(object, 'the Bulk job was aborted by somebody')
    const age = (await session.now()) - Date.parse(createdDate)
    return { waitMs: Math.min(MOST_WAIT_MS, Math.max(LEAST_WAIT_MS, age / WAITS_OF_AGE || 0)) }
  },

  async cancel(session, kept): Promise<void> {
    const ref = kept as unknown as Ref
    if ('refused' in ref) return
    const url = jobUrl(ref)
    const what = `remove the Bulk job of ${ref.object}`
    // A job that has ended is not aborted, and one that runs is not deleted.
    await unless(['missing', 'rejected'], ask(session, 'PATCH', url, what, { state: 'Aborted' }))
    await unless(['missing', 'rejected'], session.http.request({ method: 'DELETE', url, doing: what }))
  },
}

const doing = (object: string): string => `export ${object}`
const jobUrl = ({ apiVersion, id }: JobRef): string => `/services/data/${apiVersion}/jobs/query/${id}`

async function jobOf(session: Session, ref: JobRef): Promise<QueryJob> {
  try {
    return await ask<QueryJob>(session, 'GET', jobUrl(ref), doing(ref.object))
  } catch (error) {
    if (error instanceof ConnectorError && error.kind === 'missing') throw again(ref.object, error.reason, error)
    throw error
  }
}

/** The jobs of the day may be used up too: then pages do. */
function isRefusal(error: unknown): error is ConnectorError {
  return error instanceof ConnectorError && ['rejected', 'missing', 'forbidden'].includes(error.kind)
}

async function unless(kinds: string[], done: Promise<unknown>): Promise<void> {
  try {
    await done
  } catch (error) {
    if (!(error instanceof ConnectorError) || !kinds.includes(error.kind)) throw error
  }
}

async function ask<T>(session: Session, method: HttpRequest['method'], url: string, what: string, body?: object) {
  const { body: bytes } = await session.http.request({
    ...(method ? { method } : {}),
    url,
    ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
    accept: 'json',
    doing: what,
  })
  return jsonOf(bytes, what, job) as T
}

const job = z.looseObject({
  id: z.string().min(1),
  state: z.string(),
  errorMessage: z.string().nullish(),
  numberRecordsProcessed: z.number().nullish(),
})
