/** What lies in a stage's lake for one lane, seen as files: no code of the product looks here. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Stage } from './stage.ts'
import { compare, queryFiles } from './compare.ts'
import type { Format, TruthRow } from './compare.ts'

export interface Work {
  staged: string[]
  plans: string[]
  units: string[]
}

/** Staged files and working documents of runs: all gone when a run has cleaned up. */
export function workOf(stage: Stage, flow: string, object: string): Work {
  const lane = join(stage.lake, '_lakeward', flow, object)
  return {
    staged: filesBelow(join(lane, 'staged')),
    plans: filesBelow(join(lane, 'plans')),
    units: filesBelow(join(lane, 'units')),
  }
}

export const NO_WORK: Work = { staged: [], plans: [], units: [] }

/** The lane's entries with their outcomes, the first one first. */
export function entriesOf(stage: Stage, flow: string, object: string): Entry[] {
  const folder = join(stage.lake, '_lakeward', flow, object, 'commits')
  const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'))
  const names = existsSync(folder) ? readdirSync(folder).toSorted() : []
  return names
    .filter((name) => name.endsWith('.json'))
    .map((name) => {
      const outcome = name.replace(/json$/, 'outcome')
      return { ...read(name), outcome: names.includes(outcome) ? read(outcome) : null }
    })
}

export interface Entry {
  n: number
  kind: 'commit' | 'fence'
  generation: number
  files: { key: string; rows: number }[]
  counts: { read: number; written: number }
  after: { watermark: string | null }
  schema?: { version: number; since: number }
  /** By the clock of the worker that wrote it. */
  writtenAt: string
  outcome: { outcome: 'done' | 'void'; manifest: { key: string; rows: number }[] } | null
}

/** Data files below a folder of the lake. */
export function dataFiles(stage: Stage, folder: string): string[] {
  return filesBelow(join(stage.lake, folder))
}

/** Times that each id is in the files; ids that are there once are left out. */
export async function repeated(stage: Stage, folder: string): Promise<unknown[]> {
  const sql = 'SELECT Id, count(*) AS n FROM files GROUP BY Id HAVING count(*) > 1 ORDER BY Id LIMIT 10'
  return queryFiles(join(stage.lake, folder), sql)
}

/** Keys and stamps of a folder against the source's: the values of all columns are `values.test.ts`. */
export async function sameRows(stage: Stage, folder: string, truth: Iterable<TruthRow>, format: Format = 'parquet') {
  const types = { Id: 'VARCHAR', SystemModstamp: 'TIMESTAMP WITH TIME ZONE' }
  const { onlyFiles, onlySource } = await compare(join(stage.lake, folder), format, types, truth)
  return { onlyFiles, onlySource }
}

export const SAME = { onlyFiles: [], onlySource: [] }

export function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map((found) => join(found.parentPath, found.name))
    .toSorted()
}
