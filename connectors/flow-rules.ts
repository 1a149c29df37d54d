/**
 * Rules that span a flow: they are looked at in the document as written, whatever else is wrong with it, so that one
 * reading tells everything. Each looks only at members that have the right kind.
 */
import { eventRules } from './flow-events.ts'
import { badFolder, mixes, readTime } from './flow-values.ts'
import { type Found, isTable, type Path, shown } from './strict.ts'

export type Table = Record<string, unknown>
export interface WrittenObject {
  path: Path
  written: Table
  object: string | undefined
  id: string | undefined
  into: string | undefined
  /** The format of its files; undefined: it is none of files. */
  format: unknown
  /** A kind of events, or a pattern of kinds: one object either way. */
  events: boolean
}

export function ruleProblems(flow: unknown): Found[] {
  if (!isTable(flow)) return []
  const source = tableOf(flow['source'])
  const destination = tableOf(flow['destination'])
  const events = tableOf(flow['trigger'])['event'] !== undefined
  const objects = objectsOf(source, events)
  return [
    ...numbersThatDoNotFit(flow, []),
    ...lookbackOfFull(source, objects),
    ...replaceOfIncremental(source, destination, objects),
    ...(destination['layout'] === 'appflow' ? appflowLayout(objects) : folders(objects)),
    ...patterns(objects),
    ...fileRules(source, objects, destination['layout'] === 'appflow'),
    ...(events ? eventRules(flow, objects) : []),
    ...sameIds(objects),
    ...runRules(tableOf(flow['run']), destination, flow['run'] !== undefined),
  ]
}

const tableOf = (value: unknown): Table => (isTable(value) ? value : {})
const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

function objectsOf(source: Table, events: boolean): WrittenObject[] {
  const { objects } = source
  if (!Array.isArray(objects)) return []
  return objects.map((one: unknown, index) => {
    const written = typeof one === 'string' ? { object: one } : tableOf(one)
    const object = textOf(written['object'])
    const id = textOf(written['id']) ?? object
    const format = written['format'] ?? source['format']
    const into = textOf(written['into']) ?? (format === undefined ? object : undefined)
    return { path: ['source', 'objects', index], written, object, id, into, format, events }
  })
}

/** Where a member is written, or the object itself where it is not. */
const placeOf = ({ path, written }: WrittenObject, ...keys: string[]): Path => {
  const key = keys.find((one) => written[one] !== undefined)
  return key === undefined || Object.keys(written).length === 1 ? path : [...path, key]
}

/** Integers a double skips may be another number than was written; this holds for JSON from anywhere. */
function numbersThatDoNotFit(value: unknown, path: Path): Found[] {
  if (typeof value === 'number' && (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER)) {
    const advice = 'put it in quotes: as text it is kept digit by digit'
    return [{ path, what: 'is a number that cannot be held exactly', advice }]
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => numbersThatDoNotFit(item, [...path, index]))
  if (!isTable(value)) return []
  return Object.keys(value).flatMap((key) => numbersThatDoNotFit(value[key], [...path, key]))
}

function replaceOfIncremental(source: Table, destination: Table, objects: WrittenObject[]): Found[] {
  if (destination['write'] !== 'replace') return []
  const incremental = objects.filter(
    ({ written }) => (written['read'] ?? source['read'] ?? 'incremental') === 'incremental',
  )
  if (incremental.length === 0) return []
  const names = incremental.map(({ id }) => shown(id ?? '?')).join(', ')
  return [
    {
      path: ['destination', 'write'],
      what: `replace cannot go with an incremental read (${names}): what did not change would be gone`,
      advice: 'write `read: full` in source, or `write: append`',
    },
  ]
}

/** A whole read looks at everything anyway. */
function lookbackOfFull(source: Table, objects: WrittenObject[]): Found[] {
  const advice = 'remove it, or write `read: incremental`'
  const say = (path: Path): Found => ({ path, what: 'a lookback means something to incremental reads only', advice })
  const shared = source['lookback'] !== undefined && source['read'] === 'full'
  const own = objects.filter(
    ({ written }) => written['lookback'] !== undefined && (written['read'] ?? source['read']) === 'full',
  )
  return [...(shared ? [say(['source', 'lookback'])] : []), ...own.map(({ path }) => say([...path, 'lookback']))]
}

/** A pattern of files, or of kinds of events, is one object. */
const isForMany = ({ object, format, events }: WrittenObject): boolean =>
  format === undefined && !events && object?.includes('*') === true

