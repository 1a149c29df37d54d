/** A failing history made shorter: choices that turn dull one after the other, as long as it fails in the same way. */
import type { History } from './world.ts'

const MOST_TRIES = 600

/** `play` gives the history of a tape. The failure is known by its first words: numbers and keys may change. */
export async function shrink(failed: History, play: (tape: number[]) => Promise<History>): Promise<History> {
  let best = failed
  let tries = 0
  const kind = kindOf(failed)
  for (let size = failed.tape.length >> 1; size >= 1; size >>= 1) {
    for (let from = 0; from < best.tape.length; from += size) {
      const tape = best.tape.map((choice, at) => (at >= from && at < from + size ? 0 : choice))
      if (tape.every((choice, at) => choice === best.tape[at])) continue
      if (++tries > MOST_TRIES) return best
      const history = await play(tape)
      if (kindOf(history) === kind) best = { ...history, tape: trimmed(tape) }
    }
  }
  return best
}

const kindOf = ({ problem }: History): string | null =>
  problem?.replaceAll(/[\w%./=-]*\d[\w%./=-]*/g, '#').slice(0, 40) ?? null

/** Behind the end of a tape everything is dull. */
function trimmed(tape: number[]): number[] {
  return tape.slice(0, tape.findLastIndex((choice) => choice !== 0) + 1)
}
