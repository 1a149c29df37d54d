/** The builder that each type of field has. */
import type { Field } from '../connector.ts'
import { isJson } from './is-json.ts'
import type { ColumnBuilder, Refusal } from './column-builder.ts'
import { exactOf } from './field-kind.ts'
import {
  DateBuilder,
  Float64Builder,
  Int128Builder,
  Int32Builder,
  Int64Builder,
  MicrosBuilder,
} from './number-builders.ts'
import { BinaryBuilder, BooleanBuilder, JsonBuilder, TextBuilder } from './text-builders.ts'

/** `rounding`: digits behind the point that the type does not hold are rounded, half away from zero, not refused. */
export function columnBuilder(field: Field, rounding = false): ColumnBuilder {
  switch (field.type) {
    case 'string':
      return new TextBuilder(field)
    case 'json':
      return new JsonBuilder(field)
    case 'binary':
      return new BinaryBuilder(field)
    case 'boolean':
      return new BooleanBuilder(field)
    case 'float64':
      return new Float64Builder(field)
    case 'date':
      return new DateBuilder(field)
    case 'time':
    case 'timestamp':
      return new MicrosBuilder(field)
    case 'int32':
      return new Int32Builder(field, rounding)
    case 'int64':
      return new Int64Builder(field, rounding)
    default:
      return exactOf(field.type)!.precision > 18
        ? new Int128Builder(field, rounding)
        : new Int64Builder(field, rounding)
  }
}

/** Binary columns also take bytes as they are, and json columns the bytes of JSON. */
export function putBytes(builder: ColumnBuilder, value: Uint8Array, row: number): Refusal {
  if (builder.raw) return isJson(value) ? builder.text(value, 0, value.length, row) : 'it is not JSON'
  return builder instanceof BinaryBuilder ? builder.value(value, row) : `bytes where ${builder.field.type} is expected`
}
