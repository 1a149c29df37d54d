/**
 * Whether a lane's output fits the target that takes its records, told before anything is read.
 *
 * Law: nothing is made to fit here. A value goes as it is into a type that holds every value of its own; everything
 * else is a `cast` that the flow has to name.
 */
import type { Field, FieldType } from '../connector.ts'
import type { Problem } from '../errors.ts'
import { nearest } from '../nearest.ts'
import type { RecordTarget, RecordWrite, TargetField, WriteKind } from '../record-sink.ts'
import { exactOf } from './field-kind.ts'

export interface TargetUse {
  target: RecordTarget
  kind: WriteKind
  /** The flow's `keys`; empty: none were named. */
  keys: string[]
  /** The lane's output. */
  fields: Field[]
}

/** The field that records are found by, or what is wrong; `where` of a problem is below the object of the flow. */
export function checkTarget({ target, kind, keys, fields }: TargetUse): { key: string | null } | Problem[] {
  const problems: Problem[] = []
  const problem = (where: string, what: string, advice: string): void => void problems.push({ what, where, advice })
  const byName = new Map(target.fields.map((field) => [field.name, field]))
  const key = keyOf(kind, keys, target, problem)

  if (key !== null && !fields.some(({ name }) => name === key)) {
    problem('keys', `the key ${key} is not among the fields that are written`, `rename the source's key to ${key}`)
  }
  if (kind.write === 'delete' || target.open) return problems.length > 0 ? problems : { key }
  for (const { name, type } of fields) {
    const to = byName.get(name)
    if (!to) {
      const meant = nearest(name, [...byName.keys()])
      const advice = `${meant ? `Did you mean ${meant}? ` : ''}rename it to a field of ${target.object}, or leave it out by keep`
      problem('transform', `${target.object} has no field ${name}`, advice)
    } else if (name !== key && !writable(to, kind.write)) {
      problem('transform', `${name} of ${target.object} cannot be written`, 'leave it out by keep or drop')
    } else if (!fits(type, to.type)) {
      problem('transform', `${name} is ${type}, and ${target.object} takes ${to.type}`, `cast: { ${name}: ${to.type} }`)
    }
  }
  const given = new Set<string>()
  for (const { name } of fields) {
    const written = byName.get(name)?.of ?? name
    if (given.has(written)) problem('transform', `${written} is written twice, by ${name} too`, 'leave one of them out')
    given.add(written)
  }
  // An upsert may find every one of its records; what is missing in a new one is the vendor's to say.
  const missing =
    kind.write === 'append' ? target.fields.filter(({ name, required }) => required && !given.has(name)) : []
  for (const { name } of missing) {
    problem('transform', `${target.object} takes no new record without ${name}`, `rename or set a field to ${name}`)
  }
  return problems.length > 0 ? problems : { key }
}

function keyOf(
  kind: WriteKind,
  keys: string[],
  { object, fields }: RecordTarget,
  problem: (where: string, what: string, advice: string) => void,
): string | null {
  if (!kind.key) {
    if (keys.length > 0) problem('keys', `${kind.write} finds no records, so it takes no keys`, 'leave keys out')
    return null
  }
  if (kind.key !== 'any') {
    const { named } = kind.key
    if (keys.some((key) => key !== named)) {
      problem(
        'keys',
        `${kind.write} finds records of ${object} by ${named} alone`,
        `keys: [${named}], or write: upsert`,
      )
    }
    return named
  }
  const possible = fields.filter((field) => field.key).map(({ name }) => name)
  const [first] = keys
  if (first === undefined || keys.length > 1 || !possible.includes(first)) {
    const what =
      first === undefined ? 'keys are missing' : `records of ${object} are not found by ${keys.join(' and ')}`
    problem('keys', what, `one of: ${possible.join(', ')}`)
  }
  return first ?? null
}

function writable(field: TargetField, write: RecordWrite): boolean {
  if (write === 'append') return field.create
  return write === 'update' ? field.update : field.create && field.update
}

/** Every value of `from` is one of `to`. */
export function fits(from: FieldType, to: FieldType): boolean {
  if (from === to) return true
  if (to === 'float64') return from === 'int32'
  const [small, large] = [exactOf(from), exactOf(to)]
  if (!small || !large) return false
  return small.scale <= large.scale && small.precision - small.scale <= large.precision - large.scale
}
