/**
 * The narrowest type that a text could be meant as, for samples. Pure.
 *
 * Law: nothing that would be lost is guessed away: numbers with leading zeros are text, and no number with a point is
 * guessed as a double.
 */
import type { FieldType } from '../connector.ts'
import { decimalOf } from '../records/field-kind.ts'
import { parseDate, parseTime, parseTimestamp } from '../records/instants.ts'

/** `json`: the text is JSON, so that a quoted number is text. */
export function guessType(text: string, json: boolean): FieldType {
  if (json && text.startsWith('"')) return guessText(String(JSON.parse(text)), true)
  if (json && /^[[{]/.test(text)) return 'json'
  return guessText(text, false)
}

function guessText(text: string, quoted: boolean): FieldType {
  const bytes = Buffer.from(text)
  if (!Number.isNaN(parseDate(bytes, 0, bytes.length))) return 'date'
  if (text.length > 10 && !Number.isNaN(parseTimestamp(bytes, 0, bytes.length))) return 'timestamp'
  if (/^\d\d:/.test(text) && !Number.isNaN(parseTime(bytes, 0, bytes.length))) return 'time'
  if (quoted) return 'string'
  if (text === 'true' || text === 'false') return 'boolean'
  const number = /^-?(0|[1-9]\d*)(?:\.(\d+))?$/.exec(text)
  if (number) {
    const [, whole = '', fraction = ''] = number
    if (fraction === '' && whole.length <= 18) return 'int64'
    return decimal(whole.length, fraction.length)
  }
  return /^-?\d+(?:\.\d+)?[eE][+-]?\d+$/.test(text) ? 'float64' : 'string'
}

/** Room for larger numbers than those of the sample. */
function decimal(whole: number, scale: number): FieldType {
  if (whole + scale > 38) return 'string'
  return `decimal(${whole + scale <= 18 ? 18 : 38},${scale})`
}

/** A type for both. */
export function widerGuess(a: FieldType, b: FieldType): FieldType {
  if (a === b) return a
  const [one, two] = [exact(a), exact(b)]
  if (one && two) {
    const scale = Math.max(one.scale, two.scale)
    return `decimal(${one.precision === 38 || two.precision === 38 || scale > 12 ? 38 : 18},${scale})`
  }
  if ((one || a === 'float64') && (two || b === 'float64')) return 'float64'
  const days = new Set<FieldType>([a, b])
  return days.has('date') && days.has('timestamp') ? 'timestamp' : 'string'
}

function exact(type: FieldType) {
  return type === 'int64' ? { precision: 18, scale: 0 } : decimalOf(type)
}
