/**
 * What differs between two JSON documents, member by member.
 *
 * Laws
 * - Two documents have no differences if and only if they are deeply equal; the order of a map's keys is none.
 * - Members of a list are told apart by their names where all have one (objects of a flow), else by their places; a
 *   list that grew or shrank without names is told as a whole.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Json, JsonObject } from '../connectors/connector.ts'

export interface Difference {
  /** `source.objects[Account].where.Name.eq`; empty for the document itself. */
  path: string
  /** Absent: it was not there. */
  before?: Json
  /** Absent: it is no longer there. */
  after?: Json
}

export function differences(before: Json | undefined, after: Json | undefined, path = ''): Difference[] {
  if (isDeepStrictEqual(before, after)) return []
  const whole = [{ path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }]
  if (isMap(before) && isMap(after)) return ofMaps(before, after, (key) => (path === '' ? key : `${path}.${key}`))
  if (!Array.isArray(before) || !Array.isArray(after)) return whole
  const objects = [...before, ...after].some(isMap)
  const [named, alsoNamed] = objects ? [byName(before), byName(after)] : [null, null]
  if (named && alsoNamed) {
    const found = ofMaps(named, alsoNamed, (name) => `${path}[${name}]`)
    // The same members in another order, or written in another way.
    return found.length > 0 ? found : whole
  }
  if (before.length !== after.length) return whole
  return before.flatMap((member, at) => differences(member, after[at], `${path}[${at}]`))
}

function ofMaps(before: JsonObject, after: JsonObject, path: (key: string) => string): Difference[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keys].flatMap((key) => differences(before[key], after[key], path(key)))
}

/** Objects of a flow by their ids: `Account` is `{ object: Account }`. null: some member has no name of its own. */
function byName(list: Json[]): JsonObject | null {
  const named: JsonObject = {}
  for (const member of list) {
    const object: Json = typeof member === 'string' ? { object: member } : member
    const name = isMap(object) ? (object['id'] ?? object['object']) : undefined
    if (typeof name !== 'string' || name in named) return null
    named[name] = object
  }
  return named
}

function isMap(value: Json | undefined): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
