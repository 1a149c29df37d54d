/** Columns value by value, and as text: what steps, partitions and text sinks work with. */
import type { FieldType } from '../connector.ts'
import type { Column } from './batch.ts'
import type { Cell } from './column-builder.ts'
import { exactOf } from './field-kind.ts'
import { dateText, timeText, timestampText } from './instants.ts'
import { decimalText } from './numbers.ts'
import { int128At } from './words.ts'

export function present({ valid }: Column, row: number): boolean {
  return valid === undefined || ((valid[row >> 3]! >> (row & 7)) & 1) === 1
}

/** The value of a row that is present; see `Cell`. Text is decoded where `type` is string or json. */
export function cellAt({ data }: Column, type: FieldType, row: number): Cell {
  switch (data.kind) {
    case 'bytes': {
      const bytes = data.bytes.subarray(data.offsets[row], data.offsets[row + 1])
      return type === 'binary' ? bytes : utf8(bytes)
    }
    case 'bits':
      return ((data.bits[row >> 3]! >> (row & 7)) & 1) === 1
    case 'int128':
      return int128At(data.words, row)
    default:
      return data.values[row]!
  }
}

/**
 * A cell as text, the same everywhere a value becomes text: numbers with all their digits, `true` and `false`,
 * `2026-05-06`, `11:56:44.123`, `2026-05-06T11:56:44Z`; bytes in base64.
 */
export function textOf(type: FieldType): (cell: Cell) => string {
  switch (type) {
    case 'date':
      return (days) => dateText(days as number)
    case 'time':
      return (micros) => timeText(Number(micros))
    case 'timestamp':
      return (micros) => timestampText(micros as bigint)
    case 'binary':
      return (bytes) => Buffer.from(bytes as Uint8Array).toString('base64')
    case 'float64':
      return (value) => (Object.is(value, -0) ? '-0' : String(value))
    case 'string':
    case 'json':
    case 'boolean':
      return String
    default: {
      const { scale } = exactOf(type)!
      return scale === 0 ? String : (unscaled) => decimalText(BigInt(unscaled as number | bigint), scale)
    }
  }
}

/** Text of a column's rows; null where there is no value. */
export function textReader(type: FieldType): (column: Column, row: number) => string | null {
  const text = textOf(type)
  return (column, row) => (present(column, row) ? text(cellAt(column, type, row)) : null)
}

export function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}
