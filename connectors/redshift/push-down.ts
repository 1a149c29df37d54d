/**
 * Which part of a flow's filter Redshift may apply. Pure.
 *
 * Law: what is pushed down lets through all that our own filter lets through, and may let through more: the core
 * applies the filter again. So
 * - of texts only equality is pushed: their order overlooks trailing blanks, and a collation may overlook case;
 * - `ne`, which a null satisfies here, is never pushed;
 * - doubles are not compared with literals.
 */
import type { Condition, Field, Filter, FilterValue } from '../connector.ts'
import { type Decimal, exactOf } from '../records/field-kind.ts'
import { kindOf } from './source-columns.ts'
import { literal, name } from './sql.ts'

export interface PushDown {
  conditions: string[]
  /** The part of the filter that the conditions stand for. */
  pushed: Filter | null
}

const MOST_IN = 500
const ORDER = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const

export function pushDown(filter: Filter | null, fields: Field[]): PushDown {
  const conditions: string[] = []
  const pushed: Filter = {}
  for (const [of, condition] of Object.entries(filter ?? {})) {
    const field = fields.find((one) => one.name === of)
    if (!field) continue
    for (const operator of Object.keys(condition) as (keyof Condition)[]) {
      const found = conditionOf(field, operator, condition)
      if (found === null) continue
      conditions.push(found)
      pushed[of] = { ...pushed[of], [operator]: condition[operator] }
    }
  }
  return { conditions, pushed: conditions.length > 0 ? pushed : null }
}

function conditionOf(field: Field, operator: keyof Condition, condition: Condition): string | null {
  const column = name(field.name)
  if (operator === 'isNull') return `${column} IS ${condition.isNull === true ? '' : 'NOT '}NULL`
  const one = (value: FilterValue | undefined): string | null => (value === undefined ? null : valueOf(field, value))
  if (operator === 'eq') return compared(column, '=', one(condition.eq))
  if (operator === 'in') {
    const values = (condition.in ?? []).map(one)
    const listed = values.length > 0 && values.length <= MOST_IN && !values.includes(null)
    return listed ? `${column} IN (${values.join(', ')})` : null
  }
  if (field.type === 'string' || field.type === 'boolean') return null
  if (operator === 'between') {
    const [low = null, high = null] = (condition.between ?? []).map(one)
    return low === null || high === null ? null : `${column} BETWEEN ${low} AND ${high}`
  }
  return operator in ORDER ? compared(column, ORDER[operator as 'gt'], one(condition[operator as 'gt'])) : null
}

const compared = (column: string, sign: string, value: string | null): string | null =>
  value === null ? null : `${column} ${sign} ${value}`

/** A literal that is exactly the value; null: there is none. */
function valueOf(field: Field, value: FilterValue): string | null {
  const { type } = field
  if (type === 'boolean') return typeof value === 'boolean' ? String(value).toUpperCase() : null
  if (type === 'string') return typeof value === 'string' && !value.includes('\0') ? literal(value) : null
  const exact = exactOf(type)
  if (exact) return number(String(value), exact)
  if (type === 'date') return isDay(String(value)) ? `CAST('${value}' AS DATE)` : null
  return type === 'timestamp' ? instant(String(value), field) : null
}

/** With no more digits than the column has: beside a longer literal, Redshift would widen the column, to overflow. */
function number(text: string, { precision, scale }: Decimal): string | null {
  const [, whole, part = ''] = /^-?(\d+)(?:\.(\d+))?$/.exec(text) ?? []
  if (whole === undefined || part.length > scale) return null
  return whole.replace(/^0+/, '').length > precision - scale ? null : text
}

/** A day of the calendar, as both have it. */
function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || text < '0001') return false
  const at = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text)
}

/** An ISO instant in UTC, for a TIMESTAMP or a TIMESTAMPTZ; null: it is written otherwise. */
export function instant(text: string, field: Field): string | null {
  const found = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?)Z$/.exec(text)
  if (!found || !isDay(found[1]!)) return null
  const zoned = kindOf(field) === 'timestamp with time zone'
  return `CAST('${found[1]} ${found[2]}${zoned ? '+00' : ''}' AS ${zoned ? 'TIMESTAMPTZ' : 'TIMESTAMP'})`
}
