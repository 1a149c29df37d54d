/**
 * The commit of a run: the window is counted once more, then one entry decides. May be repeated by anyone.
 *
 * Law: what the counts prove is said with the entry. Records only ever leave a closed window (a change moves their
 * stamp past its end), so the source's count at plan (C0) and now (C1) bound what a correct read finds: C1 ≤ read ≤ C0.
 * But a commit cannot be cancelled, and what is staged does not keep for ever: it waits a little for the source to
 * count, never for a quota. And what is decided asks nothing of the source any more.
 *
 * An early step is an entry of what is read so far; what all entries of the plan have is proven with the last one,
 * which also closes the run where that goes at once.
 */
import { activityInfo } from '@temporalio/activity'
import { ApplicationFailure } from '@temporalio/common'
import type { ErrorKind } from '../connectors/connector.ts'
import { ConnectorError } from '../connectors/errors.ts'
import { canonical } from '../connectors/lake/canonical.ts'
import { walkChains } from '../connectors/lake/chain.ts'
import type { Chain } from '../connectors/lake/chain.ts'
import { behind, commitRun as commit, committedBefore } from '../connectors/lake/commit.ts'
import { addCounts, noCounts } from '../connectors/lake/counts.ts'
import { LakeError } from '../connectors/lake/errors.ts'
import { owedOf } from '../connectors/lake/deliveries.ts'
import { readLedger } from '../connectors/lake/ledger.ts'
import type { CommitEntry, Counts, LakeLane, RunPlan } from '../connectors/lake/protocol.ts'
import { readOutcome } from '../connectors/lake/roll-forward.ts'
import { keepState, loadState } from '../connectors/lake/state-object.ts'
import { worthAnEntry } from '../connectors/lake/windows.ts'
import type { Json } from '../connectors/connector.ts'
import { closedNow } from './close-run.ts'
import type { Deps } from './deps.ts'
import type { CommitDigest, CommitInput } from './digests.ts'
import { exportOf } from './export-job.ts'
import { judgeRead } from './judge-delivery.ts'
import { lakeLane, laneFlow, sourceOf } from './lane.ts'
import { provenEmpty } from './nothing-new.ts'
import type { Planned } from './stored-plan.ts'
import { planned, plannedLake } from './stored-plan.ts'
import { step } from './step.ts'
import type { StepContext } from './step.ts'

export const commitRun = (deps: Deps) =>
  step(async (input: CommitInput, context): Promise<CommitDigest> => {
    const done = await committed(deps, input, context)
    if (input.early) return done
    const closed = await closedNow(deps, await lakeLane(deps, input.task, context), input, context)
    return { ...done, calls: context.calls.made, ...(closed ? {} : { unclosed: true as const }) }
  })

async function committed(deps: Deps, input: CommitInput, context: StepContext): Promise<CommitDigest> {
  const { units, step: position = 1, early } = input
  const ofStep = { units, step: position, last: !early }
  const found = await ofRun(deps, input, context)
  const { at } = found
  if ('closed' in found) return digest(at, found.closed, quarantineNote(found.closed.counts), context)
  const { plan } = found
  const before = await committedBefore(at, plan, units, position)
  if (before) {
    context.beat('completing what is committed')
    const { entry } = await commit(at, plan, { ...ofStep, state: null, proof: before.proof })
    return digest(at, entry, early ? [] : quarantineNote(entry.counts), context)
  }
  const run = await planned(deps, input, context)
  const { ranges, counts: earlier } = await behind(at, plan, position)
  // null: the records are gone, and the ledger tells why; the commit looks there.
  const chains = (await walkChains(at, plan, ranges, units)) ?? []
  const read = chains.flatMap((chain) => chain.units).reduce((sum, unit) => addCounts(sum, unit.counts), noCounts())
  const counts = addCounts(earlier, read)
  if (plan.kind.kind !== 'replay') judgeRead(laneFlow(input.task).flow.maxQuarantined, counts)
  if (early) {
    context.beat('committing what is read so far')
    const job = plan.plan.job ? await exportOf(at, plan) : null
    const proof = { planned: plan.plan.counted, now: null, verdict: `${shown(counts.read)} read so far` }
    const { entry } = await commit(at, plan, { ...ofStep, state: null, proof, ...(job === null ? {} : { job }) })
    return digest(at, entry, [...context.notes], context)
  }
  const state = await nextState(at, run, chains)
  context.beat('counting the window again')
  const proof = await proofOf(run, counts)
  const notes = [...context.notes, ...quarantineNote(counts), ...lookbackNote(counts)]

  const worth = position > 1 ? { entry: true } : worthAnEntry(plan, counts, state, proof)
  if (!worth.entry && chains.length > 0) {
    if (worth.doubtful) throw doubtful(plan, worth.why ?? 'the source gave no rows')
    return {
      n: null,
      watermark: plan.before.watermark,
      files: 0,
      counts,
      proof: proof.verdict,
      notes: [...notes, worth.why ?? ''].filter((note) => note !== ''),
      calls: context.calls.made,
    }
  }
  context.beat('committing')
  const { entry } = await commit(at, plan, { ...ofStep, state, proof })
  return digest(at, entry, notes, context)
}

