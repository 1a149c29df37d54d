/**
 * WHERE as a test of rows. Text compares without case; ids compare with it, in either form; a null is equal to null
 * alone, different from everything else, and neither more nor less than anything.
 */
import { ApiError, noSuchColumn } from './errors.ts'
import { isId, longId } from './ids.ts'
import { compareNumbers, plainNumber } from './numbers.ts'
import type { Expression, Literal, Name } from './soql.ts'
import type { Column, Table } from './table.ts'
import type { Value } from './values.ts'

export type Test = (row: number) => boolean
type Compare = (a: string, b: string) => number

const REFUSED = 'INVALID_FIELD'
/** Types that no operator but equality can be asked of. */
const EQUALITY_ONLY = new Set(['boolean', 'multipicklist'])

export function columnOf(table: Table, soql: string, name: Name): Column {
  const column = table.column(name.text)
  if (!column) throw noSuchColumn(soql, name.at, name.text, table.model.name)
  return column
}

export function compileFilter(table: Table, soql: string, expression: Expression): Test {
  if (expression.op === 'and' || expression.op === 'or') {
    const tests = expression.of.map((one) => compileFilter(table, soql, one))
    return expression.op === 'and'
      ? (row) => tests.every((test) => test(row))
      : (row) => tests.some((test) => test(row))
  }
  if (expression.op === 'not') {
    const test = compileFilter(table, soql, expression.of)
    return (row) => !test(row)
  }
  const column = columnOf(table, soql, expression.field)
  const { field } = column
  const compound = column.kind === 'raw' && expression.values.some((value) => value.type !== 'null')
  if (!field.filterable || compound) {
    throw new ApiError(400, REFUSED, `field '${field.name}' can not be filtered in a query call`)
  }
  if (expression.op === 'like') return like(table, column, expression.values[0]!)

  const wanted = expression.values.map((literal) => operand(column, literal))
  const compare = comparer(column)
  const same = (value: Value): boolean => wanted.some((one) => equal(value, one, compare))
  if (expression.op === '=' || expression.op === 'in') return (row) => same(table.value(row, column))
  if (expression.op === '!=' || expression.op === 'not in') return (row) => !same(table.value(row, column))

  const limit = wanted[0]!
  if (limit === null || EQUALITY_ONLY.has(field.type)) {
    throw new ApiError(400, 'INVALID_QUERY_FILTER_OPERATOR', `invalid operator on ${field.type} field`)
  }
  const holds = holder(expression.op)
  const { millis } = field
  if (millis) {
    const instant = Date.parse(String(limit))
    return (row) => holds(millis(row, table) - instant)
  }
  return (row) => {
    const value = table.value(row, column)
    return typeof value === 'string' && holds(compare(value, String(limit)))
  }
}

/** Compares two values of a column as ORDER BY and `<` do. */
export function comparer(column: Column): Compare {
  if (column.kind === 'number' || column.kind === 'integer') return compareNumbers
  if (column.field.caseSensitive || column.kind === 'code') return (a, b) => (a < b ? -1 : a > b ? 1 : 0)
  return (a, b) => {
    const [left, right] = [a.toLowerCase(), b.toLowerCase()]
    return left < right ? -1 : left > right ? 1 : 0
  }
}

function equal(value: Value, wanted: Value, compare: Compare): boolean {
  if (wanted === '') return value === '' || value === null
  if (value === null || wanted === null || typeof value === 'boolean' || typeof wanted === 'boolean')
    return value === wanted
  return compare(value, wanted) === 0
}

function holder(op: '<' | '<=' | '>' | '>='): (order: number) => boolean {
  if (op === '<') return (order) => order < 0
  if (op === '<=') return (order) => order <= 0
  if (op === '>') return (order) => order > 0
  return (order) => order >= 0
}

function operand(column: Column, literal: Literal): Value {
  const { name, type } = column.field
  if (literal.type === 'null') return null
  const refuse = (kind: string, quotes: string): ApiError =>
    new ApiError(400, REFUSED, `value of filter criterion for field '${name}' must be of type ${kind} and ${quotes}`)
  const unquoted = (kind: string): ApiError => refuse(kind, 'should not be enclosed in quotes')

  if (column.kind === 'boolean') {
    if (literal.type !== 'boolean') throw unquoted('boolean')
    return literal.value
  }
  if (column.kind === 'number' || column.kind === 'integer') {
    if (literal.type !== 'number') throw unquoted(column.kind === 'integer' ? 'int' : 'double')
    return plainNumber(literal.value)
  }
  if (type === 'date') {
    if (literal.type !== 'date') throw unquoted('date')
    return checkedDate(literal.value, literal.value)
  }
  if (type === 'datetime') {
    if (literal.type !== 'datetime') throw unquoted('dateTime')
    return checkedDate(literal.value, literal.value.slice(0, 10))
  }
  if (literal.type !== 'string') throw refuse('string', 'should be enclosed in quotes')
  if (type !== 'id' && type !== 'reference') return literal.value
  if (!isId(literal.value)) {
    throw new ApiError(400, 'INVALID_QUERY_FILTER_OPERATOR', `invalid ID field: ${literal.value}`)
  }
  return longId(literal.value)
}

function checkedDate(text: string, day: string): string {
  const millis = Date.parse(text)
  const year = Number(day.slice(0, 4))
  const real = !Number.isNaN(millis) && new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)
  if (!real || year < 1700 || year > 4000) throw new ApiError(400, 'MALFORMED_QUERY', `Invalid date: ${text}`)
  return text === day ? day : new Date(millis).toISOString()
}

function like(table: Table, column: Column, literal: Literal): Test {
  if (literal.type !== 'string')
    throw new ApiError(400, REFUSED, `value of LIKE for '${column.field.name}' must be a string`)
  if (column.kind !== 'text') {
    throw new ApiError(400, 'INVALID_QUERY_FILTER_OPERATOR', `invalid operator on ${column.field.type} field`)
  }
  const pattern = likePattern(literal)
  return (row) => {
    const value = table.value(row, column)
    return typeof value === 'string' && pattern.test(value)
  }
}

/** `%` any text, `_` one character; escaped, they stand for themselves. */
function likePattern(literal: Literal & { type: 'string' }): RegExp {
  const marked = literal.raw.replaceAll(
    /\\([%_])|\\(?:u[0-9a-fA-F]{4}|.)|[%_]/gs,
    (found, sign: string | undefined) => {
      if (sign) return sign === '%' ? '\u{f0001}' : '\u{f0002}'
      return found === '%' ? '\u{f0003}' : found === '_' ? '\u{f0004}' : found
    },
  )
  const decoded = marked.replaceAll(/\\(u[0-9a-fA-F]{4}|.)/gs, (_, escape: string) => decode(escape))
  const source = decoded
    .replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`)
    .replaceAll('\u{f0001}', '%')
    .replaceAll('\u{f0002}', '_')
    .replaceAll('\u{f0003}', '.*')
    .replaceAll('\u{f0004}', '.')
  return new RegExp(`^${source}$`, 'is')
}

function decode(escape: string): string {
  if (/^u.{4}$/.test(escape)) return String.fromCharCode(Number.parseInt(escape.slice(1), 16))
  const lower = escape.toLowerCase()
  return lower === 'n'
    ? '\n'
    : lower === 'r'
      ? '\r'
      : lower === 't'
        ? '\t'
        : lower === 'b'
          ? '\b'
          : lower === 'f'
            ? '\f'
            : escape
}
