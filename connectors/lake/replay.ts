/**
 * What lies in a lane's quarantine, read again by a run that is a replay.
 *
 * Laws
 * - The plan names the files it takes, and so does the entry. Once that is `done`, they are deleted like what an entry
 *   replaces: by everybody, any number of times. So a record is taken once, whatever is killed.
 * - All lines of a file were refused by the same side and as often. What the flow refused goes through its transforms
 *   as they are now; what the destination refused is sent as it was, and only while the output has the same fields.
 * - What may have been written all the same stays where it is.
 */
import type { Field, Json, Page, Plan, Range } from '../connector.ts'
import { quarantinedLine, type QuarantinedLine } from '../records/quarantine.ts'
import { damaged } from './documents.ts'
import { laneKeys } from './keys.ts'
import type { LakeLane } from './protocol.ts'
import type { ObjectStore } from './store.ts'

/** What a run takes at most: its plan names them all. */
const MOST_FILES = 2_000
/** The end of the names of files whose records are never taken. */
export const UNKNOWN = '-unknown.jsonl'

export interface ReplayRange {
  by: QuarantinedLine['by']
  /** How often its records were refused. */
  attempt: number
  files: string[]
}

export interface Replay {
  plan: Plan
  /** Keys of the files that are taken. */
  replays: string[]
}

export async function planReplay(at: LakeLane, output: Field[], cursorField: string | null): Promise<Replay> {
  const { store } = at
  const folder = laneKeys(at.lane).quarantine
  const ranges = new Map<string, ReplayRange>()
  let [taken, counted, later, unknown, unlike] = [0, 0, 0, 0, 0]
  for await (const { key } of store.list(folder)) {
    if (taken === MOST_FILES) later++
    else {
      const lines = await linesOf(store, key)
      const { by, attempt, record } = quarantinedLine(lines[0]!)
      if (key.endsWith(UNKNOWN)) unknown += lines.length
      else if (by === 'destination' && !sameNames(record, output)) unlike += lines.length
      else {
        const id = `${by}-${attempt}`
        const range = ranges.get(id) ?? { by, attempt, files: [] }
        range.files.push(key)
        ranges.set(id, range)
        taken++
        counted += lines.length
      }
      at.beat(`looking at what is in quarantine: ${counted.toLocaleString('en')} records`)
    }
  }
  if (ranges.size === 0) ranges.set('flow-1', { by: 'flow', attempt: 1, files: [] })
  const notes = [
    said(unknown, 'may have been written all the same, and stay in quarantine: look at the destination.'),
    said(unlike, 'were sent with other fields than the flow has now, and stay in quarantine.'),
    later === 0 ? '' : `${later} more files lie in quarantine: replay again.`,
  ]
  return {
    replays: [...ranges.values()].flatMap(({ files }) => files),
    plan: {
      api: 'quarantine',
      request: null,
      ranges: [...ranges].map(([id, spec]): Range => ({ id, spec: spec as unknown as Json })),
      bound: null,
      from: null,
      cursorField,
      pushed: null,
      order: 'none',
      repeats: true,
      counted,
      heldBack: null,
      notes: notes.filter((note) => note !== ''),
    },
  }
}

const said = (records: number, what: string): string =>
  records === 0 ? '' : `${records.toLocaleString('en')} records ${what}`

/** A file each; `from`: how many of them have been read. */
export async function* readReplay(store: ObjectStore, range: Range, from: Json | null): AsyncGenerator<Page> {
  const { files } = range.spec as unknown as ReplayRange
  const shape = { format: 'jsonl', badLines: 'reject' } as const
  if (files.length === 0) yield { body: new Uint8Array(), shape, next: null, position: 'nothing' }
  for (let at = Number(from ?? 0); at < files.length; at++) {
    const lines = (await linesOf(store, files[at]!)).map((line) => quarantinedLine(line))
    const deletes = lines.some(({ deleted }) => deleted)
    yield {
      body: Buffer.from(lines.map((line) => `${recordOf(line)}\n`).join('')),
      shape,
      ...(deletes ? { op: { field: OP, map: { '': 'upsert', delete: 'delete' } } } : {}),
      next: at + 1 < files.length ? at + 1 : null,
      position: `${at + 1} of ${files.length} files of quarantine`,
    }
  }
}

const OP = '_lakeward_replayed'

/** A line that was no record is none now either. */
function recordOf({ rule, record, deleted }: QuarantinedLine): string {
  if (rule === 'json' || rule === 'csv') return (JSON.parse(record) as { line?: string }).line ?? record
  return deleted ? `{"${OP}":"delete",${record.slice(1)}` : record
}

function sameNames(record: string, output: Field[]): boolean {
  const names = Object.keys(JSON.parse(record) as object)
  return names.length === output.length && output.every(({ name }) => names.includes(name))
}

async function linesOf(store: ObjectStore, key: string): Promise<string[]> {
  const bytes = await store.get(key)
  if (bytes === null) throw damaged(`${store.name}/${key}`, 'a file of quarantine is gone while it is replayed')
  return Buffer.from(bytes).toString('utf8').trimEnd().split('\n')
}
