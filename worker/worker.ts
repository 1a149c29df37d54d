/**
 * The turnkey worker: for people who have no worker of their own. It polls `lakeward` and every task queue that a
 * connection of its installation names.
 */
import os from 'node:os'
import { NativeConnection, Runtime, Worker, makeTelemetryFilterString, DefaultLogger } from '@temporalio/worker'
import type { NativeConnectionOptions } from '@temporalio/worker'
import { openParts } from './assemble.ts'
import type { AssembleOptions } from './assemble.ts'
import { LakewardPlugin, workflowsPath } from './plugin.ts'
import { workflowBundle } from './workflow-bundle.ts'

export const TASK_QUEUE = 'lakeward'

export interface WorkerSettings extends AssembleOptions {
  connection: NativeConnectionOptions & { address: string }
  namespace: string
  /** Default: `lakeward`, and the queues that connections name. */
  taskQueues?: string[]
  /** Steps at once; default: by memory. */
  slots?: number
  /** Called when every queue is polled. */
  ready?(polled: { taskQueues: string[]; slots: number }): void
  log?: (line: string) => void
}

/** A unit holds a few pages and one open row group per partition; this leaves room for both. */
const SLOT_BYTES = 384 * 1024 * 1024
const GRACE = '30s'

/** Resolves when the worker was told to stop and has drained. */
export async function runWorker(settings: WorkerSettings): Promise<void> {
  const { namespace, log = () => {} } = settings
  // Wrong settings are told before anything is connected.
  const parts = await openParts(settings)
  const own = Object.values(parts.installation.connections).flatMap(({ taskQueue }) => taskQueue ?? [])
  await parts.close()
  const taskQueues = settings.taskQueues ?? [...new Set([TASK_QUEUE, ...own])]
  const slots = settings.slots ?? slotsByMemory()
  const plugin = new LakewardPlugin(settings)
  const bundle = await workflowBundle(workflowsPath)

  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      const about = [meta?.['workflowId'], meta?.['activityType'], meta?.['error']].filter(Boolean).map(String)
      log(`${level.toLowerCase()}: ${message}${about.length > 0 ? ` (${about.join(', ').slice(0, 500)})` : ''}`)
    }),
    telemetryOptions: { logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }) } },
  })
  const connection = await NativeConnection.connect(settings.connection)
  try {
    const workers = await Promise.all(
      taskQueues.map((taskQueue) =>
        Worker.create({
          connection,
          namespace,
          taskQueue,
          plugins: [plugin],
          workflowBundle: bundle,
          maxConcurrentActivityTaskExecutions: slots,
          maxConcurrentLocalActivityExecutions: 20,
          shutdownGraceTime: GRACE,
          // Cancellation reaches a step with its beats: within this, at the cost of an action a beat.
          maxHeartbeatThrottleInterval: '10s',
        }),
      ),
    )
    const running = Promise.all(workers.map((worker) => worker.run()))
    settings.ready?.({ taskQueues, slots })
    await running
  } finally {
    await connection.close()
  }
}

export function slotsByMemory(bytes = os.totalmem()): number {
  return Math.max(2, Math.min(8, Math.floor(bytes / 2 / SLOT_BYTES)))
}
