/** keep, drop, rename, set, cast: which columns there are, and of which type. */
import type { Field, FieldType } from '../connector.ts'
import type { PlainValue } from '../flow-steps.ts'
import { conversion } from './cast.ts'
import { columnBuilder } from './column-builders.ts'
import { constantColumn } from './columns.ts'
import { literal } from './literal.ts'
import type { Named, Scope } from './scope.ts'

/** The output has these fields in this order. */
export function keep(names: string[], scope: Scope): void {
  scope.columns = new Map(names.map((name) => [name, scope.find(name)]))
}

export function drop(names: string[], scope: Scope): void {
  for (const name of names) scope.find(name)
  for (const name of names) scope.columns.delete(name)
  if (scope.columns.size === 0) throw scope.wrong('no field is left', 'Leave at least one.')
}

/** All at once, so that two fields can change names. */
export function rename(renames: Record<string, string>, scope: Scope): void {
  for (const name of Object.keys(renames)) scope.find(name, `${scope.at}.${name}`)
  const next = new Map<string, Named>()
  for (const [name, { field, slot }] of scope.columns) {
    const to = Object.hasOwn(renames, name) ? renames[name]! : name
    if (next.has(to)) {
      throw scope.wrong(`two fields would be called '${to}'`, 'Choose another name, or drop the other field before.')
    }
    next.set(to, { field: { ...field, name: to }, slot })
  }
  scope.columns = next
}

/** A field that is there keeps its type; a new one is string, boolean, int64 or float64, as the value is. */
export function set(values: Record<string, PlainValue>, scope: Scope): void {
  for (const [name, written] of Object.entries(values)) {
    const was = scope.columns.get(name)?.field
    const type = was?.type ?? typeOf(written)
    const wrong = (what: string) =>
      scope.wrong(
        `'${name}' is ${type}, and ${what}`,
        'Write a value of its type, or cast it before.',
        `${scope.at}.${name}`,
      )
    const { value, exact } = literal(type, written, wrong)
    const field: Field = { ...was, name, type, nullable: false }
    const refusal = exact ? columnBuilder(field).value(value, 0) : `it has too many digits for ${type}`
    if (refusal !== null) throw wrong(`${String(written)} does not fit: ${refusal}`)
    const slot = scope.put(field, [])
    scope.works.push((frame) => {
      frame.slots[slot] = constantColumn(field, value, frame.rows)
    })
  }
}

function typeOf(value: PlainValue): FieldType {
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'boolean'
  return Number.isInteger(value) ? 'int64' : 'float64'
}

export function cast(types: Record<string, FieldType>, scope: Scope): void {
  for (const [name, type] of Object.entries(types)) {
    const at = `${scope.at}.${name}`
    const found = scope.find(name, at)
    if (found.field.type === type) continue
    const convert = conversion(found.field.type, type)
    if (!convert) {
      throw scope.wrong(
        `'${name}' is ${found.field.type}, which cannot be cast to ${type}`,
        'Cast it to string, or leave it.',
        at,
      )
    }
    scope.map(found, type, 'cast', convert, true)
  }
}
