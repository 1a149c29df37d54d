/**
 * The source's schema now against the one of the lane's last entry, and what a run makes of the difference.
 *
 * Laws
 * - A column that readers have seen keeps its name and its place; its type only ever widens.
 * - A field that vanished stays as a column of nulls; transforms that name it go on.
 * - Drift is the source's doing. A flow that was changed is no drift, but may not narrow what readers have seen.
 */
import type { Field, FieldType } from '../connector.ts'

export type DriftPolicy = 'evolve' | 'ignore' | 'fail'

/** The run cannot go on with this schema; the message says what differs and what to do. */
export class DriftError extends Error {
  override readonly name = 'DriftError'
  readonly type: 'DriftFound' | 'DriftRefused' | 'FlowChanged'
  constructor(type: DriftError['type'], message: string) {
    super(message)
    this.type = type
  }
}

export interface Before {
  source: Field[]
  output: Field[]
  /** The flow's transforms are those of the last entry. */
  sameRecipe: boolean
}

export interface Reconciled {
  /** Input of the transforms: vanished fields are among them, marked `gone`. */
  source: Field[]
  output: Field[]
  /** Sentences for the run's report. */
  drift: string[]
}

/** `outputOf` runs the flow's transforms over schemas. `before` is null for a first run and for a new generation. */
export function reconcile(
  policy: DriftPolicy,
  now: Field[],
  before: Before | null,
  outputOf: (source: Field[]) => Field[],
): Reconciled {
  if (!before) return { source: now, output: outputOf(now), drift: [] }
  const drift = differences(before.source, now)
  if (policy === 'fail' && drift.length > 0) {
    throw new DriftError(
      'DriftFound',
      `the source's fields have changed: ${drift.join('; ')}. Set onDrift to evolve or ignore, or run once with --full to accept them.`,
    )
  }
  const source = merge(before.source, now, policy === 'ignore')
  const computed = outputOf(source)
  if (policy === 'ignore' && before.sameRecipe) return { source, output: before.output, drift }
  const { output, changed } = grow(before.output, computed, before.sameRecipe)
  return { source, output, drift: [...drift, ...changed] }
}

/** Sentences about what came, went and changed its type. */
export function differences(before: Field[], now: Field[]): string[] {
  const old = new Map(before.map((field) => [field.name, field]))
  const current = new Map(now.map((field) => [field.name, field]))
  const found: string[] = []
  for (const field of now) {
    const was = old.get(field.name)
    if (!was) found.push(`new field ${field.name} (${field.type})`)
    else if (was.gone) found.push(`field ${field.name} is back`)
    else if (was.type !== field.type) found.push(`field ${field.name} was ${was.type} and is ${field.type}`)
  }
  for (const field of before) {
    if (!field.gone && !current.has(field.name)) found.push(`field ${field.name} has vanished`)
  }
  return found
}

/** Fields in the order readers know them, vanished ones as nulls, new ones last. */
function merge(before: Field[], now: Field[], leaveNewOut: boolean): Field[] {
  const current = new Map(now.map((field) => [field.name, field]))
  const known = before.map((field): Field => current.get(field.name) ?? { ...field, nullable: true, gone: true })
  const names = new Set(before.map((field) => field.name))
  return leaveNewOut ? known : [...known, ...now.filter((field) => !names.has(field.name))]
}

function grow(before: Field[], computed: Field[], sameRecipe: boolean): { output: Field[]; changed: string[] } {
  const next = new Map(computed.map((field) => [field.name, field]))
  const changed: string[] = []
  const known = before.map((field): Field => {
    const now = next.get(field.name)
    if (!now) {
      throw new DriftError(
        'FlowChanged',
        `the flow no longer gives column ${field.name}, which earlier files have. Run once with --full to begin anew, or take it back into the flow.`,
      )
    }
    const nullable = field.nullable || now.nullable
    if (widens(now.type, field.type)) return { ...now, type: field.type, nullable }
    if (widens(field.type, now.type)) {
      changed.push(`column ${field.name} widens from ${field.type} to ${now.type}`)
      return { ...now, nullable }
    }
    throw new DriftError(
      sameRecipe ? 'DriftRefused' : 'FlowChanged',
      `column ${field.name} is ${field.type} in earlier files and would be ${now.type}, which cannot hold all of them. Cast it to ${field.type} in the flow, or run once with --full to begin anew.`,
    )
  })
  const names = new Set(before.map((field) => field.name))
  const added = computed.filter((field) => !names.has(field.name)).map((field) => ({ ...field, nullable: true }))
  return { output: [...known, ...added], changed }
}

/** Every value of `from` is a value of `to`. */
export function widens(from: FieldType, to: FieldType): boolean {
  if (from === to) return true
  const a = digits(from)
  const b = digits(to)
  if (a && b) return b.whole >= a.whole && b.scale >= a.scale
  return from === 'int32' && to === 'float64'
}

/** Digits before and behind the point that an exact number type holds in full. */
function digits(type: FieldType): { whole: number; scale: number } | null {
  if (type === 'int32') return { whole: 10, scale: 0 }
  if (type === 'int64') return { whole: 19, scale: 0 }
  const match = /^decimal\((\d+),(\d+)\)$/.exec(type)
  if (!match) return null
  const scale = Number(match[2])
  return { whole: Number(match[1]) - scale, scale }
}
