/**
 * Redshift's column types as PostgreSQL keeps them here: VARCHAR and VARBYTE are domains that count bytes, SUPER one
 * over jsonb. The name of a domain is the name of its type, so that the catalog tells it.
 * https://docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html
 */
import { SqlError, refuse } from './sql-errors.ts'
import type { Token } from './sql-tokens.ts'

export interface ColumnType {
  /** As PostgreSQL is told. */
  sql: string
  /** A domain that must be there first. */
  domain?: { name: string; over: string; bytes: number | null }
}

const PLAIN: Record<string, string> = {
  BOOLEAN: 'boolean',
  SMALLINT: 'smallint',
  INTEGER: 'integer',
  BIGINT: 'bigint',
  REAL: 'real',
  DATE: 'date',
  TIMESTAMP: 'timestamp',
  TIMESTAMPTZ: 'timestamptz',
  TIME: 'time',
}
const LONGEST = { VARCHAR: 65_535, VARBYTE: 1_024_000 }

/** Reads a type at the beginning of `tokens`, and takes it away. */
export function takeType(tokens: Token[]): ColumnType {
  const word = tokens.shift()
  if (word?.kind !== 'word') throw new SqlError(`ERROR: syntax error: a type is due, not ${word?.text ?? 'the end'}`)
  const { text } = word
  if (PLAIN[text]) return { sql: PLAIN[text] }
  if (text === 'DOUBLE' && tokens.shift()?.text === 'PRECISION') return { sql: 'double precision' }
  if (text === 'SUPER') return domain('super', 'jsonb', null)
  if (text === 'DECIMAL' || text === 'NUMERIC') {
    const [precision, scale] = takeNumbers(tokens)
    if (precision === undefined || scale === undefined) throw refuse('DECIMAL without precision and scale')
    if (precision < 1 || precision > 38) throw new SqlError('ERROR: DECIMAL precision must be between 1 and 38')
    if (scale > precision || scale > 37) throw new SqlError('ERROR: DECIMAL scale must be between 0 and precision')
    return { sql: `numeric(${precision},${scale})` }
  }
  if (text === 'CHAR') {
    const [length] = takeNumbers(tokens)
    if (length === undefined || length < 1 || length > 4096) throw refuse('CHAR without a length of 1 to 4096')
    return { sql: `character(${length})` }
  }
  if (text === 'VARCHAR' || text === 'VARBYTE') {
    const [bytes] = takeNumbers(tokens)
    if (bytes === undefined) throw refuse(`${text} without a length`)
    if (bytes < 1 || bytes > LONGEST[text])
      throw new SqlError(`ERROR: length for type ${text} cannot exceed ${LONGEST[text]}`)
    return text === 'VARCHAR'
      ? domain(`character varying(${bytes})`, 'text', bytes)
      : domain(`varbyte(${bytes})`, 'bytea', bytes)
  }
  throw refuse(`the type ${text}`)
}

const domain = (name: string, over: string, bytes: number | null): ColumnType => ({
  sql: `redshift."${name}"`,
  domain: { name, over, bytes },
})

function takeNumbers(tokens: Token[]): number[] {
  if (tokens[0]?.text !== '(') return []
  const end = tokens.findIndex(({ text }) => text === ')')
  const inside = tokens.splice(0, end + 1).filter(({ kind }) => kind === 'number')
  return inside.map(({ text }) => Number(text))
}

/** Run by itself, before what needs it. */
export function createDomain({ name, over, bytes }: NonNullable<ColumnType['domain']>): string {
  const check = bytes === null ? '' : ` CHECK (octet_length(value) <= ${bytes})`
  return (
    `DO $$ BEGIN CREATE DOMAIN redshift."${name}" AS ${over}${check}; ` +
    `EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`
  )
}
