/**
 * The promise, looked at from outside: whatever was killed, readers find each row once, and never a file that is not
 * committed.
 */
import { expect } from 'vitest'
import type { KillLane } from './kill-lanes.ts'
import { dataFiles } from './lane-files.ts'
import { pause } from './until.ts'

/** Of a lane whose runs have ended. `types`: the columns, as DuckDB names their types. */
export async function checkPromise(lane: KillLane, types: Record<string, string>): Promise<void> {
  const rows = lane.expected.length
  const { name } = lane
  expect(await lane.differs(types), name).toEqual({ onlyFiles: [], onlySource: [], files: rows, source: rows })
  expect(lane.manifested(), name).toEqual(dataFiles(lane.stage, lane.folder))
  expect(lane.visibleTooEarly(), name).toEqual([])
  expect(await lane.left(), name).toMatchObject({ plans: 0, units: 0, staged: 0 })
  const entries = lane.entries()
  expect(
    entries.map(({ n }) => n),
    name,
  ).toEqual(entries.map((_, at) => at + 1))
  // Nothing was lost here, so nothing is void; a fence has no outcome.
  for (const { kind, outcome } of entries)
    expect(outcome?.outcome ?? 'fence', name).toBe(kind === 'fence' ? kind : 'done')
}

/** Looks over and over whether a file can be seen that no entry names. */
export function watchVisible(lanes: KillLane[]): { stop(): Promise<{ looks: number; early: string[] }> } {
  const early = new Set<string>()
  let looks = 0
  const watched = { over: false }
  const look = async (): Promise<void> => {
    while (!watched.over) {
      await lanes[0]?.stage.pull()
      looks++
      for (const lane of lanes) for (const path of lane.uncommitted()) early.add(path)
      // A bucket has to be listed for it.
      await pause(lanes[0]?.stage.s3 ? 1000 : 100)
    }
  }
  const looking = look()
  looking.catch(() => {}) // told at the end
  return {
    async stop() {
      watched.over = true
      await looking
      return { looks, early: [...early] }
    },
  }
}
