/**
 * Which type holds every value of two others: the one rule by which a column widens, and by which values are brought to
 * a column's type.
 *
 *   int32 < int64 < decimal(p,s)       with digits enough on both sides of the point, 38 at most
 *   int32, decimal(≤15,0) < float64    whole numbers that every double holds exactly
 *
 * Law: nothing that readers have seen changes its meaning. So there is no way between whole numbers beyond 15 digits,
 * or decimals, and doubles (digits would be lost); from date to timestamp (a reader's own time zone would decide which
 * instant an old day is); and from anything to text (what files hold as numbers would compare and sort otherwise).
 */
import type { FieldType } from '../connector.ts'
import { decimalOf, exactOf } from './field-kind.ts'

const MOST_DIGITS = 38
/** Whole numbers of so many digits are doubles. */
const DOUBLE_DIGITS = 15

/** The narrowest type that holds every value of both; null: there is none. */
export function widest(a: FieldType, b: FieldType): FieldType | null {
  if (a === b) return a
  const [left, right] = [exactOf(a), exactOf(b)]
  if (left && right) {
    if (!decimalOf(a) && !decimalOf(b)) return 'int64'
    const scale = Math.max(left.scale, right.scale)
    const precision = Math.max(left.precision - left.scale, right.precision - right.scale) + scale
    return precision > MOST_DIGITS ? null : `decimal(${precision},${scale})`
  }
  if (a !== 'float64' && b !== 'float64') return null
  const exact = left ?? right
  return exact && exact.scale === 0 && exact.precision <= DOUBLE_DIGITS ? 'float64' : null
}

/** Every value of `from` is a value of `to`. */
export function widens(from: FieldType, to: FieldType): boolean {
  return widest(from, to) === to
}
