/**
 * Runs as the ledger tells of them: for as long as the lake is there, whatever Temporal still remembers.
 *
 * Law: a ledger knows what was committed. Runs that committed nothing, and objects that failed, are in Temporal alone.
 */
import type { ObjectResult } from '../activities/digests.ts'
import { addCounts, noCounts } from '../connectors/lake/counts.ts'
import { LakeError } from '../connectors/lake/errors.ts'
import { type Leftover, leftoversOf } from '../connectors/lake/leftovers.ts'
import type { CommitEntry, LakeLane } from '../connectors/lake/protocol.ts'
import { history, laneStatus } from '../connectors/lake/readers.ts'
import type { RunSummary } from './runs.ts'

export interface LedgerLane {
  object: string
  watermark: string | null
  /** Where the records below the watermark begin; null: at the source's beginning. */
  origin: string | null
  entries: number
  /** Of them, those that are still to be delivered to a destination that is no lake. */
  owed: number
  /** When the newest `done` entry was written, by the clock of the worker that wrote it. */
  lastEntryAt: string | null
  /** Numbers of entries that are committed and not carried out: the next run does. */
  open: number[]
  /**
   * Entries whose staged files were lost, of those that were read, the newest first, and why nothing of them counts.
   */
  void: { entry: number; why: string }[]
  /** What runs that are over have left. */
  left: Leftover[]
  /** Why the ledger cannot be read; no run begins then. */
  problem: string | null
}

export interface LedgerView {
  lanes: LedgerLane[]
  /** The newest first. */
  runs: RunSummary[]
}

/** @param limit newest entries that are read of each lane; `isBusy`: a run of the flow goes on */
export async function readLedgers(lanes: LakeLane[], limit: number, isBusy: boolean): Promise<LedgerView> {
  const view: LedgerView = { lanes: [], runs: [] }
  const byRun = new Map<string, { object: string; entry: CommitEntry }[]>()
  for (const at of lanes) {
    const { object } = at.lane
    const { lane, done } = await readLane(at, limit, isBusy).catch((error: unknown) => unreadable(at, error))
    view.lanes.push(lane)
    for (const entry of done) {
      const id = entry.parent ?? entry.run
      byRun.set(id, [...(byRun.get(id) ?? []), { object, entry }])
    }
  }
  view.runs = [...byRun.values()].map(summary).toSorted(newestFirst)
  return view
}

interface ReadLane {
  lane: LedgerLane
  /** The newest first. */
  done: CommitEntry[]
}

async function readLane(at: LakeLane, limit: number, isBusy: boolean): Promise<ReadLane> {
  const { state, highest, owed, open } = await laneStatus(at)
  const recorded = highest === 0 ? [] : await history(at, limit)
  const done = recorded.flatMap(({ entry, outcome }) =>
    entry.kind === 'commit' && outcome?.outcome === 'done' ? [entry] : [],
  )
  const lost = recorded.flatMap(({ n, outcome }) =>
    outcome?.outcome === 'void' ? [{ entry: n, why: outcome.why ?? 'staged files were lost' }] : [],
  )
  const { watermark, origin } = state
  const lane = {
    object: at.lane.object,
    watermark,
    origin,
    entries: highest,
    owed: owed.length,
    lastEntryAt: done[0]?.writtenAt ?? null,
    open,
    void: lost,
    left: await leftoversOf(at, { isBusy }),
    problem: null,
  }
  return { lane, done }
}

/** One object's ledger that is damaged hides no other. */
function unreadable(at: LakeLane, error: unknown): ReadLane {
  if (!(error instanceof LakeError)) throw error
  const { object } = at.lane
  const nothing = {
    watermark: null,
    origin: null,
    entries: 0,
    owed: 0,
    lastEntryAt: null,
    open: [],
    void: [],
    left: [],
  }
  return { lane: { object, ...nothing, problem: error.message }, done: [] }
}

/** Those of both, each once, the newest first. */
export function withLedgerRuns(known: RunSummary[], ledger: RunSummary[], limit: number): RunSummary[] {
  const ids = new Set(known.map(({ workflowId }) => workflowId))
  return [...known, ...ledger.filter(({ workflowId }) => !ids.has(workflowId))].toSorted(newestFirst).slice(0, limit)
}

function newestFirst(a: RunSummary, b: RunSummary): number {
  return b.startedAt.getTime() - a.startedAt.getTime()
}

function summary(parts: { object: string; entry: CommitEntry }[]): RunSummary {
  const { entry } = parts[0]!
  const workflowId = entry.parent ?? entry.workflowId
  const names = [...new Set(parts.map(({ object }) => object))]
  const objects = names.map((object) => {
    const own = parts.filter((part) => part.object === object)
    return objectResult(
      object,
      own.map((part) => part.entry),
    )
  })
  const total = (member: 'read' | 'written' | 'bytes' | 'files'): number =>
    objects.reduce((sum, object) => sum + object[member], 0)
  const starts = parts.map((part) => Number.parseInt(part.entry.run.split('-')[0] ?? '', 36))
  const ends = parts.map((part) => Date.parse(part.entry.writtenAt))
  const result = {
    version: 1 as const,
    flow: '',
    objects,
    read: total('read'),
    written: total('written'),
    bytes: total('bytes'),
    files: total('files'),
    notes: [],
  }
  return {
    workflowId,
    runId: entry.run,
    status: 'done',
    startedAt: new Date(Math.min(...starts)),
    endedAt: new Date(Math.max(...ends)),
    // The server appends the nominal time to the ids of scheduled runs; ours have milliseconds.
    scheduled: /-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(workflowId),
    ledger: true,
    outcome: { workflowId, status: 'done', result },
  }
}

/** `entries`: of one run and object, the newest first. */
function objectResult(object: string, entries: CommitEntry[]): ObjectResult {
  const [newest] = entries
  const counts = entries.reduce((sum, entry) => addCounts(sum, entry.counts), noCounts())
  return {
    object,
    status: 'done',
    entry: newest!.n,
    ...counts,
    files: entries.reduce((sum, entry) => sum + entry.files.filter((file) => !file.quarantine).length, 0),
    from: entries.at(-1)!.before.watermark,
    watermark: newest!.after.watermark,
    proof: newest!.proof.verdict,
    notes: entries.flatMap((entry) => entry.drift ?? []),
  }
}
