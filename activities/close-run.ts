/** Removes a committed run's plan and units. What is left over, the next open removes. */
import { finishRun } from '../connectors/lake/finish.ts'
import { readPlan } from '../connectors/lake/plans.ts'
import type { Deps } from './deps.ts'
import type { CloseDigest, CloseInput } from './digests.ts'
import { withExports } from './export-job.ts'
import { connectLane, lakeLane, sourceOf } from './lane.ts'
import { step } from './step.ts'

export const closeRun = (deps: Deps) =>
  step(async ({ task, run }: CloseInput, context): Promise<CloseDigest> => {
    const at = withExports(deps, await lakeLane(deps, task, context), context)
    const plan = await readPlan(at, run.key)
    if (!plan) return { calls: context.calls.made }
    const connected = await connectLane(deps, at, { connection: plan.source.connection, task }, context)
    // Only now: what the vendor forgets here is committed and complete.
    if (plan.kind.kind !== 'replay') await sourceOf(connected).release?.(connected.session, plan.plan, 'done')
    await finishRun(at, plan)
    return { calls: context.calls.made }
  })
