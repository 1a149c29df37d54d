/**
 * From one type to another.
 *
 *   to string                      every type, as `textOf` writes it
 *   string to any type             as a source's text is read; to json only if it is JSON
 *   number to number               digits behind the point that the type does not hold are rounded, half away
 *                                  from zero;
 *                                  float64 takes the nearest double; a number that is too large is refused
 *   date to timestamp and back     midnight UTC; the day in UTC
 *   timestamp to time              the time of day in UTC
 *   number, boolean to json        as they are
 *
 * Everything else cannot be cast. Nulls stay null.
 */
import type { FieldType } from '../connector.ts'
import { cellAt, textOf } from './cells.ts'
import { exactOf, isNumber } from './field-kind.ts'
import { decimalText, divideFloor, rescale, scaledText } from './numbers.ts'
import type { MapMake } from './scope.ts'

const DAY_MICROS = 86_400_000_000n

/** null: there is no way. For rows that are present; the builder is of the type `to` and rounds. */
export function conversion(from: FieldType, to: FieldType): MapMake | null {
  if (to === 'string') {
    const text = textOf(from)
    return (column, row, builder) => builder.value(text(cellAt(column, from, row)), row)
  }
  if (from === 'string') return to === 'json' ? parsed : read
  if (isNumber(from) && isNumber(to)) return numeric(from, to)
  if (to === 'json' && (isNumber(from) || from === 'boolean')) {
    const text = textOf(from)
    return (column, row, builder) => builder.value(text(cellAt(column, from, row)), row)
  }
  if (from === 'date' && to === 'timestamp') {
    return (column, row, builder) => builder.value(BigInt(cellAt(column, from, row) as number) * DAY_MICROS, row)
  }
  if (from === 'timestamp' && (to === 'date' || to === 'time')) {
    return (column, row, builder) => {
      const micros = cellAt(column, from, row) as bigint
      const days = divideFloor(micros, DAY_MICROS)
      return builder.value(to === 'date' ? Number(days) : micros - days * DAY_MICROS, row)
    }
  }
  return null
}

const read: MapMake = ({ data }, row, builder) =>
  data.kind === 'bytes' ? builder.text(data.bytes, data.offsets[row]!, data.offsets[row + 1]!, row) : null

const parsed: MapMake = (column, row, builder) => {
  const text = cellAt(column, 'string', row) as string
  try {
    JSON.parse(text)
  } catch {
    return 'it is not JSON'
  }
  return builder.value(text, row)
}

function numeric(from: FieldType, to: FieldType): MapMake {
  const source = exactOf(from)
  const target = exactOf(to)
  if (source && target) {
    return (column, row, builder) =>
      builder.value(rescale(BigInt(cellAt(column, from, row) as number | bigint), source.scale, target.scale), row)
  }
  if (source) {
    return (column, row, builder) =>
      builder.value(Number(decimalText(BigInt(cellAt(column, from, row) as number | bigint), source.scale)), row)
  }
  return (column, row, builder) => {
    const value = cellAt(column, from, row) as number
    return builder.value(target ? scaledText(String(value), target.scale, true) : value, row)
  }
}
