/** Records that a connector gives as objects, for sources whose pages are not worth scanning as bytes. */
import type { Row } from '../connector.ts'
import type { ColumnBuilder, Refusal } from './column-builder.ts'
import { putBytes } from './column-builders.ts'
import type { Decoded } from './decode.ts'
import type { RecordBuilder } from './record-builder.ts'

export function* decodeRows(rows: Row[], records: RecordBuilder): Generator<Decoded> {
  const tells = records.tells?.field
  for (const row of rows) {
    for (const column of records.columns) {
      const { name } = column.field
      const value = Object.hasOwn(row, name) ? row[name] : undefined
      if (name === tells)
        records.tell(
          typeof value === 'string' || typeof value === 'boolean'
            ? String(value)
            : value == null
              ? ''
              : jsonText(value),
        )
      if (value === null || value === undefined) continue
      const refusal = put(column, value, records.row)
      if (refusal !== null) records.refuse(column, refusal)
    }
    records.end(() => rowText(row))
    if (records.full) yield records.take()
  }
  if (records.pending) yield records.take()
}

function put(column: ColumnBuilder, value: NonNullable<Row[string]>, row: number): Refusal {
  if (value instanceof Uint8Array) return putBytes(column, value, row)
  if (column.raw) return asText(column, jsonText(value), row)
  if (typeof value === 'boolean') return column.boolean(value, row)
  if (typeof value === 'string') return asText(column, value, row)
  if (typeof value === 'object') return `an object or array where ${column.field.type} is expected`
  if (typeof value === 'number' && !Number.isFinite(value)) return 'it is not a number'
  const text = Buffer.from(Object.is(value, -0) ? '-0' : String(value))
  return column.number(text, 0, text.length, row)
}

function asText(column: ColumnBuilder, value: string, row: number): Refusal {
  const text = Buffer.from(value)
  return column.text(text, 0, text.length, row)
}

function jsonText(value: NonNullable<Row[string]>): string {
  return typeof value === 'bigint' ? value.toString() : JSON.stringify(value)
}

function rowText(row: Row): string {
  return JSON.stringify(row, (_, value: unknown) => {
    if (typeof value === 'bigint') return value.toString()
    return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
  })
}
