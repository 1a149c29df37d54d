/** Values that a flow writes (in filters, `set`, `mapValues`) as values of a field's type. */
import type { FieldType } from '../connector.ts'
import type { Cell } from './column-builder.ts'
import { exactOf } from './field-kind.ts'
import { parseDate, parseTime, parseTimestamp } from './instants.ts'
import { TOO_FINE, decimalPlaces, divideFloor, float64Text, scaledText } from './numbers.ts'

export interface Literal {
  value: Cell
  /** false: `value` is the largest the type can hold below the literal. */
  exact: boolean
}

/**
 * Numbers may be text (a double does not hold every one), but text is never taken for a number of another kind. `wrong`
 * makes the error from a half-sentence.
 */
export function literal(type: FieldType, written: unknown, wrong: (what: string) => Error): Literal {
  const shown = typeof written === 'string' ? `'${written}'` : String(written)
  const exact = exactOf(type)
  if (exact) return number(exact.scale, written, () => wrong(`${shown} is no number`))
  if (type === 'float64') {
    const value =
      typeof written === 'number' ? written : typeof written === 'string' ? float64Text(written) : Number.NaN
    if (!Number.isFinite(value)) throw wrong(`${shown} is no number`)
    return { value, exact: true }
  }
  if (type === 'boolean') {
    if (typeof written !== 'boolean') throw wrong(`${shown} is neither true nor false`)
    return { value: written, exact: true }
  }
  if (typeof written !== 'string') throw wrong(`${shown} is no text`)
  if (type === 'string' || type === 'json') return { value: written, exact: true }
  if (type === 'binary') throw wrong('bytes cannot be written here')
  const bytes = Buffer.from(written)
  const parse = type === 'date' ? parseDate : type === 'time' ? parseTime : parseTimestamp
  const value = parse(bytes, 0, bytes.length)
  if (Number.isNaN(value)) throw wrong(`${shown} is no ${type}; write ${EXAMPLES[type] ?? 'another'}`)
  return { value: type === 'date' ? value : BigInt(value), exact: true }
}

function number(scale: number, written: unknown, wrong: () => Error): Literal {
  if (typeof written !== 'number' && typeof written !== 'string') throw wrong()
  const text = String(written)
  let unscaled = scaledText(text, scale)
  if (Number.isNaN(unscaled)) throw wrong()
  const exact = unscaled !== TOO_FINE
  if (!exact) {
    const places = decimalPlaces(text)
    unscaled = divideFloor(BigInt(scaledText(text, places)), 10n ** BigInt(places - scale))
  }
  return { value: BigInt(unscaled), exact }
}

const EXAMPLES: Partial<Record<FieldType, string>> = {
  date: '2026-05-06',
  time: '11:56:44',
  timestamp: '2026-05-06T11:56:44Z',
}
