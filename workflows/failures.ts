/** Reads what a step or a lane failed with, in the stable types that `activities/failure.ts` gives. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  TemporalFailure,
  TimeoutFailure,
} from '@temporalio/common'

export interface Failed {
  type: string
  message: string
}

/** A lane starts again, under a new run key, after these. */
export const restartable = new Set([
  'CommitConflict',
  'StagedDataLost',
  'FieldVanished',
  'CursorExpired',
  'ExportRefused',
])

export function failed(error: unknown): Failed {
  const cause = innermost(error)
  if (cause instanceof ApplicationFailure) return { type: cause.type ?? 'Failed', message: cause.message }
  if (cause instanceof TimeoutFailure) {
    return {
      type: 'StepTimedOut',
      message: `${cause.message}: no worker finished the step in time; is a worker running on this task queue?`,
    }
  }
  if (cause instanceof CancelledFailure) return { type: 'Cancelled', message: 'cancelled' }
  if (cause instanceof TemporalFailure) return { type: cause.name, message: cause.message }
  return { type: 'Bug', message: String(cause) }
}

/** Workflows end with `ApplicationFailure` alone: any other error would only block the workflow task. */
export function asFailure(error: unknown, calls?: number): ApplicationFailure {
  const { type, message } = failed(error)
  const cause = innermost(error)
  // No workflow is retried; who waits for one reads here whether asking again may help.
  const nonRetryable = !(cause instanceof ApplicationFailure && cause.nonRetryable === false)
  return ApplicationFailure.create({
    message,
    type,
    nonRetryable,
    ...(calls === undefined ? {} : { details: [{ calls }] }),
  })
}

/** Requests that a step or a lane made before it failed. */
export function callsOf(error: unknown): number {
  const cause = innermost(error)
  const [said] = cause instanceof ApplicationFailure ? (cause.details ?? []) : []
  const { calls } = Object(said) as { calls?: unknown }
  return typeof calls === 'number' ? calls : 0
}

function innermost(error: unknown): unknown {
  let cause = error
  while ((cause instanceof ActivityFailure || cause instanceof ChildWorkflowFailure) && cause.cause) cause = cause.cause
  return cause
}
