/**
 * A newer token, asked for by a step that was told its token has expired. All steps on all workers wait for one run of
 * `refreshConnection`.
 *
 * Law: a step waits 20 seconds and then gives up its slot; it comes back when the token may be there.
 */
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common'
import { Context, activityInfo } from '@temporalio/activity'
import { WorkflowFailedError } from '@temporalio/client'
import type { RefreshDigest, RefreshInput } from './digests.ts'
import { besideUnits } from './unit-queue.ts'

const WAIT_MS = 20_000
/** Longer than the refresh itself may take; one that nobody works on any more must not keep the next from its id. */
const LONGEST = '5 minutes'

export async function renew(input: RefreshInput): Promise<void> {
  const { version } = await refreshed(input)
  // A refresh that was under way when we asked may have been for an older token than ours: once more, then.
  if (version <= input.staleVersion) await refreshed(input)
}

async function refreshed(input: RefreshInput): Promise<RefreshDigest> {
  const { client, cancellationSignal } = Context.current()
  const taskQueue = besideUnits(activityInfo().taskQueue)
  const handle = await client.workflow.start<(input: RefreshInput) => Promise<RefreshDigest>>('refreshConnection', {
    workflowId: `connection/${encodeURIComponent(input.connection)}/refresh`,
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    taskQueue,
    workflowExecutionTimeout: LONGEST,
    args: [input],
    staticSummary: `A new token for ${input.connection}`.slice(0, 90),
  })
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => (timer = setTimeout(resolve, WAIT_MS, 'late')))
  const left = new AbortController()
  const result = client.withAbortSignal(AbortSignal.any([left.signal, cancellationSignal]), () => handle.result())
  result.catch(() => {}) // seen below, or nobody waits any more
  try {
    const answer = await Promise.race([result, late])
    if (answer !== 'late') return answer
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error
    if (error.cause instanceof ApplicationFailure) {
      // The refresh itself decides what is final; other failures of it may heal.
      const { message, type, nonRetryable } = error.cause
      throw ApplicationFailure.create({ message, type: type ?? 'Failed', nonRetryable: nonRetryable ?? false })
    }
    // It was ended from outside, or by its time: the next attempt starts another.
  } finally {
    clearTimeout(timer)
    left.abort()
  }
  throw ApplicationFailure.create({
    message: `connection ${input.connection} waits for a new token; see workflow ${handle.workflowId}`,
    type: 'WaitingForToken',
    nextRetryDelay: 5_000,
    category: ApplicationFailureCategory.BENIGN,
  })
}
