/** The plan that history names, and whether the connections still reach what it was made for. */
import { lakeIdentity } from '../connectors/lake/identity.ts'
import { checkMoved, plannedRun } from '../connectors/lake/plans.ts'
import type { LakeLane, RunPlan } from '../connectors/lake/protocol.ts'
import type { Connected, Deps } from './deps.ts'
import type { LaneTask, RunRef } from './digests.ts'
import { connectSource, lakeLane } from './lane.ts'
import type { StepContext } from './step.ts'

export interface Planned extends Connected {
  at: LakeLane
  plan: RunPlan
}

export async function planned(
  deps: Deps,
  input: { task: LaneTask; run: RunRef; planHash: string },
  context: StepContext,
): Promise<Planned> {
  const at = await lakeLane(deps, input.task, context)
  const plan = await plannedRun(at, input.run.key, input.planHash)
  const connected = await connectSource(deps, plan.source.connection, context)
  const sourceIdentity = await connected.connector.identity(connected.session)
  checkMoved(plan, { sourceIdentity, lakeId: await lakeIdentity(at.store) })
  return { at, plan, ...connected }
}
