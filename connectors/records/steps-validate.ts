/** validate: a record with a bad value in any of the fields is dropped, quarantined, or fails the run. Deletes pass. */
import type { OnInvalid, Rule } from '../flow-steps.ts'
import type { Column } from './batch.ts'
import { cellAt, present } from './cells.ts'
import { isNumber } from './field-kind.ts'
import { float64 } from './numbers.ts'
import { DELETE } from './record-builder.ts'
import type { Named, Scope } from './scope.ts'

export interface Validate {
  fields: string[]
  rule: Rule
  onInvalid: OnInvalid
}

/** Null breaks `notNull` and no other rule. */
export function validate({ fields, rule, onInvalid }: Validate, scope: Scope): void {
  for (const found of fields.map((name) => scope.find(name, `${scope.at}.fields`))) {
    const { slot, field } = found
    const bad = badOf(found, rule, scope)
    scope.judge(slot)
    scope.works.push((frame) => {
      const column = frame.slots[slot]!
      for (let row = 0; row < frame.rows; row++) {
        if (frame.out[row] || frame.ops?.[row] === DELETE || !bad(column, row)) continue
        frame.refuse(row, field.name, rule, REASONS[rule], onInvalid)
      }
    })
  }
}

const REASONS: Record<Rule, string> = {
  notNull: 'it is null',
  notZero: 'it is zero',
  notNegative: 'it is negative',
  numeric: 'it is not a number',
}

function badOf({ field: { name, type } }: Named, rule: Rule, scope: Scope): (column: Column, row: number) => boolean {
  if (rule === 'notNull') return (column, row) => !present(column, row)
  if (rule === 'numeric' && type === 'string') {
    return (column, row) => {
      if (!present(column, row) || column.data.kind !== 'bytes') return false
      const { bytes, offsets } = column.data
      return Number.isNaN(float64(bytes, offsets[row]!, offsets[row + 1]!))
    }
  }
  if (!isNumber(type)) {
    throw scope.wrong(
      `'${name}' is ${type}, and ${rule} looks at numbers`,
      'Cast it to a number before.',
      `${scope.at}.fields`,
    )
  }
  if (rule === 'numeric') return () => false
  const wrong =
    rule === 'notZero' ? (value: number | bigint) => Number(value) === 0 : (value: number | bigint) => value < 0
  return (column, row) => present(column, row) && wrong(cellAt(column, type, row) as number | bigint)
}
