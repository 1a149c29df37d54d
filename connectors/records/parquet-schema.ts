/**
 * Fields as Parquet's schema: every column flat and optional, with both the logical and the older converted type.
 * https://github.com/apache/parquet-format/blob/master/LogicalTypes.md
 */
import type { Field } from '../connector.ts'
import { decimalBytes, decimalOf, kindOf } from './field-kind.ts'
import { bool, i32, i8, struct, text } from './thrift.ts'
import type { Struct, Thrift } from './thrift.ts'

export const PHYSICAL = { bits: 0, int32: 1, int64: 2, float64: 5, bytes: 6, int128: 7 } as const

const OPTIONAL = 1
const UTF8 = 0
const DECIMAL = 5
const DATE = 6
const TIME_MICROS = 8
const TIMESTAMP_MICROS = 10
const INT_32 = 17
const INT_64 = 18
const JSON_TEXT = 19

const MICROS = struct({ 2: struct({}) })

export function schemaRoot(fields: number): Thrift {
  return struct({ 4: text('schema'), 5: i32(fields) })
}

export function schemaElement(field: Field): Thrift {
  const kind = kindOf(field.type)
  const { converted, logical, more } = annotation(field)
  return struct({
    1: i32(PHYSICAL[kind]),
    2: kind === 'int128' ? i32(decimalBytes(decimalOf(field.type)!.precision)) : undefined,
    3: i32(OPTIONAL),
    4: text(field.name),
    6: converted === undefined ? undefined : i32(converted),
    ...more,
    10: logical && struct(logical),
  })
}

function annotation({ type }: Field): { converted?: number; logical?: Struct; more?: Struct } {
  switch (type) {
    case 'string':
      return { converted: UTF8, logical: { 1: struct({}) } }
    case 'json':
      return { converted: JSON_TEXT, logical: { 12: struct({}) } }
    case 'int32':
      return { converted: INT_32, logical: { 10: struct({ 1: i8(32), 2: bool(true) }) } }
    case 'int64':
      return { converted: INT_64, logical: { 10: struct({ 1: i8(64), 2: bool(true) }) } }
    case 'date':
      return { converted: DATE, logical: { 6: struct({}) } }
    case 'time':
      // A time of day is of no zone; the older annotation is for readers that know no other.
      return { converted: TIME_MICROS, logical: { 7: struct({ 1: bool(false), 2: MICROS }) } }
    case 'timestamp':
      return { converted: TIMESTAMP_MICROS, logical: { 8: struct({ 1: bool(true), 2: MICROS }) } }
    case 'boolean':
    case 'float64':
    case 'binary':
      return {}
    default: {
      const { precision, scale } = decimalOf(type)!
      return {
        converted: DECIMAL,
        logical: { 5: struct({ 1: i32(scale), 2: i32(precision) }) },
        more: { 7: i32(scale), 8: i32(precision) },
      }
    }
  }
}
