/**
 * Dates and instants in the forms that nearly all sources write, four bytes at a time.
 *
 * Law: the answer is that of `instants.ts`, or NaN, which says nothing: other forms, and text that is none, are its.
 */
import { daysOf } from './instants.ts'

/** Days of January 1st since 1970-01-01, times two, and 1 for a leap year. */
const YEARS = Int32Array.from({ length: 10_000 }, (_, year) => {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return daysOf(year, 1, 1) * 2 + (leap ? 1 : 0)
})
/** By month, 12 more in leap years: days before it in the year, and how many it has. */
const BEFORE = Int32Array.from({ length: 24 }, (_, i) => {
  const year = i < 12 ? 2001 : 2000
  return daysOf(year, (i % 12) + 1, 1) - daysOf(year, 1, 1)
})
const LENGTH = Int32Array.from({ length: 24 }, (_, i) => (i % 12 === 11 ? 31 : BEFORE[i + 1]! - BEFORE[i]!))

/** `2026-05-06` in the ten bytes from `at` on: days since 1970-01-01. */
export function fixedDate(view: DataView, at: number): number {
  // Each byte becomes its digit, or 0 for the mark that belongs there; adding 6 lifts all that are above 9 out of four
  // bits.
  const y = view.getInt32(at, true) ^ 0x30303030
  const m = view.getInt32(at + 4, true) ^ 0x2d30302d
  const d = view.getUint16(at + 8, true) ^ 0x3030
  const wrong =
    ((y | (y + 0x06060606)) & 0xf0f0f0f0) | ((m | (m + 0x00060600)) & 0xfff0f0ff) | ((d | (d + 0x0606)) & 0xf0f0)
  if (wrong !== 0) return Number.NaN
  const packed = YEARS[(y & 15) * 1000 + ((y >> 8) & 15) * 100 + ((y >> 16) & 15) * 10 + (y >> 24)]!
  const month = ((m >> 8) & 15) * 10 + ((m >> 16) & 15) - 1
  const day = (d & 15) * 10 + (d >> 8) - 1
  if (month < 0 || month > 11) return Number.NaN
  const index = month + (packed & 1) * 12
  if (day < 0 || day >= LENGTH[index]!) return Number.NaN
  return (packed >> 1) + BEFORE[index]! + day
}

/** `2026-05-06T11:56:44.000+0000`, `… .000Z`, `2026-05-06T11:56:44Z`: microseconds since the epoch, where safe. */
export function fixedTimestamp(view: DataView, at: number, end: number): number {
  const length = end - at
  if (length !== 28 && length !== 24 && length !== 20) return Number.NaN
  const h = view.getInt32(at + 10, true) ^ 0x3a303054 // THH:
  const m = view.getInt32(at + 14, true) ^ 0x303a3030 // MM:S
  let wrong = ((h | (h + 0x00060600)) & 0xfff0f0ff) | ((m | (m + 0x06000606)) & 0xf0fff0f0)
  let second = (m >> 24) * 10
  let millis = 0
  if (length === 20) {
    const s = view.getUint16(at + 18, true) ^ 0x5a30 // SZ
    wrong |= (s | (s + 6)) & 0xfff0
    second += s & 15
  } else {
    const s = view.getInt32(at + 18, true) ^ 0x30302e30 // S.mm
    wrong |= (s | (s + 0x06060006)) & 0xf0f0fff0
    second += s & 15
    const z = view.getUint16(at + 22, true) ^ (length === 24 ? 0x5a30 : 0x2b30) // mZ, m+0000
    wrong |= (z | (z + 6)) & 0xfff0
    if (length === 28) wrong |= view.getInt32(at + 24, true) ^ 0x30303030
    millis = ((s >> 16) & 15) * 100 + (s >> 24) * 10 + (z & 15)
  }
  if (wrong !== 0) return Number.NaN
  const hour = ((h >> 8) & 15) * 10 + ((h >> 16) & 15)
  const minute = (m & 15) * 10 + ((m >> 8) & 15)
  if (hour > 23 || minute > 59 || second > 59) return Number.NaN
  const value = (fixedDate(view, at) * 86_400_000 + ((hour * 60 + minute) * 60 + second) * 1000 + millis) * 1000
  return value <= Number.MAX_SAFE_INTEGER && value >= -Number.MAX_SAFE_INTEGER ? value : Number.NaN
}
