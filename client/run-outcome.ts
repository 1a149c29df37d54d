/** What became of a run: read from how its workflow ended. */
import { WorkflowFailedError } from '@temporalio/client'
import type { WorkflowHandle } from '@temporalio/client'
import { ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common'
import type { ObjectResult, RunResult } from '../activities/digests.ts'

export interface RunOutcome {
  workflowId: string
  /** `partly`: some objects failed, others did not. */
  status: 'done' | 'partly' | 'failed' | 'cancelled' | 'terminated' | 'timed out'
  /** Per object; null where the run ended before it had any, or without a word. */
  result: RunResult | null
  error?: { type: string; message: string }
}

/** Waits for the end, over every continue-as-new. Errors are those of reaching Temporal alone. */
export async function runOutcome(handle: WorkflowHandle): Promise<RunOutcome> {
  const { workflowId } = handle
  try {
    const result = (await handle.result()) as RunResult
    return { workflowId, status: 'done', result }
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error
    return { workflowId, ...failedWith(error.cause) }
  }
}

function failedWith(cause: unknown): Omit<RunOutcome, 'workflowId'> {
  if (cause instanceof CancelledFailure) return { status: 'cancelled', result: null }
  if (cause instanceof TerminatedFailure) {
    const error = { type: 'Terminated', message: cause.message }
    return { status: 'terminated', result: null, error }
  }
  if (cause instanceof TimeoutFailure) {
    return { status: 'timed out', result: null, error: { type: 'TimedOut', message: cause.message } }
  }
  if (cause instanceof ApplicationFailure) {
    const result = (cause.details?.[0] ?? null) as RunResult | null
    const objects = result?.objects ?? []
    const error = { type: cause.type ?? 'Failed', message: cause.message }
    return { status: objects.some(succeeded) ? 'partly' : 'failed', result, error }
  }
  return { status: 'failed', result: null, error: { type: 'Failed', message: String(cause) } }
}

export function succeeded(object: ObjectResult): boolean {
  return object.status === 'done' || object.status === 'nothing'
}
