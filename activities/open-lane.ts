/** Opens the lane's ledger: repeats what is owed, fences off dead runs, and says where this run begins. */
import { openLane as open } from '../connectors/lake/open.ts'
import type { Deps } from './deps.ts'
import type { OpenDigest, OpenInput } from './digests.ts'
import { withExports } from './export-job.ts'
import { laneAt, laneFlow } from './lane.ts'
import { placeOf } from './place.ts'
import { step } from './step.ts'

export const openLane = (deps: Deps) =>
  step(async ({ task, run }: OpenInput, context): Promise<OpenDigest> => {
    const lane = laneFlow(task)
    const place = await placeOf(deps, lane)
    const { n, state, report, owed } = await open(withExports(deps, laneAt(place, task, context), context), run)
    // A new generation of a table replaces whatever is still to be loaded.
    const anew = place.kind === 'table' && lane.flow.run.full && !lane.flow.run.keepOld
    return {
      run,
      n,
      base: state.n,
      watermark: state.watermark,
      report: [...report, ...context.notes],
      owed: anew ? [] : owed,
    }
  })
