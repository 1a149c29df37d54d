/** A vendor that misbehaves at each request of a run. */
import { PAGE_ROWS } from '../../e2e/kill-lanes.ts'
import { PAGE } from '../../e2e/kill-points.ts'
import type { FaultAction } from '../../sandboxes/salesforce/faults.ts'
import type { LaneCase } from '../fault-case.ts'

const QUERY = '^GET /services/data/[^/]+/query(All)?/?'
const steps: Record<string, { match: string; skip?: number }> = {
  'a token is asked for': { match: '^POST /services/oauth2/token' },
  'the object is described': { match: '/describe$' },
  'records are counted at the plan': { match: `${QUERY}\\?q=SELECT COUNT` },
  'the first page is read': { match: `${QUERY}\\?q=SELECT Id` },
  'a page in the middle is read': { match: PAGE, skip: 4 },
  'the last page is read': { match: PAGE, skip: 10 },
  'records are counted at the commit': { match: `${QUERY}\\?q=SELECT COUNT`, skip: 1 },
}

const throttled = (headers: Record<string, string>): FaultAction => ({ answer: { status: 429, headers, body: '' } })
const busy =
  '[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"ConcurrentRequests (Concurrent API Requests) Limit exceeded."}]'
const everywhere: [fault: string, action: FaultAction, times: number][] = [
  ['429 with Retry-After, three times', throttled({ 'retry-after': '1' }), 3],
  ['429 without Retry-After, twice', throttled({}), 2],
  ['too many requests at once', { answer: { status: 503, headers: { 'retry-after': '1' }, body: busy } }, 2],
  ['500, three times', { answer: { status: 500, body: '' } }, 3],
  ['connection reset, three times', { close: 'before' }, 3],
  ['answer lost', { close: 'after' }, 1],
  ['HTML with status 200', { html: 200 }, 1],
  ['HTML with status 503', { html: 503 }, 1],
  ['JSON cut short', { cut: 150 }, 1],
  ['connection cut in the answer', { truncate: 150 }, 1],
  ['a longer length than it has', { lengthOff: 5 }, 1],
]
const withToken: typeof everywhere = [['token expired', { expireTokens: true }, 1]]
const paged: typeof everywhere = [
  ['an empty page that is not the last', { emptyPage: true }, 1],
  ['the cursor repeats', { repeatCursor: true }, 1],
  ['the cursor is lost', { expireLocators: true }, 1],
]
const LAST = 'the last page is read'

const group = 'source' as const
const lake = 'versitygw' as const

export const source: LaneCase[] = Object.entries(steps).flatMap(([step, at]) =>
  [
    ...everywhere,
    ...(step === 'a token is asked for' ? [] : withToken),
    ...(/page/.test(step) && step !== LAST ? paged : []),
  ].map(([fault, action, times]): LaneCase => ({
    ...{ group, step, fault, lake },
    arm: (lane) => lane.sandbox.control.fault({ ...at, times, do: action }),
    // An answer that came to nothing is asked for again: a page, or a unit.
    ...(/page/.test(step) ? {} : { again: PAGE_ROWS }),
  })),
)
