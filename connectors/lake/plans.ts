/**
 * The plan of a run: written before anything is staged, and read by every step after.
 *
 * Laws
 * - The first plan that is stored is the run's plan; an attempt that comes later takes that one.
 * - It says where the run stages and for whom: what a dead run left is found by its plan, and by nothing else.
 * - Who finishes another run's plan takes all of it: bound, ranges, schemas and recipe, whatever the flow says by now.
 */
import type { Field, Json, Plan, Range } from '../connector.ts'
import { hashOf } from './canonical.ts'
import { createOnce, jsonShape, planShape, rangesShape, readDocument } from './documents.ts'
import { LakeError } from './errors.ts'
import { filesPrefix, laneKeys } from './keys.ts'
import type { LakeLane, LaneState, RunKey, RunKind, RunPlan, SeenRef, Unfinished } from './protocol.ts'
import { schemaVersion } from './schema-version.ts'

/** What a run's plan is made of; the protocol adds the rest. */
export interface PlanParts {
  kind: RunKind
  /** Folder of the data files, without slashes around it. */
  prefix: string
  source: RunPlan['source']
  plan: Plan
  sourceSchema: Field[]
  outputSchema: Field[]
  recipe: Json
  lookback?: RunPlan['lookback']
  /** Hash of what shapes the output; default: of the whole recipe. */
  recipeHash?: string
  /** What the next run compares itself with. */
  shape?: Json
  drift?: string[]
  replays?: string[]
  delivery?: RunPlan['delivery']
}

/** What `openLane` answered, as far as a plan needs it. */
export interface OpenedLane {
  n: number
  state: LaneState
  lakeId: string
}

export function draftPlan(at: LakeLane, run: RunKey, opened: OpenedLane, parts: PlanParts): RunPlan {
  const { n, state } = opened
  const anew = parts.kind.kind === 'generation'
  return {
    ...whose(at, run, opened),
    ...parts,
    recipeHash: parts.recipeHash ?? hashOf(parts.recipe),
    schema: schemaVersion(state, parts.outputSchema, n),
    generation: anew ? state.begun + 1 : state.generation,
    since: anew ? n : state.since,
  }
}

/** The plan of a run that finishes what another left: the same plan, behind what is committed of it. */
export function resumePlan(at: LakeLane, run: RunKey, opened: OpenedLane, unfinished: Unfinished): RunPlan {
  const { plan, ...behind } = unfinished
  const seen = seenAtFirst(plan)
  const resumes = { run: plan.run, n: opened.state.n, ...behind, ...(seen ? { seen } : {}) }
  return { ...plan, ...whose(at, run, opened), resumes }
}

/** What was read before a plan began, however often it was taken up since. */
export function seenAtFirst({ before, resumes }: RunPlan): SeenRef | undefined {
  return resumes?.seen ?? before.seen
}

function whose(at: LakeLane, run: RunKey, opened: OpenedLane) {
  const { namespaceId, namespace } = at.lane
  return {
    version: 1 as const,
    run: run.key,
    startedMs: run.startedMs,
    namespaceId,
    namespace,
    workflowId: run.workflowId,
    parent: run.parent,
    files: filesPrefix(at.lane, run.key),
    n: opened.n,
    before: opened.state,
    lakeId: opened.lakeId,
  }
}

/** Stores the plan, or finds the one an earlier attempt stored; answers the stored one. */
export async function writePlan(at: LakeLane, plan: RunPlan): Promise<RunPlan> {
  return createOnce(at.store, laneKeys(at.lane).plan(plan.run), plan, planShape, () => closedMeanwhile(at, plan.run))
}

/** With the ranges of its export, once they are there. */
export async function readPlan(at: LakeLane, run: string): Promise<RunPlan | null> {
  const keys = laneKeys(at.lane)
  const stored = await readDocument(at.store, keys.plan(run), planShape)
  if (!stored?.plan.job || stored.plan.ranges.length > 0) return stored
  const found = await readDocument(at.store, keys.exported(run, 'ranges'), rangesShape)
  return found ? { ...stored, plan: { ...stored.plan, ranges: found.ranges } } : stored
}

/** The job of a run's export, remembered the first time that one is given; null: none is. */
export async function exportRef(at: LakeLane, run: string, ref?: Json): Promise<Json | null> {
  const key = laneKeys(at.lane).exported(run, 'job')
  if (ref === undefined) return (await readDocument(at.store, key, jsonShape))?.value ?? null
  return (await createOnce(at.store, key, { version: 1 as const, value: ref }, jsonShape)).value
}

/** What it gave, for ever: units are read of it. */
export async function exportRanges(at: LakeLane, run: string, ranges: Range[]): Promise<void> {
  const key = laneKeys(at.lane).exported(run, 'ranges')
  await createOnce(at.store, key, { version: 1 as const, ranges }, rangesShape)
}

export function planHash(plan: RunPlan): string {
  return hashOf(plan)
}

/** The plan that history names by its hash. */
export async function plannedRun(at: LakeLane, run: string, hash: string): Promise<RunPlan> {
  const plan = await readPlan(at, run)
  if (plan === null) throw closedMeanwhile(at, run)
  if (planHash(plan) === hash) return plan
  throw new LakeError('LedgerDamaged', {
    what: 'the plan is not the one this run wrote',
    where: `${at.store.name}/${laneKeys(at.lane).plan(run)}`,
    advice: 'Something else wrote it; cancel the run and start it again.',
  })
}

/** The working documents of a run are gone: another run of the lane has fenced it off and swept it. */
export function closedMeanwhile(at: LakeLane, run: string): LakeError {
  return new LakeError('CommitConflict', {
    what: `run ${run} was closed by another run of this object, and its working documents are gone`,
    where: `${at.store.name}/${laneKeys(at.lane).root}`,
    advice: 'Nothing of it is visible; it starts again.',
  })
}

/**
 * Whether a connection still reaches what the lane, or the plan, is about. A lane that never committed is about nothing
 * yet. `accept`: a run with `--full` takes the new place for the lane's.
 */
export function checkMoved(
  expected: RunPlan | LaneState,
  now: { sourceIdentity: string; lakeId: string },
  accept = false,
): void {
  if (accept) return
  const source = identityOf(expected)
  const moved = (what: string, before: string, after: string): LakeError =>
    new LakeError('LaneMoved', {
      what: `the ${what} is ${after}, and this object was read so far with ${before}`,
      where: what === 'lake' ? 'destination.connection' : 'source.connection',
      advice: 'Point the connection back, or run the flow once with --full to begin again from the new one.',
    })
  if (source !== null && source !== now.sourceIdentity) throw moved('source', source, now.sourceIdentity)
  if (expected.lakeId !== null && expected.lakeId !== now.lakeId) throw moved('lake', expected.lakeId, now.lakeId)
}

/** As `checkMoved`, as an answer. */
export function isMoved(expected: RunPlan | LaneState, now: { sourceIdentity: string; lakeId: string }): boolean {
  const source = identityOf(expected)
  const { lakeId } = expected
  return (source !== null && source !== now.sourceIdentity) || (lakeId !== null && lakeId !== now.lakeId)
}

function identityOf(expected: RunPlan | LaneState): string | null {
  return 'source' in expected ? expected.source.identity : expected.sourceIdentity
}
