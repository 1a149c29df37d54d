/** Why nothing moves, as Temporal sees it: who polls a queue, which task waits, what the last attempt failed with. */
import type { Client, WorkflowHandle } from '@temporalio/client'

// temporal.api.enums.v1: TaskQueueType and PendingWorkflowTaskState, PendingActivityState
const WORKFLOW_QUEUE = 1
const ACTIVITY_QUEUE = 2
const SCHEDULED = 1
const isScheduled = (state: unknown): boolean => Number(state) === SCHEDULED

/** A poll lasts a minute; who has not polled for longer is gone. */
export const POLL_MS = 75_000
/** A worker that polls takes a task at once. */
const TAKES_MS = 4_000

export interface Poller {
  kind: 'workflow' | 'activity'
  /** The worker's identity. */
  who: string
  /** When it last asked, epoch milliseconds by the server's clock. */
  at: number
}

/** Who polls the queue, or did within the minutes that the server remembers. */
export async function pollersOf(client: Client, taskQueue: string): Promise<Poller[]> {
  const kinds = [['workflow', WORKFLOW_QUEUE] as const, ['activity', ACTIVITY_QUEUE] as const]
  const found = await Promise.all(kinds.map(([kind, type]) => pollers(client, taskQueue, kind, type)))
  return found.flat()
}

async function pollers(client: Client, taskQueue: string, kind: Poller['kind'], type: number): Promise<Poller[]> {
  const described = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: type,
  })
  return (described.pollers ?? []).map(({ identity, lastAccessTime }) => ({
    kind,
    who: identity ?? '',
    at: milliseconds(lastAccessTime),
  }))
}

/** Somebody polls the queue for workflow tasks, or did a moment ago. */
export async function hasWorker(client: Client, taskQueue: string): Promise<boolean> {
  const now = Date.now()
  const found = await pollers(client, taskQueue, 'workflow', WORKFLOW_QUEUE)
  return found.some(({ at }) => now - at < POLL_MS)
}

/** Its task waits for a worker for longer than a worker takes. */
export async function isUnclaimed(handle: WorkflowHandle): Promise<boolean> {
  const { raw } = await handle.describe()
  const task = raw.pendingWorkflowTask
  return isScheduled(task?.state) && Date.now() - milliseconds(task?.scheduledTime) > TAKES_MS
}

export interface LaneSight {
  /** Where the step in hand is, as it last said; null: it has not said. */
  position: string | null
  /** What the lane waits for; null: nothing is known, it may just be slow. */
  held: string | null
}

/** What Temporal knows of a lane that the lane itself does not tell. */
export async function laneSight(handle: WorkflowHandle): Promise<LaneSight> {
  let described
  try {
    described = await handle.describe()
  } catch {
    return { position: null, held: null }
  }
  const { raw, taskQueue } = described
  const steps = raw.pendingActivities ?? []
  const position = steps.map((step) => plainText(step.heartbeatDetails?.payloads?.[0])).find(Boolean) ?? null
  const late = (at: unknown): boolean => Date.now() - milliseconds(at) > TAKES_MS
  const task = raw.pendingWorkflowTask
  if (isScheduled(task?.state) && late(task?.scheduledTime)) {
    return { position, held: `no worker takes tasks of queue ${taskQueue}` }
  }
  for (const step of steps) {
    const failure = step.lastFailure?.message
    const attempt = step.attempt ?? 1
    if (failure && attempt > 1) return { position, held: `attempt ${attempt}: ${failure}` }
    if (isScheduled(step.state) && late(step.scheduledTime)) {
      return { position, held: `${step.activityType?.name ?? 'a step'} waits for a worker on queue ${taskQueue}` }
    }
  }
  return { position, held: null }
}

/** Text that no codec has hidden. */
function plainText(payload: { metadata?: Record<string, Uint8Array> | null; data?: Uint8Array | null } | undefined) {
  if (Buffer.from(payload?.metadata?.encoding ?? []).toString() !== 'json/plain') return null
  const value: unknown = JSON.parse(Buffer.from(payload?.data ?? []).toString() || 'null')
  return typeof value === 'string' ? value : null
}

/** Of a time of Temporal's. */
export function milliseconds(at: unknown): number {
  const stamp = at as { seconds?: { toString(): string } | null; nanos?: number | null } | null | undefined
  return stamp ? Number(stamp.seconds ?? 0) * 1000 + (stamp.nanos ?? 0) / 1e6 : 0
}
