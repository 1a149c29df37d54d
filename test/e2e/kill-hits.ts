/** What kills struck, as the server tells it: the steps that went silent, and whether any failed in another way. */
import type { Client } from '@temporalio/client'

export interface Hits {
  /** Attempts that were never answered, by step. */
  silent: Record<string, number>
  workflowTasks: number
  /** Messages of attempts that failed by themselves: kills must cause none. */
  failures: string[]
}

/** https://api-docs.temporal.io/#temporal.api.enums.v1.TimeoutType */
const START_TO_CLOSE = 1

export const noHits = (): Hits => ({ silent: {}, workflowTasks: 0, failures: [] })

/** Adds those of a workflow's latest run. */
export async function addHits(hits: Hits, client: Client, workflowId: string): Promise<void> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory()
  const steps = new Map<string, string>()
  for (const event of events ?? []) {
    const { activityTaskScheduledEventAttributes: scheduled, activityTaskStartedEventAttributes: started } = event
    if (scheduled) steps.set(String(event.eventId), scheduled.activityType?.name ?? '')
    // An attempt that is tried again leaves no event of its own: the one after it tells.
    const { attempt = 1, lastFailure } = started ?? {}
    if (lastFailure && (attempt ?? 1) > 1) {
      const step = steps.get(String(started?.scheduledEventId)) ?? ''
      if (lastFailure.timeoutFailureInfo) hits.silent[step] = (hits.silent[step] ?? 0) + Number(attempt) - 1
      else hits.failures.push(`${step}: ${lastFailure.message}`)
    }
    const { timeoutType } = event.workflowTaskTimedOutEventAttributes ?? {}
    // Other time-outs are of tasks that no worker had started.
    if (Number(timeoutType) === START_TO_CLOSE) hits.workflowTasks += 1
  }
}
