/**
 * Units have a task queue of their own beside the one of everything else, where a worker polls both: what is short
 * never waits behind a long load, and how many units run at once is set by what they need. Nothing else runs there:
 * workflows are started on the queue beside it.
 */
const SUFFIX = '-units'

export function unitQueueOf(taskQueue: string): string {
  return `${taskQueue}${SUFFIX}`
}

export function isUnitQueue(taskQueue: string): boolean {
  return taskQueue.endsWith(SUFFIX)
}

/** The queue that workflows are started on from a step on this one. */
export function besideUnits(taskQueue: string): string {
  return isUnitQueue(taskQueue) ? taskQueue.slice(0, -SUFFIX.length) : taskQueue
}
