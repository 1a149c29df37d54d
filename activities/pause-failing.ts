/**
 * Pauses a schedule whose runs fail one after the other.
 *
 * Law: what is counted is what Temporal remembers: the schedule's newest runs, by how they ended. No counter is kept
 * that a crash, a retry or another worker could bend; a run that was killed and could not count itself is counted by
 * the next one that fails. A run that was cancelled or terminated is a person's doing: it counts for nothing. Once
 * started again by hand, the flow has one try: the run before the pause failed as well.
 */
import { Context, activityInfo } from '@temporalio/activity'
import { WorkflowNotFoundError } from '@temporalio/client'
import type { Client } from '@temporalio/client'
import type { PauseDigest, PauseInput } from './digests.ts'
import { step } from './step.ts'

export const pauseFailing = step(async ({ scheduleId, after }: PauseInput): Promise<PauseDigest> => {
  const { client } = Context.current()
  const { workflowExecution } = activityInfo()
  const schedule = client.schedule.getHandle(scheduleId)
  const { state, info } = await schedule.describe()
  if (state.paused) return { paused: false }
  const started = info.recentActions.flatMap(({ action }) => action.workflow.workflowId)
  // The run that asks has failed, and has not ended yet.
  const others = started.filter((id) => id !== workflowExecution?.workflowId).toReversed()
  let failures = 1
  for (const workflowId of others) {
    if (failures >= after) break
    const ended = await statusOf(client, workflowId)
    if (ended === 'COMPLETED') break
    if (ended === 'FAILED' || ended === 'TIMED_OUT') failures++
  }
  if (failures < after) return { paused: false }
  await schedule.pause(`paused: ${failures} runs in a row failed, the last of them ${workflowExecution?.workflowId}`)
  return { paused: true }
})

/** null: its history is no longer kept. */
async function statusOf(client: Client, workflowId: string): Promise<string | null> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null
    throw error
  }
}
