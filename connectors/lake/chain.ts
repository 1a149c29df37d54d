/**
 * The chain of units behind the last one that the workflow names, range by range, back to where the step before ended.
 *
 * Laws
 * - Only units on the chain count; what zombies wrote is on none. Numbers are contiguous, each record names the one
 *   before it, and only the last one of a range says `end`.
 * - A record that is gone means that somebody swept the run: null, and the ledger tells the rest.
 */
import { damaged } from './documents.ts'
import { inParallel, AT_ONCE } from './in-parallel.ts'
import type { ChainEnd, LakeLane, RunPlan, UnitRecord } from './protocol.ts'
import { findUnit } from './units.ts'

export interface Chain {
  range: string
  /** In order; empty where the range has not moved. */
  units: UnitRecord[]
  end: ChainEnd
}

export const START: ChainEnd = { seq: 0, unit: null, cursor: null, end: false }

/** Where each range of a plan stood before its first step. */
export function startOf(plan: RunPlan): Record<string, ChainEnd> {
  return Object.fromEntries(plan.plan.ranges.map(({ id }) => [id, plan.resumes?.ranges[id] ?? START]))
}

/** The chains of all ranges of the plan, from `before` to the units named; null: a record is gone. */
export async function walkChains(
  at: LakeLane,
  plan: RunPlan,
  before: Record<string, ChainEnd>,
  last: Record<string, string>,
): Promise<Chain[] | null> {
  for (const range of Object.keys(last)) {
    if (!before[range]) throw new Error(`the plan of run ${plan.run} has no range ${range}`)
  }
  const walks = Object.entries(before).map(([range, from]) => ({ range, from, to: last[range] ?? from.unit }))
  const chains = await inParallel(walks, AT_ONCE, ({ range, from, to }) => walk(at, plan, range, from, to))
  return chains.every((chain) => chain !== null) ? chains : null
}

async function walk(
  at: LakeLane,
  plan: RunPlan,
  range: string,
  from: ChainEnd,
  to: string | null,
): Promise<Chain | null> {
  const units: UnitRecord[] = []
  let next: string | null = to
  while (next !== from.unit) {
    if (next === null) throw broken(at, plan, range, `begins behind unit ${from.unit}`)
    const unit: UnitRecord | null = await findUnit(at, plan.run, range, next)
    if (unit === null) return null
    const after = units.at(-1)
    if (unit.id !== next || unit.run !== plan.run || unit.range !== range) {
      throw broken(at, plan, range, `the record of unit ${next} is another's`)
    }
    if (after && after.seq !== unit.seq + 1) throw broken(at, plan, range, `${unit.seq} is followed by ${after.seq}`)
    if (after && unit.end) throw broken(at, plan, range, `unit ${unit.seq} ended it, and ${after.seq} follows`)
    units.push(unit)
    if (units.length % 100 === 0) at.beat(`collecting what range ${range} staged: ${units.length} units`)
    next = unit.previous
  }
  units.reverse()
  const [first] = units
  const newest = units.at(-1)
  if (first && first.seq !== from.seq + 1) throw broken(at, plan, range, `${from.seq} is followed by ${first.seq}`)
  if (first && from.end) throw broken(at, plan, range, `unit ${from.seq} ended it, and ${first.seq} follows`)
  if (!newest) return { range, units, end: from }
  return { range, units, end: { seq: newest.seq, unit: newest.id, cursor: newest.cursor, end: newest.end } }
}

function broken(at: LakeLane, plan: RunPlan, range: string, what: string): Error {
  return damaged(at.store.name, `the chain of range ${range} of run ${plan.run} is broken: ${what}`, {
    advice: 'Nothing was committed. Cancel the run and start it again.',
  })
}
