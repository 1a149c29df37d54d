/** Records into Salesforce: each request of an upsert, an insert and a delete, struck and spoilt. */
import type { FaultAction } from '../../sandboxes/salesforce/faults.ts'
import type { RecordCase, Writing } from '../record-wave.ts'

const writings: Record<Writing, [step: string, match: string, skip: number][]> = {
  'upsert by REST': [['records are sent', '^PATCH .*composite', 1]],
  'delete by REST': [['records are deleted', '^DELETE .*composite', 1]],
  'upsert by Bulk': bulk(),
  'insert by Bulk': bulk(),
}

function bulk(): [string, string, number][] {
  return [
    ['a job is made', '^POST .*jobs/ingest', 0],
    ['its data is sent', '^PUT .*jobs/ingest', 0],
    ['it is closed', '^PATCH .*jobs/ingest', 0],
    ['it is asked for', '^GET .*jobs/ingest/[^/]+/?$', 0],
    ['its results are read', '^GET .*jobs/ingest/.*[rR]esults', 0],
  ]
}

const faults: [fault: string, action: FaultAction, isKilled: boolean][] = [
  ['kill -9, its request comes late', { stall: true }, true],
  ['kill -9, done and not answered', { hold: true }, true],
  ['answer lost', { close: 'after' }, false],
  ['500', { answer: { status: 500, body: '' } }, false],
  ['connection reset', { close: 'before' }, false],
  ['429 with Retry-After', { answer: { status: 429, headers: { 'retry-after': '1' }, body: '' } }, false],
  ['token expired', { expireTokens: true }, false],
  ['HTML with status 200', { html: 200 }, false],
]

export const records: RecordCase[] = Object.entries(writings).flatMap(([writing, steps]) =>
  steps.flatMap(([step, match, skip]) =>
    faults.map(([fault, action, isKilled]) => ({
      ...{ writing: writing as Writing, step, fault, isKilled },
      with: { match, skip, do: action },
    })),
  ),
)
