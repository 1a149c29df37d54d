/**
 * What a lane's lake holds against what its source held, when all runs are over: seen from outside, as readers see it.
 *
 * Law: what must be there is the org's own record of itself, run by run; DuckDB reads the files, every column.
 */
import { join } from 'node:path'
import { compare } from '../e2e/compare.ts'
import type { Difference, TruthRow } from '../e2e/compare.ts'
import type { KillLane } from '../e2e/kill-lanes.ts'
import { dataFiles } from '../e2e/lane-files.ts'

export interface Verdict {
  lost: number
  doubled: number
  wrong: number
  /** Uploads that nobody will complete. */
  orphans: number
  /** Staged files, plans and records of units that stay behind. */
  staged: number
  problems: string[]
}

/** Of a lane whose runs have ended, in a lake that was pulled. */
export async function judge(lane: KillLane, types: Record<string, string>): Promise<Verdict> {
  const { stage, expected, folder } = lane
  const found = dataFiles(stage, folder)
  const differs =
    found.length === 0
      ? { onlyFiles: [], onlySource: expected, files: 0, source: expected.length }
      : await compare(join(stage.lake, folder), lane.format, types, expected)
  const rows = tell(without(differs, lane.optional))
  const left = lane.lying()
  const problems = Object.entries(rows).flatMap(([what, count]) => (count > 0 ? [`${count} rows ${what}`] : []))
  const staged = left.units + left.plans + (stage.s3 ? 0 : left.staged)
  const orphans = stage.s3 ? left.staged : 0
  if (orphans > 0) problems.push(`${orphans} uploads are orphans`)
  if (staged > 0) problems.push(`left behind: ${JSON.stringify(left)}`)
  const unnamed = found.filter((path) => !lane.manifested().includes(path))
  if (unnamed.length > 0) problems.push(`visible and in no manifest: ${unnamed.join(', ')}`)
  const early = lane.visibleTooEarly()
  if (early.length > 0) problems.push(`visible before its entry: ${early.join(', ')}`)
  for (const [at, { n, kind, outcome }] of lane.entries().entries()) {
    if (n !== at + 1) problems.push(`entry ${n} stands where ${at + 1} should`)
    if (kind === 'commit' && outcome === null) problems.push(`entry ${n} has no outcome`)
  }
  return { ...rows, orphans, staged, problems }
}

/** From the rows that only one side has; where there are more than are shown, at least so many. */
export function tell({ onlyFiles, onlySource, files, source }: Difference) {
  const versionOf = (row: Record<string, unknown>): string => `${String(row['Id'])} ${stampOf(row)}`
  const inFiles = new Set(onlyFiles.map(versionOf))
  const inSource = new Set(onlySource.map(versionOf))
  const wrong = onlySource.filter((row) => inFiles.has(versionOf(row))).length
  const lost = onlySource.length - wrong
  const doubled = onlyFiles.filter((row) => !inSource.has(versionOf(row))).length
  return {
    lost: Math.max(lost, lost > 0 ? source - files : 0),
    doubled: Math.max(doubled, doubled > 0 ? files - source : 0),
    wrong,
  }
}

/** Each of them may be there once. */
function without(differs: Difference, optional: TruthRow[]): Difference {
  const allowed = new Set(optional.map((row) => `${row['Id']} ${stampOf(row)}`))
  const onlyFiles = differs.onlyFiles.filter((row) => !allowed.delete(`${String(row['Id'])} ${stampOf(row)}`))
  return { ...differs, onlyFiles, files: differs.files - (differs.onlyFiles.length - onlyFiles.length) }
}

const stampOf = (row: Record<string, unknown>): string => String(row['SystemModstamp']).slice(0, 19).replace('T', ' ')
