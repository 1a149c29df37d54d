/** What an entry leaves to the next run. An entry never changes, so its number is all that a step needs to be told. */
import { damaged, entryShape, readDocument } from './documents.ts'
import { laneKeys } from './keys.ts'
import type { CommitEntry, LakeLane, LaneState, Unfinished } from './protocol.ts'

export function emptyState(): LaneState {
  return {
    n: 0,
    watermark: null,
    origin: null,
    state: null,
    generation: 0,
    since: 1,
    begun: 0,
    sourceSchema: null,
    outputSchema: null,
    sourceIdentity: null,
    lakeId: null,
    recipeHash: null,
    schema: null,
    shape: null,
    windows: [],
  }
}

/** The state that `entry` leaves, given that it is `done`. */
export function stateAfter(entry: CommitEntry): LaneState {
  const { n, after, windows, sourceSchema, outputSchema, sourceIdentity, lakeId, recipeHash } = entry
  const { schema = { version: 1, since: n }, shape = null } = entry
  return {
    n,
    ...after,
    begun: Math.max(entry.generation, after.generation),
    sourceSchema,
    outputSchema,
    sourceIdentity,
    lakeId,
    recipeHash,
    schema,
    shape,
    windows,
  }
}

/** The lane as its entry `base` left it; 0: a lane without a `done` entry. `base` is what open answered. */
export async function readState(
  at: LakeLane,
  base: number,
): Promise<{ state: LaneState; unfinished: Unfinished | null }> {
  if (base === 0) return { state: emptyState(), unfinished: null }
  const key = laneKeys(at.lane).entry(base)
  const entry = await readDocument(at.store, key, entryShape)
  if (entry?.kind !== 'commit') throw damaged(`${at.store.name}/${key}`, `entry ${base} is gone or a fence`)
  return { state: stateAfter(entry), unfinished: entry.unfinished ?? null }
}
