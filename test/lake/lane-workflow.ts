/**
 * What `syncObject` does, without Temporal: the order of the steps, another attempt for each that dies or freezes, a
 * new run key where the protocol asks for one. Each process is a store of its own over the one place.
 */
import { noCounts, addCounts } from '../../connectors/lake/counts.ts'
import { commitRun } from '../../connectors/lake/commit.ts'
import { LakeError } from '../../connectors/lake/errors.ts'
import { finishRun } from '../../connectors/lake/finish.ts'
import type { Opened } from '../../connectors/lake/open.ts'
import { openLane } from '../../connectors/lake/open.ts'
import type { CommitEntry, Counts, Lane, LakeLane, RunKey, RunPlan } from '../../connectors/lake/protocol.ts'
import type { ObjectStore } from '../../connectors/lake/store.ts'
import { worthAnEntry } from '../../connectors/lake/windows.ts'
import { extractIntegers, planIntegers } from './integers.ts'
import type { Work } from './integers.ts'
import { Crash, TroubledStore } from './troubled-store.ts'
import type { Trouble } from './troubled-store.ts'

export const LANE: Lane = { namespaceId: 'ns-uuid-1', namespace: 'default', flow: 'numbers', object: 'Integers' }

/** The workflow is gone; nobody carries its run on. */
export class Terminated extends Error {}

export interface WorkflowOptions {
  place: () => ObjectStore
  work: Work
  /** Orders the runs: the workflow's start. */
  start: number
  lane?: Lane
  /** Names the workflow's first run. */
  id?: string
  trouble?: Trouble | null
  /** A step that dies ends the workflow too, instead of being tried again. */
  mortal?: boolean
  /** Called before each step. */
  before?: (step: string, workflow: LaneWorkflow) => Promise<void> | void
}

export type Ended = { entry: CommitEntry | null; report: string[] }

export class LaneWorkflow {
  readonly options: WorkflowOptions
  /** Attempts that froze, and will go on when they are thawed. */
  readonly zombies: { thaw: () => void; end: Promise<unknown> }[] = []
  restarts = 0
  opened: Opened | null = null
  plan: RunPlan | null = null
  report: string[] = []
  process: TroubledStore

  constructor(options: WorkflowOptions) {
    this.options = options
    this.process = new TroubledStore(options.place(), options.trouble ?? null)
  }

  get run(): RunKey {
    const { start, id = `w${start}` } = this.options
    const first = id.padEnd(8, '0').slice(0, 8)
    const key = `${start.toString(36).padStart(9, '0')}-${first}-${this.restarts}`
    return { key, startedMs: start, workflowId: `flow/numbers/${id}`, firstRunId: first }
  }

  at(store: ObjectStore = this.process): LakeLane {
    return {
      store,
      lane: this.options.lane ?? LANE,
      beat: () => {},
      sleep: async () => {},
      now: () => 1_800_000_000_000,
    }
  }

  /** One step: attempts until one ends. */
  async step<T>(name: string, work: (at: LakeLane) => Promise<T>): Promise<T> {
    await this.options.before?.(name, this)
    for (;;) {
      const { process } = this
      const attempt = work(this.at(process))
      const ended = await Promise.race([attempt.then(value, thrown), process.frozen.then(() => 'frozen' as const)])
      if (ended === 'frozen') {
        this.zombies.push({ thaw: () => process.thaw(), end: attempt.then(value, thrown) })
      } else if ('value' in ended) return ended.value
      else if (!(ended.thrown instanceof Crash)) throw ended.thrown
      if (this.options.mortal) throw new Terminated(name)
      this.process = new TroubledStore(this.options.place())
    }
  }

  async sync(): Promise<Ended> {
    for (;;) {
      try {
        return await this.#attempt()
      } catch (error) {
        const again = error instanceof LakeError && ['CommitConflict', 'StagedDataLost'].includes(error.type)
        if (!again || this.restarts >= 3) throw error
        this.report.push(error.message)
        this.restarts += 1
        this.plan = null
        this.opened = null
      }
    }
  }

  async #attempt(): Promise<Ended> {
    const { work } = this.options
    const { run } = this
    const opened = await this.step('open', (at) => openLane(at, run))
    this.opened = opened
    this.report.push(...opened.report)
    const plan = await this.step('plan', (at) => planIntegers(at, run, opened, work))
    this.plan = plan
    const last: Record<string, { seq: number; unit: string | null; end: boolean }> = {}
    for (const { id } of plan.plan.ranges) {
      const { seq = 0, unit = null, end = false } = plan.resumes?.ranges[id] ?? {}
      last[id] = { seq, unit, end }
    }
    const units = (): Record<string, string> =>
      Object.fromEntries(Object.entries(last).flatMap(([id, { unit }]) => (unit === null ? [] : [[id, unit]])))
    let counts: Counts = noCounts()
    let step = 1
    let sinceStep = 0
    for (let open = true; open;) {
      for (const [range, chain] of Object.entries(last)) {
        if (chain.end) continue
        const place = { range, seq: chain.seq + 1, previous: chain.unit }
        const unit = await this.step('unit', (at) => extractIntegers(at, plan, place, work.unitRows ?? 8, work.clock))
        last[range] = { seq: unit.seq, unit: unit.id, end: unit.end }
        counts = addCounts(counts, unit.counts)
        sinceStep += 1
        if (work.rangeByRange) break
      }
      open = Object.values(last).some(({ end }) => !end)
      if (open && work.stepUnits && sinceStep >= work.stepUnits) {
        const request = { units: units(), step, last: false, state: null, proof }
        await this.step('commit', (at) => commitRun(at, plan, request))
        step += 1
        sinceStep = 0
      }
    }
    let entry: CommitEntry | null = null
    if (step > 1 || worthAnEntry(plan, counts, null, { ...proof, now: plan.plan.counted }).entry) {
      const request = { units: units(), step, last: true, state: null, proof }
      entry = (await this.step('commit', (at) => commitRun(at, plan, request))).entry
    }
    await this.step('finish', (at) => finishRun(at, plan))
    return { entry, report: this.report }
  }
}

const proof: CommitEntry['proof'] = { planned: null, now: null, verdict: 'integers' }
const value = <T>(result: T) => ({ value: result })
const thrown = (error: unknown) => ({ thrown: error })
