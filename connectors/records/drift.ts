/**
 * The source's schema now against the one of the lane's last entry, and what a run makes of the difference. What each
 * difference means to each policy is the table in `docs/drift.md`.
 *
 * Laws
 * - A column that readers have seen keeps its name and its place; its type only ever widens (`widening.ts`).
 * - A field that vanished stays as a column of nulls; transforms that name it go on. What would let no record pass any
 *   more, a filter or a notNull on it, is refused.
 * - Drift is the source's doing. A flow that was changed is no drift, but may not narrow what readers have seen.
 * - A run that replaces what earlier ones wrote is bound by the policy alone.
 */
import type { Field } from '../connector.ts'
import { OP_COLUMN } from './recipe.ts'
import { sameFields } from './same-fields.ts'
import { widest } from './widening.ts'

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
  /** This run replaces the files that have this output. */
  replaced?: boolean
}

export interface Reconciled {
  /** Input of the transforms: vanished fields are among them, marked `gone`. */
  source: Field[]
  output: Field[]
  /** Sentences for the run's report. */
  drift: string[]
}

const ANEW = 'or run once with --full to begin anew'

/** `outputOf` runs the flow's transforms over schemas. `before`: null for a first run, and for one that begins anew. */
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
      `the source's fields have changed: ${several(drift)}. Set onDrift to evolve or ignore for a run, ${ANEW} and accept them.`,
    )
  }
  const ignores = policy === 'ignore'
  const source = merge(before.source, now, ignores)
  const computed = outputOf(source)
  if (before.replaced && !(ignores && before.sameRecipe)) return { source, output: computed, drift }
  const { output, changed } = grow(before, computed, ignores && before.sameRecipe)
  return { source, output, drift: [...drift, ...changed] }
}

/** Sentences about what came, went and changed its type. */
export function differences(before: Field[], now: Field[]): string[] {
  const found: string[] = []
  const same = sameFields(before, now)
  const old = new Map(before.flatMap((was) => (same.has(was.name) ? [[same.get(was.name)!.name, was]] : [])))
  for (const { name, type } of now) {
    const was = old.get(name)
    const spelled = was && was.name !== name ? `, spelled ${name}` : ''
    if (!was) found.push(`new field ${name} (${type})`)
    else if (was.gone) found.push(`field ${was.name} is back${spelled}${was.type === type ? '' : `, as ${type}`}`)
    else if (was.type !== type) found.push(`field ${was.name}${spelled} was ${was.type} and is ${type}`)
    else if (spelled) found.push(`field ${was.name} is now${spelled.slice(1)}`)
  }
  for (const { name, gone } of before) {
    if (!gone && !same.has(name)) found.push(`field ${name} has vanished`)
  }
  return found
}

/** Fields in the order readers know them, vanished ones as nulls, new ones last. */
function merge(before: Field[], now: Field[], leaveNewOut: boolean): Field[] {
  const same = sameFields(before, now)
  const known = before.map((field): Field => same.get(field.name) ?? { ...field, nullable: true, gone: true })
  const names = new Set(known.map(({ name }) => name))
  return leaveNewOut ? known : [...known, ...now.filter(({ name }) => !names.has(name))]
}

/** `fixed`: the columns stay as they are. */
function grow(before: Before, computed: Field[], fixed: boolean): { output: Field[]; changed: string[] } {
  const same = sameFields(before.output, computed)
  const changed: string[] = []
  const lost: string[] = []
  const unfit: string[] = []
  const known = before.output.map((field): Field => {
    const now = same.get(field.name)
    if (!now) {
      lost.push(field.name)
      return field
    }
    const type = widest(field.type, now.type)
    if (type === null || (fixed && type !== field.type)) {
      unfit.push(`${field.name} is ${field.type} in earlier files and would be ${now.type}`)
    } else if (type !== field.type) changed.push(`column ${field.name} widens from ${field.type} to ${type}`)
    if (fixed) return field
    return { ...now, name: field.name, type: type ?? field.type, nullable: field.nullable || now.nullable }
  })
  if (lost.length > 0) {
    throw new DriftError(
      'FlowChanged',
      `the flow no longer gives ${columns(lost.length)} ${several(lost, ', ')}, which earlier files have. Take them back into the flow, ${ANEW}.`,
    )
  }
  if (unfit.length > 0) {
    const why = fixed ? 'onDrift: ignore keeps the types of earlier files' : 'no type holds both without loss'
    throw new DriftError(
      before.sameRecipe ? 'DriftRefused' : 'FlowChanged',
      `${columns(unfit.length)} ${several(unfit)}: ${why}. Cast to the earlier type in the flow, ${fixed ? 'set onDrift: evolve, ' : ''}${ANEW}.`,
    )
  }
  const taken = new Set([...same.values()].map(({ name }) => name))
  const added = computed.filter(({ name }) => !taken.has(name))
  if (added.some(({ name }) => name === OP_COLUMN)) {
    throw new DriftError(
      'FlowChanged',
      `the flow now asks for deletes, and earlier files have no column ${OP_COLUMN}: it is there always or never. Take includeDeleted back, ${ANEW}.`,
    )
  }
  return { output: [...known, ...added.map((field) => ({ ...field, nullable: true }))], changed }
}

const MOST_SAID = 20

function columns(count: number): string {
  return count === 1 ? 'column' : `${count} columns:`
}

function several(sentences: string[], between = '; '): string {
  return atMost(sentences).join(between)
}

/** Histories and details hold what a person can read; the schemas themselves lie in the entries. */
export function atMost(sentences: string[]): string[] {
  const more = sentences.length - MOST_SAID
  return more > 0 ? [...sentences.slice(0, MOST_SAID), `and ${more} more`] : sentences
}
