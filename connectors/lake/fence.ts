/**
 * A fence closes a number for ever: whoever would have taken it finds it taken. It has no outcome, owes nothing and
 * carries nothing. The create may lose: then somebody else closed the number, and the caller must look at what with.
 */
import { createOnce, entryShape } from './documents.ts'
import { laneKeys } from './keys.ts'
import type { Entry, FenceEntry, LakeLane } from './protocol.ts'

/** Closes a number; answers the entry that stands there. */
export async function fence(at: LakeLane, n: number, run: string, why: string): Promise<Entry> {
  const writtenAt = new Date(at.now?.() ?? Date.now()).toISOString()
  const entry: FenceEntry = { version: 1, kind: 'fence', n, run, why, writtenAt }
  return createOnce<Entry>(at.store, laneKeys(at.lane).entry(n), entry, entryShape)
}
