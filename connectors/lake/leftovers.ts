/** What runs that are over have left in a lane: staged files, unit records, plans. The next run removes it. */
import { LakeError } from './errors.ts'
import { isOlder, laneKeys } from './keys.ts'
import { readPlan } from './plans.ts'
import type { LakeLane, RunPlan } from './protocol.ts'

export interface Leftover {
  run: string
  /** Staged files and uploads that are not completed. */
  files: number
  units: number
  /** Why its plan cannot be read. */
  unreadable?: string
}

export interface LeftoverSearch {
  /** A run of the lane goes on: what the newest one has staged is not left. */
  isBusy: boolean
  /** Folders to look into besides those that plans name. */
  folders?: string[]
  /** The run that a file is of, where no plan tells; null: another lane's. */
  runOf?: (key: string) => string | null
  /** Keys of files that an entry is about to complete. */
  isNamed?: (key: string) => boolean
}

export async function leftoversOf(
  at: LakeLane,
  { isBusy, folders = [], runOf = () => null, isNamed = () => false }: LeftoverSearch,
): Promise<Leftover[]> {
  const keys = laneKeys(at.lane)
  const left = new Map<string, Leftover>()
  const of = (run: string): Leftover => {
    const known = left.get(run) ?? { run, files: 0, units: 0 }
    left.set(run, known)
    return known
  }
  const plans: RunPlan[] = []
  for await (const { key } of at.store.list(keys.plans)) {
    if (!key.endsWith('.json')) continue
    const one = of(key.slice(keys.plans.length, -'.json'.length))
    const plan = await readPlan(at, one.run).catch(unreadable)
    if (typeof plan === 'string') one.unreadable = plan
    else if (plan) plans.push(plan)
  }
  for await (const { key } of at.store.list(keys.units)) of(key.slice(keys.units.length).split('/')[0]!).units++
  const looked = new Set([...folders, ...plans.map(({ prefix }) => prefix)])
  if (left.size === 0 && folders.length === 0) return []
  for (const folder of [...[...looked].map((one) => (one === '' ? '' : `${one}/`)), keys.quarantine]) {
    for await (const { key } of at.store.staged(keys.staged, folder)) {
      const name = key.slice(key.lastIndexOf('/') + 1)
      const run = plans.find(({ files }) => name.startsWith(`${files}-`))?.run ?? runOf(key)
      if (run !== null && !isNamed(key)) of(run).files++
    }
  }
  const newest = plans.reduce<string | null>((best, { run }) => (best && !isOlder(best, run) ? best : run), null)
  return [...left.values()].filter(({ run }) => !isBusy || run !== newest)
}

function unreadable(error: unknown): string {
  if (error instanceof LakeError) return error.what
  throw error
}

/** `12 staged files and 3 unit records`, a clause. */
export function leftText({ run, files, units, unreadable: why }: Leftover): string {
  if (why !== undefined) return `the plan of run ${run} cannot be read (${why}): no run begins before it is repaired`
  const shown = (many: number, one: string): string => `${many.toLocaleString('en')} ${one}${many === 1 ? '' : 's'}`
  const what = `${shown(files, 'staged file')} and ${shown(units, 'unit record')}`
  return `run ${run} is over and left ${what}: the next run removes them`
}
