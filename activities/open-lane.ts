/** Opens the lane's ledger: repeats what is owed, fences off dead runs, and says where this run begins. */
import { openLane as open } from '../connectors/lake/open.ts'
import type { Deps } from './deps.ts'
import type { OpenDigest, OpenInput } from './digests.ts'
import { lakeLane } from './lane.ts'
import { step } from './step.ts'

export const openLane = (deps: Deps) =>
  step(async ({ task, run }: OpenInput, context): Promise<OpenDigest> => {
    const { n, state, report } = await open(await lakeLane(deps, task, context), run)
    return { run, n, base: state.n, watermark: state.watermark, report }
  })
