/** The plan that history names, and whether the connections still reach what it was made for. */
import { lakeIdentity } from '../connectors/lake/identity.ts'
import { checkMoved, plannedRun } from '../connectors/lake/plans.ts'
import type { LakeLane, RunPlan } from '../connectors/lake/protocol.ts'
import type { Connected, Deps } from './deps.ts'
import type { LaneTask, RunRef } from './digests.ts'
import { connectLane, lakeLane } from './lane.ts'
import type { StepContext } from './step.ts'

export interface Planned extends Connected {
  at: LakeLane
  plan: RunPlan
}

interface PlanNamed {
  task: LaneTask
  run: RunRef
  planHash: string
}

export async function planned(deps: Deps, input: PlanNamed, context: StepContext): Promise<Planned> {
  const { at, plan } = await plannedLake(deps, input, context)
  const connected = await connectLane(deps, at, { connection: plan.source.connection, task: input.task }, context)
  const sourceIdentity = await connected.connector.identity(connected.session)
  checkMoved(plan, { sourceIdentity, lakeId: plan.lakeId })
  return { at, plan, ...connected }
}

/** The lake's side alone, for what asks nothing of the source. */
export async function plannedLake(
  deps: Deps,
  input: PlanNamed,
  context: StepContext,
): Promise<Pick<Planned, 'at' | 'plan'>> {
  const at = await lakeLane(deps, input.task, context)
  const plan = await plannedRun(at, input.run.key, input.planHash)
  checkMoved(plan, { sourceIdentity: plan.source.identity, lakeId: await lakeIdentity(at.store) })
  return { at, plan }
}
