/** A failing history for people: shrunk, with what happened last, and how it is played again. */
import { shrink } from './shrink.ts'
import type { History } from './world.ts'

const MOST_LINES = 40

/** `play` gives the history of a tape. */
export async function failureText(
  seed: number,
  failed: History,
  play: (tape: number[]) => Promise<History>,
): Promise<string> {
  const short = await shrink(failed, play)
  const steps = short.log.slice(-MOST_LINES).join('\n  ')
  return `seed ${seed}: ${short.problem}\n  ${steps}\ntape: ${JSON.stringify(short.tape)}`
}
