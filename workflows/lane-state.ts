/** What a lane carries from run to run of its workflow: digests, a few hundred bytes per range. */
import type {
  CommitDigest,
  Counts,
  Delivered,
  LaneTask,
  ObjectResult,
  OpenDigest,
  PlanDigest,
  Phase,
  RunRef,
} from '../activities/digests.ts'
import type { Fresh, StepsTaken } from './lane-steps.ts'

export interface SyncInput {
  task: LaneTask
  /** Set by the lane itself when it continues as new. */
  carried?: LaneState
}

export interface LaneState {
  firstStartMs: number
  firstRunId: string
  restarts: number
  phase: Phase
  run?: RunRef
  open?: OpenDigest
  plan?: PlanDigest
  ranges: { [range: string]: RangeState }
  counts: Counts
  files: number
  /** Requests so far, those before a restart as well. */
  calls: number
  position: string
  /** Workflow time at which reading began, for the rate. */
  readingSinceMs?: number
  report: string[]
  /** Entries before the last; absent: none so far. */
  steps?: StepsTaken
  fresh?: Fresh
  /** The commit, while it is being delivered. */
  committed?: CommitDigest
  /** What was delivered so far. */
  delivered?: Delivered
  problem?: { type: string; message: string }
}

export interface RangeState {
  seq: number
  unit: string | null
  end: boolean
}

export const nothing: Counts = { read: 0, written: 0, filtered: 0, dropped: 0, quarantined: 0, bytes: 0, pages: 0 }

export function freshState(firstStartMs: number, firstRunId: string): LaneState {
  return {
    firstStartMs,
    firstRunId,
    restarts: 0,
    phase: 'waiting',
    ranges: {},
    counts: nothing,
    files: 0,
    calls: 0,
    position: '',
    report: [],
  }
}

/** Begins again under a new run key; what was staged is the old key's, and the next open removes it. */
export function restarted(state: LaneState, problem: { type: string; message: string }): LaneState {
  return {
    ...freshState(state.firstStartMs, state.firstRunId),
    restarts: state.restarts + 1,
    calls: state.calls,
    problem,
    report: [`Started again after ${problem.type}: ${problem.message}`],
  }
}

/**
 * Sorts by the run's first start; the same in every attempt and on every worker. The run id is the one in which the
 * lane began: continue-as-new keeps it, and a workflow that is reset to its beginning is another run, with another key,
 * because what its first life left must be fenced off like any dead run's. Of the id, the end is taken: it begins with
 * the time.
 */
export function runKey(state: LaneState, workflowId: string): RunRef {
  const start = Math.max(0, state.firstStartMs).toString(36).padStart(9, '0')
  return {
    key: `${start}-${state.firstRunId.slice(-8)}-${state.restarts}`,
    startedMs: state.firstStartMs,
    workflowId,
    firstRunId: state.firstRunId,
  }
}

export function add(a: Counts, b: Counts): Counts {
  return {
    read: a.read + b.read,
    written: a.written + b.written,
    filtered: a.filtered + b.filtered,
    dropped: a.dropped + b.dropped,
    quarantined: a.quarantined + b.quarantined,
    ...(a.repeated || b.repeated ? { repeated: (a.repeated ?? 0) + (b.repeated ?? 0) } : {}),
    bytes: a.bytes + b.bytes,
    pages: a.pages + b.pages,
  }
}

export function together(a: Delivered | undefined, b: Delivered): Delivered {
  return {
    inserted: (a?.inserted ?? 0) + b.inserted,
    updated: (a?.updated ?? 0) + b.updated,
    deleted: (a?.deleted ?? 0) + b.deleted,
    rejected: (a?.rejected ?? 0) + b.rejected,
  }
}

/** Of a lane that has ended well, with all its counts. */
export function resultOf(object: string, state: LaneState, { n, watermark, proof }: CommitDigest): ObjectResult {
  const { counts, files, calls, plan, delivered, report } = state
  return {
    object,
    status: n === null ? 'nothing' : 'done',
    entry: n,
    ...counts,
    files,
    calls,
    from: plan?.from ?? null,
    watermark,
    proof,
    ...(plan?.heldBack ? { heldBack: plan.heldBack } : {}),
    ...(delivered ? { delivered } : {}),
    notes: report,
    schemaVersion: plan?.schemaVersion,
    drift: plan?.drift,
  }
}
