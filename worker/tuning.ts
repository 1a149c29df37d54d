/**
 * How much a worker takes on: from `worker:` of lakeward.yaml, and from the memory and the processors that this process
 * may use.
 *
 * Law: only units count. What is short (planning, committing, looking things up) has slots enough of its own.
 */
import { readFileSync } from 'node:fs'
import os from 'node:os'
import { ResourceBasedController } from '@temporalio/worker'
import type { WorkerOptions as TemporalOptions } from '@temporalio/worker'
import type { WorkerOptions } from '../connectors/installation-worker.ts'

/** A worker without a unit, and a unit: a few pages, one open row group per partition, the parts of its uploads. */
const BASE_BYTES = 256 * 1024 * 1024
const SLOT_BYTES = 96 * 1024 * 1024
/** A unit waits for its source about half of the time, and keeps a processor busy for the other half. */
const SLOTS_OF_PROCESSOR = 2
const MOST_SLOTS = 64
const GRACE_MS = 30_000
/** They wait for a store or a vendor. */
const SHORT_SLOTS = 40
const LOCAL_SLOTS = 20
/** Of a worker that looks at its memory and processors before each unit. */
const MOST_BY_LOAD = 32
/** Of memory and processors, where only the other one is limited. */
const SHARE = 0.8

export type Tuning = Partial<TemporalOptions>

/** `units`: of a worker that polls a queue of units; `rest`: of one that polls what they leave. */
export interface Tunings {
  /** Units at once. */
  atOnce: number
  units: Tuning
  rest: Tuning
}

/** The same for all queues of one worker: what `memory` and `cpu` look at is one machine. */
export function tuningOf(options: WorkerOptions, slots = options.slots): Tunings {
  const { memory, cpu, pollers, cachedWorkflows, grace = GRACE_MS } = options
  const byLoad = memory !== undefined || cpu !== undefined
  const atOnce = slots ?? (byLoad ? MOST_BY_LOAD : slotsOfMachine())
  const polls = pollers === undefined ? { type: 'autoscaling' as const } : simple(pollers)
  const shared: Tuning = {
    activityTaskPollerBehavior: polls,
    shutdownGraceTime: grace,
    // Cancellation reaches a step with its beats: within this, at the cost of an action a beat.
    maxHeartbeatThrottleInterval: '10s',
  }
  const rest: Tuning = {
    ...shared,
    workflowTaskPollerBehavior: polls,
    maxConcurrentActivityTaskExecutions: SHORT_SLOTS,
    maxConcurrentLocalActivityExecutions: LOCAL_SLOTS,
    ...(cachedWorkflows !== undefined && { maxCachedWorkflows: cachedWorkflows }),
  }
  if (!byLoad) return { atOnce, rest, units: { ...shared, maxConcurrentActivityTaskExecutions: atOnce } }
  const controller = ResourceBasedController.create({
    targetMemoryUsage: memory ?? SHARE,
    targetCpuUsage: cpu ?? SHARE,
  })
  const tuner = { controller, activityTaskSlotOptions: { minimumSlots: 1, maximumSlots: atOnce } }
  return { atOnce, rest, units: { ...shared, tuner } }
}

const simple = (maximum: number) => ({ type: 'simple-maximum' as const, maximum })

/** Of a container its own limits count, not the machine's. */
export function slotsOfMachine(bytes = memoryOfProcess(), processors = processorsOfProcess()): number {
  const byMemory = Math.floor((bytes * SHARE - BASE_BYTES) / SLOT_BYTES)
  return Math.max(2, Math.min(byMemory, processors * SLOTS_OF_PROCESSOR, MOST_SLOTS))
}

function memoryOfProcess(): number {
  // https://nodejs.org/api/process.html#processconstrainedmemory: 0 or more than there is means no limit.
  const limit = process.constrainedMemory()
  return limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem()
}

/** https://docs.kernel.org/admin-guide/cgroup-v2.html (cpu.max): `200000 100000` is two processors, `max` no limit. */
function processorsOfProcess(): number {
  let text = ''
  try {
    text = readFileSync('/sys/fs/cgroup/cpu.max', 'utf8')
  } catch {
    // No such limit here.
  }
  const [quota, period] = text.split(' ').map(Number)
  const limit = quota && period ? quota / period : Number.POSITIVE_INFINITY
  return Math.min(os.availableParallelism(), Math.max(limit, 1))
}
