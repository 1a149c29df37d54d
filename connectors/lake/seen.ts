/**
 * What a lane with a lookback has read lately: hashes of key and stamp, so that a window before the watermark can be
 * read again and only what was not there before goes through.
 *
 * Laws
 * - The object is created before the entry that refers to it, is never changed, and holds what the lane had read when
 *   that entry was `done`. Watermark and seen come together from one entry.
 * - It is whole from `from` on: a run that looks back further would take what was read before for new. A window with
 *   more records than fit is told by a later `from`, never by a record left out.
 * - A plan that is taken up again looks back to what was there when it began, which stays as long as it is unfinished:
 *   what its steps wrote since is no longer than what the plan after it may ask for.
 * - Its name has the number of its entry. Once that number is closed, it is either what the newest `done` entry refers
 *   to or nobody's: an open removes it. What a number that is still open may yet refer to, nobody removes.
 */
import { hashOf } from './canonical.ts'
import { createOnce, damaged, readDocument, seenShape } from './documents.ts'
import { microsOf } from './instants.ts'
import { laneKeys, parseSeenName } from './keys.ts'
import { Memory } from './lookback.ts'
import type { LookbackStart } from './lookback.ts'
import { closedMeanwhile, readPlan, seenAtFirst } from './plans.ts'
import type { LakeLane, LaneState, RunPlan, SeenObject, SeenRef, Unfinished, UnitRecord } from './protocol.ts'
import { stateKey } from './state-object.ts'

/** null: the run neither looks back nor leaves anything to look back to. */
export async function openLookback(at: LakeLane, plan: RunPlan): Promise<LookbackStart | null> {
  const window = keptFrom(plan)
  if (window === null) return null
  const { kind, before } = plan
  const seen = kind.kind === 'incremental' ? seenAtFirst(plan) : undefined
  const read = seen ? await readSeenObject(at, plan, seen) : null
  return {
    window,
    newest: microsOf(plan.plan.bound as string) - 1n,
    read,
    watermark: read && before.watermark !== null ? microsOf(before.watermark) : null,
  }
}

/** Where the next run may look back to; null: this run leaves nothing for that. */
function keptFrom({ lookback, plan, kind }: RunPlan): bigint | null {
  if (!lookback || plan.bound === null || kind.kind === 'window' || kind.kind === 'full') return null
  return microsOf(plan.bound) - BigInt(lookback.ms) * 1000n
}

/** What the first entry of a run adds to: a whole new read knows of nothing that was read before. */
export function seenBefore({ kind, before, resumes }: RunPlan): SeenRef | undefined {
  return kind.kind === 'incremental' || resumes ? before.seen : undefined
}

/** Writes what the lane will have read once entry `n` is `done`. */
export async function writeSeen(
  at: LakeLane,
  plan: RunPlan,
  before: SeenRef | undefined,
  units: UnitRecord[],
  n: number,
): Promise<SeenRef | undefined> {
  const kept = keptFrom(plan)
  if (kept === null) return undefined
  const memory = new Memory(kept)
  const { from } = plan.plan
  const covered = [...(from === null ? [] : [microsOf(from)]), ...(before ? [microsOf(before.from)] : [])]
  if (from !== null) memory.trim(covered.reduce((least, one) => (one < least ? one : least)))
  if (before) memory.addPart(await readSeenObject(at, plan, before))
  for (const { seen } of units) {
    if (!seen) continue
    memory.trim(microsOf(seen.from))
    memory.addPart(seen)
  }
  memory.trim()
  const object: SeenObject = { version: 1, ...memory.part() }
  const key = laneKeys(at.lane).seen(n, plan.run, hashOf(object).slice(0, 16))
  const stored = await createOnce(at.store, key, object, seenShape)
  await at.store.settle([key])
  return { key, from: stored.from, rows: memory.stamps.size }
}

async function readSeenObject(at: LakeLane, plan: RunPlan, { key }: SeenRef): Promise<SeenObject> {
  const object = await readDocument(at.store, key, seenShape)
  if (object) return object
  // Another run has moved on, and removed what its entry replaced.
  if ((await readPlan(at, plan.run)) === null) throw closedMeanwhile(at, plan.run)
  throw damaged(`${at.store.name}/${key}`, 'what the lane has read lately is gone', {
    advice: 'Restore the file, or remove `lookback` from the flow for one run: it begins anew after that.',
  })
}

/** Removes what no entry refers to any more. `closed`: the highest number that nobody can take. */
export async function sweepSeen(
  at: LakeLane,
  listed: string[],
  closed: number,
  { seen, state }: LaneState,
  unfinished: Unfinished | null,
): Promise<void> {
  const current = new Set([seen?.key, stateKey(state), unfinished && seenAtFirst(unfinished.plan)?.key])
  for (const key of listed) {
    const n = parseSeenName(key.slice(laneKeys(at.lane).seenFolder.length))
    if (n !== null && n <= closed && !current.has(key)) await at.store.delete(key)
  }
}
