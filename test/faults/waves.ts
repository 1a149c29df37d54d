/** Cases in waves: those that are struck alike go together, so that a kill strikes many of them. */
import type { CaseInfo, CaseResult, LaneCase } from './fault-case.ts'
import { infoOf } from './fault-case.ts'
import type { House } from './house.ts'
import { runWave } from './wave.ts'

export interface Wave {
  cases: CaseInfo[]
  /** It harms what others stand on. */
  isAlone: boolean
  run(house: House, seed: number): Promise<CaseResult[]>
}

/** A worker has fifty connections to a bucket, and a lane that is held up holds two. */
const LANES = 24

export function lanesInWaves(cases: LaneCase[]): Wave[] {
  const alike = new Map<string, LaneCase[]>()
  for (const one of cases) {
    const key = `${one.lake} ${one.attack ?? 'none'}`
    alike.set(key, [...(alike.get(key) ?? []), one])
  }
  return [...alike.values()].flatMap((all) =>
    evenly(all, LANES).map((lanes) => ({
      cases: lanes.map(infoOf),
      isAlone: lanes[0]?.attack === 'server',
      run: (house, seed) => runWave(house, lanes, seed),
    })),
  )
}

/** In as few parts as may be, of one size. */
export function evenly<T>(all: T[], most: number): T[][] {
  if (all.length === 0) return []
  const size = Math.ceil(all.length / Math.ceil(all.length / most))
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size))
}

/** `parallel` at once; those that must be alone come last. A wave that breaks is a problem of all its cases. */
export async function runWaves(
  house: House,
  waves: Wave[],
  { parallel, seed, done }: { parallel: number; seed: number; done: (results: CaseResult[]) => void },
): Promise<void> {
  const run = async (wave: Wave): Promise<void> => {
    try {
      done(await wave.run(house, seed))
    } catch (error) {
      const problem = `the wave broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
      done(wave.cases.map((one) => ({ ...one, ...NOTHING, seed, problems: [problem] })))
    }
  }
  const together = waves.filter(({ isAlone }) => !isAlone)
  const next = together.values()
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      for (const wave of next) await run(wave)
    }),
  )
  for (const wave of waves) if (wave.isAlone) await run(wave)
}

export const NOTHING = {
  ...{ ok: false, status: 'broken', kills: 0, lost: 0, doubled: 0, wrong: 0, stuck: 0 },
  ...{ orphans: 0, staged: 0, again: 0, ms: 0 },
}
