/**
 * The commit: one create decides for ever that the files of a run, or of one step of it, count.
 *
 * Laws
 * - The entry's number was fixed when the lane was opened: the k-th entry of a run takes n+k-1 and nothing else, and
 *   only after the `done` of the one before.
 * - The number is looked at first: an entry that is ours was created by an attempt whose answer got lost. It is read
 *   back after: an entry that is not ours means that nothing of this run counts.
 * - Nothing is decided while a staged file is not alive; before that is called lost, the number is looked at once more,
 *   because an entry that is ours may have been completed by somebody else. What a rule of the store drops within the
 *   hour counts as gone.
 * - Only the entry that closes the plan's last range moves watermark, state and generation.
 */
import type { Json } from '../connector.ts'
import type { Chain } from './chain.ts'
import { startOf, walkChains } from './chain.ts'
import { draftEntry } from './commit-entry.ts'
import { noCounts } from './counts.ts'
import { seenBefore, writeSeen } from './seen.ts'
import { deleteReplaced } from './debts.ts'
import { createOnce, entryShape, readDocument } from './documents.ts'
import { LakeError } from './errors.ts'
import { laneKeys } from './keys.ts'
import type { ChainEnd, CommitEntry, Counts, Entry, LakeLane, RunPlan, SeenRef } from './protocol.ts'
import { rollForward } from './roll-forward.ts'
import { firstDropped } from './units.ts'

/** What is decided must still be there when it is carried out, by whomever. */
const CARRY_OUT_MS = 3_600_000

export interface CommitRequest {
  /** Last unit of each range that this entry closes or advances. */
  units: Record<string, string>
  /** Position of this entry among its run's; 1 first. */
  step?: number
  /** Closes the plan's last range: watermark and state move. Without it the entry is an early step. */
  last?: boolean
  /** The connector's state for the next run; counts with `last`. */
  state: Json
  proof: CommitEntry['proof']
  /** Of an early step: the export that the plan's ranges are of. */
  job?: Json
}

export interface Committed {
  entry: CommitEntry
  outcome: 'done'
}

export async function commitRun(at: LakeLane, plan: RunPlan, request: CommitRequest): Promise<Committed> {
  const { step = 1, last = true } = request
  const n = plan.n + step - 1
  const found = await readEntry(at, n)
  if (found) return finish(at, plan, request, found)

  const before = await behind(at, plan, step)
  const chains = await walkChains(at, plan, before.ranges, request.units)
  if (chains === null) return lostOrTaken(at, plan, request, n, 'records of its units are gone')
  if (last) for (const { range, end } of chains) if (!end.end) throw new Error(`range ${range} has not ended`)
  const dead = await deadUploads(at, plan, chains)
  if (dead.length > 0) {
    return lostOrTaken(at, plan, request, n, `${dead.length} staged files are gone, the first for ${dead[0]}`)
  }
  const next = soonDropped(at, chains)
  if (next !== null) return lostOrTaken(at, plan, request, n, `a rule of the store drops its staged files at ${next}`)
  const units = chains.flatMap((chain) => chain.units)
  const seen = await writeSeen(at, plan, before.seen, units, n)
  const { counts } = before
  const entry = draftEntry(at, plan, chains, { ...request, step, last, counts, ...(seen ? { seen } : {}) })
  const stored = await createOnce<Entry>(at.store, laneKeys(at.lane).entry(n), entry, entryShape)
  return finish(at, plan, request, stored)
}

/** The entry of an attempt whose answer was lost; null: this step has not been committed by this run. */
export async function committedBefore(
  at: LakeLane,
  { run, n }: Pick<RunPlan, 'run' | 'n'>,
  units: Record<string, string>,
  step = 1,
): Promise<CommitEntry | null> {
  const entry = await readEntry(at, n + step - 1)
  return entry && isMine(entry, run, units) ? entry : null
}

/** Ours: carried out, whoever created it. */
async function finish(at: LakeLane, plan: RunPlan, request: CommitRequest, stored: Entry): Promise<Committed> {
  if (!isMine(stored, plan.run, request.units)) throw taken(at, plan, stored)
  const outcome = await rollForward(at, stored)
  if (outcome.outcome === 'void') throw lost(at, plan, outcome.why ?? 'staged files were lost')
  await deleteReplaced(at, stored)
  return { entry: stored, outcome: 'done' }
}

