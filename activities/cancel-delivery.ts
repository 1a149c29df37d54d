/** Stops at the destination what a delivery had begun. The entry stays owed: the next run of the lane delivers it. */
import { readReceipt } from '../connectors/lake/deliveries.ts'
import { lakeIdentity } from '../connectors/lake/identity.ts'
import type { Deps } from './deps.ts'
import { owedEntry, reached } from './deliver-unit.ts'
import type { CancelDigest, DeliverInput } from './digests.ts'
import { lakeLane } from './lane.ts'
import { cancelLoad } from './load-table.ts'
import { step } from './step.ts'

export const cancelDelivery = (deps: Deps) =>
  step(async ({ task, n }: DeliverInput, context): Promise<CancelDigest> => {
    const at = await lakeLane(deps, task, context)
    const told = `Entry ${n} is committed and stays: the next run delivers it first.`
    if (await readReceipt(at, n)) return { committed: true, notes: [] }
    const entry = await owedEntry(at, n)
    // What was sent is sent, and a job that runs is asked for its results by the next run.
    if (entry.delivery.kind === 'records') return { committed: true, notes: [told] }
    const connected = await reached(deps, entry, context)
    const { flow, object } = task.lane
    const lane = `${await lakeIdentity(at.store)}/${flow}/${object}`
    await cancelLoad({ at, entry, after: 0, lane, ...connected })
    return { committed: true, notes: [told] }
  })
