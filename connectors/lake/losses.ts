/** What a lost entry had been, as far as its neighbours tell, and how its rows are read again. */
import type { Found } from './examine.ts'
import { compareInstants } from './instants.ts'
import { stateAfter } from './lane-state.ts'
import type { CommitEntry, LaneState } from './protocol.ts'

/**
 * An entry behind another stands on the newest `done` one before it; a later step of a run on the `done` of the step
 * before. `unknown`: nothing stands behind it, or only what is lost too.
 */
export function whatBecameOf({ n, outcome }: Found, all: Found[]): 'done' | 'void' | 'unknown' {
  if (outcome) return outcome.outcome
  const next = nextCommit(n, all)
  if (!next) return 'unknown'
  if (next.n - next.step + 1 <= n || next.before.n === n) return 'done'
  return next.before.n < n ? 'void' : 'unknown'
}

/** Sentences about closing the number of a lost entry. */
export function afterLoss(one: Found, all: Found[]): string[] {
  const { n, outcome } = one
  const first = `Number ${n} is closed by a fence. If a copy of the file can be restored instead, do that and answer no.`
  const became = whatBecameOf(one, all)
  if (became === 'void') return [first, 'Nothing of it counted, so nothing is lost.']
  const manifest = (outcome?.manifest ?? []).map(({ key }) => key)
  const files = manifest.length === 0 ? 'Files that it had committed' : `Its files (${manifest.join(', ')})`
  const stay = `${files} stay where they are, but no entry names them any more: readers of folders see their rows beside those that are read again.`
  const before = stateBefore(n, all)
  if (!doneAfter(n, all)) {
    const back = `The lane goes back to ${before ? `watermark ${before.watermark ?? 'none'} of entry ${before.n}` : 'its beginning'}: the next run reads from there.`
    return became === 'done' ? [first, back, stay] : [first, back, `If it was done: ${stay}`]
  }
  return [first, `Its rows do not count any more; read them again afterwards: ${again(n, before, all)}.`, stay]
}

function again(n: number, before: LaneState | null, all: Found[]): string {
  const next = nextCommit(n, all)
  const from = before?.watermark ?? null
  const to = next ? watermarkOf(next, all) : null
  const same = next && before && next.generation === before.generation
  if (!same || from === null || to === null || compareInstants(from, to) >= 0) return '`lakeward run NAME --full`'
  return `\`lakeward run NAME --objects OBJECT --from ${from} --to ${to}\``
}

/** Where the lost entry's run, or the one before `next`, had left the watermark. */
function watermarkOf(next: CommitEntry, all: Found[]): string | null {
  if (next.step === 1) return next.before.watermark
  const closing = all.find(({ entry }) => entry?.kind === 'commit' && entry.run === next.run && entry.last)?.entry
  return closing?.kind === 'commit' ? closing.after.watermark : null
}

function nextCommit(n: number, all: Found[]): CommitEntry | null {
  const next = all.find((other) => other.n > n && other.entry?.kind === 'commit')?.entry
  return next?.kind === 'commit' ? next : null
}

function stateBefore(n: number, all: Found[]): LaneState | null {
  const before = all.findLast((other) => other.n < n && isDone(other))?.entry
  return before?.kind === 'commit' ? stateAfter(before) : null
}

function doneAfter(n: number, all: Found[]): boolean {
  return all.some((other) => other.n > n && isDone(other))
}

function isDone({ entry, outcome }: Found): boolean {
  return entry?.kind === 'commit' && outcome?.outcome === 'done'
}