function fileRules(source: Table, objects: WrittenObject[], appflow: boolean): Found[] {
  return objects.flatMap((one): Found[] => {
    const { path, written, format, into, events } = one
    const alone = ['csv', 'schema'].filter(
      (key) => written[key] !== undefined || (key === 'csv' && source[key] !== undefined),
    )
    if (format === undefined) {
      return alone
        .filter((key) => !(events && key === 'schema'))
        .map((key) => ({
          path: written[key] === undefined ? ['source', key] : [...path, key],
          what: `\`${key}\` says how files are read, and nothing says of which format they are`,
          advice: 'set `format`: csv, jsonl or parquet',
        }))
    }
    const found: Found[] = []
    if (written['csv'] !== undefined && format !== 'csv') {
      found.push({ path: [...path, 'csv'], what: '`csv` is for files of that format', advice: 'remove it' })
    }
    if (into === undefined && !appflow) {
      found.push({
        path,
        what: '`into` is missing: a pattern of files is no name',
        advice: 'set `into` for this object',
      })
    }
    if (!isTable(written['schema']) || Object.keys(written['schema']).length === 0) {
      const advice = '`lakeward fields CONNECTION PATTERN` looks at the files and prints one to paste'
      found.push({ path, what: '`schema` is missing: files do not say of which types their columns are', advice })
    }
    return found
  })
}

/** What a pattern takes goes by its own name: one name or folder for all would mix them. */
function patterns(objects: WrittenObject[]): Found[] {
  return objects.flatMap((one) =>
    ['into', 'id']
      .filter((key) => isForMany(one) && one.written[key] !== undefined)
      .map((key) => ({
        path: [...one.path, key],
        what: `\`${key}\` cannot go with a pattern: ${shown(one.object!)} may be many objects`,
        advice: 'remove it, or name the object',
      })),
  )
}

function appflowLayout(objects: WrittenObject[]): Found[] {
  const path: Path = ['destination', 'layout']
  const found: Found[] = []
  if (objects.some(isForMany)) {
    const what = 'appflow has no folder per object, and a pattern may be many objects'
    found.push({ path, what, advice: 'name the object, or write `layout: lakeward`' })
  }
  if (objects.length > 1) {
    const what = `appflow has no folder per object, and this flow has ${objects.length} objects`
    found.push({ path, what, advice: 'write one flow per object, or `layout: lakeward`' })
  }
  for (const object of objects) {
    if (object.written['into'] === undefined) continue
    const what = "`into` has no place in layout appflow: the folder is the flow's name"
    found.push({ path: [...object.path, 'into'], what, advice: 'remove it, or use `layout: lakeward`' })
  }
  return found
}

function folders(objects: WrittenObject[]): Found[] {
  const found: Found[] = []
  const taken: { into: string; by: string }[] = []
  for (const one of objects) {
    if (one.object === undefined || one.into === undefined || isForMany(one)) continue
    if (one.written['into'] === undefined && (one.object.includes('/') || badFolder(one.object) !== undefined)) {
      const what = `${shown(one.object)} does not fit as the name of a folder`
      found.push({ path: placeOf(one, 'object'), what, advice: 'set `into` for this object' })
      continue
    }
    const into = one.into
    const other = taken.find((earlier) => mixes(earlier.into, into))
    if (other) {
      const relation = other.into === into ? 'goes into the same folder as' : 'has a folder inside, or around, that of'
      const what = `${shown(one.id ?? one.object)} ${relation} ${shown(other.by)}: their files would mix`
      found.push({ path: placeOf(one, 'into', 'object'), what, advice: 'set another `into`' })
    }
    taken.push({ into, by: one.id ?? one.object })
  }
  return found
}

function sameIds(objects: WrittenObject[]): Found[] {
  const seen = new Set<string>()
  return objects.flatMap((one): Found[] => {
    if (one.id === undefined) return []
    if (!seen.has(one.id)) {
      seen.add(one.id)
      return []
    }
    const path = placeOf(one, 'id', 'object')
    return [
      {
        path,
        what: `two objects have the id ${shown(one.id)}`,
        advice: 'give one of them an `id` and an `into` of its own',
      },
    ]
  })
}

function runRules(run: Table, destination: Table, present: boolean): Found[] {
  if (!present) return []
  const found: Found[] = []
  const say = (key: string, what: string, advice: string): void => {
    found.push({ path: ['run', key], what, advice })
  }
  const from = textOf(run['from'])
  const to = textOf(run['to'])
  const windowed = from !== undefined || to !== undefined
  const key = from === undefined ? 'to' : 'from'
  const replaces = destination['write'] === 'replace'
  if (windowed && (from === undefined || to === undefined)) {
    say(key, `${key} stands alone`, 'a window has both: from and to')
  }
  if (from !== undefined && to !== undefined) {
    const [start, end] = [readTime(from), readTime(to)]
    if ('value' in start && 'value' in end && start.value >= end.value) {
      say('from', 'from is not before to', 'rows with from ≤ stamp < to are read')
    }
  }
  if (windowed && replaces) {
    say(
      key,
      'a window cannot replace: the rest would be gone',
      'leave from and to out, or write to a flow that appends',
    )
  }
  if (windowed && run['full'] === true) {
    say('full', 'a full run has no window', 'leave out full, or from and to')
  }
  if (run['replay'] === true && (windowed || run['full'] === true)) {
    say('replay', 'a replay reads nothing of the source', 'leave out full, from and to, or replay')
  }
  if (run['keepOld'] === true && run['full'] !== true && !replaces) {
    say('keepOld', 'keepOld means something only to a run that replaces', 'add `full: true`, or leave it out')
  }
  if (run['again'] === true && !windowed) {
    say('again', 'again means something only to a window', 'add from and to, or leave it out')
  }
  return found
}
