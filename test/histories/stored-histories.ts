/** Histories as they are kept: gzipped JSON, one file a scene, without names of machines and processes. */
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'

export const FOLDER = fileURLToPath(new URL('.', import.meta.url))
const ENDING = '.json.gz'

export interface StoredHistory {
  workflowId: string
  /** Of one scene and type, told apart by the reader: `syncObject`. */
  type: string
  events: number
  history: { events: Json[] }
}
type Json = Record<string, unknown>

/** As `readScene` gives it back. */
export function packed(found: { workflowId: string; history: Parameters<typeof historyToJSON>[0] }[]): Buffer {
  const all = found.map(({ workflowId, history }): StoredHistory => {
    const plain = anonymous(JSON.parse(historyToJSON(history))) as StoredHistory['history']
    const started = plain.events[0]?.['workflowExecutionStartedEventAttributes'] as { workflowType: { name: string } }
    return { workflowId, type: started.workflowType.name, events: plain.events.length, history: plain }
  })
  return gzipSync(JSON.stringify(all), { level: 9 })
}

/** Releases that have histories, and the scenes of each. */
export function scenes(): [release: string, scene: string][] {
  const releases = readdirSync(FOLDER, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return releases.flatMap(({ name }) =>
    readdirSync(`${FOLDER}${name}`)
      .filter((file) => file.endsWith(ENDING))
      .map((file): [string, string] => [name, file.slice(0, -ENDING.length)]),
  )
}

export const pathOf = (release: string, scene: string): string => `${FOLDER}${release}/${scene}${ENDING}`

export function readScene(release: string, scene: string): StoredHistory[] {
  return JSON.parse(gunzipSync(readFileSync(pathOf(release, scene))).toString('utf8')) as StoredHistory[]
}

const MACHINES = new Set(['identity', 'workerInstanceKey', 'buildId', 'stackTrace'])

function anonymous(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(anonymous)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      MACHINES.has(name) && typeof inner === 'string' ? 'worker' : anonymous(inner),
    ]),
  )
}
