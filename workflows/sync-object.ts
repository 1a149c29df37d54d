/**
 * One run of one lane. Its workflow id, `flow/<name>/<object>`, is the lane's mutual exclusion; the ledger keeps the
 * rest of the promise without it.
 *
 * Laws
 * - The order is open, plan, units, commit; nothing is visible before its commit, and no commit is cancelled.
 * - A long run commits in steps, one after the other, while its ranges are read on (`lane-steps.ts`).
 * - A restart has a new run key: it never touches what the old key staged, and its open fences the old one off.
 * - Only digests are kept here; they survive continue-as-new in `LaneState`.
 */
import { CancelledFailure } from '@temporalio/common'
import {
  CancellationScope,
  ContinueAsNew,
  condition,
  continueAsNew,
  defineQuery,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow'
import type {
  CommitDigest,
  CommitEvery,
  CommitInput,
  LaneProgress,
  ObjectResult,
  PlanDigest,
  UnitDigest,
} from '../activities/digests.ts'
import type { Steps } from '../activities/steps.ts'
import { count, laneDetails } from './details.ts'
import { asFailure, callsOf, failed, restartable } from './failures.ts'
import type { LaneState, RangeState, SyncInput } from './lane-state.ts'
import { add, freshState, restarted, resultOf, runKey, together } from './lane-state.ts'
import { freshFrom, isDue, noSteps, withStep, withUnit } from './lane-steps.ts'
import * as profiles from './profiles.ts'
import { summaryOf } from './summary.ts'
import { laneProgress } from './run-flow.ts'

const MOST_RESTARTS = 3

export const progressQuery = defineQuery<LaneProgress>('progress')

export async function syncObject(input: SyncInput): Promise<ObjectResult> {
  return new LaneRun(input).sync()
}

class LaneRun {
  readonly input: SyncInput
  readonly object: string
  state: LaneState
  #told = Date.now()

  constructor(input: SyncInput) {
    this.input = input
    this.object = input.task.lane.object
    const info = workflowInfo()
    this.state = input.carried ?? freshState(info.startTime.getTime(), info.runId)
    setHandler(progressQuery, () => this.progress(), { description: 'How far this object is' })
  }

  async sync(): Promise<ObjectResult> {
    for (;;) {
      try {
        return await this.attempt()
      } catch (error) {
        if (error instanceof ContinueAsNew) throw error
        if (isCancellation(error)) return await this.cancelled(error)
        const problem = failed(error)
        this.state.calls += callsOf(error)
        if (!restartable.has(problem.type) || this.state.restarts >= MOST_RESTARTS) {
          return await this.gaveUp(error)
        }
        log.warn('the lane starts again', { object: this.object, ...problem })
        this.state = restarted(this.state, problem)
      }
    }
  }

  private async attempt(): Promise<ObjectResult> {
    const { task } = this.input
    const open = (this.state.open ??= await this.open())
    await this.deliver(open.owed ?? [])
    const { run } = open
    const plan = (this.state.plan ??= await this.plan())
    if (plan.nothing) return this.end(plan.nothing)
    this.enter('reading')
    this.state.readingSinceMs ??= Date.now()
    this.state.fresh ??= freshFrom(Date.now())
    for (const range of plan.ranges) {
      const resumed = plan.resumed?.[range]
      this.state.ranges[range] ??= { seq: resumed?.seq ?? 0, unit: resumed?.unit ?? null, end: false }
    }
    await this.readAll(plan, run.key)
    // A cancellation that arrives in the last unit finds nothing more to cancel, and the commit would not hear of it.
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('cancelled before the commit')
    if (this.isOpen()) {
      await continueAsNew<(input: SyncInput) => Promise<ObjectResult>>({ task, carried: this.state })
    }
    this.enter('committing')
    const committed = (this.state.committed ??= await CancellationScope.nonCancellable(() => this.commitLast()))
    await this.deliver(committed.owed ?? [])
    return this.end(committed)
  }

  /** All ranges, so many at once as the plan says, and the steps that fall due meanwhile. What fails ends all. */
  private async readAll({ ranges, parallel = ranges.length, steps }: PlanDigest, run: string): Promise<void> {
    const left = ranges.filter((range) => !this.state.ranges[range]?.end)
    const reading = { ended: false }
    const problems: unknown[] = []
    await CancellationScope.cancellable(async () => {
      const scope = CancellationScope.current()
      const guarded = async (work: () => Promise<void>): Promise<void> => {
        try {
          await work()
        } catch (error) {
          problems.push(error)
          scope.cancel()
        }
      }
      const next = async (): Promise<void> => {
        for (let range = left.shift(); range !== undefined; range = left.shift()) await this.read(range, run)
      }
      const stepping = steps ? guarded(() => this.commitSteps(steps, reading)) : undefined
      await Promise.all(Array.from({ length: Math.min(parallel, left.length) }, () => guarded(next)))
      reading.ended = true
      await stepping
    })
    if (problems.length > 0) throw problems[0]
  }

  /** What is read by the end is the last entry's. */
  private async commitSteps(every: CommitEvery, reading: { ended: boolean }): Promise<void> {
    const isStep = (): boolean => isDue(every, this.state.fresh!, Date.now())
    for (;;) {
      await condition(() => reading.ended || isStep() || this.state.fresh?.untilMs !== undefined)
      if (reading.ended || !this.isOpen()) return
      const { untilMs = Date.now() } = this.state.fresh!
      const inTime = isStep() || (await condition(() => reading.ended || isStep(), Math.max(1, untilMs - Date.now())))
      if (reading.ended || !this.isOpen()) return
      if (!inTime || isStep()) await this.step()
    }
  }

  private async step(): Promise<void> {
    const steps = this.state.steps ?? noSteps
    this.state.fresh = freshFrom(Date.now())
    const which = { step: steps.entries + 1, early: true as const }
    const digest = await CancellationScope.nonCancellable(() => this.commit(which))
    this.state.steps = withStep(steps, digest)
    await this.deliver(digest.owed ?? [])
    this.enter('reading')
  }

  private isOpen(): boolean {
    return Object.values(this.state.ranges).some(({ end }) => !end)
  }

  /** Committed entries, to a destination that is no lake. What is cancelled or fails here stays owed. */
  private async deliver(owed: number[]): Promise<void> {
    for (const n of owed) {
      this.enter('delivering')
      const { task } = this.input
      const { deliverUnit } = this.steps(profiles.unit, `${this.object}: deliver entry ${n}`)
      try {
        const { result, notes, calls } = await deliverUnit({ task, n })
        this.state.delivered = together(this.state.delivered, result)
        this.state.calls += calls
        this.state.report.push(...notes)
      } catch (error) {
        if (isCancellation(error)) await this.stopDelivery(n)
        else this.state.report.push(`Entry ${n} is committed, and the next run delivers it first.`)
        throw error
      }
    }
  }

  private async stopDelivery(n: number): Promise<void> {
    await CancellationScope.nonCancellable(async () => {
      const { cancelDelivery } = this.steps(profiles.cleanUp, `${this.object}: stop the delivery of entry ${n}`)
      try {
        this.state.report.push(...(await cancelDelivery({ task: this.input.task, n })).notes)
      } catch (problem) {
        log.warn('a delivery goes on at the destination', { object: this.object, ...failed(problem) })
      }
    })
  }

  private async open() {
    this.enter('opening')
    const { openLane } = this.steps(profiles.control, `${this.object}: open the lane's ledger`)
    const run = runKey(this.state, workflowInfo().workflowId)
    this.state.run = run
    const open = await openLane({ task: this.input.task, run })
    this.state.report.push(...open.report)
    return open
  }

  private async plan() {
    this.enter('planning')
    const { describeObject } = this.steps(profiles.control, `${this.object}: describe and plan`)
    const { problem, restarts } = this.state
    const noJob = problem?.type === 'ExportRefused'
    // A cursor may have run out; where the plan's ranges are gone, it is so again.
    const expired = problem?.type === 'CursorExpired' && restarts > 1
    const plan = await describeObject({
      task: this.input.task,
      open: this.state.open!,
      ...(noJob ? { noJob } : {}),
      ...(expired ? { expired } : {}),
    })
    this.state.calls += plan.calls
    this.state.report.push(...plan.drift, ...plan.notes)
    return plan
  }

  /** The chain of units of one range; stops at its end, or where the workflow should continue as new. */
  private async read(range: string, run: string): Promise<void> {
    const at = this.state.ranges[range] as RangeState
    const { task } = this.input
    const several = Object.keys(this.state.ranges).length > 1
    while (!at.end && !workflowInfo().continueAsNewSuggested) {
      const where = this.state.position ? ` from ${this.state.position}` : ''
      const name = `${this.object}${several ? ` ${range}` : ''} unit ${at.seq + 1}${where}`
      const { extractUnit } = this.steps(profiles.unit, name)
      const digest = await extractUnit({
        task,
        run: { ...this.state.open!.run, key: run },
        planHash: this.state.plan!.planHash,
        range,
        seq: at.seq + 1,
        previous: at.unit,
      })
      this.accept(at, digest)
    }
  }

  private accept(at: RangeState, digest: UnitDigest): void {
    at.seq = digest.seq
    at.unit = digest.unit
    at.end = digest.end
    this.state.counts = add(this.state.counts, digest.counts)
    this.state.fresh = withUnit(this.state.fresh ?? freshFrom(Date.now()), digest, Date.now())
    this.state.files += digest.files
    this.state.calls += digest.calls
    this.state.position = digest.position
    for (const note of digest.notes) if (!this.state.report.includes(note)) this.state.report.push(note)
    this.show()
  }

  private async commitLast(): Promise<CommitDigest> {
    const { entries } = this.state.steps ?? noSteps
    const digest = await this.commit(entries > 0 ? { step: entries + 1 } : {})
    if (!digest.unclosed) return digest
    const { closeRun } = this.steps(profiles.cleanUp, `${this.object}: remove the run's working documents`)
    try {
      this.state.calls += (await closeRun({ task: this.input.task, run: this.state.open!.run })).calls
    } catch (error) {
      // Committed is committed: what is left over, the next open removes.
      log.warn('working documents are left for the next run', { object: this.object, ...failed(error) })
    }
    return digest
  }

  private async commit(which: Pick<CommitInput, 'step' | 'early'>): Promise<CommitDigest> {
    const { task } = this.input
    const { run, n } = this.state.open!
    const units: { [range: string]: string } = {}
    for (const [range, at] of Object.entries(this.state.ranges)) if (at.unit) units[range] = at.unit
    const rows = this.state.counts.written - (this.state.steps?.counts.written ?? 0)
    const { commitRun } = this.steps(profiles.control, `${this.object}: commit ${count(rows)} rows`)
    const digest = await commitRun({ task, run, n, planHash: this.state.plan!.planHash, units, ...which })
    this.state.calls += digest.calls
    return digest
  }

  private end(digest: CommitDigest): ObjectResult {
    this.state.phase = digest.n === null ? 'nothing' : 'done'
    const { entries, counts, files } = this.state.steps ?? noSteps
    this.state.counts = add(counts, digest.counts)
    this.state.files = files + digest.files
    if (entries > 0) this.state.report.push(`Committed in ${count(entries + 1)} parts, each visible at once.`)
    for (const note of digest.notes) if (!this.state.report.includes(note)) this.state.report.push(note)
    this.show(digest.proof)
    return resultOf(this.object, this.state, digest)
  }

  private async cancelled(error: unknown): Promise<ObjectResult> {
    await this.cleanUp()
    this.state.phase = 'cancelled'
    this.show()
    throw error
  }

  private async gaveUp(error: unknown): Promise<ObjectResult> {
    this.state.problem = failed(error)
    await this.cleanUp()
    this.state.phase = 'failed'
    this.show()
    throw asFailure(error, this.state.calls)
  }

  /** Closes the run's number and removes its own staging. Best effort: the next open does the same. */
  private async cleanUp(): Promise<void> {
    const { open } = this.state
    // After a reset the key that open answered counts, and not the one this execution would take.
    const run = open?.run ?? this.state.run
    if (!run) return
    await CancellationScope.nonCancellable(async () => {
      const { cancelRun } = this.steps(profiles.cleanUp, `${this.object}: remove what was staged`)
      try {
        const digest = await cancelRun({ task: this.input.task, run, ...(open ? { n: open.n } : {}) })
        this.state.report.push(...digest.notes)
      } catch (problem) {
        log.warn('staged files are left for the next run', { object: this.object, ...failed(problem) })
      }
    })
  }

  private enter(phase: LaneState['phase']): void {
    this.state.phase = phase
    this.show()
  }

  private show(proof?: string): void {
    const { plan, readingSinceMs, counts, delivered, report } = this.state
    const seconds = readingSinceMs === undefined ? 0 : (Date.now() - readingSinceMs) / 1000
    setCurrentDetails(
      laneDetails({
        progress: this.progress(),
        schemaVersion: plan?.schemaVersion,
        from: plan?.from,
        bound: plan?.bound,
        heldBack: plan?.heldBack,
        ratePerSecond: seconds >= 1 ? counts.read / seconds : null,
        proof,
        delivered,
        report,
      }),
    )
    this.tell()
  }

  /** Progress for the parent's details, rarely enough not to fill its history. */
  private tell(): void {
    const { parent } = this.input.task
    const moving = ['waiting', 'opening', 'planning'].includes(this.state.phase)
    if (!parent || moving || Date.now() - this.#told < profiles.progressEveryMs) return
    this.#told = Date.now()
    void getExternalWorkflowHandle(parent)
      .signal(laneProgress, this.progress())
      .catch(() => {}) // the parent may have ended; nobody waits for this
  }

  private steps(profile: typeof profiles.control, summary: string): Steps {
    const { unitQueue } = this.input.task
    return proxyActivities<Steps>({
      ...profile,
      ...(profile === profiles.unit && unitQueue !== undefined ? { taskQueue: unitQueue } : {}),
      heartbeatTimeout: `${this.input.task.heartbeatSeconds}s`,
      summary: summaryOf(summary),
    })
  }

  private progress(): LaneProgress {
    const { phase, counts, files, calls, position, restarts, problem, plan } = this.state
    return {
      object: this.object,
      workflowId: this.input.task.workflowId,
      phase,
      read: counts.read,
      written: counts.written,
      bytes: counts.bytes,
      files,
      calls,
      counted: plan?.counted ?? null,
      position,
      restarts,
      ...(problem ? { error: problem } : {}),
    }
  }
}
