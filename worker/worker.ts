/**
 * The turnkey worker: for people who have no worker of their own. It polls `lakeward` and every task queue that a
 * connection of its installation names, and beside each its queue of units.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { NativeConnection, Runtime, Worker, makeTelemetryFilterString, DefaultLogger } from '@temporalio/worker'
import type { NativeConnectionOptions, TelemetryOptions } from '@temporalio/worker'
import { unitQueueOf } from '../activities/unit-queue.ts'
import { InputError } from '../connectors/errors.ts'
import { readInstallation } from '../connectors/installation.ts'
import type { WorkerOptions } from '../connectors/installation-worker.ts'
import { installationPath, openParts } from './assemble.ts'
import type { AssembleOptions } from './assemble.ts'
import { drainSignal } from './drain.ts'
import { serveHealth } from './health.ts'
import type { Check } from './health.ts'
import { polledQueues } from './queues.ts'
import { LakewardPlugin, workflowsPath } from './plugin.ts'
import { tuningOf } from './tuning.ts'
import { workflowBundle } from './workflow-bundle.ts'

export interface WorkerSettings extends AssembleOptions {
  connection: NativeConnectionOptions & { address: string }
  namespace: string
  /** Default: `worker.taskQueues` of the file, then `lakeward` and the queues that connections name. */
  taskQueues?: string[]
  /** Units at once; default: `worker.slots` of the file, then by memory and processors. */
  slots?: number
  /** Called when every queue is polled. */
  ready?(polled: { taskQueues: string[]; slots: number }): void
  log?: (line: string) => void
}

/** Resolves when the worker was told to stop and has drained. */
export async function runWorker(settings: WorkerSettings): Promise<void> {
  const { namespace, log = () => {} } = settings
  // Wrong settings are told before anything is connected.
  const parts = await openParts(settings)
  await parts.close()
  const { worker: options } = parts.installation
  const taskQueues = polledQueues(parts.installation, settings.taskQueues)
  const plugin = new LakewardPlugin({ ...settings, unitsBeside: taskQueues })
  const bundle = await workflowBundle(workflowsPath)

  installRuntime(options, log)
  const { atOnce: slots, rest, units } = tuningOf(options, settings.slots)
  const connection = await NativeConnection.connect(settings.connection)
  const workers: Worker[] = []
  const checks: Check[] = [
    () => {
      const resting = workers.find((worker) => worker.getState() !== 'RUNNING')
      if (drainSignal().aborted) throw new Error('it drains: what is in hand is ended, nothing new is taken')
      if (workers.length === 0 || resting)
        throw new Error(`not every queue is polled (${resting?.getState() ?? 'none'})`)
    },
    async () => {
      await readInstallation(installationPath(settings), { plainSecrets: settings.plainSecrets ?? false })
    },
    () => answers(connection),
  ]
  const health = options.health === undefined ? null : await serveHealth(options.health, checks)
  try {
    for (const taskQueue of taskQueues) {
      const house = { connection, namespace, plugins: [plugin] }
      workers.push(await Worker.create({ ...house, taskQueue, workflowBundle: bundle, ...rest }))
      workers.push(await Worker.create({ ...house, taskQueue: unitQueueOf(taskQueue), ...units }))
    }
    const running = Promise.all(workers.map((worker) => worker.run()))
    settings.ready?.({ taskQueues, slots })
    await running
  } finally {
    await health?.close()
    await connection.close()
  }
}

async function answers(connection: NativeConnection): Promise<void> {
  const ANSWER_MS = 2_000
  const asked = connection.withDeadline(Date.now() + ANSWER_MS, () => connection.workflowService.getSystemInfo({}))
  const late = sleep(ANSWER_MS + 500, undefined, { ref: false }).then(() => {
    throw new Error('no answer')
  })
  await Promise.race([asked, late]).catch((error: unknown) => {
    throw new Error('Temporal does not answer', { cause: error })
  })
}

/** Logs and metrics of the SDK: once per process, before anything else of it. */
function installRuntime({ metrics }: WorkerOptions, log: (line: string) => void): void {
  const logger = new DefaultLogger('WARN', ({ level, message, meta }) => {
    const about = [meta?.['workflowId'], meta?.['activityType'], meta?.['error']].filter(Boolean).map(String)
    log(`${level.toLowerCase()}: ${message}${about.length > 0 ? ` (${about.join(', ').slice(0, 500)})` : ''}`)
  })
  try {
    Runtime.install({
      logger,
      telemetryOptions: {
        logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }) },
        ...(metrics && { metrics: exporterOf(metrics) }),
      },
    })
  } catch (error) {
    if (!metrics) throw error
    const place = metrics.prometheus ?? metrics.otlp ?? ''
    const what = `${place} cannot be used: ${error instanceof Error ? error.message : String(error)}`
    throw new InputError([{ where: 'worker.metrics', what, advice: 'Choose another port, or check the address.' }])
  }
}

function exporterOf({ prometheus, otlp }: NonNullable<WorkerOptions['metrics']>): TelemetryOptions['metrics'] {
  if (prometheus !== undefined) return { prometheus: { bindAddress: prometheus, countersTotalSuffix: true } }
  return { otel: { url: otlp ?? '', http: /\/v1\/metrics\/?$/.test(otlp ?? '') } }
}
