/**
 * Reading a lane's ledger: one listing of its folder, from the hint on, and the documents it shows.
 *
 * Laws
 * - Number, state, debts and leftovers of an open come from the same listing.
 * - Numbers have no gap. A listing that shows one is made once more, from the beginning (a listing may pass a number
 *   just before it is written); a gap that stays, and any unreadable document, is `LedgerDamaged`.
 * - A hint that the listing does not bear out is no hint.
 */
import { damaged, decodeDocument, entryShape, hintShape, outcomeShape, readDocument } from './documents.ts'
import { AT_ONCE, inParallel } from './in-parallel.ts'
import { laneKeys, parseCommitName } from './keys.ts'
import { emptyState, stateAfter } from './lane-state.ts'
import type { Entry, LakeLane, LaneState, Outcome, Unfinished } from './protocol.ts'

export interface Recorded {
  n: number
  entry: Entry
  /** null: a fence, or an entry whose outcome is owed. */
  outcome: Outcome | null
}

export interface Ledger {
  /** The `done` entry the listing began at; 0: at the beginning. */
  hint: number
  /** The highest number; 0: none. */
  highest: number
  /** In order of their numbers, from the hint on. */
  entries: Recorded[]
  /** Numbers of entries with a receipt. */
  delivered: Set<number>
  /** Runs whose plans are there. */
  plans: string[]
  /** Keys below `seen/`. */
  seen: string[]
  /** Keys of unit records, by run. */
  units: Map<string, string[]>
}

export async function readLedger(at: LakeLane): Promise<Ledger> {
  const hint = await readHint(at)
  let gap: number | null = null
  for (const from of hint > 0 ? [hint, 0, 0] : [0, 0]) {
    const listed = await listLedger(at, from)
    gap = gapIn(listed)
    if (gap !== null) continue
    const entries = await readEntries(at, listed)
    if (from === 0 || entries[0]?.outcome?.outcome === 'done') return { ...listed, entries }
  }
  const where = `${at.store.name}/${laneKeys(at.lane).entry(gap ?? 1)}`
  throw damaged(where, `entry ${gap} is missing from the ledger, and what comes after it is there`)
}

interface Listed extends Omit<Ledger, 'entries'> {
  entries: Set<number>
  outcomes: Set<number>
}

async function listLedger(at: LakeLane, hint: number): Promise<Listed> {
  const keys = laneKeys(at.lane)
  const listed: Listed = {
    hint,
    highest: 0,
    entries: new Set(),
    outcomes: new Set(),
    delivered: new Set(),
    plans: [],
    seen: [],
    units: new Map(),
  }
  let seen = 0
  const from = hint > 0 ? { startAt: keys.entry(hint) } : {}
  for await (const { key } of at.store.list(keys.root, from)) {
    if (++seen % 1000 === 0) at.beat(`listing the ledger: ${seen.toLocaleString('en')} documents`)
    if (key.startsWith(keys.commits)) {
      const name = parseCommitName(key.slice(keys.commits.length))
      if (name) ({ entry: listed.entries, outcome: listed.outcomes, receipt: listed.delivered })[name.part].add(name.n)
    } else if (key.startsWith(keys.plans) && key.endsWith('.json')) {
      listed.plans.push(key.slice(keys.plans.length, -'.json'.length))
    } else if (key.startsWith(keys.seenFolder)) {
      listed.seen.push(key)
    } else if (key.startsWith(keys.units)) {
      const run = key.slice(keys.units.length).split('/')[0] as string
      const known = listed.units.get(run)
      if (known) known.push(key)
      else listed.units.set(run, [key])
    }
  }
  for (const n of [...listed.entries, ...listed.outcomes]) listed.highest = Math.max(listed.highest, n)
  return listed
}

/** The first number without an entry, from the hint to the highest; null: none. */
function gapIn(listed: Listed): number | null {
  for (let n = Math.max(listed.hint, 1); n <= Math.max(listed.highest, listed.hint); n++) {
    if (!listed.entries.has(n)) return n
  }
  return null
}

async function readEntries(at: LakeLane, listed: Listed): Promise<Recorded[]> {
  const numbers = [...listed.entries].toSorted((a, b) => a - b)
  let read = 0
  return inParallel(numbers, AT_ONCE, async (n) => {
    if (++read % 100 === 0) at.beat(`reading the ledger: entry ${n}`)
    return readRecorded(at, n, listed.outcomes.has(n))
  })
}

/** An entry by its number, which is there; its outcome where it is there. */
export async function readRecorded(at: LakeLane, n: number, hasOutcome = true): Promise<Recorded> {
  const keys = laneKeys(at.lane)
  const key = keys.entry(n)
  const entry = await readDocument(at.store, key, entryShape)
  if (entry === null) throw damaged(`${at.store.name}/${key}`, `entry ${n} is listed and cannot be read`)
  if (entry.n !== n) throw damaged(`${at.store.name}/${key}`, `the file holds entry ${entry.n}`)
  if (!hasOutcome) return { n, entry, outcome: null }
  const outcome = await readDocument(at.store, keys.outcome(n), outcomeShape)
  if (outcome && (outcome.n !== n || entry.kind === 'fence')) {
    throw damaged(`${at.store.name}/${keys.outcome(n)}`, `the outcome does not belong to entry ${n}`)
  }
  return { n, entry, outcome }
}

/** The lane as its newest `done` entry left it. */
export function stateOf(ledger: Ledger): { state: LaneState; unfinished: Unfinished | null } {
  const newest = ledger.entries.findLast(({ outcome }) => outcome?.outcome === 'done')
  if (newest?.entry.kind !== 'commit') return { state: emptyState(), unfinished: null }
  return { state: stateAfter(newest.entry), unfinished: newest.entry.unfinished ?? null }
}

async function readHint(at: LakeLane): Promise<number> {
  const key = laneKeys(at.lane).hint
  const bytes = await at.store.get(key)
  if (!bytes) return 0
  try {
    return decodeDocument(bytes, hintShape, key).n
  } catch {
    return 0
  }
}
