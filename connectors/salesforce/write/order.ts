/**
 * In which order records go. Pure: everything here works on their numbers in the batch.
 *
 * Laws
 * - A key stands once in a call or job, since Salesforce refuses the second; what repeats one waits for the next round,
 *   and is not sent while the one before it waits to go again: the last of a key is the one that stays.
 * - What has the same parent goes in one stream and side by side: two calls that write below one parent at once
 *   would lock it to each other.
 */

import type { Outcome } from '../../record-sink.ts'

/** Rounds of record numbers; `keyOf` null: without a key, it repeats none. */
export function rounds(rows: readonly number[], keyOf: (row: number) => string | null): number[][] {
  const all: number[][] = []
  const times = new Map<string, number>()
  for (const row of rows) {
    const key = keyOf(row)
    const round = key === null ? 0 : (times.get(key) ?? 0)
    if (key !== null) times.set(key, round + 1)
    const into = (all[round] ??= [])
    into.push(row)
  }
  return all
}

/** At most `parallel` streams that share no parent, each with its parents' records side by side. */
export function streams(rows: readonly number[], parentOf: (row: number) => string, parallel: number): number[][] {
  const families = new Map<string, number[]>()
  const orphans: number[] = []
  for (const row of rows) {
    const parent = parentOf(row)
    const family = parent === '' ? orphans : families.get(parent)
    if (family) family.push(row)
    else families.set(parent, [row])
  }
  const all: number[][] = Array.from({ length: parallel }, () => [])
  const shortest = (): number[] => all.reduce((least, one) => (one.length < least.length ? one : least))
  for (const family of [...families.values()].sort((a, b) => b.length - a.length)) {
    const into = shortest()
    for (const row of family) into.push(row)
  }
  for (const row of orphans) shortest().push(row)
  return all.filter((stream) => stream.length > 0)
}

export function* pieces(rows: readonly number[], most: number): Generator<number[]> {
  for (let at = 0; at < rows.length; at += most) yield rows.slice(at, at + most)
}

/** An id's first 15 letters tell records apart, and the case of an external id may not count. */
export function sameKey(key: string, isId: boolean): string {
  return isId ? key.slice(0, 15) : key.toLowerCase()
}

/** Those of the next round whose records wait for nothing; of the others it is said that they go again. */
export function unblocked(
  rows: readonly number[],
  outcomes: Map<number, Outcome>,
  identityOf: (row: number) => string | null,
): number[] {
  const waits = new Set<string | null>()
  for (const [row, outcome] of outcomes) if (!outcome.ok && outcome.again) waits.add(identityOf(row))
  return rows.filter((row) => {
    const key = identityOf(row)
    if (key === null || !waits.has(key)) return true
    outcomes.set(row, { ok: false, reason: 'an earlier state of the same record goes again first', again: true })
    return false
  })
}
