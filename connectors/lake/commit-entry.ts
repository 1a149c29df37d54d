/**
 * What an entry says, derived from the plan and the chains.
 *
 * Law: an early step carries watermark, state, generation and windows through. The last one moves them as its kind
 * says: a window and a replay never touch the watermark, a generation begins anew, the others stand at the bound. What
 * was read lately is said by every entry: an early step has read some of it.
 */
import type { Json } from '../connector.ts'
import type { Chain } from './chain.ts'
import { addCounts, noCounts } from './counts.ts'
import { compareInstants } from './instants.ts'
import type { CommitEntry, Counts, LakeLane, RunPlan, SeenRef, Unfinished, UnitRecord } from './protocol.ts'

export interface EntryParts {
  units: Record<string, string>
  step: number
  last: boolean
  state: Json
  proof: CommitEntry['proof']
  /** What the steps before it have committed of the plan. */
  counts: Counts
  job?: Json
  seen?: SeenRef
}

export function draftEntry(at: LakeLane, plan: RunPlan, chains: Chain[], parts: EntryParts): CommitEntry {
  const { units, step, last, proof, seen } = parts
  const all = chains.flatMap((chain) => chain.units)
  const counts = all.reduce((sum, unit) => addCounts(sum, unit.counts), noCounts())
  const { before, kind } = plan
  const replaces = last && kind.kind === 'generation' && !kind.keepOld && before.since < plan.since
  return {
    version: 1,
    kind: 'commit',
    n: plan.n + step - 1,
    run: plan.run,
    workflowId: plan.workflowId,
    namespaceId: plan.namespaceId,
    ...(plan.parent ? { parent: plan.parent } : {}),
    units,
    step,
    last,
    runKind: kind,
    generation: plan.generation,
    files: all.flatMap((unit) => unit.files),
    ...(plan.delivery ? { delivery: { ...plan.delivery, ...widest(all) } } : {}),
    counts,
    before: { n: before.n, watermark: before.watermark },
    after: { ...(last ? movedBy(plan, parts.state) : carried(plan)), ...(seen ? { seen } : {}) },
    ...(replaces ? { replaces: { from: before.since, to: plan.since } } : {}),
    ...(plan.replays?.length ? { replays: plan.replays } : {}),
    windows: last ? windowsAfter(plan) : before.windows,
    sourceSchema: plan.sourceSchema,
    outputSchema: plan.outputSchema,
    recipeHash: plan.recipeHash,
    ...(plan.schema ? { schema: plan.schema } : {}),
    ...(plan.shape ? { shape: plan.shape } : {}),
    ...(plan.drift?.length ? { drift: plan.drift } : {}),
    sourceIdentity: plan.source.identity,
    lakeId: plan.lakeId,
    proof,
    ...(last ? {} : { unfinished: unfinished(plan, chains, addCounts(parts.counts, counts), parts.job) }),
    writtenAt: new Date(at.now?.() ?? Date.now()).toISOString(),
  }
}

function unfinished(plan: RunPlan, chains: Chain[], counts: Counts, job?: Json): Unfinished {
  const ranges = Object.fromEntries(chains.map(({ range, end }) => [range, end]))
  return { plan, ranges, counts, ...(job === undefined ? {} : { job }) }
}

/** The widest text of each field, over all units. */
function widest(units: UnitRecord[]): { widths?: Record<string, number> } {
  const widths: Record<string, number> = {}
  for (const [name, bytes] of units.flatMap((unit) => Object.entries(unit.widths ?? {}))) {
    widths[name] = Math.max(bytes, widths[name] ?? 0)
  }
  return Object.keys(widths).length > 0 ? { widths } : {}
}

function carried({ before }: RunPlan): CommitEntry['after'] {
  const { watermark, origin, state, generation, since, seen } = before
  return { watermark, origin, state, generation, since, ...(seen ? { seen } : {}) }
}

function movedBy(plan: RunPlan, state: Json): CommitEntry['after'] {
  const { before, kind, generation, since } = plan
  const { bound, from } = plan.plan
  if (kind.kind === 'window' || kind.kind === 'replay') return carried(plan)
  if (kind.kind !== 'incremental') return { watermark: bound, origin: from, state, generation, since }
  const { watermark } = before
  if (bound !== null && watermark !== null && compareInstants(bound, watermark) < 0) {
    throw new Error(`the bound ${bound} lies before the watermark ${watermark}`)
  }
  const origin = watermark === null ? from : before.origin
  return { watermark: bound ?? watermark, origin, state, generation, since }
}

function windowsAfter({ kind, before }: RunPlan): CommitEntry['windows'] {
  if (kind.kind === 'generation') return []
  return kind.window ? [...before.windows, kind.window] : before.windows
}
