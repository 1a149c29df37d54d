/**
 * The one place where an error becomes an `ApplicationFailure`.
 *
 * Laws
 * - The types are stable: workflows, schedules, alerts and people know them by name.
 * - The kind alone decides about another attempt. A vendor's wait becomes `nextRetryDelay`, so it holds no slot.
 * - A failure carries no stack of ours and no cause that a vendor wrote: both land in Temporal's history.
 */
import { ApplicationFailure, ApplicationFailureCategory, CancelledFailure } from '@temporalio/common'
import { CompleteAsyncError } from '@temporalio/activity'
import type { ErrorKind } from '../connectors/connector.ts'
import { ConnectorError, InputError } from '../connectors/errors.ts'
import { LakeError } from '../connectors/lake/errors.ts'
import { DriftError } from '../connectors/records/drift.ts'

interface Meaning {
  type: string
  /** How often it may happen to one step before it is final; 0: at once; absent: always, the wait is the vendor's. */
  attempts?: number
  waitMs?: number
}

/** More than an hour and a half of attempts a minute apart. */
const LONG_OUTAGE = 100

const meanings: Record<ErrorKind, Meaning> = {
  expired: { type: 'TokenExpired', attempts: 5 },
  auth: { type: 'ConnectionUnauthorized', attempts: 0 },
  forbidden: { type: 'ConnectionForbidden', attempts: 0 },
  throttled: { type: 'Throttled', waitMs: 30_000 },
  quota: { type: 'QuotaExhausted', waitMs: 15 * 60_000 },
  transient: { type: 'SourceUnavailable', attempts: LONG_OUTAGE },
  missing: { type: 'FieldVanished', attempts: 0 },
  rejected: { type: 'RequestRejected', attempts: 0 },
  'cursor-expired': { type: 'CursorExpired', attempts: 0 },
  answer: { type: 'AnswerNotUnderstood', attempts: 6 },
  // The attempt began with the old account's token. The next one compares the new account with the plan or the lane,
  // and says which is which; or `--full` accepts it.
  moved: { type: 'LaneMoved', attempts: 1 },
}

/** `times`: counts this failure of the step, and answers how many of its type there were. */
export function asApplicationFailure(error: unknown, times: (type: string) => number): Error {
  if (error instanceof ApplicationFailure) return patient(error, times)
  if (error instanceof CancelledFailure) return error
  if (error instanceof CompleteAsyncError) return error
  if (error instanceof ConnectorError) return fromConnector(error, times)
  if (error instanceof LakeError) return ApplicationFailure.nonRetryable(error.message, error.type)
  if (error instanceof DriftError) return ApplicationFailure.nonRetryable(error.message, error.type)
  if (error instanceof InputError) return ApplicationFailure.nonRetryable(error.message, 'FlowInvalid')
  if (isAbort(error)) return new CancelledFailure('the step was cancelled')
  return fromSystem(error, times)
}

/** A failure that says itself whether it is worth another attempt; not for ever, if it is no wait. */
function patient(failure: ApplicationFailure, times: (type: string) => number): ApplicationFailure {
  const { message, type, nonRetryable, category } = failure
  if (nonRetryable || category === ApplicationFailureCategory.BENIGN) return failure
  return times(type ?? '') > LONG_OUTAGE ? ApplicationFailure.nonRetryable(message, type) : failure
}

function fromConnector(error: ConnectorError, times: (type: string) => number): ApplicationFailure {
  const meaning = meanings[error.kind]
  const waits = meaning.attempts === undefined
  const wait = error.waitMs ?? meaning.waitMs
  // `Retry-After: 0` to everybody, again and again, would have us ask without a pause.
  const nextRetryDelay = wait === undefined ? undefined : Math.max(wait, 1_000)
  return ApplicationFailure.create({
    message: error.advice ? `${error.message} ${error.advice}` : error.message,
    type: meaning.type,
    nonRetryable: meaning.attempts !== undefined && times(meaning.type) > meaning.attempts,
    ...(nextRetryDelay === undefined ? {} : { nextRetryDelay }),
    // A vendor that asks us to slow down is no fault of anybody's: no alert, no error log.
    ...(waits ? { category: ApplicationFailureCategory.BENIGN } : {}),
  })
}

const full = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM'])
/** The path itself cannot be a directory: no waiting helps. */
const noPlace = new Set(['ENOTDIR', 'ENAMETOOLONG', 'ELOOP'])

/** Errors of the machine: a full disk or a network that is away heals; a bug does not, but may look the same. */
function fromSystem(error: unknown, times: (type: string) => number): ApplicationFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const message = error instanceof Error ? error.message : String(error)
  if (noPlace.has(code)) {
    const advice =
      'The lake needs a path of directories: name another one in lakeward.yaml, and start the workers again.'
    return ApplicationFailure.nonRetryable(`${message}. ${advice}`, 'LakeUnusable')
  }
  const type = full.has(code) ? 'LakeUnusable' : code ? 'SystemError' : 'Bug'
  const advice = full.has(code) ? '. Free space or mend the permissions; the step is tried again.' : ''
  return ApplicationFailure.create({
    message: `${message}${advice}`,
    type,
    nonRetryable: times(type) > (type === 'Bug' ? 5 : LONG_OUTAGE),
    ...(full.has(code) ? { nextRetryDelay: 30_000 } : {}),
  })
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'CancelledFailure')
}
