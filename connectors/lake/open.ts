/**
 * Opening a lane: what is owed is paid, what dead runs left is fenced off and removed, and then the number, the
 * watermark, the state and the schemas of the new run are told, all from one listing.
 *
 * Laws
 * - A fence is written only where older runs of this lane, of this namespace, left a plan: their zombies could commit
 *   under the number that this run would take. A fence that loses means that the listing is old: open again.
 * - The run's number is the highest plus one, so whatever an older run still tries, its number is taken. Only a run
 *   whose number is closed is removed.
 * - Runs of other namespaces are alive for all we know. They are reported, and treated as dead after 7 days, measured
 *   between the starts of the two runs. Which run is older is said by their keys alone.
 * - The hint moves last, and only to a `done` entry behind which nothing is owed.
 */
import { encodeDocument } from './documents.ts'
import { LakeError } from './errors.ts'
import { fence } from './fence.ts'
import { hintFrom, payDebts } from './debts.ts'
import { owedOf } from './deliveries.ts'
import { lakeIdentity } from './identity.ts'
import { isOlder, laneKeys } from './keys.ts'
import type { Ledger } from './ledger.ts'
import { readLedger, stateOf } from './ledger.ts'
import { readPlan } from './plans.ts'
import type { Hint, LakeLane, LaneState, RunKey, RunPlan, Unfinished } from './protocol.ts'
import { sweepSeen } from './seen.ts'
import { sweepOrphans, sweepRun } from './sweep.ts'

export interface Opened {
  /** Number that the run's first entry takes. */
  n: number
  state: LaneState
  lakeId: string
  /** A plan that an earlier run left unfinished: this run finishes it first, under its old bound. */
  unfinished: Unfinished | null
  /** Entries that are still to be delivered, in order, before anything else is. */
  owed: number[]
  /** What was found and done, in sentences for people. */
  report: string[]
}

const MOST_OPENS = 20
const FOREIGN_MS = 7 * 86_400_000

export async function openLane(at: LakeLane, run: RunKey): Promise<Opened> {
  const lakeId = await lakeIdentity(at.store)
  const report: string[] = []
  for (let opens = 0; opens < MOST_OPENS; opens++) {
    const ledger = await readLedger(at)
    await payDebts(at, ledger, report)
    const left = await leftovers(at, ledger, run)
    let n = ledger.highest + 1
    if (left.dead.length > 0) {
      if (!fencedBefore(ledger, run, left.dead)) {
        const why = `runs that are over left staged files: ${left.dead.map((plan) => plan.run).join(', ')}`
        const stands = await fence(at, n, run.key, why)
        // Our own fence, of an attempt whose answer was lost, has closed the number just as well.
        if (stands.kind !== 'fence' || stands.run !== run.key) continue
        n += 1
      }
      // A plan may have been written after the entries were listed and before the plans were: what its run takes next
      // is not closed, so it waits for the next open.
      for (const plan of left.dead.filter((dead) => dead.n < n)) {
        at.beat(`removing what run ${plan.run} staged`)
        await sweepRun(at, plan, { orphans: true })
        report.push(`Run ${plan.run} had ended without cleaning up: its staged files are removed.`)
      }
    }
    for (const [orphan, records] of left.orphans) await sweepOrphans(at, orphan, records)
    for (const plan of left.foreign) report.push(foreignText(plan))
    const found = stateOf(ledger)
    await sweepSeen(at, ledger.seen, n - 1, found.state, found.unfinished)
    await moveHint(at, ledger)
    return { n, lakeId, report, owed: owedOf(ledger), ...found }
  }
  throw new LakeError('CommitConflict', {
    what: `other runs of this object keep taking the next number, ${MOST_OPENS} times in a row`,
    where: `${at.store.name}/${laneKeys(at.lane).commits}`,
    advice: 'See which other runs of this flow are there (`lakeward runs NAME`), and let one go on alone.',
  })
}

interface Leftovers {
  dead: RunPlan[]
  foreign: RunPlan[]
  /** Unit records without a plan, of older runs. */
  orphans: [run: string, records: string[]][]
}

async function leftovers(at: LakeLane, ledger: Ledger, run: RunKey): Promise<Leftovers> {
  const left: Leftovers = { dead: [], foreign: [], orphans: [] }
  for (const other of ledger.plans) {
    if (other === run.key) continue
    const plan = await readPlan(at, other)
    if (plan === null) continue
    const foreign = plan.namespaceId !== at.lane.namespaceId
    if (foreign && run.startedMs - plan.startedMs < FOREIGN_MS) left.foreign.push(plan)
    else if (foreign || isOlder(other, run.key)) left.dead.push(plan)
  }
  const planned = new Set(ledger.plans)
  for (const [other, records] of ledger.units) {
    if (!planned.has(other) && isOlder(other, run.key)) left.orphans.push([other, records])
  }
  return left
}

/** An earlier attempt of this very open closed the number that each dead run would take, and died before it swept. */
function fencedBefore(ledger: Ledger, run: RunKey, dead: RunPlan[]): boolean {
  const last = ledger.entries.at(-1)?.entry
  return last?.kind === 'fence' && last.run === run.key && dead.every((plan) => plan.n <= last.n)
}

function foreignText(plan: RunPlan): string {
  return (
    `Run ${plan.run} of namespace ${plan.namespace} has staged files here for the same object. ` +
    'If it is no longer used, they are removed 7 days after it began; if it is, give one of the flows another name.'
  )
}

async function moveHint(at: LakeLane, ledger: Ledger): Promise<void> {
  const n = hintFrom(at, ledger)
  if (n === ledger.hint) return
  const hint: Hint = { version: 1, n }
  await at.store.put(laneKeys(at.lane).hint, encodeDocument(hint))
}
