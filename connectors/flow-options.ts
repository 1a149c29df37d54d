/** `source.options` against the connector's own schema. */
import type { Connector, JsonObject, Validator } from './connector.ts'
import type { FlowSource } from './flow-source.ts'
import { type Found, isTable, type Path } from './strict.ts'
import { validate } from './validate.ts'

export function optionProblems(source: FlowSource, connector: Connector): { value: FlowSource } | { found: Found[] } {
  if (!connector.source) {
    const what = `the connector ${connector.name} is no source`
    return { found: [{ path: ['source', 'connection'], what, advice: 'name a connection that can be read from' }] }
  }
  const validator = connector.source.options
  const shared = parseOptions(validator, source.options, ['source', 'options'])
  const found = 'found' in shared ? shared.found : []
  const told = new Set(found.map(keyOf))
  const objects = source.objects.map((object, index) => {
    const base: Path = ['source', 'objects', index, 'options']
    const own = parseOptions(validator, object.options, base)
    if ('value' in own) return { ...object, options: own.value }
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

const keyOf = ({ path, what }: Found): string => JSON.stringify([path, what])

function parseOptions(validator: Validator<JsonObject>, options: JsonObject, base: Path) {
  const result = validate(validator, options, base)
  if ('value' in result && !isTable(result.value)) return { value: {} }
  return result
}
