/** Waiting for a vendor's work: a failure that comes back later. It holds no slot, and is nobody's fault. */
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common'

const LEAST_MS = 1_000

export function waiting(what: string, waitMs: number): ApplicationFailure {
  return ApplicationFailure.create({
    message: what,
    type: 'Waiting',
    nextRetryDelay: Math.max(waitMs, LEAST_MS),
    category: ApplicationFailureCategory.BENIGN,
  })
}
