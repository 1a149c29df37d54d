/**
 * A window that the source counted as empty: nothing has to be read of it, and mostly nothing is committed.
 *
 * Law: only where the run could not have found anything else. What has a state of its own at the source, or keeps
 * something there until it is released, is read to its end all the same, and so is whatever would replace what is
 * there.
 */
import type { Source } from '../connectors/connector.ts'
import { noCounts } from '../connectors/lake/counts.ts'
import type { CommitEntry, RunPlan } from '../connectors/lake/protocol.ts'
import { worthAnEntry } from '../connectors/lake/windows.ts'
import type { CommitDigest } from './digests.ts'

export const provenEmpty: CommitEntry['proof'] = {
  planned: 0,
  now: null,
  verdict: 'proven: nothing in the window when planned, and nothing comes later',
}

/** What the run ends with before it reads anything; undefined: it has to read. */
export function nothingNew(plan: RunPlan, source: Source): CommitDigest | undefined {
  if (plan.plan.counted !== 0 || plan.plan.job || plan.kind.kind !== 'incremental' || source.finish || source.release)
    return undefined
  const { entry, why } = worthAnEntry(plan, noCounts(), plan.before.state, provenEmpty)
  if (entry) return undefined
  const { watermark } = plan.before
  const notes = why === undefined ? [] : [why]
  return { n: null, watermark, files: 0, counts: noCounts(), proof: provenEmpty.verdict, notes, calls: 0 }
}
