/**
 * SOQL text: names, literals, conditions, queries. Pure.
 * https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select.htm
 *
 * Law: nothing that a user or a record wrote gets into a query except through a function of this file, which quotes it
 * or refuses it.
 */

/** A whole condition, ready to stand between AND and OR. */
export type Soql = string & { readonly soql: true }

const soql = (text: string): Soql => text as Soql

/** API names: letters, digits and underscores; nothing else needs to stand in a query of ours. */
export function name(text: string): string {
  if (!/^[A-Za-z]\w{0,120}$/.test(text)) throw new SyntaxError(`${JSON.stringify(text)} is no Salesforce name`)
  return text
}

const escapes: Record<string, string> = {
  '\\': String.raw`\\`,
  "'": String.raw`\'`,
  '"': String.raw`\"`,
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
  '\b': String.raw`\b`,
  '\f': String.raw`\f`,
}

/**
 * A quoted string.
 * https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm
 */
export function textLiteral(value: string): string {
  return `'${escaped(value)}'`
}

/** A pattern for LIKE that finds `value` anywhere; its wildcards stand for themselves. */
export function containsLiteral(value: string): string {
  return `'%${escaped(value).replaceAll(/[%_]/g, String.raw`\$&`)}%'`
}

function escaped(value: string): string {
  return value.replaceAll(
    // oxlint-disable-next-line no-control-regex -- the characters that must not reach a query raw
    /[\\'"\u0000-\u001f\u007f\u2028\u2029]/g,
    (char) => escapes[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** `2026-05-06T11:56:44.000Z`: unquoted, UTC, without a `+` that a URL would turn into a space. */
export function datetimeLiteral(epochMs: number): string {
  return new Date(epochMs).toISOString()
}

export function dateLiteral(value: string): string {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) throw new SyntaxError(`${JSON.stringify(value)} is no date`)
  return value
}

/** Plain digits; exponents are spelled out. */
export function decimalLiteral(value: number | string): string {
  const text = typeof value === 'number' ? plain(value) : value
  if (!/^-?\d+(\.\d+)?$/.test(text)) throw new SyntaxError(`${JSON.stringify(value)} is no number`)
  return text
}

function plain(value: number): string {
  const [digits = '', exponent] = String(value).split('e')
  if (exponent === undefined) return digits
  const [whole = '', fraction = ''] = digits.replace('-', '').split('.')
  const point = whole.length + Number(exponent)
  const all = whole + fraction
  const text =
    point <= 0
      ? `0.${'0'.repeat(-point)}${all}`
      : `${all.slice(0, point).padEnd(point, '0')}.${all.slice(point) || '0'}`
  return value < 0 ? `-${text}` : text
}

export function booleanLiteral(value: boolean): string {
  return value ? 'TRUE' : 'FALSE'
}

type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'LIKE'

/** `literal` must come from a function above. */
export function compare(field: string, operator: Operator, literal: string): Soql {
  return soql(`${name(field)} ${operator} ${literal}`)
}

export function isNull(field: string, yes = true): Soql {
  return soql(`${name(field)} ${yes ? '=' : '!='} NULL`)
}

export function oneOf(field: string, literals: string[]): Soql {
  return soql(`${name(field)} IN (${literals.join(', ')})`)
}

/** undefined where there is nothing to join. */
export function and(conditions: Soql[]): Soql | undefined {
  return join(conditions, 'AND')
}

export function or(conditions: Soql[]): Soql | undefined {
  return join(conditions, 'OR')
}

function join(conditions: Soql[], word: 'AND' | 'OR'): Soql | undefined {
  if (conditions.length <= 1) return conditions[0]
  return soql(`(${conditions.join(` ${word} `)})`)
}

export interface Position {
  /** As the record had it, ISO with Z; null where the order is by id alone. */
  stamp: string | null
  id: string
}

/** What comes after a position in the order (stamp, id), or (id). */
export function after(cursorField: string | null, { stamp, id }: Position): Soql {
  const later = compare('Id', '>', textLiteral(id))
  if (cursorField === null || stamp === null) return later
  const at = datetimeLiteral(Date.parse(stamp))
  const tie = and([compare(cursorField, '=', at), later])!
  return or([compare(cursorField, '>', at), tie])!
}

/** What comes up to a position, the position included. */
export function upTo(cursorField: string | null, { stamp, id }: Position): Soql {
  const earlier = compare('Id', '<=', textLiteral(id))
  if (cursorField === null || stamp === null) return earlier
  const at = datetimeLiteral(Date.parse(stamp))
  const tie = and([compare(cursorField, '=', at), earlier])!
  return or([compare(cursorField, '<', at), tie])!
}

export interface Query {
  object: string
  /** Empty: `COUNT()`. */
  fields: string[]
  where: Soql[]
  orderBy: string[]
}

export function select({ object, fields, where, orderBy }: Query): string {
  const what = fields.length === 0 ? 'COUNT()' : fields.map(name).join(', ')
  // The outermost brackets of one condition would only cost room in the URL.
  const condition = where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`
  const order = orderBy.length === 0 ? '' : ` ORDER BY ${orderBy.map(name).join(', ')}`
  return `SELECT ${what} FROM ${name(object)}${condition}${order}`
}

/** The least value of a field, or the greatest. */
export function edge(field: string, { object, where }: Pick<Query, 'object' | 'where'>, greatest: boolean): string {
  const order = select({ object, fields: [field], where, orderBy: [field] })
  return `${order}${greatest ? ' DESC' : ''} LIMIT 1`
}

/** Path of a query; `all` also shows deleted and archived records. */
export function queryUrl(apiVersion: string, text: string, all: boolean): string {
  const resource = all ? 'queryAll' : 'query'
  return `/services/data/${apiVersion}/${resource}?q=${encodeURIComponent(text).replaceAll('%20', '+')}`
}
