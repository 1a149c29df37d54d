/**
 * The end of a run that is cancelled or given up.
 *
 * Laws
 * - Cancelling closes the number that the run would take next, before anything of it is removed. A fence that finds the
 *   run's own entry there came too late: the run had committed that, it is carried out, and the number after it is
 *   next.
 * - Only the run's own staging is removed, by its plan; the plan goes last. A run without a plan has staged nothing and
 *   can commit nothing: there is nothing to close.
 */
import { deleteReplaced } from './debts.ts'
import { entryShape, readDocument } from './documents.ts'
import { fence } from './fence.ts'
import { laneKeys } from './keys.ts'
import { readPlan } from './plans.ts'
import type { CommitEntry, LakeLane, RunKey } from './protocol.ts'
import { rollForward } from './roll-forward.ts'
import { sweepRun } from './sweep.ts'

export interface Cancelled {
  /** Entries of the run are `done` all the same; what they moved stays. */
  committed: boolean
  entries: CommitEntry[]
  /** Sentences for people. */
  report: string[]
}

/** `n`: the number open answered; null where it did not. */
export async function cancelRun(at: LakeLane, run: RunKey, n: number | null): Promise<Cancelled> {
  const plan = await readPlan(at, run.key)
  const cancelled: Cancelled = { committed: false, entries: [], report: [] }
  let next = plan?.n ?? n ?? undefined
  while (next !== undefined) {
    const entry = plan
      ? await fence(at, next, run.key, `run ${run.key} was cancelled`)
      : await readDocument(at.store, laneKeys(at.lane).entry(next), entryShape)
    if (entry?.kind !== 'commit' || entry.run !== run.key) break
    next = await carryOut(at, entry, cancelled)
  }
  if (plan) await sweepRun(at, plan)
  return cancelled
}

/** The number after the entry, where the run could have gone on from it. */
async function carryOut(at: LakeLane, entry: CommitEntry, cancelled: Cancelled): Promise<number | undefined> {
  const { outcome, why } = await rollForward(at, entry)
  if (outcome === 'void') {
    cancelled.report.push(`Entry ${entry.n} had been written and is void: ${why}. Nothing of it counts.`)
    return undefined
  }
  await deleteReplaced(at, entry)
  cancelled.committed = true
  cancelled.entries.push(entry)
  const rows = entry.counts.written.toLocaleString('en')
  cancelled.report.push(`Entry ${entry.n} had been committed before: its ${rows} rows stay.`)
  return entry.last ? undefined : entry.n + 1
}
