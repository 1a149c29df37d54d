/**
 * What a flow says of its destination, against what the destination is: files of a lake, a table, or records.
 *
 * Law: what would be passed over in silence is refused. A table has no folders, and a lake no keys.
 */
import type { Connector } from './connector.ts'
import type { DestinationSpec } from './flow-destination.ts'
import type { FlowObject } from './flow-source.ts'
import { type Found, type Path, shown } from './strict.ts'
import { validate } from './validate.ts'

interface Target {
  destination: DestinationSpec
  objects: FlowObject[]
}

export function targetProblems(target: Target, connector: Connector): Found[] {
  const { destination } = connector
  if (destination?.lake) return lakeProblems(target, connector.name)
  if (destination?.table) return [...fileProblems(target, connector.name), ...tableProblems(target, connector.name)]
  if (destination?.record) return [...fileProblems(target, connector.name), ...recordProblems(target, connector)]
  const what = `the connector ${connector.name} is no destination`
  return [{ path: ['destination', 'connection'], what, advice: 'name a connection that can be written to' }]
}

function lakeProblems({ destination, objects }: Target, name: string): Found[] {
  const found: Found[] = wrongWrite(destination, name, ['append', 'replace'])
  for (const [index, { keys }] of objects.entries()) {
    if (keys === undefined) continue
    const what = `${name} holds files, and nothing in them is found by keys`
    found.push({ path: ['source', 'objects', index, 'keys'], what, advice: 'remove `keys`' })
  }
  return [...found, ...noOptions(destination, name), ...noRejects(destination, name)]
}

function tableProblems({ destination }: Target, name: string): Found[] {
  const writes = wrongWrite(destination, name, ['append', 'replace', 'upsert'])
  return [...writes, ...noOptions(destination, name), ...noRejects(destination, name)]
}

function recordProblems({ destination, objects }: Target, { name, destination: sink }: Connector): Found[] {
  const { options, writes } = sink!.record!
  const found = wrongWrite(
    destination,
    name,
    writes.map(({ write }) => write),
  )
  const checked = validate(options, destination.options, ['destination', 'options'])
  if ('found' in checked) found.push(...checked.found)
  for (const [index, { includeDeleted }] of objects.entries()) {
    if (!includeDeleted) continue
    const what = `no write of ${name} says what becomes of records that are deleted at the source`
    found.push({ path: ['source', 'objects', index, 'includeDeleted'], what, advice: 'remove it' })
  }
  return found
}

/** How files look and where they lie means nothing where there are none. */
function fileProblems({ destination }: Target, name: string): Found[] {
  const { prefix, format, layout, partitionBy } = destination
  const said: [key: string, said: boolean][] = [
    ['prefix', prefix !== ''],
    ['format', format !== 'parquet'],
    ['layout', layout !== 'lakeward'],
    ['partitionBy', partitionBy.length > 0],
  ]
  return said.flatMap(([key, there]) =>
    there
      ? [{ path: ['destination', key], what: `\`${key}\` is for files, and ${name} has none`, advice: 'remove it' }]
      : [],
  )
}

function wrongWrite({ write }: DestinationSpec, name: string, writes: string[]): Found[] {
  if (writes.includes(write)) return []
  return [{ path: ['destination', 'write'], what: `${name} has no write ${shown(write)}`, advice: writes.join(' | ') }]
}

function noOptions({ options }: DestinationSpec, name: string): Found[] {
  if (Object.keys(options).length === 0) return []
  const path: Path = ['destination', 'options']
  return [{ path, what: `a destination of ${name} has no options`, advice: 'remove them' }]
}

function noRejects({ onReject }: DestinationSpec, name: string): Found[] {
  if (onReject === 'quarantine') return []
  const path: Path = ['destination', 'onReject']
  return [{ path, what: `${name} refuses no single records`, advice: 'remove it: what cannot be loaded fails the run' }]
}
