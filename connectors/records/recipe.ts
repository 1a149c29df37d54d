/**
 * What a flow does to the records of an object, compiled once per run into work over batches.
 *
 * Laws
 * - The filter comes first, on the source's names; then the steps in order, each on the names the steps before it
 *   leave.
 * - Deletes pass filters and validations. They are never dropped: where a step cannot make a value of one, it is
 *   quarantined even if invalid records are to be dropped.
 * - A record that a step cannot make a value of (a cast, a sum) is as invalid as one that breaks a validation, and
 *   `onInvalid` of the object says what becomes of it. The first reason a record gives counts.
 * - read = written (rows of the batch) + filtered + dropped + quarantined (rejects).
 */
import type { KeyObject } from 'node:crypto'
import type { Field, Filter } from '../connector.ts'
import { InputError } from '../errors.ts'
import type { Partition } from '../flow-destination.ts'
import type { OnInvalid, Step } from '../flow-steps.ts'
import { BATCH_ROWS } from './batch.ts'
import type { Batch } from './batch.ts'
import { columnBuilder } from './column-builders.ts'
import { takeRows, unset } from './columns.ts'
import { conformer } from './conform.ts'
import type { Decoded } from './decode.ts'
import { jsonText } from './jsonl.ts'
import { partitionProblem } from './partition.ts'
import type { Reject } from './quarantine.ts'
import { DELETE } from './record-builder.ts'
import { Scope } from './scope.ts'
import type { Frame } from './scope.ts'
import { applyStep } from './steps.ts'
import { compileWhere } from './where.ts'

export type { OnInvalid, Step } from '../flow-steps.ts'

export interface Recipe {
  where: Filter | null
  transform: Step[]
  onInvalid: OnInvalid
  partitionBy: Partition[]
  /** The output has the column that tells deletes. */
  op: boolean
}

export const OP_COLUMN = '_lakeward_op'

export type Keys = (name: string) => KeyObject

/** A record is invalid and the flow says `fail`. Holds no value. */
export class InvalidRecord extends Error {
  override readonly name = 'InvalidRecord'
  readonly field: string
  readonly rule: string
  constructor({ field, rule, reason }: Omit<Reject, 'row'>) {
    super(`a record is invalid: field ${field}, rule ${rule}: ${reason}`)
    this.field = field
    this.rule = rule
  }
}

/**
 * The output schema. `required`: output names that have to be there (keys). `at` stands before every place in messages.
 * Throws `InputError`.
 */
export function outputFields(recipe: Recipe, input: Field[], required: string[] = [], at = ''): Field[] {
  compileWhere(recipe.where, input, `${at}where`)
  const { fields } = compiled(recipe, input, at)
  const names = fields.map(({ name }) => name)
  const missing = required.find((name) => !names.includes(name))
  if (missing !== undefined) {
    throw new InputError([
      {
        what: `the output has no field '${missing}', which is one of its keys`,
        where: `${at}transform`,
        advice: 'Do not drop or rename it.',
      },
    ])
  }
  recipe.partitionBy.forEach((partition, i) => {
    const what = partitionProblem(partition, fields)
    const where = `destination.partitionBy[${i}]`
    if (what) throw new InputError([{ what, where, advice: 'Partitions take names of the output, after all steps.' }])
  })
  return fields
}

/** Source fields that the output, the filter and the validations are made of, in the source's order, and `always`. */
export function neededFields(recipe: Recipe, input: Field[], always: string[] = []): string[] {
  const { scope } = compiled(recipe, input, '')
  const slots = scope.needed()
  const named = new Set([...Object.keys(recipe.where ?? {}), ...always])
  return input.map(({ name }) => name).filter((name, slot) => slots.has(slot) || named.has(name))
}

/** Source fields that the filter or a notNull looks at: without them no record passes. */
export function decisiveFields(recipe: Recipe, input: Field[]): string[] {
  const judging = recipe.transform.filter((step) => !('validate' in step) || step.validate.rule === 'notNull')
  return neededFields({ ...recipe, transform: [...judging, { keep: [] }] }, input)
}

