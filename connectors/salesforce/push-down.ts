/**
 * Which part of a flow's filter Salesforce may apply. Pure.
 *
 * Law: what is pushed down lets through all that our own filter lets through, and may let through more: the core
 * applies the filter again. Where SOQL is stricter than we are, or could be, nothing is pushed:
 * - SOQL compares text without regard to case: `eq`, `in`, `contains` let more through, `ne` would let less through.
 * - Its order of text depends on the org's language: never pushed.
 * - Numbers and instants are compared there with a precision that is not ours: `gt` becomes `>=`, `lt` becomes `<=`,
 *   instants are widened to whole seconds, and `ne` is pushed only for whole numbers and dates.
 * - A null satisfies our `ne`; SOQL is asked for it by name.
 * - Ids that are no ids are an error there, and simply equal to nothing here.
 */
import type { Condition, Field, Filter, FilterValue } from '../connector.ts'
import * as soql from './soql.ts'
import type { Soql } from './soql.ts'

export interface PushDown {
  conditions: Soql[]
  /** The part of the filter that the conditions stand for. */
  pushed: Filter | null
}

/** Longest list for IN, in characters: the query shares its URL with the field names. */
const MOST_IN = 3000

const likeable = new Set(['string', 'textarea', 'phone', 'url', 'email', 'picklist', 'combobox'])

export function pushDown(filter: Filter | null, fields: Field[]): PushDown {
  const conditions: Soql[] = []
  const pushed: Filter = {}
  for (const [name, condition] of Object.entries(filter ?? {})) {
    const field = fields.find((one) => one.name === name)
    if (!field?.filterable) continue
    for (const operator of Object.keys(condition) as (keyof Condition)[]) {
      const found = ofField(field, operator, condition)
      if (!found) continue
      conditions.push(found)
      pushed[name] = { ...pushed[name], [operator]: condition[operator] }
    }
  }
  return { conditions, pushed: conditions.length > 0 ? pushed : null }
}

function ofField(field: Field, operator: keyof Condition, condition: Condition): Soql | undefined {
  const kind = (field.sourceType ?? '').split('(')[0] ?? ''
  if (operator === 'isNull') return nullness(field, kind, condition.isNull)
  if (field.type === 'string') return ofText(field.name, kind, operator, condition)
  if (field.type === 'boolean') return ofBoolean(field.name, operator, condition)
  const { literals, exact } = ordered(field)
  return literals ? ofOrdered(field.name, operator, condition, literals, exact) : undefined
}

function nullness({ name, type }: Field, kind: string, yes: boolean | undefined): Soql | undefined {
  if (type === 'boolean' || type === 'json' || kind === 'multipicklist' || yes === undefined) return undefined
  return soql.isNull(name, yes)
}

function ofText(name: string, kind: string, operator: keyof Condition, condition: Condition): Soql | undefined {
  const isId = kind === 'id' || kind === 'reference'
  const literal = (value: unknown): string | undefined => {
    if (typeof value !== 'string' || !isPlain(value)) return undefined
    if (isId) return isWholeId(value) ? soql.textLiteral(value) : undefined
    return likeable.has(kind) ? soql.textLiteral(value) : undefined
  }
  if (operator === 'eq') {
    const found = literal(condition.eq)
    return found === undefined ? undefined : soql.compare(name, '=', found)
  }
  if (operator === 'in') return list(name, condition.in ?? [], literal)
  const { contains = '' } = condition
  if (operator !== 'contains' || !likeable.has(kind) || contains.trim() === '' || !isPlain(contains)) return undefined
  return soql.compare(name, 'LIKE', soql.containsLiteral(contains))
}

/** There, line breaks are not kept as they were written, blank ends are cut, and half characters are refused. */
function isPlain(value: string): boolean {
  return value !== '' && value === value.trim() && !/[\p{Cc}\p{Cs}]/u.test(value)
}

function ofBoolean(name: string, operator: keyof Condition, condition: Condition): Soql | undefined {
  if (operator === 'eq' && typeof condition.eq === 'boolean') {
    return soql.compare(name, '=', soql.booleanLiteral(condition.eq))
  }
  return undefined
}

function list(name: string, values: FilterValue[], literal: (value: FilterValue) => string | undefined) {
  const literals = values.map(literal)
  if (literals.length === 0 || literals.some((one) => one === undefined)) return undefined
  return literals.join().length > MOST_IN ? undefined : inList(name, literals as string[])
}

