/** A batch as rows, for what takes records one by one: cells as JSON lines writes them. */
import type { Field, Row } from '../connector.ts'
import type { Batch, Column } from './batch.ts'
import { cellAt, present, textOf } from './cells.ts'
import { decimalOf } from './field-kind.ts'
import { DOUBLE_DIGITS } from './jsonl.ts'

export function batchRows({ fields, rows, columns }: Batch): Row[] {
  const readers = fields.map(cellReader)
  return Array.from({ length: rows }, (_, row) => {
    const made: Row = {}
    fields.forEach(({ name }, at) => (made[name] = readers[at]!(columns[at]!, row)))
    return made
  })
}

function cellReader({ type }: Field): (column: Column, row: number) => Row[string] {
  const made = valueReader(type)
  return (column, row) => (present(column, row) ? made(column, row) : null)
}

function valueReader(type: Field['type']): (column: Column, row: number) => Row[string] {
  const text = textOf(type)
  if (type === 'json') return (column, row) => JSON.parse(text(cellAt(column, type, row))) as Row[string]
  const short = (decimalOf(type)?.precision ?? DOUBLE_DIGITS + 1) <= DOUBLE_DIGITS
  if (type === 'boolean' || type === 'int32' || type === 'int64' || type === 'float64') {
    return (column, row) => cellAt(column, type, row)
  }
  return short
    ? (column, row) => Number(text(cellAt(column, type, row)))
    : (column, row) => text(cellAt(column, type, row))
}