/** Under which output name each source field goes out as it was read; fields that do not are absent. */
export function outputNames(recipe: Recipe, input: Field[]): Map<string, string> {
  const { scope } = compiled(recipe, input, '')
  const out = new Map<string, string>()
  for (const [name, { slot }] of scope.columns) {
    const field = input[slot]
    if (field && !out.has(field.name)) out.set(field.name, name)
  }
  return out
}

/** Names of the keys that a recipe's hashes take. */
export function keyNames(recipe: Pick<Recipe, 'transform'>): string[] {
  return [...new Set(recipe.transform.flatMap((step) => ('hash' in step ? [step.hash.key] : [])))]
}

export interface Outcome {
  /** What is written, in the output's schema. */
  batch: Batch
  read: number
  filtered: number
  dropped: number
  /** What is quarantined. */
  rejects: Reject[]
}

export interface Pipeline {
  /** Throws `InvalidRecord`. */
  run(decoded: Decoded): Outcome
}

/** `input`: the fields the pages are decoded with. `output`: the lane's schema, which the result is brought to. */
export function compileRecipe(recipe: Recipe, input: Field[], output: Field[], keys: Keys): Pipeline {
  const where = compileWhere(recipe.where, input)
  const { scope, fields } = compiled(recipe, input, '', keys)
  const slots = [...scope.columns.values()].map(({ slot }) => slot)
  const toOutput = conformer(fields, output)
  const record = jsonText(input)
  return { run }

  function run({ batch: all, ops: allOps, rejects: early, dropped: left }: Decoded): Outcome {
    if (all.rows > BATCH_ROWS) throw new RangeError(`a batch has ${BATCH_ROWS} rows at most`)
    const kept = where(all, allOps)
    const batch = kept ? takeRows(all, kept) : all
    const ops = kept && allOps ? Uint8Array.from(kept, (row) => allOps[row]!) : allOps
    const rejects: Reject[] = []
    let dropped = left
    const judge = (reject: Omit<Reject, 'row'>, row: () => string, how: OnInvalid): void => {
      if (how === 'fail') throw new InvalidRecord(reject)
      if (how === 'drop' && !reject.deleted) dropped++
      else rejects.push({ ...reject, row: row() })
    }
    for (const { row, ...reject } of early) judge(reject, () => row, recipe.onInvalid)

    const frame: Frame = {
      rows: batch.rows,
      slots: [...batch.columns],
      ops,
      out: new Uint8Array(batch.rows),
      refuse(row, field, rule, reason, how = recipe.onInvalid) {
        frame.out[row] = 1
        judge({ field, rule, reason, deleted: ops?.[row] === DELETE }, () => record(batch, row), how)
      },
    }
    for (const work of scope.works) work(frame)

    const columns = slots.map((slot) => frame.slots[slot]!)
    if (recipe.op) columns.push(opColumn(batch.rows, ops))
    const made = toOutput(columns, batch.rows)
    const written = unset(frame.out, batch.rows)
    return {
      batch: written ? takeRows(made, written) : made,
      read: all.rows + early.length + left,
      filtered: all.rows - batch.rows,
      dropped,
      rejects,
    }
  }
}

function compiled(recipe: Recipe, input: Field[], at: string, keys?: Keys): { scope: Scope; fields: Field[] } {
  const scope = new Scope(input, `${at}transform`, keys)
  recipe.transform.forEach((step, i) => applyStep(step, scope, `${at}transform[${i}]`))
  const { fields } = scope
  if (fields.some(({ name }) => name === OP_COLUMN)) {
    throw new InputError([
      {
        what: `a field is called ${OP_COLUMN}, which is Lakeward's own name`,
        where: `${at}transform`,
        advice: 'Rename the field in a step.',
      },
    ])
  }
  if (recipe.op) fields.push({ name: OP_COLUMN, type: 'string', nullable: false })
  return { scope, fields }
}

function opColumn(rows: number, ops: Uint8Array | undefined) {
  const builder = columnBuilder({ name: OP_COLUMN, type: 'string', nullable: false })
  for (let row = 0; row < rows; row++) builder.value(ops?.[row] === DELETE ? 'delete' : 'upsert', row)
  return builder.finish(rows)
}
