/** What the newest runs say about each object's schema: its version, and what differed from the entry before. */
import type { ObjectResult } from '../../activities/digests.ts'
import type { RunSummary } from '../runs.ts'
import { printable } from '../../connectors/printable.ts'

/** Runs that could not go on because the source or the flow had changed. */
const refusals = new Set(['DriftFound', 'DriftRefused', 'FlowChanged'])

/** Pairs of a title and its text, for a listing. `runs`: the newest first; of each object the newest that says it. */
export function schemaReport(runs: RunSummary[]): [string, string][] {
  const found = new Map<string, string>()
  for (const object of runs.flatMap((run) => run.outcome?.result?.objects ?? [])) {
    const text = said(object)
    if (text !== null && !found.has(object.object)) found.set(object.object, text)
  }
  return [...found].map(([object, text]) => [printable(`Schema of ${object}`), text])
}

function said({ schemaVersion, drift = [], error }: ObjectResult): string | null {
  if (error && refusals.has(error.type)) return printable(`${error.type}: ${error.message}`)
  if (schemaVersion === undefined) return null
  return [`version ${schemaVersion}`, ...drift.map(printable)].join('\n')
}
