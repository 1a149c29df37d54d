/** The ledger as readers see it: only entries that are `done`, only the current generation. */
import { owedOf } from './deliveries.ts'
import { readLedger, readRecorded, stateOf } from './ledger.ts'
import type { Recorded } from './ledger.ts'
import type { LakeLane, LaneState, ManifestFile, Unfinished } from './protocol.ts'

export interface LaneStatus {
  state: LaneState
  /** The newest number. */
  highest: number
  /** What a run left to be finished by the next one. */
  unfinished: Unfinished | null
  /** Numbers of entries that are committed and not carried out. */
  open: number[]
  /** Numbers of entries that are still to be delivered to a destination that is no lake. */
  owed: number[]
}

export async function laneStatus(at: LakeLane): Promise<LaneStatus> {
  const ledger = await readLedger(at)
  const open = ledger.entries.filter(({ entry, outcome }) => entry.kind === 'commit' && outcome === null)
  return { ...stateOf(ledger), highest: ledger.highest, open: open.map(({ n }) => n), owed: owedOf(ledger) }
}

/** Every file a reader of the lane should read, in the order of the entries. */
export async function currentFiles(at: LakeLane): Promise<ManifestFile[]> {
  const { state } = await laneStatus(at)
  const files: ManifestFile[] = []
  for (let n = state.since; n <= state.n; n++) {
    const { entry, outcome } = await readRecorded(at, n)
    if (entry.kind !== 'commit' || entry.generation !== state.generation) continue
    if (outcome?.outcome === 'done') files.push(...(outcome.manifest ?? []))
  }
  return files
}

/** The newest entries with their outcomes, the newest first. */
export async function history(at: LakeLane, limit: number): Promise<Recorded[]> {
  const { highest } = await laneStatus(at)
  const recorded: Recorded[] = []
  for (let n = highest; n > 0 && recorded.length < limit; n--) recorded.push(await readRecorded(at, n))
  return recorded
}
