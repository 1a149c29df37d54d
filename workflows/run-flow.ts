/**
 * One run of a flow: validates it, starts a lane per object, waits for all, and fails with a table if any did.
 *
 * Laws
 * - Its argument is the flow document, so that Temporal's own CLI and every schedule can start it.
 * - An object that fails harms no other; an object whose lane is busy is told, and ends well when a schedule asked.
 * - It continues as new only while no lane runs.
 */
import {
  ApplicationFailure,
  SearchAttributeType,
  WorkflowExecutionAlreadyStartedError,
  defineSearchAttributeKey,
} from '@temporalio/common'
import {
  CancellationScope,
  ContinueAsNew,
  continueAsNew,
  defineQuery,
  defineSignal,
  isCancellation,
  log,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow'
import type { Json, JsonObject } from '../connectors/connector.ts'
import type { FlowPlan, LanePlan, LaneProgress, ObjectResult, RunProgress, RunResult } from '../activities/digests.ts'
import type { Steps } from '../activities/steps.ts'
import { count, runDetails } from './details.ts'
import { asFailure, callsOf, failed } from './failures.ts'
import type { SyncInput } from './lane-state.ts'
import { laneChild, laneTask, pairs } from './lane-task.ts'
import * as profiles from './profiles.ts'
import { RunNotices } from './run-notices.ts'
import { summaryOf } from './summary.ts'

export const laneProgress = defineSignal<[LaneProgress]>('laneProgress')
export const runProgressQuery = defineQuery<RunProgress>('progress')

/** The flow document; what a run of many objects carries on is beside it, under a key no flow has. */
export type FlowInput = { [key: string]: unknown; carried?: Carried }
interface Carried {
  plan: FlowPlan
  results: ObjectResult[]
  /** Absent in runs that an earlier release began. */
  startedMs?: number
}

const scheduledTime = defineSearchAttributeKey('TemporalScheduledStartTime', SearchAttributeType.DATETIME)

const scheduledBy = defineSearchAttributeKey('TemporalScheduledById', SearchAttributeType.KEYWORD)

export async function runFlow(flow: FlowInput): Promise<RunResult> {
  const notices = new RunNotices(flow, (Object(flow) as FlowInput).carried?.startedMs)
  try {
    const result = await runOnce(flow, notices)
    result.notes.push(...(await notices.ended({})))
    return result
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error
    const deactivated = isCancellation(error) ? null : await pauseFailing(flow)
    const notes = await notices.ended({ error, deactivated })
    const [result] = (error instanceof ApplicationFailure && error.details) || []
    ;(result as RunResult | undefined)?.notes.push(...notes)
    throw error
  }
}

async function runOnce(flow: FlowInput, notices: RunNotices): Promise<RunResult> {
  // Anything may be sent to a workflow, or nothing; the step that reads the flow says what is wrong with it.
  const { carried, ...written } = Object(flow) as FlowInput
  const document = isMapping(flow) ? written : (flow ?? null)
  const nominal = workflowInfo().typedSearchAttributes.get(scheduledTime)
  let plan = carried?.plan
  if (!plan) {
    try {
      const { planFlow } = proxyActivities<Steps>({
        ...profiles.control,
        summary: 'Check the flow and list its objects',
      })
      plan = await planFlow({ flow: document as Json, nominalMs: nominal?.getTime() ?? null })
    } catch (error) {
      if (isCancellation(error)) throw error
      const failure = asFailure(error)
      setCurrentDetails(`**The flow cannot run**\n\n- ${failure.type}: ${failure.message}`)
      throw failure
    }
    const attributes = pairs(plan.attributes)
    // The server takes no empty update.
    if (attributes.length > 0) upsertSearchAttributes(attributes)
    notices.started()
  }
  notices.results = carried?.results ?? []
  return new FlowRun(written, plan, notices, nominal !== undefined).run()
}

class FlowRun {
  readonly lanes: Map<string, LaneProgress>
  readonly document: object
  readonly plan: FlowPlan
  readonly results: ObjectResult[]
  readonly notices: RunNotices
  readonly scheduled: boolean

  constructor(document: object, plan: FlowPlan, notices: RunNotices, scheduled: boolean) {
    this.document = document
    this.plan = plan
    this.results = notices.results
    this.notices = notices
    this.scheduled = scheduled
    this.lanes = new Map(plan.lanes.map((lane) => [lane.object, waiting(lane)]))
    for (const result of this.results) this.lanes.set(result.object, ended(this.lanes.get(result.object), result))
    setHandler(laneProgress, (progress) => {
      const known = this.lanes.get(progress.object)
      if (!known || ['done', 'nothing', 'failed', 'cancelled', 'skipped'].includes(known.phase)) return
      this.lanes.set(progress.object, progress)
      this.show()
    })
    setHandler(runProgressQuery, () => ({ flow: plan.flow, objects: [...this.lanes.values()] }), {
      description: 'How far each object is',
    })
  }

  async run(): Promise<RunResult> {
    const finished = new Set(this.results.map((result) => result.object))
    const left = this.plan.lanes.filter((lane) => !finished.has(lane.object))
    this.show()
    const next = async (): Promise<void> => {
      while (left.length > 0 && !workflowInfo().continueAsNewSuggested) {
        const lane = left.shift() as LanePlan
        this.results.push(await this.runLane(lane))
        this.show()
      }
    }
    const ends = await Promise.allSettled(Array.from({ length: Math.min(this.plan.concurrency, left.length) }, next))
    const stopped = ends.find((end) => end.status === 'rejected')
    if (stopped) {
      // Lanes that had begun have cleaned up by now; the others never begin.
      for (const lane of left) this.ended(cancelled(lane))
      this.show()
      throw stopped.reason
    }
    if (left.length > 0) {
      await this.notices.settled()
      const carried: Carried = { plan: this.plan, results: this.results, startedMs: this.notices.startedMs }
      await continueAsNew<typeof runFlow>({ ...this.document, carried })
    }
    return this.end()
  }

  private async runLane(lane: LanePlan): Promise<ObjectResult> {
    const { object } = lane
    try {
      const handle = await this.start(lane)
      if (!handle) return this.ended(skipped(lane, 'another run holds this object; it was left to that run'))
      this.lanes.set(object, { ...waiting(lane), phase: 'opening' })
      return this.ended(await handle.result())
    } catch (error) {
      if (!isCancellation(error)) {
        const { type } = failed(error)
        if (type === 'ObjectMissing' && lane.pattern !== undefined) {
          const note = 'it was listed when the run began, and is there no more; what was delivered stays'
          return this.ended({ ...skipped(lane, note), calls: callsOf(error) })
        }
        return this.ended({ ...skipped(lane), status: 'failed', calls: callsOf(error), error: failed(error) })
      }
      if (CancellationScope.current().consideredCancelled) {
        this.ended(cancelled(lane))
        throw error
      }
      const message = 'this object was cancelled, and not the run; the next run reads it again'
      return this.ended({ ...skipped(lane), status: 'failed', error: { type: 'Cancelled', message } })
    }
  }

  /** null: a scheduled run gives way to the run that holds the lane. */
  private async start(lane: LanePlan) {
    for (let wait: number = profiles.queueWait.firstMs; ; wait = Math.min(wait * 2, profiles.queueWait.mostMs)) {
      try {
        const task = laneTask(this.plan, this.document as JsonObject, lane, workflowInfo().workflowId)
        return await startChild<(input: SyncInput) => Promise<ObjectResult>>('syncObject', {
          ...profiles.lane,
          ...laneChild(task),
        })
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
        if (this.scheduled && !this.plan.queue) return null
        const { holder } = await holderOf(lane.workflowId)
        if (!this.plan.queue) {
          throw ApplicationFailure.nonRetryable(
            `${lane.object} is being read by another run (${holder}). Wait for it, cancel it, or start with --queue to wait in line.`,
            'AnotherRunInProgress',
          )
        }
        const queued = `waits for another run: ${holder}`
        this.lanes.set(lane.object, { ...waiting(lane), position: queued })
        this.show()
        await sleep(wait, { summary: summaryOf(`${lane.object} ${queued}`) })
      }
    }
  }

  private ended(result: ObjectResult): ObjectResult {
    this.lanes.set(result.object, ended(this.lanes.get(result.object), result))
    return result
  }

  private end(): RunResult {
    const order = new Map(this.plan.lanes.map((lane, index) => [lane.object, index]))
    const objects = this.results.toSorted((a, b) => (order.get(a.object) ?? 0) - (order.get(b.object) ?? 0))
    const total = (member: 'read' | 'written' | 'bytes' | 'files' | 'calls') =>
      objects.reduce((sum, object) => sum + (object[member] ?? 0), 0)
    const result: RunResult = {
      version: 1,
      flow: this.plan.flow,
      objects,
      read: total('read'),
      written: total('written'),
      bytes: total('bytes'),
      files: total('files'),
      calls: this.plan.calls + total('calls'),
      notes: this.plan.notes,
    }
    this.show()
    const bad = objects.filter((object) => object.status === 'failed')
    if (bad.length === 0) return result
    const busy = bad.every((object) => object.error?.type === 'AnotherRunInProgress')
    if (busy && bad.length === objects.length) {
      throw ApplicationFailure.nonRetryable(bad[0]?.error?.message ?? '', 'AnotherRunInProgress', result)
    }
    const table = bad.map((object) => `${object.object}: ${object.error?.type}: ${object.error?.message}`)
    throw ApplicationFailure.nonRetryable(
      `${count(bad.length)} of ${count(objects.length)} objects failed\n${table.join('\n')}`.slice(0, 3500),
      'ObjectsFailed',
      result,
    )
  }

  private show(): void {
    const { missingAttributes: missing } = this.plan
    const where = `--namespace ${workflowInfo().namespace} --type Keyword`
    const how = missing.map((name) => `\`temporal operator search-attribute create --name ${name} ${where}\``)
    const report = [...this.plan.notes]
    if (missing.length > 0) report.push(`To find runs by flow in this namespace, once: ${how.join(', ')}`)
    setCurrentDetails(runDetails(this.plan.flow, [...this.lanes.values()], this.results, report))
  }
}

/**
 * A scheduled run that fails looks whether too many have, and answers why its flow is paused. One failure alone is the
 * server's own `pauseOnFailure`.
 */
async function pauseFailing(flow: unknown): Promise<string | null> {
  const scheduleId = workflowInfo().typedSearchAttributes.get(scheduledBy)
  const { pauseAfterFailures: after } = Object(Object(flow).trigger) as { pauseAfterFailures?: unknown }
  if (scheduleId === undefined || typeof after !== 'number' || !(after >= 1)) return null
  if (after === 1) return 'a run failed, and the flow is to pause then'
  const { pauseFailing: pause } = proxyActivities<Steps>({
    ...profiles.lookUp,
    summary: `Pause the flow after ${after} failures in a row`,
  })
  try {
    const { paused } = await CancellationScope.nonCancellable(() => pause({ scheduleId, after }))
    return paused ? `${after} runs in a row failed` : null
  } catch (error) {
    log.warn('the failures of this flow could not be counted', { ...failed(error) })
    return null
  }
}

function isMapping(given: unknown): boolean {
  return typeof given === 'object' && given !== null && !Array.isArray(given)
}

async function holderOf(workflowId: string) {
  const { describeHolder } = proxyActivities<Steps>({
    ...profiles.lookUp,
    summary: summaryOf(`Who holds ${workflowId}`),
  })
  try {
    return await CancellationScope.cancellable(() => describeHolder(workflowId))
  } catch (error) {
    if (isCancellation(error)) throw error
    return { holder: workflowId }
  }
}

function waiting(lane: LanePlan): LaneProgress {
  return {
    object: lane.object,
    workflowId: lane.workflowId,
    phase: 'waiting',
    read: 0,
    written: 0,
    bytes: 0,
    files: 0,
    calls: 0,
    counted: null,
    position: '',
    restarts: 0,
  }
}

function ended(progress: LaneProgress | undefined, result: ObjectResult): LaneProgress {
  const { object, status: phase, read, written, bytes, files, calls = 0, error } = result
  return {
    workflowId: '',
    counted: null,
    position: '',
    restarts: 0,
    ...progress,
    object,
    phase,
    read,
    written,
    bytes,
    files,
    calls,
    ...(error ? { error } : {}),
  }
}

function cancelled(lane: LanePlan): ObjectResult {
  return { ...skipped(lane, 'cancelled'), status: 'cancelled' }
}

function skipped(lane: LanePlan, note?: string): ObjectResult {
  return {
    object: lane.object,
    status: 'skipped',
    entry: null,
    read: 0,
    written: 0,
    filtered: 0,
    dropped: 0,
    quarantined: 0,
    bytes: 0,
    pages: 0,
    files: 0,
    calls: 0,
    from: null,
    watermark: null,
    notes: note ? [note] : [],
  }
}
