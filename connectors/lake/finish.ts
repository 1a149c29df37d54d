/**
 * The end of a run that has written its last `done`, or that had nothing to write: what it worked with goes. What a
 * crash leaves of it, the next open removes. The hint is moved there too, where a listing shows that nothing is owed.
 */
import type { LakeLane, RunPlan } from './protocol.ts'
import { sweepRun } from './sweep.ts'

export async function finishRun(at: LakeLane, plan: RunPlan): Promise<void> {
  await sweepRun(at, plan, { orphans: true })
}
