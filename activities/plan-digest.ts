/** What the workflow is told of a plan: how it is read, and when a part of it may be committed. */
import { planHash } from '../connectors/lake/plans.ts'
import type { RunPlan } from '../connectors/lake/protocol.ts'
import type { Deps } from './deps.ts'
import type { PlanDigest } from './digests.ts'
import type { LaneFlow } from './lane.ts'

interface Told {
  parallel: number
  calls: number
  /** Sentences for the report. */
  said: string[]
}

export function digestOf(plan: RunPlan, lane: LaneFlow, { parallel, calls, said }: Told): PlanDigest {
  const { ranges, api, from, bound, counted, heldBack, notes } = plan.plan
  const behind = Object.entries(plan.resumes?.ranges ?? {}).filter(([, end]) => end.unit !== null)
  return {
    planHash: planHash(plan),
    ranges: ranges.map(({ id }) => id).filter((id) => !plan.resumes?.ranges[id]?.end),
    ...(behind.length > 0
      ? { resumed: Object.fromEntries(behind.map(([id, { seq, unit }]) => [id, { seq, unit: unit as string }])) }
      : {}),
    parallel,
    ...stepsOf(plan, lane),
    api,
    from,
    bound,
    counted,
    heldBack,
    notes: [...notes, ...said],
    drift: plan.drift ?? [],
    schemaVersion: plan.schema?.version ?? 1,
    calls,
  }
}

/** What the flow asks for, within the limits of its connection. */
export async function rangesAtOnce(deps: Deps, { flow, object }: LaneFlow): Promise<number> {
  const { connections } = await deps.installation()
  const most = connections[flow.source.connection]?.limits.parallel ?? 1
  return Math.min(object.parallel ?? most, most)
}

/** When a run may commit early: never what counts as a whole alone. */
function stepsOf({ kind: { kind }, delivery }: RunPlan, { flow }: LaneFlow): Pick<PlanDigest, 'steps'> {
  if (kind === 'replay' || delivery?.write === 'replace') return {}
  // Who lists folders would see two generations side by side for long.
  const hidden = kind === 'generation' && !delivery
  return { steps: (hidden ? null : flow.destination.commitEvery) ?? {} }
}
