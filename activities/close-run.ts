/** Removes a committed run's plan and units. What is left over, the next open removes. */
import { finishRun } from '../connectors/lake/finish.ts'
import type { LakeLane } from '../connectors/lake/protocol.ts'
import { readPlan } from '../connectors/lake/plans.ts'
import type { Deps } from './deps.ts'
import type { CloseDigest, CloseInput } from './digests.ts'
import { withExports } from './export-job.ts'
import { connectLane, lakeLane, sourceOf } from './lane.ts'
import { step } from './step.ts'
import type { StepContext } from './step.ts'

/** For a run whose commit could not close it. */
export const closeRun = (deps: Deps) =>
  step(async (input: CloseInput, context): Promise<CloseDigest> => {
    await close(deps, await lakeLane(deps, input.task, context), input, context)
    return { calls: context.calls.made }
  })

/** In every way of failing the run is committed all the same. */
export async function closedNow(deps: Deps, at: LakeLane, input: CloseInput, context: StepContext): Promise<boolean> {
  try {
    await close(deps, at, input, context)
    return true
  } catch {
    return false
  }
}

async function close(deps: Deps, lane: LakeLane, { task, run }: CloseInput, context: StepContext): Promise<void> {
  const at = withExports(deps, lane, context)
  const plan = await readPlan(at, run.key)
  if (!plan) return
  const connected = await connectLane(deps, at, { connection: plan.source.connection, task }, context)
  // Only now: what the vendor forgets here is committed and complete.
  if (plan.kind.kind !== 'replay') await sourceOf(connected).release?.(connected.session, plan.plan, 'done')
  await finishRun(at, plan)
}
