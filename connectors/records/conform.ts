/**
 * Columns brought to a schema that is fixed: the lane's output.
 *
 * Law: a value changes its type only where every value of the old type is one of the new (`widens`). What is missing is
 * null, what the schema does not have is left out.
 */
import type { Field } from '../connector.ts'
import type { Batch, Column } from './batch.ts'
import { present } from './cells.ts'
import { columnBuilder } from './column-builders.ts'
import { nullColumn } from './columns.ts'
import { conversion } from './cast.ts'
import { sameFields } from './same-fields.ts'
import { widens } from './widening.ts'

export type Conform = (columns: Column[], rows: number) => Batch

export function conformer(from: Field[], to: Field[]): Conform {
  const same = sameFields(to, from)
  const makers = to.map((field) => maker(from, same.get(field.name), field))
  return (columns, rows) => ({ fields: to, rows, columns: makers.map((make) => make(columns, rows)) })
}

export function conform(batch: Batch, fields: Field[]): Batch {
  return conformer(batch.fields, fields)(batch.columns, batch.rows)
}

function maker(from: Field[], field: Field | undefined, to: Field): (columns: Column[], rows: number) => Column {
  if (!field) return (_, rows) => nullColumn(to, rows)
  const at = from.indexOf(field)
  const { type } = field
  if (type === to.type) return (columns) => columns[at]!
  const convert = widens(type, to.type) ? conversion(type, to.type) : null
  if (!convert) throw new TypeError(`column ${to.name} is ${type} and cannot be ${to.type}`)
  return (columns, rows) => {
    const column = columns[at]!
    const builder = columnBuilder(to)
    for (let row = 0; row < rows; row++) if (present(column, row)) convert(column, row, builder)
    return builder.finish(rows)
  }
}
