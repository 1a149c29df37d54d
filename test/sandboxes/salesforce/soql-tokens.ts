/** Words, literals and signs of a query. */
import { queryError } from './errors.ts'

export interface Token {
  type: 'name' | 'string' | 'number' | 'date' | 'datetime' | 'operator' | 'symbol' | 'end'
  text: string
  /** Strings: the text without quotes and escapes. */
  value: string
  at: number
}

const PATTERNS: [Token['type'], RegExp][] = [
  ['datetime', /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d)(?![\w.:])/y],
  ['date', /\d{4}-\d\d-\d\d(?![\w.:-])/y],
  ['number', /[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.:])/y],
  ['name', /[A-Za-z]\w*/y],
  ['operator', /<=|>=|<>|!=|=|<|>/y],
  ['symbol', /[(),]/y],
]

// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm
const ESCAPES: Record<string, string> = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  f: '\f',
  '"': '"',
  "'": "'",
  '\\': '\\',
  _: '_',
  '%': '%',
}

export function tokens(soql: string): Token[] {
  const found: Token[] = []
  let at = 0
  for (;;) {
    while (/\s/.test(soql[at] ?? '')) at++
    if (at >= soql.length) break
    const token = soql[at] === "'" ? quoted(soql, at) : plain(soql, at)
    found.push(token)
    at += token.text.length
  }
  found.push({ type: 'end', text: '', value: '', at: soql.length })
  return found
}

function plain(soql: string, at: number): Token {
  for (const [type, pattern] of PATTERNS) {
    pattern.lastIndex = at
    const match = pattern.exec(soql)
    if (match) return { type, text: match[0], value: match[0], at }
  }
  throw queryError(soql, at, 'MALFORMED_QUERY', `line 1:${at} no viable alternative at character '${soql[at]}'`)
}

function quoted(soql: string, from: number): Token {
  let value = ''
  for (let at = from + 1; at < soql.length; at++) {
    const char = soql[at]!
    if (char === "'") return { type: 'string', text: soql.slice(from, at + 1), value, at: from }
    if (char !== '\\') {
      value += char
      continue
    }
    const escaped = soql[++at] ?? ''
    const unicode = escaped === 'u' ? /^[0-9a-fA-F]{4}/.exec(soql.slice(at + 1))?.[0] : undefined
    const plainChar = unicode ? String.fromCharCode(Number.parseInt(unicode, 16)) : ESCAPES[escaped.toLowerCase()]
    if (plainChar === undefined) {
      const literal = soql.slice(from, at + 1)
      const problem = `Illegal character sequence '\\${escaped}' in string literal.`
      throw queryError(soql, from, 'MALFORMED_QUERY', `Invalid string literal '${literal}'. ${problem}`)
    }
    if (unicode) at += 4
    value += plainChar
  }
  throw queryError(
    soql,
    soql.length,
    'MALFORMED_QUERY',
    `line 1:${soql.length} no viable alternative at character '<EOF>'`,
  )
}
