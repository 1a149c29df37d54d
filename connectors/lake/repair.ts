/**
 * Carries out what `examine.ts` proposes, with no run of the lane under way.
 *
 * Laws
 * - What is replaced or removed is copied before, and the copy read back: `_lakeward/_repairs/<flow>/<object>/<id>/`.
 * - What is written says in the ledger that it was repaired, why, and where the copy is.
 * - A document takes the place of an unreadable one in one step: a number is never free in between.
 * - No data file is deleted but what a void obliges to.
 */
import { clearVoid, manifestOf } from './roll-forward.ts'
import {
  createOnce,
  decodeDocument,
  encodeDocument,
  entryShape,
  identityShape,
  outcomeShape,
  readDocument,
} from './documents.ts'
import type { Shape } from './documents.ts'
import { LakeError } from './errors.ts'
import type { Damage, Mend } from './examine.ts'
import { fence } from './fence.ts'
import { IDENTITY_KEY, laneKeys, nonce } from './keys.ts'
import type { CommitEntry, Entry, FenceEntry, LakeLane } from './protocol.ts'

/** `run` of what a repair writes: no run ever has this key. */
const RUN = 'repair'

/** Sentences about what was done. */
export async function mend(at: LakeLane, { what, mend: step }: Damage & { mend: Mend }): Promise<string[]> {
  const writtenAt = new Date(at.now?.() ?? Date.now()).toISOString()
  if (step.do === 'fence') return closeNumber(at, step.n, what, writtenAt)
  if (step.do === 'decide') return decide(at, step.entry, step.outcome, what, writtenAt)
  if (step.do === 'identity') {
    const copy = await keepCopy(at, IDENTITY_KEY)
    await write(
      at,
      IDENTITY_KEY,
      { version: 1, id: step.id, repaired: repaired(what, copy) },
      identityShape,
      () => true,
    )
    return [`The lake has its identity ${step.id} again.`]
  }
  if (step.close !== null) await fence(at, step.close, RUN, repaired(what, null))
  const copy = await keepCopy(at, step.key)
  await at.store.delete(step.key)
  await at.store.settle([step.key])
  return [`${step.key} is removed${copy ? `; a copy is ${copy}` : ''}.`]
}

async function closeNumber(at: LakeLane, n: number, what: string, writtenAt: string): Promise<string[]> {
  const keys = laneKeys(at.lane)
  const [copy, outcome] = [await keepCopy(at, keys.entry(n)), await keepCopy(at, keys.outcome(n))]
  const copies = [copy, outcome].filter((key) => key !== null).join(', ') || null
  const why = repaired(what, copies)
  const entry: FenceEntry = { version: 1, kind: 'fence', n, run: RUN, why, writtenAt }
  const stored = await write<Entry>(at, keys.entry(n), entry, entryShape, (there) => there.n === n)
  if (stored.kind !== 'fence') return [`Entry ${n} is there again: it was left alone.`]
  // After the fence: whoever dies in between leaves a fence with an outcome, which is found again.
  if (outcome) await at.store.delete(keys.outcome(n))
  await at.store.settle([keys.outcome(n)])
  return [`Number ${n} is closed by a fence${copies ? `; copied before: ${copies}` : ''}.`]
}

async function decide(
  at: LakeLane,
  entry: CommitEntry,
  outcome: 'done' | 'void',
  what: string,
  writtenAt: string,
): Promise<string[]> {
  const key = laneKeys(at.lane).outcome(entry.n)
  const why = repaired(what, await keepCopy(at, key))
  const members = outcome === 'done' ? { manifest: manifestOf(entry), repaired: why } : { why }
  const document = { version: 1 as const, n: entry.n, outcome, ...members, writtenAt }
  // Create-once where nothing is there: an outcome that appeared meanwhile stands, and is obeyed.
  const stored = await write(at, key, document, outcomeShape, (there) => there.n === entry.n)
  if (stored.outcome === 'void') await clearVoid(at, entry)
  return [`Entry ${entry.n} is ${stored.outcome}.`]
}

/**
 * Creates the document, or puts it in the place of one that cannot be used; answers what is stored: a usable one that
 * appeared meanwhile stands.
 */
async function write<T>(
  at: LakeLane,
  key: string,
  document: T,
  shape: Shape<T>,
  isUsable: (there: T) => boolean,
): Promise<T> {
  const bytes = await at.store.get(key)
  if (bytes === null) return createOnce(at.store, key, document, shape)
  const there = decoded(bytes, shape, key)
  if (there !== null && isUsable(there)) return there
  await at.store.put(key, encodeDocument(document))
  const stored = await readDocument(at.store, key, shape)
  if (stored !== null) return stored
  throw unkept(at, key)
}

function decoded<T>(bytes: Uint8Array, shape: Shape<T>, key: string): T | null {
  try {
    return decodeDocument(bytes, shape, key)
  } catch (error) {
    if (error instanceof LakeError) return null
    throw error
  }
}

/** The copy's key; null: there is nothing at the key. */
async function keepCopy(at: LakeLane, key: string): Promise<string | null> {
  const bytes = await at.store.get(key)
  if (bytes === null) return null
  const copy = `${laneKeys(at.lane).repairs}${nonce()}/${key.slice(key.lastIndexOf('/') + 1)}.copy`
  await at.store.create(copy, bytes)
  const kept = await at.store.get(copy)
  if (kept && Buffer.from(kept).equals(bytes)) return copy
  throw unkept(at, copy)
}

function unkept(at: LakeLane, key: string): LakeError {
  return new LakeError('LakeUnusable', {
    what: 'a document was written and is not there when it is read back',
    where: `${at.store.name}/${key}`,
    advice: 'The store is not consistent, or something else deletes there: see `lakeward doctor CONNECTION`.',
  })
}

function repaired(what: string, copy: string | null): string {
  return `repaired: ${what}${copy ? `; copied to ${copy}` : ''}`
}
