/**
 * How often each step has failed, by the type of its failure: an outage may be long, a bug may not.
 *
 * Law: only failures of one type are counted together. Waits for a vendor, drains and killed workers are attempts too,
 * and must not use up the few that another kind of failure gets.
 *
 * Kept in memory: a step that goes on at another worker is counted anew there, and so may be tried longer, never less.
 */
const MOST_STEPS = 10_000

/** By step, the one that failed longest ago first. */
const known = new Map<string, Map<string, number>>()

/** Counts a failure of a step; answers how many of this type there were, this one included. */
export function countTrouble(step: string, type: string): number {
  const troubles = known.get(step) ?? new Map<string, number>()
  const times = (troubles.get(type) ?? 0) + 1
  troubles.set(type, times)
  known.delete(step)
  known.set(step, troubles)
  const [oldest] = known.keys()
  if (known.size > MOST_STEPS && oldest !== undefined) known.delete(oldest)
  return times
}

/** The step has ended, one way or another. */
export function forgetTroubles(step: string): void {
  known.delete(step)
}
