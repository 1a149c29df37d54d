/** Why nothing moves, as Temporal sees it: who polls a queue, which task waits, what the last attempt failed with. */
import type { Client, WorkflowHandle } from '@temporalio/client'

// temporal.api.enums.v1: TaskQueueType and PendingWorkflowTaskState, PendingActivityState
const WORKFLOW_QUEUE = 1
const SCHEDULED = 1
const isScheduled = (state: unknown): boolean => Number(state) === SCHEDULED

/** A poll lasts a minute; who has not polled for longer is gone. */
const POLL_MS = 75_000
/** A worker that polls takes a task at once. */
const TAKES_MS = 4_000

/** Somebody polls the queue for workflow tasks, or did a moment ago. */
export async function hasWorker(client: Client, taskQueue: string): Promise<boolean> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: WORKFLOW_QUEUE,
  })
  const now = Date.now()
  return (pollers ?? []).some((poller) => now - milliseconds(poller.lastAccessTime) < POLL_MS)
}

/** Its task waits for a worker for longer than a worker takes. */
export async function isUnclaimed(handle: WorkflowHandle): Promise<boolean> {
  const { raw } = await handle.describe()
  const task = raw.pendingWorkflowTask
  return isScheduled(task?.state) && Date.now() - milliseconds(task?.scheduledTime) > TAKES_MS
}

/** What a lane waits for; null: nothing is known, it may just be slow. */
export async function held(handle: WorkflowHandle): Promise<string | null> {
  let described
  try {
    described = await handle.describe()
  } catch {
    return null
  }
  const { raw, taskQueue } = described
  const late = (at: unknown): boolean => Date.now() - milliseconds(at) > TAKES_MS
  const task = raw.pendingWorkflowTask
  if (isScheduled(task?.state) && late(task?.scheduledTime)) return `no worker takes tasks of queue ${taskQueue}`
  for (const activity of raw.pendingActivities ?? []) {
    const failure = activity.lastFailure?.message
    const attempt = activity.attempt ?? 1
    if (failure && attempt > 1) return `attempt ${attempt}: ${failure}`
    if (isScheduled(activity.state) && late(activity.scheduledTime)) {
      return `${activity.activityType?.name ?? 'a step'} waits for a worker on queue ${taskQueue}`
    }
  }
  return null
}

function milliseconds(at: unknown): number {
  const stamp = at as { seconds?: { toString(): string } | null; nanos?: number | null } | null | undefined
  return stamp ? Number(stamp.seconds ?? 0) * 1000 + (stamp.nanos ?? 0) / 1e6 : 0
}
