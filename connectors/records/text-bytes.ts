/**
 * Values as the bytes of their text: what `textOf` says, without a string per value where it is a number, a date or an
 * instant of usual size.
 */
import type { FieldType } from '../connector.ts'
import type { Column } from './batch.ts'
import type { ByteWriter } from './byte-writer.ts'
import { cellAt, textOf } from './cells.ts'
import { exactOf, kindOf } from './field-kind.ts'
import { civilOf, FIRST_DAY, LAST_DAY } from './instants.ts'

/** Writes the value of a row that is present. */
export type PutValue = (out: ByteWriter, column: Column, row: number) => void

const DAY_MICROS = 86_400_000_000
const BILLION = 1_000_000_000
const [MINUS, POINT, COLON, DASH] = [0x2d, 0x2e, 0x3a, 0x2d]
/** More than any of these texts has. */
const ROOM = 48

/** Not for string and json, whose bytes are their text. */
export function valueText(type: FieldType): PutValue {
  const text = textOf(type)
  const slow: PutValue = (out, column, row) => out.ascii(text(cellAt(column, type, row)))
  const kind = kindOf(type)
  if (kind !== 'int32' && kind !== 'int64' && type !== 'float64') return slow
  const put = putterOf(type)
  return (out, column, row) => {
    const { data } = column
    // Doubles hold exactly what is safe.
    const value =
      data.kind === 'int64'
        ? Number(data.values[row])
        : data.kind === 'int32' || data.kind === 'float64'
          ? data.values[row]!
          : Number.NaN
    out.room(ROOM)
    if (!Number.isSafeInteger(value) || Object.is(value, -0) || !put(out, value)) slow(out, column, row)
  }
}

/** Answers false, and writes nothing, where the value is beyond it. There is room. */
function putterOf(type: FieldType): (out: ByteWriter, value: number) => boolean {
  switch (type) {
    case 'date':
      return putDate
    case 'time':
      return putClock
    case 'timestamp':
      return putInstant
    case 'float64':
      // From there on, doubles are written with exponents or have lost digits.
      return (out, value) => Math.abs(value) < BILLION * 1000 && putDecimal(out, value, 0)
    default: {
      const { scale } = exactOf(type)!
      return scale > 18 ? () => false : (out, value) => putDecimal(out, value, scale)
    }
  }
}

function putDecimal(out: ByteWriter, value: number, scale: number): boolean {
  let rest = value
  if (rest < 0) {
    out.bytes[out.length++] = MINUS
    rest = -rest
  }
  const unit = POWERS[scale]!
  let whole = Math.floor(rest / unit)
  // The quotient may have been rounded up.
  if (whole * unit > rest) whole--
  digits(out, whole, width(whole))
  if (scale > 0) {
    out.bytes[out.length++] = POINT
    digits(out, rest - whole * unit, scale)
  }
  return true
}

function putInstant(out: ByteWriter, micros: number): boolean {
  let days = Math.floor(micros / DAY_MICROS)
  if (days * DAY_MICROS > micros) days--
  if (!putDate(out, days)) return false
  out.bytes[out.length++] = 0x54
  putClock(out, micros - days * DAY_MICROS)
  out.bytes[out.length++] = 0x5a
  return true
}

function putDate(out: ByteWriter, days: number): boolean {
  if (days < FIRST_DAY || days > LAST_DAY) return false
  const { year, month, day } = civilOf(days)
  digits(out, year, 4)
  out.bytes[out.length++] = DASH
  digits(out, month, 2)
  out.bytes[out.length++] = DASH
  digits(out, day, 2)
  return true
}

function putClock(out: ByteWriter, micros: number): boolean {
  if (micros < 0 || micros >= DAY_MICROS) return false
  const seconds = Math.floor(micros / 1_000_000)
  const rest = micros - seconds * 1_000_000
  digits(out, Math.floor(seconds / 3600), 2)
  out.bytes[out.length++] = COLON
  digits(out, Math.floor(seconds / 60) % 60, 2)
  out.bytes[out.length++] = COLON
  digits(out, seconds % 60, 2)
  if (rest === 0) return true
  out.bytes[out.length++] = POINT
  if (rest % 1000 === 0) digits(out, rest / 1000, 3)
  else digits(out, rest, 6)
  return true
}

/** A safe integer that is not negative, in so many digits. */
function digits(out: ByteWriter, value: number, count: number): void {
  let rest = value
  if (count > 9) {
    const high = Math.floor(rest / BILLION)
    digits(out, high, count - 9)
    rest -= high * BILLION
  }
  const least = Math.min(count, 9)
  const { bytes, length } = out
  let small = rest | 0
  for (let i = least - 1; i >= 0; i--) {
    const next = (small / 10) | 0
    bytes[length + i] = 0x30 + small - next * 10
    small = next
  }
  out.length = length + least
}

function width(value: number): number {
  let count = 1
  while (count < 16 && value >= POWERS[count]!) count++
  return count
}

const POWERS = Float64Array.from({ length: 19 }, (_, i) => Number(`1e${i}`))
