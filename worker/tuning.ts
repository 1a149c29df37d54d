/** How much a worker takes on: from `worker:` of lakeward.yaml, and from the memory that this process may use. */
import os from 'node:os'
import { ResourceBasedController } from '@temporalio/worker'
import type { WorkerOptions as TemporalOptions } from '@temporalio/worker'
import type { WorkerOptions } from '../connectors/installation-worker.ts'

/** A unit holds a few pages and one open row group per partition; this leaves room for both. */
const SLOT_BYTES = 384 * 1024 * 1024
const GRACE_MS = 30_000
const LOCAL_SLOTS = 20
/** Of a worker that looks at its memory and processors before each step. */
const MOST_BY_LOAD = 32
/** Of memory and processors, where only the other one is limited. */
const SHARE = 0.8

export type Tuning = Partial<TemporalOptions>

/** The same for all queues of one worker: what `memory` and `cpu` look at is one machine. */
export function tuningOf(options: WorkerOptions, slots = options.slots): { atOnce: number; tuning: Tuning } {
  const { memory, cpu, pollers, cachedWorkflows, grace = GRACE_MS } = options
  const byLoad = memory !== undefined || cpu !== undefined
  const atOnce = slots ?? (byLoad ? MOST_BY_LOAD : slotsByMemory())
  const polls = pollers === undefined ? { type: 'autoscaling' as const } : simple(pollers)
  const shared: Tuning = {
    workflowTaskPollerBehavior: polls,
    activityTaskPollerBehavior: polls,
    shutdownGraceTime: grace,
    // Cancellation reaches a step with its beats: within this, at the cost of an action a beat.
    maxHeartbeatThrottleInterval: '10s',
    ...(cachedWorkflows !== undefined && { maxCachedWorkflows: cachedWorkflows }),
  }
  if (!byLoad) {
    const slotsOfEach = {
      maxConcurrentActivityTaskExecutions: atOnce,
      maxConcurrentLocalActivityExecutions: LOCAL_SLOTS,
    }
    return { atOnce, tuning: { ...shared, ...slotsOfEach } }
  }
  const controller = ResourceBasedController.create({
    targetMemoryUsage: memory ?? SHARE,
    targetCpuUsage: cpu ?? SHARE,
  })
  const tuner = {
    controller,
    activityTaskSlotOptions: { minimumSlots: 1, maximumSlots: atOnce },
    localActivityTaskSlotOptions: { minimumSlots: 1, maximumSlots: LOCAL_SLOTS },
  }
  return { atOnce, tuning: { ...shared, tuner } }
}

const simple = (maximum: number) => ({ type: 'simple-maximum' as const, maximum })

/** Of a container its own limit counts, not the machine's memory. */
export function slotsByMemory(bytes = memoryOfProcess()): number {
  return Math.max(2, Math.min(8, Math.floor(bytes / 2 / SLOT_BYTES)))
}

function memoryOfProcess(): number {
  // https://nodejs.org/api/process.html#processconstrainedmemory: 0 or more than there is means no limit.
  const limit = process.constrainedMemory()
  return limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem()
}