/** Same run, same last units, not a fence. */
function isMine(entry: Entry, run: string, units: Record<string, string>): entry is CommitEntry {
  if (entry.kind !== 'commit' || entry.run !== run) return false
  const ranges = Object.keys(units)
  return ranges.length === Object.keys(entry.units).length && ranges.every((id) => entry.units[id] === units[id])
}

async function readEntry(at: LakeLane, n: number): Promise<Entry | null> {
  return readDocument(at.store, laneKeys(at.lane).entry(n), entryShape)
}

/** What a step goes on from. */
export interface Behind {
  ranges: Record<string, ChainEnd>
  /** What is committed of the plan by then, by all runs. */
  counts: Counts
  seen: SeenRef | undefined
}

/** Where a run's step begins: where its plan does, or behind the step before, which has to be ours and `done`. */
export async function behind(at: LakeLane, plan: RunPlan, step: number): Promise<Behind> {
  if (step > 1) return previousStep(at, plan, plan.n + step - 2, step - 1)
  return { ranges: startOf(plan), counts: plan.resumes?.counts ?? noCounts(), seen: seenBefore(plan) }
}

async function previousStep(at: LakeLane, plan: RunPlan, n: number, step: number): Promise<Behind> {
  const entry = await readEntry(at, n)
  if (entry?.kind !== 'commit' || entry.run !== plan.run || entry.step !== step) {
    if (entry) throw taken(at, plan, entry)
    throw new Error(`step ${step} of run ${plan.run} is not committed`)
  }
  const outcome = await rollForward(at, entry)
  if (outcome.outcome === 'void') throw lost(at, plan, outcome.why ?? 'staged files were lost')
  if (!entry.unfinished) throw new Error(`step ${step} of run ${plan.run} was its last`)
  const { ranges, counts = noCounts() } = entry.unfinished
  return { ranges, counts, seen: entry.after.seen }
}

/** Keys of staged files that are no longer there. */
async function deadUploads(at: LakeLane, plan: RunPlan, chains: Chain[]): Promise<string[]> {
  const files = chains.flatMap(({ units }) => units.flatMap((unit) => unit.files))
  if (files.length === 0) return []
  const keys = laneKeys(at.lane)
  const alive = new Set<string>()
  const folders = [files.some((file) => !file.quarantine) ? plan.prefix : null]
  if (files.some((file) => file.quarantine)) folders.push(keys.quarantine.slice(0, -1))
  for (const folder of folders) {
    if (folder === null) continue
    for await (const { upload } of at.store.staged(keys.staged, folder === '' ? '' : `${folder}/`)) {
      alive.add(upload)
      if (alive.size % 1000 === 0) at.beat(`looking after staged files: ${alive.size.toLocaleString('en')}`)
    }
  }
  return files.filter((file) => !alive.has(file.upload)).map((file) => file.key)
}

/** When the first staged file goes by a rule of the store, where that is too soon for a commit. */
function soonDropped(at: LakeLane, chains: Chain[]): string | null {
  const { dropped } = firstDropped(chains.flatMap(({ units }) => units.flatMap((unit) => unit.files)))
  return dropped !== undefined && Date.parse(dropped) < (at.now?.() ?? Date.now()) + CARRY_OUT_MS ? dropped : null
}

async function lostOrTaken(
  at: LakeLane,
  plan: RunPlan,
  request: CommitRequest,
  n: number,
  what: string,
): Promise<Committed> {
  const entry = await readEntry(at, n)
  if (entry) return finish(at, plan, request, entry)
  throw lost(at, plan, what)
}

function lost(at: LakeLane, plan: RunPlan, what: string): LakeError {
  return new LakeError('StagedDataLost', {
    what: `run ${plan.run} cannot commit: ${what}`,
    where: `${at.store.name}/${plan.prefix}`,
    advice:
      'Nothing of it counts, the watermark is where it was, and the rows are read again. ' +
      'If it comes back, look for a clean-up rule or a person that deletes unfinished files here.',
  })
}

function taken(at: LakeLane, plan: RunPlan, entry: Entry): LakeError {
  const by = entry.kind === 'fence' ? `closed by run ${entry.run} (${entry.why})` : `taken by run ${entry.run}`
  return new LakeError('CommitConflict', {
    what: `entry ${entry.n}, which run ${plan.run} was to write, is ${by}`,
    where: `${at.store.name}/${laneKeys(at.lane).entry(entry.n)}`,
    advice: 'Nothing more of this run becomes visible; it starts again behind that entry.',
  })
}
