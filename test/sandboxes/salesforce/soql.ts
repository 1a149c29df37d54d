/**
 * The query language, as far as this sandbox speaks it: SELECT fields | COUNT() FROM one object, WHERE, ORDER BY,
 * LIMIT, OFFSET. Everything else is MALFORMED_QUERY, and so is what Salesforce itself refuses: AND and OR in one list
 * without parentheses, NOT after AND, a number in quotes.
 *
 * https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select.htm
 */
import { ApiError, queryError } from './errors.ts'
import { type Token, tokens } from './soql-tokens.ts'

export interface Query {
  soql: string
  object: Name
  /** Empty with `count`. */
  fields: Name[]
  count: boolean
  where: Expression | null
  order: { field: Name; descending: boolean; nullsLast: boolean }[]
  limit: number | null
  offset: number
}

export interface Name {
  text: string
  at: number
}

export type Expression =
  | { op: 'and'; of: Expression[] }
  | { op: 'or'; of: Expression[] }
  | { op: 'not'; of: Expression }
  | { op: Comparison; field: Name; values: Literal[] }

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'like' | 'in' | 'not in'

export type Literal =
  | { type: 'null'; at: number }
  | { type: 'boolean'; value: boolean; at: number }
  /** `raw` still holds the escapes, which LIKE reads itself. */
  | { type: 'string'; value: string; raw: string; at: number }
  | { type: 'number' | 'date' | 'datetime'; value: string; at: number }

const MAX_OFFSET = 2000

export function parseSoql(soql: string): Query {
  const input = tokens(soql)
  let at = 0

  const peek = (): Token => input[at]!
  const word = (text: string): boolean => peek().type === 'name' && peek().text.toUpperCase() === text
  const symbol = (text: string): boolean => peek().type === 'symbol' && peek().text === text
  const next = (): Token => input[at++]!
  const unexpected = (): ApiError => {
    const token = peek()
    const shown = token.type === 'end' ? '<EOF>' : token.text
    return queryError(soql, token.at, 'MALFORMED_QUERY', `unexpected token: '${shown}'`)
  }
  const keyword = (text: string): void => {
    if (!word(text)) throw unexpected()
    at++
  }
  const name = (): Name => {
    if (peek().type !== 'name') throw unexpected()
    const token = next()
    return { text: token.text, at: token.at }
  }

  const condition = (): Expression => {
    if (word('NOT')) {
      at++
      return { op: 'not', of: simple() }
    }
    const first = simple()
    for (const op of ['and', 'or'] as const) {
      if (!word(op.toUpperCase())) continue
      const of = [first]
      while (word(op.toUpperCase())) {
        at++
        of.push(simple())
      }
      return { op, of }
    }
    return first
  }

  const simple = (): Expression => {
    if (!symbol('(')) return comparison()
    at++
    const inner = condition()
    if (!symbol(')')) throw unexpected()
    at++
    return inner
  }

  const comparison = (): Expression => {
    if (word('NOT')) throw unexpected()
    const field = name()
    if (word('IN')) {
      at++
      return { op: 'in', field, values: list() }
    }
    if (word('NOT')) {
      at++
      keyword('IN')
      return { op: 'not in', field, values: list() }
    }
    if (word('LIKE')) {
      at++
      return { op: 'like', field, values: [literal()] }
    }
    const operator = peek()
    if (operator.type !== 'operator') throw unexpected()
    at++
    const op = operator.text === '<>' ? '!=' : (operator.text as Comparison)
    return { op, field, values: [literal()] }
  }

  const list = (): Literal[] => {
    if (!symbol('(')) throw unexpected()
    at++
    const values = [literal()]
    while (symbol(',')) {
      at++
      values.push(literal())
    }
    if (!symbol(')')) throw unexpected()
    at++
    return values
  }

  const literal = (): Literal => {
    const token = peek()
    if (token.type === 'string') {
      at++
      return { type: 'string', value: token.value, raw: token.text.slice(1, -1), at: token.at }
    }
    if (token.type === 'number' || token.type === 'date' || token.type === 'datetime') {
      at++
      return { type: token.type, value: token.text, at: token.at }
    }
    const lower = token.text.toLowerCase()
    if (token.type !== 'name' || !['null', 'true', 'false'].includes(lower)) throw unexpected()
    at++
    return lower === 'null'
      ? { type: 'null', at: token.at }
      : { type: 'boolean', value: lower === 'true', at: token.at }
  }

  const whole = (): { value: number; at: number } => {
    const token = peek()
    if (token.type !== 'number' || !/^\d+$/.test(token.text)) throw unexpected()
    at++
    return { value: Number(token.text), at: token.at }
  }

  keyword('SELECT')
  const fields: Name[] = []
  let count = false
  do {
    if (symbol(',')) at++
    const one = name()
    if (one.text.toUpperCase() === 'COUNT' && symbol('(')) {
      at++
      if (!symbol(')') || fields.length > 0) throw unexpected()
      at++
      count = true
      break
    }
    fields.push(one)
  } while (symbol(','))
  keyword('FROM')
  const object = name()

  let where: Expression | null = null
  if (word('WHERE')) {
    at++
    where = condition()
  }
  const order: Query['order'] = []
  if (word('ORDER')) {
    at++
    keyword('BY')
    do {
      if (order.length > 0) at++
      const by = name()
      const descending = word('DESC')
      if (descending || word('ASC')) at++
      let nullsLast = false
      if (word('NULLS')) {
        at++
        nullsLast = word('LAST')
        if (!nullsLast && !word('FIRST')) throw unexpected()
        at++
      }
      order.push({ field: by, descending, nullsLast })
    } while (symbol(','))
  }
  let limit: number | null = null
  if (word('LIMIT')) {
    at++
    limit = whole().value
  }
  let offset = 0
  if (word('OFFSET')) {
    at++
    const asked = whole()
    if (asked.value > MAX_OFFSET) {
      throw queryError(soql, asked.at, 'NUMBER_OUTSIDE_VALID_RANGE', `Maximum SOQL offset allowed is ${MAX_OFFSET}`)
    }
    offset = asked.value
  }
  if (peek().type !== 'end') throw unexpected()
  return { soql, object, fields, count, where, order, limit, offset }
}
