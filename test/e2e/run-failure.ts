/** How a run that must fail did fail: the failure as Temporal holds it, and the table in its details. */
import { WorkflowFailedError } from '@temporalio/client'
import { ApplicationFailure } from '@temporalio/common'
import type { ObjectResult, RunResult } from '../../activities/digests.ts'

export interface RunFailure {
  type: string
  message: string
  objects: ObjectResult[]
}

export async function failureOf(run: Promise<unknown>): Promise<RunFailure> {
  const error = await run.then(
    () => new Error('the run ended well'),
    (problem: unknown) => problem,
  )
  const cause = error instanceof WorkflowFailedError ? error.cause : error
  if (!(cause instanceof ApplicationFailure)) throw error
  const result = (cause.details?.[0] ?? null) as RunResult | null
  return { type: cause.type ?? '', message: cause.message, objects: result?.objects ?? [] }
}
