/** `source.options` against the connector's own schema. */
import type { Connector, JsonObject, Validator } from './connector.ts'
import type { FlowObject, FlowSource } from './flow-source.ts'
import { type Found, isTable, type Path, shown } from './strict.ts'
import { validate } from './validate.ts'

export function optionProblems(source: FlowSource, connector: Connector): { value: FlowSource } | { found: Found[] } {
  if (!connector.source) {
    const what = `the connector ${connector.name} is no source`
    return { found: [{ path: ['source', 'connection'], what, advice: 'name a connection that can be read from' }] }
  }
  const unfit = source.objects.flatMap((object, index) => [
    ...fileProblem(object, index, connector),
    ...eventProblem(object, index, connector),
  ])
  if (unfit.length > 0) return { found: unfit }
  const validator = connector.source.options
  const shared = parseOptions(validator, source.options, ['source', 'options'])
  const found = 'found' in shared ? shared.found : []
  const told = new Set(found.map(keyOf))
  const objects = source.objects.map((object, index) => {
    const base: Path = ['source', 'objects', index, 'options']
    const own = parseOptions(validator, object.options, base)
    const declared = { ...(object.files as JsonObject | undefined), ...object.events }
    if ('value' in own) return { ...object, options: { ...own.value, ...declared } }
    // What the object has from the source was told there.
    found.push(
      ...own.found.filter(
        (problem) => !told.has(keyOf({ ...problem, path: ['source', 'options', ...problem.path.slice(4)] })),
      ),
    )
    return object
  })
  if (found.length > 0 || 'found' in shared) return { found }
  return { value: { ...source, options: shared.value, objects } }
}

/** How files are read is said where there are files, and nowhere else. */
function fileProblem({ files, object }: FlowObject, index: number, { name, source }: Connector): Found[] {
  const path: Path = ['source', 'objects', index]
  if (source?.files && !files) {
    const what = `${name} has files, and nothing says how ${shown(object)} is read`
    return [
      { path, what, advice: 'set `format`: csv, jsonl or parquet; `lakeward fields CONNECTION PATTERN` proposes it' },
    ]
  }
  if (source?.files || !files) return []
  return [{ path, what: `${name} has no files, and \`format\` says how files are read`, advice: 'remove `format`' }]
}

/** Events feed a flow that says so, and nothing else does. */
function eventProblem({ events }: FlowObject, index: number, { name, source }: Connector): Found[] {
  if (source?.events && !events) {
    const what = `${name} cannot be asked for records: it tells of events`
    return index > 0 ? [] : [{ path: ['trigger'], what, advice: 'write `trigger: { event: webhook }`' }]
  }
  if (source?.events || !events || index > 0) return []
  const advice = 'name a connection of connector webhook, or write `cron` or `every`'
  return [{ path: ['trigger', 'event'], what: `${name} is asked for records, and sends no events`, advice }]
}

const keyOf = ({ path, what }: Found): string => JSON.stringify([path, what])

function parseOptions(validator: Validator<JsonObject>, options: JsonObject, base: Path) {
  const result = validate(validator, options, base)
  if ('value' in result && !isTable(result.value)) return { value: {} }
  return result
}
