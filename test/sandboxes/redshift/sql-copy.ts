/**
 * `COPY table FROM 's3://…' IAM_ROLE '…' FORMAT AS PARQUET MANIFEST`, and nothing else: that is what columnar files
 * need. https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html
 * `UNLOAD ('…') TO 's3://…' IAM_ROLE '…' FORMAT AS PARQUET MANIFEST VERBOSE MAXFILESIZE n MB`, and nothing else.
 * https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
 */
import { refuse, SqlError } from './sql-errors.ts'
import { quoted, type Token } from './sql-tokens.ts'

export interface CopyStatement {
  /** Quoted, with its schema where one was written. */
  table: string
  /** Address of the manifest. */
  from: string
  /** ARNs, chained by commas; null: the default role. */
  role: string | null
}

export function copyOf(tokens: Token[]): CopyStatement {
  const rest = tokens.slice(1)
  const names: string[] = []
  while (rest[0]?.kind === 'name') {
    names.push(quoted(rest.shift()!.text))
    if (rest[0]?.text !== '.') break
    rest.shift()
  }
  const [from, url, word, role, ...options] = rest
  if (names.length === 0 || names.length > 2 || from?.text !== 'FROM' || url?.kind !== 'string')
    throw refuse('this COPY')
  const named = role?.kind === 'string' || (role?.kind === 'word' && role.text === 'DEFAULT')
  if (word?.text !== 'IAM_ROLE' || !named) throw refuse('COPY without IAM_ROLE')
  const said = options.map(({ text }) => text).join(' ')
  if (said !== 'FORMAT AS PARQUET MANIFEST') throw refuse(`COPY … ${said}`)
  return { table: names.join('.'), from: url.text, role: role.kind === 'string' ? role.text : null }
}

export interface UnloadStatement {
  query: string
  /** What the keys of its files begin with. */
  to: string
  role: string | null
}

export function unloadOf(tokens: Token[]): UnloadStatement {
  const [, open, query, close, to, url, word, role, ...options] = tokens
  const bracketed = open?.text === '(' && query?.kind === 'string' && close?.text === ')'
  if (!bracketed || to?.text !== 'TO' || url?.kind !== 'string') throw refuse('this UNLOAD')
  const named = role?.kind === 'string' || (role?.kind === 'word' && role.text === 'DEFAULT')
  if (word?.text !== 'IAM_ROLE' || !named) throw refuse('UNLOAD without IAM_ROLE')
  const said = options.map(({ text }) => text).join(' ')
  const size = /^FORMAT AS PARQUET MANIFEST VERBOSE MAXFILESIZE (\d+) MB$/.exec(said)?.[1]
  if (size === undefined) throw refuse(`UNLOAD … ${said}`)
  if (Number(size) < 5) throw new SqlError('ERROR: MAXFILESIZE must be between 5 MB and 6.2 GB')
  return { query: query.text, to: url.text, role: role.kind === 'string' ? role.text : null }
}
