/** What the newest ended run says about each object's schema: its version, and what differed from the entry before. */
import type { ObjectResult } from '../../activities/digests.ts'
import type { RunSummary } from '../runs.ts'

/** Runs that could not go on because the source or the flow had changed. */
const refusals = new Set(['DriftFound', 'DriftRefused', 'FlowChanged'])

/** Pairs of a title and its text, for a listing. `runs`: the newest first. */
export function schemaReport(runs: RunSummary[]): [string, string][] {
  const told = runs.find((run) => run.outcome?.result)?.outcome?.result?.objects ?? []
  return told.flatMap((object) => {
    const text = said(object)
    return text === null ? [] : [[`Schema of ${object.object}`, text] as [string, string]]
  })
}

function said({ schemaVersion, drift = [], error }: ObjectResult): string | null {
  if (error && refusals.has(error.type)) return `${error.type}: ${error.message}`
  if (schemaVersion === undefined) return null
  return [`version ${schemaVersion}`, ...drift].join('\n')
}
