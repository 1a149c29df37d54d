/**
 * An export that the source makes on its own time: submitted before anything is read, its result the plan's ranges.
 *
 * Laws
 * - The plan stands before the job is submitted, the job's reference before it is asked for, the ranges before anything
 *   is read of them: each created once, so any attempt goes on where the last one died.
 * - Waiting for it is a failure with a delay: it holds no slot and leaves nothing in the history.
 * - What it left at the source goes with the run's plan, whether the run was committed, cancelled or found dead; but
 *   not while an entry leaves the plan unfinished: the run that finishes it reads on there.
 */
import { ApplicationFailure } from '@temporalio/common'
import type { Json } from '../connectors/connector.ts'
import { ConnectorError, InputError } from '../connectors/errors.ts'
import { readLedger, stateOf } from '../connectors/lake/ledger.ts'
import { exportRanges, exportRef, readPlan } from '../connectors/lake/plans.ts'
import type { LakeLane, RunPlan } from '../connectors/lake/protocol.ts'
import type { Connected, Deps } from './deps.ts'
import { connectEnd, sourceOf } from './lane.ts'
import type { StepContext } from './step.ts'
import { waiting } from './waiting.ts'

/** The stored plan, with the ranges that its job gave; a plan without a job as it is. */
export async function exported(at: LakeLane, plan: RunPlan, end: Connected, context: StepContext): Promise<RunPlan> {
  if (!plan.plan.job || plan.plan.ranges.length > 0) return plan
  const { session } = end
  const job = sourceOf(end).job!
  const { object } = plan.source
  const begun = async (): Promise<Json> =>
    (await job.find?.(session, plan.plan, plan.files)) ?? (await job.submit(session, plan.plan, plan.files))
  const ref = (await exportRef(at, plan.run)) ?? (await exportRef(at, plan.run, await begun()))!
  context.beat(`${object} is being exported`)
  const state = await job.poll(session, ref)
  if ('waitMs' in state) throw waiting(`${object} is being exported`, state.waitMs)
  if ('refused' in state) throw ApplicationFailure.nonRetryable(state.refused, 'ExportRefused')
  await exportRanges(at, plan.run, state.ready)
  return (await readPlan(at, plan.run))!
}

/** The lane as those see it that sweep its runs: an export goes before its plan does. */
export function withExports(deps: Deps, at: LakeLane, context: StepContext): LakeLane {
  return {
    ...at,
    async drop(plan) {
      if (!plan.plan.job || (await isUnfinished(at, plan))) return
      try {
        await dropExport(deps, at, plan, context)
      } catch (error) {
        if (error instanceof ConnectorError && (error.kind === 'transient' || error.kind === 'throttled')) throw error
        if (!(error instanceof ConnectorError) && !(error instanceof InputError)) throw error
        context.notes.add(`What run ${plan.run} exported is left at the source: ${error.message}`)
      }
    },
  }
}

/** Some of the plan is committed, by this run or by the one that it goes on from, and the rest is still to be read. */
async function isUnfinished(at: LakeLane, { run, resumes }: RunPlan): Promise<boolean> {
  const { state, unfinished } = stateOf(await readLedger(at))
  return unfinished !== null && (unfinished.plan.run === run || state.n === resumes?.n)
}

/** What is kept of it: of a plan that another run began, in the entry that left it. */
export async function exportOf(at: LakeLane, { run, resumes }: RunPlan): Promise<Json | null> {
  return (await exportRef(at, run)) ?? resumes?.job ?? null
}

async function dropExport(deps: Deps, at: LakeLane, whole: RunPlan, context: StepContext) {
  const { plan, files, source } = whole
  const end = await connectEnd(deps, source.connection, context)
  const { job } = sourceOf(end)
  if ((await end.connector.identity(end.session)) !== source.identity || !job) return
  const ref = (await exportOf(at, whole)) ?? (await job.find?.(end.session, plan, files)) ?? null
  if (ref !== null) await job.cancel(end.session, ref)
}
