/**
 * What the ledger still owes, and everybody who opens the lane pays again.
 *
 * Laws
 * - An entry without outcome is rolled forward, in the order of the numbers.
 * - A void of the last day is cleared again (a completion elsewhere may have been in flight), and so is one that no
 *   `done` entry follows: whoever decided it may have died before it cleared anything.
 * - A `done` entry that began a generation deletes the files of the generations it replaced, derived from their
 *   entries. What `keepOld` kept is never among them: it is the user's.
 * - What an entry was delivered from goes behind its receipt, what it took from quarantine behind its `done`.
 */
import { clearDelivered, owedOf } from './deliveries.ts'
import { clearRejects } from './sent-records.ts'
import { AT_ONCE, inParallel } from './in-parallel.ts'
import type { Ledger, Recorded } from './ledger.ts'
import { readRecorded } from './ledger.ts'
import type { CommitEntry, LakeLane } from './protocol.ts'
import { clearVoid, deleteFiles, rollForward } from './roll-forward.ts'

const DAY_MS = 86_400_000

/** Pays what the ledger owes, and notes in it how entries came out. `report`: sentences for people. */
export async function payDebts(at: LakeLane, ledger: Ledger, report: string[]): Promise<void> {
  for (const recorded of ledger.entries) {
    const { entry, n } = recorded
    if (entry.kind !== 'commit' || recorded.outcome) continue
    at.beat(`finishing entry ${n}, which an earlier run left`)
    recorded.outcome = await rollForward(at, entry)
    const { outcome, why } = recorded.outcome
    if (outcome === 'done') report.push(`Entry ${n} of run ${entry.run} was committed but not complete: it is now.`)
    else report.push(`Entry ${n} of run ${entry.run} is void: ${why}. Its rows are read again.`)
  }
  for (const recorded of ledger.entries) {
    const { entry, outcome } = recorded
    if (entry.kind !== 'commit') continue
    if (outcome?.outcome === 'void' && owesClearing(at, ledger, recorded)) await clearVoid(at, entry)
    // The hint's own entry owes nothing: that is what a hint says.
    if (outcome?.outcome !== 'done' || recorded.n === ledger.hint) continue
    await deleteReplaced(at, entry)
    if (entry.delivery && ledger.delivered.has(recorded.n)) await clearDelivered(at, entry)
  }
}

function owesClearing(at: LakeLane, ledger: Ledger, { n, outcome }: Recorded): boolean {
  return isYoung(at, outcome?.writtenAt) || !ledger.entries.some((later) => later.n > n && isDone(later))
}

function isYoung(at: LakeLane, writtenAt: string | undefined): boolean {
  // An unreadable time is young: clearing again does no harm.
  return !(Date.parse(writtenAt ?? '') < (at.now?.() ?? Date.now()) - DAY_MS)
}

function isDone({ outcome }: Recorded): boolean {
  return outcome?.outcome === 'done'
}

/** Deletes what a `done` entry replaced, and what it took from quarantine, any number of times. */
export async function deleteReplaced(at: LakeLane, entry: CommitEntry): Promise<void> {
  const { from, to } = entry.replaces ?? { from: 0, to: 0 }
  for (let n = from; n < to; n++) {
    const { entry: old, outcome } = await readRecorded(at, n)
    if (old.kind !== 'commit' || outcome?.outcome !== 'done') continue
    at.beat(`entry ${entry.n} replaces entry ${n}: deleting its files`)
    await deleteFiles(at, old.files)
    if (old.delivery?.records) await clearRejects(at, old)
  }
  if (!entry.replays) return
  await inParallel(entry.replays, AT_ONCE, (key) => at.store.delete(key))
  await at.store.settle(entry.replays)
}

/** The newest entry that a hint may name once the debts are paid; the listing's own beginning where there is none. */
export function hintFrom(at: LakeLane, ledger: Ledger): number {
  let best = ledger.hint
  const owed = new Set(owedOf(ledger))
  for (const recorded of ledger.entries) {
    // A void is cleared for a day: the listing must show it that long.
    if (recorded.outcome?.outcome === 'void' && isYoung(at, recorded.outcome.writtenAt)) break
    if (owed.has(recorded.n)) break
    if (isDone(recorded)) best = recorded.n
  }
  return best
}
