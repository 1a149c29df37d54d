/** Columns as wholes: some of their rows, nothing but nulls, one value. */
import type { Field } from '../connector.ts'
import type { Batch, Column, ColumnData } from './batch.ts'
import { countBits } from './column-builder.ts'
import type { Cell } from './column-builder.ts'
import { columnBuilder } from './column-builders.ts'

export function takeRows(batch: Batch, rows: Uint32Array): Batch {
  return { fields: batch.fields, rows: rows.length, columns: batch.columns.map((column) => take(column, rows)) }
}

/** The column's values at `rows`, in that order. */
export function take(column: Column, rows: Uint32Array): Column {
  const data = takeData(column.data, rows)
  const length = rows.length
  if (!column.valid) return { length, nulls: 0, data }
  const valid = takeBits(column.valid, rows)
  const nulls = length - countBits(valid, length)
  return nulls === 0 ? { length, nulls, data } : { length, nulls, valid, data }
}

function takeData(data: ColumnData, rows: Uint32Array): ColumnData {
  switch (data.kind) {
    case 'bytes':
      return takeBytes(data.offsets, data.bytes, rows)
    case 'bits':
      return { kind: 'bits', bits: takeBits(data.bits, rows) }
    case 'int32':
      return { kind: 'int32', values: Int32Array.from(rows, (row) => data.values[row]!) }
    case 'int64':
      return { kind: 'int64', values: BigInt64Array.from(rows as Iterable<number>, (row) => data.values[row]!) }
    case 'float64':
      return { kind: 'float64', values: Float64Array.from(rows, (row) => data.values[row]!) }
    default: {
      const words = new BigInt64Array(rows.length * 2)
      for (let i = 0; i < rows.length; i++) words.set(data.words.subarray(rows[i]! * 2, rows[i]! * 2 + 2), i * 2)
      return { kind: 'int128', words }
    }
  }
}

function takeBits(bits: Uint8Array, rows: Uint32Array): Uint8Array {
  const taken = new Uint8Array((rows.length + 7) >> 3)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    taken[i >> 3]! |= ((bits[row >> 3]! >> (row & 7)) & 1) << (i & 7)
  }
  return taken
}

function takeBytes(from: Int32Array, source: Uint8Array, rows: Uint32Array): ColumnData {
  const offsets = new Int32Array(rows.length + 1)
  let length = 0
  for (let i = 0; i < rows.length; i++) {
    length += from[rows[i]! + 1]! - from[rows[i]!]!
    offsets[i + 1] = length
  }
  const bytes = new Uint8Array(length)
  for (let i = 0; i < rows.length; i++) {
    bytes.set(source.subarray(from[rows[i]!], from[rows[i]! + 1]), offsets[i])
  }
  return { kind: 'bytes', offsets, bytes }
}

/** Rows whose flag is not set; null: all. */
export function unset(flags: Uint8Array, count: number): Uint32Array | null {
  const rows = new Uint32Array(count)
  let kept = 0
  for (let row = 0; row < count; row++) if (!flags[row]) rows[kept++] = row
  return kept === count ? null : rows.subarray(0, kept)
}

export function nullColumn(field: Field, rows: number): Column {
  return columnBuilder(field).finish(rows)
}

export function constantColumn(field: Field, value: Cell, rows: number): Column {
  const builder = columnBuilder(field)
  for (let row = 0; row < rows; row++) builder.value(value, row)
  return builder.finish(rows)
}
