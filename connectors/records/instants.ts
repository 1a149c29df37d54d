/**
 * Dates, times of day and instants from their ISO text and back.
 *
 * Laws
 * - Years 0000 to 9999 of the proleptic Gregorian calendar; a day that does not exist is not a date.
 * - Digits beyond microseconds are cut. A time without a zone is UTC.
 * - Every parser answers NaN for text that is none of its forms.
 */
import { divideFloor } from './numbers.ts'

const DAY_MICROS = 86_400_000_000
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Days since 1970-01-01. */
export function daysOf(year: number, month: number, day: number): number {
  // Years are counted from March, so that the leap day is the last of its year.
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

export interface Civil {
  year: number
  month: number
  day: number
}

export function civilOf(days: number): Civil {
  const z = days + 719_468
  const era = Math.floor(z / 146_097)
  const dayOfEra = z - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1,
  }
}

export const FIRST_DAY = daysOf(0, 1, 1)
export const LAST_DAY = daysOf(9999, 12, 31)

/** `2026-05-06` in bytes [start, end): days since 1970-01-01. */
export function parseDate(bytes: Uint8Array, start: number, end: number): number {
  return end - start === 10 ? dateAt(bytes, start) : Number.NaN
}

/** `10:15`, `10:15:00.000Z`: microseconds since midnight. A zone other than UTC is none of a time of day's. */
export function parseTime(bytes: Uint8Array, start: number, end: number): number {
  const micros = clockAt(bytes, start, end)
  return clockEnd === end || offsetAt(bytes, clockEnd, end) === 0 ? micros : Number.NaN
}

/**
 * `2026-05-06T11:56:44.000+0000`, `… 11:56:44`, `2026-05-06`: microseconds since the epoch; a bigint where a double
 * would round.
 */
export function parseTimestamp(bytes: Uint8Array, start: number, end: number): number | bigint {
  const days = dateAt(bytes, start)
  if (end - start === 10) return instant(days, 0)
  const mark = bytes[start + 10]
  if (end - start < 10 || (mark !== 0x54 && mark !== 0x20 && mark !== 0x74)) return Number.NaN
  const micros = clockAt(bytes, start + 11, end)
  const offset = clockEnd === end ? 0 : offsetAt(bytes, clockEnd, end)
  return instant(days, micros - offset)
}

function instant(days: number, micros: number): number | bigint {
  // NaN of either part fails both comparisons.
  const day = days + Math.floor(micros / DAY_MICROS)
  if (!(day >= FIRST_DAY && day <= LAST_DAY)) return Number.NaN
  const value = days * DAY_MICROS + micros
  return Number.isSafeInteger(value) ? value : BigInt(days) * BigInt(DAY_MICROS) + BigInt(micros)
}

function two(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - 0x30
  const ones = bytes[at + 1]! - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN
}

function dateAt(bytes: Uint8Array, at: number): number {
  if (bytes[at + 4] !== 0x2d || bytes[at + 7] !== 0x2d) return Number.NaN
  const year = two(bytes, at) * 100 + two(bytes, at + 2)
  const month = two(bytes, at + 5)
  const day = two(bytes, at + 8)
  if (!(year >= 0 && month >= 1 && month <= 12 && day >= 1)) return Number.NaN
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return day <= MONTH_DAYS[month - 1]! + (leap ? 1 : 0) ? daysOf(year, month, day) : Number.NaN
}

/** Where the clock that was read last ended. */
let clockEnd = 0

function clockAt(bytes: Uint8Array, start: number, end: number): number {
  clockEnd = end
  const hour = two(bytes, start)
  const minute = two(bytes, start + 3)
  if (bytes[start + 2] !== 0x3a || start + 5 > end || !(hour < 24 && minute < 60)) return Number.NaN
  let at = start + 5
  let second = 0
  let micros = 0
  if (at < end && bytes[at] === 0x3a) {
    second = two(bytes, at + 1)
    at += 3
    if (at > end || !(second < 60)) return Number.NaN
    if (at < end && bytes[at] === 0x2e) {
      const first = ++at
      for (let digit = 0; at < end && (digit = bytes[at]! - 0x30) >= 0 && digit <= 9; at++) {
        if (at - first < 6) micros = micros * 10 + digit
      }
      if (at === first || at - first > 9) return Number.NaN
      for (let place = at - first; place < 6; place++) micros *= 10
    }
  }
  clockEnd = at
  return ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros
}

/** `Z`, `+02`, `+0200`, `+02:00` up to the end: microseconds east of UTC. */
function offsetAt(bytes: Uint8Array, at: number, end: number): number {
  const sign = bytes[at]
  if ((sign === 0x5a || sign === 0x7a) && at + 1 === end) return 0
  if (sign !== 0x2b && sign !== 0x2d) return Number.NaN
  const length = end - at
  const minutes = length === 3 ? 0 : two(bytes, bytes[at + 3] === 0x3a ? at + 4 : at + 3)
  if (length !== 3 && length !== (bytes[at + 3] === 0x3a ? 6 : 5)) return Number.NaN
  const hours = two(bytes, at + 1)
  if (!(hours <= 18 && minutes < 60)) return Number.NaN
  return (sign === 0x2d ? -1 : 1) * (hours * 60 + minutes) * 60_000_000
}

export function dateText(days: number): string {
  const { year, month, day } = civilOf(days)
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`
}

/** `11:56:44`, with three or six more digits where they are not zero. */
export function timeText(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000)
  const rest = micros - seconds * 1_000_000
  const clock = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`
  if (rest === 0) return clock
  return `${clock}.${rest % 1000 === 0 ? pad(rest / 1000, 3) : pad(rest, 6)}`
}

export function timestampText(micros: bigint): string {
  const days = Number(divideFloor(micros, BigInt(DAY_MICROS)))
  return `${dateText(days)}T${timeText(Number(micros - BigInt(days) * BigInt(DAY_MICROS)))}Z`
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0')
}
