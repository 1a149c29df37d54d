/** The task queues that the workers of an installation poll: what is on another queue is another installation's. */
import type { Installation } from '../connectors/installation.ts'

export const TASK_QUEUE = 'lakeward'

/** `asked`: instead of what the file says. */
export function polledQueues({ connections, worker }: Installation, asked?: string[]): string[] {
  const own = Object.values(connections).flatMap(({ taskQueue }) => taskQueue ?? [])
  return asked ?? worker.taskQueues ?? [...new Set([TASK_QUEUE, ...own])]
}