/** The plan; or, where an attempt closed the run and its answer was lost, what that one had committed. */
async function ofRun(deps: Deps, input: CommitInput, context: StepContext) {
  try {
    return await plannedLake(deps, input, context)
  } catch (error) {
    if (!(error instanceof LakeError) || error.type !== 'CommitConflict') throw error
    const at = await lakeLane(deps, input.task, context)
    const own = { run: input.run.key, n: input.n }
    const closed = await committedBefore(at, own, input.units, input.step)
    if (!closed || (await readOutcome(at, closed.n))?.outcome !== 'done') throw error
    return { at, closed }
  }
}

async function digest(
  at: LakeLane,
  { n, after, files, counts, proof, delivery }: CommitEntry,
  notes: string[],
  { calls }: StepContext,
): Promise<CommitDigest> {
  return {
    n,
    ...(delivery ? { owed: owedOf(await readLedger(at)) } : {}),
    watermark: after.watermark,
    files: files.filter((file) => !file.quarantine).length,
    counts,
    proof: proof.verdict,
    notes,
    calls: calls.made,
  }
}

/** As the entry will have it; the one before it where the source's state is the same. */
async function nextState(at: LakeLane, { connector, session, plan }: Planned, chains: Chain[]): Promise<Json> {
  const source = sourceOf({ connector, session })
  const before = plan.before.state
  if (!source.finish || plan.kind.kind === 'replay') return before
  const reached = new Map(chains.map(({ range, end }) => [range, end.cursor]))
  const ends = plan.plan.ranges.map(({ id }) => reached.get(id) ?? null)
  const next = await source.finish(session, plan.plan, ends)
  const same = canonical(next) === canonical(await loadState(at, before, plan.run))
  return same ? before : keepState(at, plan, next, plan.n)
}

async function proofOf({ connector, session, plan }: Planned, counts: Counts): Promise<CommitEntry['proof']> {
  const source = sourceOf({ connector, session })
  const { counted } = plan.plan
  if (plan.kind.kind === 'replay')
    return { planned: counted, now: counted, verdict: verdict(counted, counted, counts.read) }
  // Only who would replace what is there by nothing asks twice whether there is nothing.
  if (counted === 0 && counts.read === 0 && plan.kind.kind !== 'generation') {
    return provenEmpty
  }
  try {
    const now = source.count ? await source.count(session, plan.plan) : null
    return { planned: counted, now, verdict: verdict(counted, now, counts.read) }
  } catch (error) {
    if (!(error instanceof ConnectorError) || !isLongWait(error)) throw error
    const why = `${shown(counts.read)} read; not proven, the source would not count again: ${error.message}`
    return { planned: counted, now: null, verdict: why }
  }
}

/** A busy source is asked some times, a few minutes in all. */
const ASKED = 4
const LONG_MS = 60_000
const passing = new Set<ErrorKind>(['throttled', 'quota', 'transient', 'answer'])

function isLongWait({ kind, waitMs = 0 }: ConnectorError): boolean {
  return passing.has(kind) && (kind === 'quota' || waitMs > LONG_MS || activityInfo().attempt >= ASKED)
}

function verdict(counted: number | null, now: number | null, read: number): string {
  if (counted === null || now === null) return `${shown(read)} read; the source cannot count`
  if (now <= read && read <= counted)
    return `proven: ${shown(now)} now ≤ ${shown(read)} read ≤ ${shown(counted)} when planned`
  return `finding: ${shown(read)} read, but the source counted ${shown(counted)} when planned and ${shown(now)} now`
}

const shown = (rows: number): string => rows.toLocaleString('en')

function quarantineNote({ quarantined }: Counts): string[] {
  if (quarantined === 0) return []
  return [
    `${quarantined} records are in quarantine, with the rule they broke: see _lakeward/_quarantine in the lake. \`lakeward replay\` reads them again.`,
  ]
}

function lookbackNote({ repeated = 0 }: Counts): string[] {
  if (repeated === 0) return []
  return [`${shown(repeated)} of the records were read again by the lookback, and not written again.`]
}

function doubtful(plan: RunPlan, why: string): ApplicationFailure {
  const what = `${plan.source.object}: ${why}. What was there stays.`
  return ApplicationFailure.nonRetryable(
    `${what} Look at the source and at the filter of the flow.`,
    'NothingToReplaceWith',
  )
}
