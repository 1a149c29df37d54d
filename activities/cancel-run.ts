/** Closes the number a run would have taken and removes what it staged; a run that had committed is rolled forward. */
import { cancelRun as cancel } from '../connectors/lake/cancel.ts'
import type { Deps } from './deps.ts'
import type { CancelDigest, CancelInput } from './digests.ts'
import { withExports } from './export-job.ts'
import { lakeLane } from './lane.ts'
import { step } from './step.ts'

export const cancelRun = (deps: Deps) =>
  step(async ({ task, run, n }: CancelInput, context): Promise<CancelDigest> => {
    const at = withExports(deps, await lakeLane(deps, task, context), context)
    const { committed, report } = await cancel(at, run, n ?? null)
    return { committed, notes: [...report, ...context.notes] }
  })
