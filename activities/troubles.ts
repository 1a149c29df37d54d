/**
 * What the attempts of a step have in common: how often it has failed, by the type of its failure (an outage may be
 * long, a bug may not), and how many requests it made.
 *
 * Law: only failures of one type are counted together. Waits for a vendor, drains and killed workers are attempts too,
 * and must not use up the few that another kind of failure gets.
 *
 * Kept in memory: a step that goes on at another worker is counted anew there, and so may be tried longer, never less.
 */
const MOST_STEPS = 10_000

interface Attempts {
  troubles: Map<string, number>
  calls: { made: number }
}

/** By step, the one that was tried longest ago first. */
const known = new Map<string, Attempts>()

/** Counts a failure of a step; answers how many of this type there were, this one included. */
export function countTrouble(step: string, type: string): number {
  const { troubles } = attemptsOf(step)
  const times = (troubles.get(type) ?? 0) + 1
  troubles.set(type, times)
  return times
}

/** Requests of all attempts of a step; the step counts them here. */
export function callsOf(step: string): { made: number } {
  return attemptsOf(step).calls
}

/** The step has ended, one way or another. */
export function forgetStep(step: string): void {
  known.delete(step)
}

function attemptsOf(step: string): Attempts {
  const attempts = known.get(step) ?? { troubles: new Map<string, number>(), calls: { made: 0 } }
  known.delete(step)
  known.set(step, attempts)
  const [oldest] = known.keys()
  if (known.size > MOST_STEPS && oldest !== undefined) known.delete(oldest)
  return attempts
}
