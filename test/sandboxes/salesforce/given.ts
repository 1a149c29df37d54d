/**
 * Values as a client sends them, read by the type of their field: JSON members of a request, cells of a CSV file.
 *
 * Numbers come as their text, so that no digit is lost; what cannot be read is `undefined`.
 */
import { isId, longId } from './ids.ts'
import type { FieldModel } from './model.ts'
import { plainNumber } from './numbers.ts'
import type { Value } from './values.ts'

/** A number in JSON, kept as it was written. */
export class Numeral {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export type Given = string | boolean | null | Numeral | Given[] | { [name: string]: Given }

const MARK = '\u0001number:'

/** JSON whose numbers are `Numeral`s. Throws SyntaxError. */
export function exactJson(text: string): Given {
  const marked = text.replaceAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (part) =>
    part.startsWith('"') ? part : JSON.stringify(MARK + part),
  )
  return JSON.parse(marked, (_, value: unknown) =>
    typeof value === 'string' && value.startsWith(MARK) ? new Numeral(value.slice(MARK.length)) : value,
  ) as Given
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/

/** `null` for what means no value; `undefined`: not of the field's type. */
export function valueOf({ type }: FieldModel, given: Given): Value | undefined {
  if (given === null || given === '') return null
  if (type === 'boolean') return typeof given === 'boolean' ? given : asBoolean(given)
  const text = given instanceof Numeral ? given.text : given
  if (typeof text !== 'string') return undefined
  if (type === 'int' || type === 'double' || type === 'currency' || type === 'percent') {
    return NUMBER.test(text) && (type !== 'int' || /^[+-]?\d+(\.0*)?$/.test(text)) ? plainNumber(text) : undefined
  }
  if (given instanceof Numeral) return undefined
  if (type === 'date') return isDay(text.slice(0, 10)) && /^.{10}(T.*)?$/.test(text) ? text.slice(0, 10) : undefined
  if (type === 'datetime') return instant(text)
  if (type === 'time')
    return /^\d\d:\d\d:\d\d(\.\d{1,3})?Z?$/.test(text) ? `${text.slice(0, 8)}${millis(text)}Z` : undefined
  if (type === 'id' || type === 'reference') return isId(text) ? longId(text) : text
  return text
}

function asBoolean(given: Given): boolean | undefined {
  if (typeof given !== 'string' || !/^(true|false|1|0)$/i.test(given)) return undefined
  return /^(true|1)$/i.test(given)
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false
  const time = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

function instant(text: string): string | undefined {
  if (isDay(text)) return `${text}T00:00:00.000Z`
  if (!INSTANT.test(text) || !isDay(text.slice(0, 10))) return undefined
  const time = Date.parse(text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'))
  return Number.isNaN(time) ? undefined : new Date(time).toISOString()
}

function millis(text: string): string {
  return `.${(/\.(\d+)/.exec(text)?.[1] ?? '').padEnd(3, '0')}`
}
