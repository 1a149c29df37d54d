/**
 * Many inputs from seeds: each is made, tried and judged; what is wrong is told with the seed that repeats it.
 *
 * A fixed sample by default. LAKEWARD_INPUTS=n makes n times as many (LAKEWARD_THOROUGH=1: 20 times), LAKEWARD_SEED=n
 * tries that seed alone.
 */
import { runInThisContext } from 'node:vm'
import { vi } from 'vitest'
import { chances, type Chance } from '../../records/pages/chance.ts'

const { LAKEWARD_INPUTS, LAKEWARD_THOROUGH, LAKEWARD_SEED } = process.env
const factor = Number(LAKEWARD_INPUTS ?? (LAKEWARD_THOROUGH ? 20 : 1))
if (factor > 1) vi.setConfig({ testTimeout: 1_800_000 })

/** Nothing that is tried here takes a thousandth of it: who passes it hangs. */
const HANGS_MS = 30_000
const AT_ONCE = 100
const MOST_TOLD = 8

/** What became of one input; `wrong` is a finding. */
export interface Verdict {
  /** Counted: `valid`, `refused`, … */
  became: string
  wrong?: string
}

export type Tally = Record<string, number>

interface Rounds {
  tally: Tally
  wrong: string[]
}

/** @param few inputs of the sample */
export async function tryMany(few: number, one: (chance: Chance, seed: number) => Promise<Verdict>): Promise<Tally> {
  const rounds: Rounds = { tally: {}, wrong: [] }
  for (const seed of seeds(few)) {
    const hanging = new Promise<Verdict>((resolve) => {
      setTimeout(() => resolve({ became: 'hung', wrong: 'it hangs' }), HANGS_MS).unref()
    })
    const verdict = await Promise.race([attempt(() => one(chances(seed), seed)), hanging])
    note(rounds, seed, verdict)
  }
  return told(rounds)
}

/** The same for what waits for nothing: a loop without end is ended from outside. */
export function tryManyAtOnce(few: number, one: (chance: Chance, seed: number) => Verdict): Tally {
  const rounds: Rounds = { tally: {}, wrong: [] }
  const all = seeds(few)
  const global = globalThis as { tryInputs?: () => void }
  for (let from = 0; from < all.length; from += AT_ONCE) {
    let seed = 0
    global.tryInputs = () => {
      for (seed of all.slice(from, from + AT_ONCE)) {
        let verdict: Verdict
        try {
          verdict = one(chances(seed), seed)
        } catch (error) {
          verdict = crash(error)
        }
        note(rounds, seed, verdict)
      }
    }
    try {
      runInThisContext('tryInputs()', { timeout: HANGS_MS })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
      note(rounds, seed, { became: 'hung', wrong: 'it hangs, or one of those around it' })
    } finally {
      delete global.tryInputs
    }
  }
  return told(rounds)
}

function seeds(few: number): number[] {
  if (LAKEWARD_SEED !== undefined) return [Number(LAKEWARD_SEED)]
  return Array.from({ length: few * factor }, (_, index) => index + 1)
}

async function attempt(work: () => Promise<Verdict>): Promise<Verdict> {
  try {
    return await work()
  } catch (error) {
    return crash(error)
  }
}

function crash(error: unknown): Verdict {
  return { became: 'crashed', wrong: error instanceof Error ? (error.stack ?? error.message) : String(error) }
}

function note({ tally, wrong: all }: Rounds, seed: number, { became, wrong }: Verdict): void {
  tally[became] = (tally[became] ?? 0) + 1
  if (wrong !== undefined) all.push(`input ${seed} (LAKEWARD_SEED=${seed} repeats it): ${wrong}`)
}

function told({ tally, wrong }: Rounds): Tally {
  if (wrong.length > 0)
    throw new Error(`${wrong.length} findings, for example\n${wrong.slice(0, MOST_TOLD).join('\n')}`)
  if (factor > 1) console.log(JSON.stringify(tally))
  return tally
}
