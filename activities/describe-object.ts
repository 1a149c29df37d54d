/**
 * The source's schema now, reconciled with the lane's, and the plan of the run: written once, read by every later step.
 *
 * Laws
 * - A plan that is stored is the run's plan: an attempt that comes later takes it, whatever the source says by then.
 * - A run that another left unfinished is finished first, under its own plan; but one whose source is no longer
 *   reached, or no longer has what was planned, cannot be finished, and a run with `full` gives it up.
 * - Where there is nothing to read and nothing to commit, no plan is stored: nothing is ever staged under it.
 */
import { ApplicationFailure } from '@temporalio/common'
import type { Ask, Field, Json, ObjectSchema, Source } from '../connectors/connector.ts'
import { ConnectorError, InputError } from '../connectors/errors.ts'
import { checkOptions } from '../connectors/flow.ts'
import { lakeIdentity } from '../connectors/lake/identity.ts'
import { readState } from '../connectors/lake/lane-state.ts'
import { checkMoved, draftPlan, isMoved, readPlan, resumePlan, writePlan } from '../connectors/lake/plans.ts'
import type { LakeLane, LaneState, RunKind, RunPlan, Unfinished } from '../connectors/lake/protocol.ts'
import { planReplay } from '../connectors/lake/replay.ts'
import { loadState } from '../connectors/lake/state-object.ts'
import { planWindow } from '../connectors/lake/windows.ts'
import { neededFields } from '../connectors/records/recipe.ts'
import { ceilingOf, lookbackOf, planFrom } from './bounds.ts'
import type { Connected, Deps } from './deps.ts'
import type { DescribeInput, PlanDigest } from './digests.ts'
import { planDelivery } from './delivery-plan.ts'
import { exported } from './export-job.ts'
import { connectLane, laneAt, laneFlow, sourceOf } from './lane.ts'
import type { LaneFlow } from './lane.ts'
import { nothingNew } from './nothing-new.ts'
import { placeOf } from './place.ts'
import type { Place } from './place.ts'
import { digestOf, rangesAtOnce } from './plan-digest.ts'
import { reconcileLane } from './reconcile-lane.ts'
import type { ReconciledLane } from './reconcile-lane.ts'
import type { StoredRecipe } from './recipe.ts'
import { step } from './step.ts'

export const describeObject = (deps: Deps) =>
  step(async (input: DescribeInput, context): Promise<PlanDigest> => {
    const lane = laneFlow(input.task)
    const place = await placeOf(deps, lane)
    const at = laneAt(place, input.task, context)
    const run = { ...input.open.run, parent: input.task.parent }
    const stored = await readPlan(at, run.key)
    const parallel = await rangesAtOnce(deps, lane)
    const told = (plan: RunPlan, said: string[] = []): PlanDigest =>
      digestOf(plan, lane, { parallel, calls: context.calls.made, said })
    if (stored?.plan.job) {
      const end = await connectLane(deps, at, { connection: stored.source.connection, task: input.task }, context)
      return told(await exported(at, stored, end, context))
    }
    if (stored) return told(stored)
    const { state, unfinished } = await readState(at, input.open.base)
    const lakeId = await lakeIdentity(at.store)
    const opened = { n: input.open.n, state, lakeId }
    const connected = await connectLane(
      deps,
      at,
      { connection: lane.flow.source.connection, task: input.task },
      context,
    )
    const sourceIdentity = await connected.connector.identity(connected.session)
    const { full } = lane.flow.run
    if (unfinished && !(full && isMoved(unfinished.plan, { sourceIdentity, lakeId })) && !isGone(unfinished, input)) {
      const plan = await writePlan(at, resumePlan(at, run, opened, unfinished))
      return told(plan, ['Finishes the run that was left unfinished, under its bound.'])
    }
    lane.flow = checkOptions(lane.flow, connected.connector)
    lane.object = lane.flow.source.objects[0] as LaneFlow['object']
    checkMoved(state, { sourceIdentity, lakeId }, full)
    await connected.budget.admit(`plan ${lane.object.object}`)

    context.beat(`describing ${lane.object.object}`)
    const {
      said: drawn,
      schema,
      ...drafted
    } = await draft(at, lane, connected, { ...state, state: await loadState(at, state.state) }, place, {
      ...input,
      parallel,
    })
    const delivery = await planDelivery(
      deps,
      lane,
      place,
      {
        schema,
        kind: drafted.kind,
        cursorField: drafted.plan.cursorField,
        shaped: {
          recipe: drafted.recipe as unknown as StoredRecipe,
          source: drafted.sourceSchema,
          output: drafted.outputSchema,
        },
      },
      context,
    )
    const given = unfinished ? ['The run that was left unfinished cannot be finished: it is given up.'] : []
    const said = [...given, ...drawn, ...context.notes]
    // Attempts that wait for a job have its plan alone.
    if (drafted.plan.job) drafted.plan.notes.push(...said.splice(0))
    const plan = draftPlan(at, run, opened, {
      ...drafted,
      ...(delivery ? { delivery } : {}),
      source: {
        connection: lane.flow.source.connection,
        connector: connected.connector.name,
        identity: sourceIdentity,
        object: lane.object.object,
      },
    })
    const nothing = nothingNew(plan, sourceOf(connected))
    if (nothing) return { ...told(plan, said), nothing }
    return told(await exported(at, await writePlan(at, plan), connected, context), said)
  })

