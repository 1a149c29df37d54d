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
  /** Attempts after which the failure is final; 0: at once; absent: never, the wait is the vendor's. */
  attempts?: number
  waitMs?: number
}

const meanings: Record<ErrorKind, Meaning> = {
  expired: { type: 'TokenExpired', attempts: 5 },
  auth: { type: 'ConnectionUnauthorized', attempts: 0 },
  forbidden: { type: 'ConnectionForbidden', attempts: 0 },
  throttled: { type: 'Throttled', waitMs: 30_000 },
  quota: { type: 'QuotaExhausted', waitMs: 15 * 60_000 },
  transient: { type: 'SourceUnavailable', attempts: 100 },
  missing: { type: 'FieldVanished', attempts: 0 },
  rejected: { type: 'RequestRejected', attempts: 0 },
  'cursor-expired': { type: 'CursorExpired', attempts: 0 },
  answer: { type: 'AnswerNotUnderstood', attempts: 6 },
  // The attempt began with the old account's token. The next one compares the new account with the plan or the lane,
  // and says which is which; or `--full` accepts it.
  moved: { type: 'LaneMoved', attempts: 1 },
}

export function asApplicationFailure(error: unknown, attempt: number): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error
  if (error instanceof CompleteAsyncError) return error
  if (error instanceof ConnectorError) return fromConnector(error, attempt)
  if (error instanceof LakeError) return ApplicationFailure.nonRetryable(error.message, error.type)
  if (error instanceof DriftError) return ApplicationFailure.nonRetryable(error.message, error.type)
  if (error instanceof InputError) return ApplicationFailure.nonRetryable(error.message, 'FlowInvalid')
  if (isAbort(error)) return new CancelledFailure('the step was cancelled')
  return fromSystem(error, attempt)
}

function fromConnector(error: ConnectorError, attempt: number): ApplicationFailure {
  const meaning = meanings[error.kind]
  const waits = meaning.attempts === undefined
  const nextRetryDelay = error.waitMs ?? meaning.waitMs
  return ApplicationFailure.create({
    message: error.advice ? `${error.message} ${error.advice}` : error.message,
    type: meaning.type,
    nonRetryable: !waits && attempt > (meaning.attempts ?? 0),
    ...(nextRetryDelay === undefined ? {} : { nextRetryDelay }),
    // A vendor that asks us to slow down is no fault of anybody's: no alert, no error log.
    ...(waits ? { category: ApplicationFailureCategory.BENIGN } : {}),
  })
}

const full = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM'])

/** Errors of the machine: a full disk or a network that is away heals; a bug does not, but may look the same. */
function fromSystem(error: unknown, attempt: number): ApplicationFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const message = error instanceof Error ? error.message : String(error)
  const type = full.has(code) ? 'LakeUnusable' : code ? 'SystemError' : 'Bug'
  const advice = full.has(code) ? ' Free space or mend the permissions; the step is tried again.' : ''
  return ApplicationFailure.create({
    message: `${message}${advice}`,
    type,
    nonRetryable: attempt > (type === 'Bug' ? 5 : 100),
    ...(full.has(code) ? { nextRetryDelay: 30_000 } : {}),
  })
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'CancelledFailure')
}
