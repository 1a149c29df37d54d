/** What has become, by now, of each file that the entries of a ledger name. Pure. */
import type { Found } from './examine.ts'
import type { CommitEntry } from './protocol.ts'

export interface Fate {
  /** The entry that names it. */
  n: number
  bytes: number
  /**
   * - `there`: readers are told of it.
   * - `kept`: of an earlier generation that a run left (`keepOld`): the user's.
   * - `open`: of an entry without outcome; it may be visible or not.
   * - `gone`: everybody is obliged to delete it, and `why` says for what reason.
   */
  is: 'there' | 'kept' | 'open' | 'gone'
  why?: string
  quarantine: boolean
}

/** By key. `delivered`: numbers of entries with a receipt. */
export function fatesOf(found: Found[], delivered: Set<number>): Map<string, Fate> {
  const done = found.flatMap(({ entry, outcome }) =>
    entry?.kind === 'commit' && outcome?.outcome === 'done' ? [entry] : [],
  )
  const generation = done.at(-1)?.after.generation ?? 0
  const replays = new Map(done.flatMap(({ n, replays: keys = [] }) => keys.map((key) => [key, n] as const)))
  const fates = new Map<string, Fate>()
  for (const { entry, outcome } of found) {
    if (entry?.kind !== 'commit') continue
    const { n } = entry
    const replacedBy = done.find(({ replaces }) => replaces && replaces.from <= n && n < replaces.to)
    for (const { key, bytes, quarantine = false } of entry.files) {
      const fate = (is: Fate['is'], why?: string) => fates.set(key, { n, bytes, is, quarantine, ...(why && { why }) })
      const replayedBy = replays.get(key)
      if (!outcome) fate('open')
      else if (outcome.outcome === 'void') fate('gone', 'that is void')
      else if (replacedBy) fate('gone', `entry ${replacedBy.n} replaced it`)
      else if (replayedBy !== undefined) fate('gone', `entry ${replayedBy} took it from quarantine`)
      else if (isDelivered(entry, delivered) && !quarantine) fate('gone', 'that is delivered')
      else fate(entry.generation < generation ? 'kept' : 'there')
    }
  }
  return fates
}

const isDelivered = ({ n, delivery }: CommitEntry, delivered: Set<number>): boolean =>
  delivery !== undefined && delivered.has(n)