function inList(name: string, literals: string[]): Soql {
  return literals.length === 1 ? soql.compare(name, '=', literals[0]!) : soql.oneOf(name, literals)
}

/** The least and the greatest literal that a value may equal there. */
type Literals = (value: FilterValue | undefined) => { low: string; high: string } | undefined

function ordered({ type }: Field): { literals?: Literals; exact: boolean } {
  if (type === 'int32' || type === 'int64') return { literals: wholeNumbers(type), exact: true }
  if (type === 'date') return { literals: dates, exact: true }
  if (type === 'timestamp') return { literals: instants, exact: false }
  if (type === 'float64' || type.startsWith('decimal')) return { literals: decimals, exact: false }
  return { exact: false }
}

const same = (literal: string) => ({ low: literal, high: literal })

const wholeNumbers =
  (type: 'int32' | 'int64'): Literals =>
  (value) => {
    const text = typeof value === 'number' ? String(value) : value
    if (typeof text !== 'string' || !/^-?\d{1,18}$/.test(text)) return undefined
    if (type === 'int32' && Math.abs(Number(text)) > 2 ** 31 - 1) return undefined
    return same(text)
  }

const decimals: Literals = (value) => {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined
  const literal = /^-?\d+(\.\d+)?$/.test(String(value)) ? String(value) : undefined
  // More digits than Salesforce keeps, or an exponent: not worth an error there.
  return literal && literal.replace(/\D/g, '').length <= 18 ? same(literal) : undefined
}

const dates: Literals = (value) =>
  typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value) && inRange(value) ? same(value) : undefined

const instants: Literals = (value) => {
  if (typeof value !== 'string' || !inRange(value)) return undefined
  const ms = Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(value) || /(Z|[+-]\d{2}:?\d{2})$/.test(value) ? value : `${value}Z`)
  if (Number.isNaN(ms)) return undefined
  const second = 1000
  return {
    low: soql.datetimeLiteral(Math.floor(ms / second) * second),
    high: soql.datetimeLiteral(Math.ceil(ms / second) * second),
  }
}

/** Years that Salesforce takes in a literal. */
function inRange(value: string): boolean {
  return value.slice(0, 4) >= '1700' && value.slice(0, 4) < '4000'
}

function ofOrdered(
  name: string,
  operator: keyof Condition,
  condition: Condition,
  literals: Literals,
  exact: boolean,
): Soql | undefined {
  const least = (value: FilterValue | undefined, strictly: boolean): Soql | undefined => {
    const found = literals(value)
    return found && soql.compare(name, strictly && exact ? '>' : '>=', found.low)
  }
  const most = (value: FilterValue | undefined, strictly: boolean): Soql | undefined => {
    const found = literals(value)
    return found && soql.compare(name, strictly && exact ? '<' : '<=', found.high)
  }
  const both = (low: Soql | undefined, high: Soql | undefined): Soql | undefined =>
    low && high ? soql.and([low, high]) : undefined
  switch (operator) {
    case 'gt':
      return least(condition.gt, true)
    case 'gte':
      return least(condition.gte, false)
    case 'lt':
      return most(condition.lt, true)
    case 'lte':
      return most(condition.lte, false)
    case 'eq':
      if (exact) return list(name, condition.eq === undefined ? [] : [condition.eq], (value) => literals(value)?.low)
      return both(least(condition.eq, false), most(condition.eq, false))
    case 'between':
      return both(least(condition.between?.[0], false), most(condition.between?.[1], false))
    case 'in':
      return exact ? list(name, condition.in ?? [], (value) => literals(value)?.low) : undefined
    case 'ne': {
      const found = exact ? literals(condition.ne) : undefined
      return found && soql.or([soql.compare(name, '!=', found.low), soql.isNull(name)])
    }
    default:
      return undefined
  }
}

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345'

/** 18 characters whose last three agree with the case of the others. */
function isWholeId(value: string): boolean {
  if (!/^[A-Za-z0-9]{18}$/.test(value)) return false
  const check = [0, 5, 10].map((start) => {
    const upper = Array.from(value.slice(start, start + 5), (char, bit) => (/[A-Z]/.test(char) ? 1 << bit : 0))
    return digits[upper.reduce((sum, bit) => sum + bit, 0)]
  })
  return value.slice(15).toUpperCase() === check.join('')
}