async function draft(
  at: LakeLane,
  lane: LaneFlow,
  connected: Connected,
  state: LaneState,
  place: Place,
  { task, open, noJob, parallel }: DescribeInput & { parallel: number },
) {
  const { flow, object } = lane
  const source = sourceOf(connected)
  const schema = await described(source, connected, object)
  refuseWithoutStamp(source, schema, lane)
  const instant = new Date(task.nominalMs ?? open.run.startedMs).toISOString()
  const reconciled = reconcileLane(lane, schema, state, place, { instant, run: open.run.key })
  const reading = flow.run.replay
    ? await replayed(at, state, reconciled)
    : await asked(lane, { source, connected, schema, state, reconciled, input: { task, noJob, parallel } })
  const { recipe } = reconciled
  return {
    ...reading,
    prefix: recipe.folder,
    sourceSchema: reconciled.source,
    outputSchema: reconciled.output,
    recipe: recipe as unknown as Json,
    recipeHash: reconciled.recipeHash,
    shape: { ...reconciled.shape, cursorField: reading.plan.cursorField },
    drift: reconciled.drift,
    schema,
  }
}

/** Nothing of the source but its schema; the lane goes on to be read as it was. */
async function replayed(at: LakeLane, { shape }: LaneState, { output }: ReconciledLane) {
  const { cursorField = null } = (shape ?? {}) as { cursorField?: string | null }
  return { kind: { kind: 'replay' } as RunKind, said: [], ...(await planReplay(at, output, cursorField)) }
}

interface Asking {
  source: Source
  connected: Connected
  schema: ObjectSchema
  state: LaneState
  reconciled: ReconciledLane
  input: Pick<DescribeInput, 'task' | 'noJob'> & { parallel: number }
}

async function asked(lane: LaneFlow, { source, connected, schema, state, reconciled, input }: Asking) {
  const { flow, object } = lane
  const window = planWindow({
    state,
    read: object.read,
    write: flow.destination.write,
    startFrom: object.startFrom ?? null,
    ...(object.lookbackMs === undefined ? {} : { lookback: object.lookbackMs }),
    ...flow.run,
  })
  const { ceiling, told } = ceilingOf(input.task.nominalMs, state, window)
  const ask: Ask = {
    object: object.object,
    options: object.options,
    schema,
    fields: fieldsToRead(reconciled.source, schema, reconciled.recipe),
    filter: object.where,
    mode: window.mode,
    includeDeleted: reconciled.includeDeleted,
    cursorField: reconciled.cursorField,
    state: state.state,
    ...(window.from === null ? {} : { from: window.from }),
    ...(window.to === null ? {} : { to: window.to }),
    ceiling,
    settleMs: object.settleMs ?? source.settleMs ?? 0,
    parallel: input.parallel,
    ...(input.noJob ? { noJob: input.noJob } : {}),
  }
  const plan = await planFrom((one) => source.plan(connected.session, one), ask, state)
  return { kind: window.kind, plan, said: told, ...lookbackOf(lane, schema, plan) }
}

/** An object that is not there will not come by starting again, as a field that vanished in mid-read may. */
async function described(source: Source, { session }: Connected, object: LaneFlow['object']): Promise<ObjectSchema> {
  try {
    return await source.describe(session, object.object, object.options)
  } catch (error) {
    if (!(error instanceof ConnectorError) || error.kind !== 'missing') throw error
    const advice = error.advice ?? 'Check its name, and whether the login may see it: `lakeward objects CONNECTION`.'
    throw ApplicationFailure.nonRetryable(`${error.message} ${advice}`, 'ObjectMissing')
  }
}

/** What the output is made of and still exists; the source adds its keys and cursor itself. */
function fieldsToRead(fields: Field[], schema: ObjectSchema, recipe: StoredRecipe): string[] {
  const gone = new Set(fields.filter((field) => field.gone).map((field) => field.name))
  const names = neededFields(recipe, fields, schema.keys).filter((name) => !gone.has(name))
  if (names.length > 0) return names
  throw new ConnectorError({
    connector: 'lakeward',
    doing: `plan ${schema.object}`,
    kind: 'forbidden',
    reason: 'no field of it can be read with this login',
    advice: 'Give the login read access to the fields of this object.',
  })
}

/** Without a stamp, and without a state of the source's own, every incremental run would read everything again. */
function refuseWithoutStamp(source: Source, schema: ObjectSchema, lane: LaneFlow): void {
  if (lane.object.read === 'full' || source.finish || schema.cursors.length > 0 || lane.object.cursorField) return
  throw new InputError([
    {
      what: `${schema.object} has no field that tells what changed, so it cannot be read incrementally`,
      where: 'source.objects[0].read',
      advice: 'Say read: full for this object, with write: replace for a snapshot.',
    },
  ])
}

/** What the plan reads is no longer kept for it. @throws where the run is not one that gives it up */
function isGone({ plan: { plan, run } }: Unfinished, { task, expired }: DescribeInput): boolean {
  if (!expired && !(Date.parse(plan.expires ?? '') < Date.now())) return false
  if (laneFlow(task).flow.run.full) return true
  const what = `Run ${run} has committed a part, and what it was to read on is no longer there.`
  throw ApplicationFailure.nonRetryable(`${what} Run the flow once with --full to begin again.`, 'PlanExpired')
}
