/**
 * How the results of a finished job are shared out: its parallel result pages where the org has them and they fit into
 * memory, else one chain of locators.
 * https://developer.salesforce.com/docs/platform/api-asynch/guide/query-get-parallel-job-results.html
 */
import { z } from 'zod'
import type { Json, Range, Session } from '../../connector.ts'
import { ConnectorError } from '../../errors.ts'
import { askJsonAt } from '../objects.ts'
import type { JobRef } from './job.ts'
import { fetchResults, PAGE_BYTES, pageRows, type ResultSpan } from './results.ts'

export interface FinishedJob extends JobRef {
  /** Path of the job. */
  url: string
  /** Records that it found; null: it does not say. */
  rows: number | null
}

interface ResultPages {
  resultPages?: { resultUrl: string }[]
  nextRecordsUrl?: string | null
  /** The documentation has both names. */
  nextRecordUrl?: string | null
  done?: boolean
}

const pages = z.looseObject({
  resultPages: z.array(z.looseObject({ resultUrl: z.string() })).nullish(),
  nextRecordsUrl: z.string().nullish(),
  nextRecordUrl: z.string().nullish(),
})

/** What the size of a record is taken from. */
const SAMPLE = 500
/** The size of parallel pages is Salesforce's to choose: so many bytes of them are held side by side. */
const PARALLEL_BYTES = 8 * PAGE_BYTES

export async function rangesOf(session: Session, job: FinishedJob): Promise<Range[]> {
  const results = `${job.url}/results`
  const sample = await fetchResults(session, job.object, `${results}?maxRecords=${SAMPLE}`, [])
  const bytesOfOne = sample.records === 0 ? 0 : sample.lines.length / sample.records
  const span = (urls: string[] | null): ResultSpan => ({
    urls,
    results,
    size: pageRows(bytesOfOne),
    rows: urls ? null : job.rows,
  })
  const chain = [rangeOf(0, span(null))]
  if (sample.next === null || job.parallel < 2 || job.rows === null) return chain
  const urls = await parallelPages(session, job)
  if (!urls) return chain
  const fit = Math.floor(PARALLEL_BYTES / ((job.rows / urls.length) * bytesOfOne))
  const ranges = Math.min(job.parallel, urls.length, fit)
  if (ranges < 2) return chain
  const cut = (range: number): number => Math.round((range * urls.length) / ranges)
  return Array.from({ length: ranges }, (_, at) => rangeOf(at, span(urls.slice(cut(at), cut(at + 1)))))
}

const rangeOf = (at: number, span: ResultSpan): Range => ({ id: `results-${at}`, spec: span as unknown as Json })

/** All of them, five to a call; null where the org has none. */
async function parallelPages(session: Session, { url, object }: FinishedJob): Promise<string[] | null> {
  const urls = new Set<string>()
  let more: string | null | undefined = `${url}/resultPages`
  try {
    for (const asked = new Set<string>(); more;) {
      if (asked.has(more)) return null
      asked.add(more)
      const found: ResultPages = await askJsonAt(session, more, `read ${object}`, pages)
      for (const { resultUrl } of found.resultPages ?? []) urls.add(resultUrl)
      if (found.done !== false) return [...urls]
      more = found.nextRecordsUrl ?? found.nextRecordUrl
    }
    return null
  } catch (error) {
    if (error instanceof ConnectorError && (error.kind === 'missing' || error.kind === 'rejected')) return null
    throw error
  }
}
