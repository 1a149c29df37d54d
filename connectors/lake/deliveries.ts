/**
 * What entries owe to a destination that is no lake. The lane's ledger lies in a lake, where its files are staged; a
 * `done` entry is then delivered: loaded into a table, or sent record by record.
 *
 * Laws
 * - Entries are delivered in the order of their numbers, each until its receipt stands: created once, read back.
 * - Staged files and working documents of a delivery go only behind its receipt; the hint never passes an entry without
 *   one.
 * - A generation that replaces what was there takes the debts of those before it: their files are gone.
 */
import { createOnce, readDocument, receiptShape } from './documents.ts'
import { AT_ONCE, inParallel } from './in-parallel.ts'
import { laneKeys } from './keys.ts'
import type { Ledger, Recorded } from './ledger.ts'
import type { CommitEntry, LakeLane, Receipt } from './protocol.ts'
import { deleteFiles } from './roll-forward.ts'

/** Numbers of the `done` entries that are still to be delivered, in order. */
export function owedOf(ledger: Ledger): number[] {
  const first = replacedUpTo(ledger)
  return ledger.entries.filter((recorded) => recorded.n >= first && owes(ledger, recorded)).map(({ n }) => n)
}

function replacedUpTo({ entries }: Ledger): number {
  const ends = entries.map(({ entry, outcome }) =>
    entry.kind === 'commit' && outcome?.outcome === 'done' ? (entry.replaces?.to ?? 0) : 0,
  )
  return Math.max(0, ...ends)
}

/** A listing from the hint on does not show the receipt of the hint's own entry, which owes nothing. */
function owes({ delivered, hint }: Ledger, { n, entry, outcome }: Recorded): boolean {
  if (n === hint) return false
  return entry.kind === 'commit' && outcome?.outcome === 'done' && !!entry.delivery && !delivered.has(n)
}

export async function readReceipt(at: LakeLane, n: number): Promise<Receipt | null> {
  return readDocument(at.store, laneKeys(at.lane).receipt(n), receiptShape)
}

/** The newest entry before `n` that was delivered; 0: none. */
export async function deliveredBefore(at: LakeLane, n: number): Promise<number> {
  for (let earlier = n - 1; earlier > 0; earlier--) if (await readReceipt(at, earlier)) return earlier
  return 0
}

/** Says that the entry is delivered, and removes what it was delivered from. Any number of times. */
export async function settleDelivery(
  at: LakeLane,
  entry: CommitEntry,
  { result, reasons }: Pick<Receipt, 'result' | 'reasons'>,
): Promise<Receipt> {
  const keys = laneKeys(at.lane)
  const writtenAt = new Date(at.now?.() ?? Date.now()).toISOString()
  const said = reasons && Object.keys(reasons).length > 0 ? { reasons } : {}
  const receipt: Receipt = { version: 1, n: entry.n, run: entry.run, result, ...said, writtenAt }
  const stands = await createOnce(at.store, keys.receipt(entry.n), receipt, receiptShape)
  await clearDelivered(at, entry)
  return stands
}

/** What a receipt obliges to. */
export async function clearDelivered(at: LakeLane, entry: CommitEntry): Promise<void> {
  await deleteFiles(
    at,
    entry.files.filter((file) => !file.quarantine),
  )
  const working: string[] = []
  for await (const { key } of at.store.list(laneKeys(at.lane).delivery(entry.n))) working.push(key)
  await inParallel(working, AT_ONCE, (key) => at.store.delete(key))
}
