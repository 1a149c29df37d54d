/**
 * SQL in tokens, as Redshift reads it: quoted names fold to lower case like others (enable_case_sensitive_identifier is
 * off by default), and a backslash escapes in a literal.
 * https://docs.aws.amazon.com/redshift/latest/dg/r_names.html
 */
import { refuse } from './sql-errors.ts'

export type Token =
  /** A quoted name, folded. */
  | { kind: 'name'; text: string }
  /** A bare word, in upper case. */
  | { kind: 'word'; text: string }
  /** The value of a literal. */
  | { kind: 'string'; text: string }
  | { kind: 'number'; text: string }
  | { kind: 'sign'; text: string }

const PIECE =
  /\s+|"((?:[^"]|"")+)"|'((?:[^'\\]|''|\\[\s\S])*)'|([A-Za-z_]\w*)|(\d+(?:\.\d+)?)|(<>|!=|<=|>=|\|\||[=<>+\-*/(),.])/gy
const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' }

export function tokensOf(sql: string): Token[] {
  const tokens: Token[] = []
  PIECE.lastIndex = 0
  while (PIECE.lastIndex < sql.length) {
    const at = PIECE.lastIndex
    if (sql.startsWith('--', at) || sql.startsWith('/*', at)) throw refuse('comments')
    const match = PIECE.exec(sql)
    if (!match) throw refuse(`what begins with ${JSON.stringify(sql.slice(at, at + 20))}`)
    const [, name, string, word, number, sign] = match
    if (name !== undefined) tokens.push({ kind: 'name', text: folded(name.replaceAll('""', '"')) })
    else if (string !== undefined) tokens.push({ kind: 'string', text: unescaped(string) })
    else if (word !== undefined) tokens.push({ kind: 'word', text: word.toUpperCase() })
    else if (number !== undefined) tokens.push({ kind: 'number', text: number })
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign })
  }
  return tokens
}

/** Back to text, for PostgreSQL with standard_conforming_strings on. */
export function textOf(tokens: Token[]): string {
  return tokens
    .map(({ kind, text }) => {
      if (kind === 'name') return quoted(text)
      return kind === 'string' ? literal(text) : text
    })
    .join(' ')
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

function folded(name: string): string {
  // PostgreSQL cuts at 63 what Redshift cuts at 127.
  if (Buffer.byteLength(name) > 63) throw refuse(`a name of more than 63 bytes (${name})`)
  return name.toLowerCase()
}

function unescaped(body: string): string {
  return body.replaceAll(/''|\\([\s\S])/g, (_, escaped?: string) =>
    escaped === undefined ? "'" : (ESCAPES[escaped] ?? escaped),
  )
}
