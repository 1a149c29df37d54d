/**
 * The SQL that this stand-in takes, and what it becomes for PostgreSQL.
 *
 * Law: what is not known to behave alike on both is refused. Names stand in quotes; every bare word is one of a list.
 *
 * Alike are: DDL of plain tables, snapshot isolation (REPEATABLE READ), locks of writers, DELETE USING, UPDATE FROM,
 * MERGE with both clauses, window functions, SUPER from JSON_PARSE. Taken and of no effect are primary keys. Not
 * imitated: trailing blanks that comparisons overlook, casts to text (but of times of day), TRUNCATE (it commits),
 * DISTKEY and its like.
 */
import { copyOf, type CopyStatement, unloadOf, type UnloadStatement } from './sql-copy.ts'
import { refuse, SqlError } from './sql-errors.ts'
import { type ColumnType, takeType } from './sql-types.ts'
import { quoted, textOf, type Token, tokensOf } from './sql-tokens.ts'

export interface Statement {
  /** For PostgreSQL; empty for a COPY. */
  sql: string
  copy?: CopyStatement
  /** What `sql` gives goes to S3. */
  unload?: UnloadStatement
  /** Written to: one writer at a time, until its transaction ends. */
  writes?: string
  domains: NonNullable<ColumnType['domain']>[]
  /** Takes no snapshot of the data: LOCK. */
  locks?: true
  /** Redshift runs it by itself alone. */
  alone?: true
}

const WORDS = new Set(
  (
    'SELECT FROM WHERE AND OR NOT IN IS NULL AS ON INNER LEFT JOIN CASE WHEN THEN ELSE END GROUP ORDER BY ASC DESC ' +
    'LIMIT UNION ALL EXISTS INSERT INTO VALUES UPDATE SET DELETE USING MERGE MATCHED TRUE FALSE CAST BETWEEN LIKE ' +
    'OVER PARTITION DISTINCT HAVING NULLS FIRST LAST CREATE TEMP TABLE ' +
    'CURRENT_USER COUNT SUM MIN MAX ROW_NUMBER COALESCE NVL JSON_PARSE JSON_SERIALIZE OCTET_LENGTH LEFT RTRIM TO_HEX GETDATE AT TIME ZONE ' +
    'BOOLEAN SMALLINT INTEGER BIGINT REAL DOUBLE PRECISION DATE DECIMAL NUMERIC TIMESTAMP TIMESTAMPTZ'
  ).split(' '),
)

export function read(sql: string): Statement {
  const tokens = tokensOf(sql)
  const starts = (...words: string[]): boolean => words.every((word, at) => isWord(tokens[at], word))
  const plain = (more: Partial<Statement> = {}): Statement => ({ sql: dml(tokens), domains: [], ...more })
  if (starts('CREATE', 'TEMP', 'TABLE') && isWord(tokens[4], 'AS')) return plain()
  if (starts('CREATE', 'TEMP', 'TABLE') || starts('CREATE', 'TABLE')) return createTable(tokens)
  if (starts('CREATE', 'SCHEMA', 'IF', 'NOT', 'EXISTS')) {
    const [schema, ...rest] = tokens.slice(5)
    if (schema?.kind !== 'name' || rest.length > 0) throw refuse('this CREATE SCHEMA')
    return { sql: `CREATE SCHEMA IF NOT EXISTS ${quoted(schema.text)}`, domains: [] }
  }
  if (starts('ALTER', 'TABLE')) return alterTable(tokens)
  if (starts('LOCK')) return lock(tokens)
  if (starts('COPY')) {
    const copy = copyOf(tokens)
    return { sql: '', copy, writes: copy.table, domains: [] }
  }
  if (starts('SELECT')) return plain()
  if (starts('UNLOAD')) {
    const unload = unloadOf(tokens)
    const query = tokensOf(unload.query)
    if (!isWord(query[0], 'SELECT')) throw refuse('UNLOAD of what is no SELECT')
    if (query.some((token) => isWord(token, 'LIMIT'))) throw new SqlError('ERROR: Limit clause is not supported')
    return { sql: dml(query), unload, domains: [] }
  }
  if (starts('INSERT', 'INTO')) return plain({ writes: tableAt(tokens, 2).table })
  if (starts('UPDATE')) return update(tokens, plain)
  if (starts('DELETE', 'FROM')) return plain({ writes: tableAt(tokens, 2).table })
  if (starts('MERGE', 'INTO')) return merge(tokens)
  throw refuse(tokens[0]?.text ?? 'an empty statement')
}

export const isWord = (token: Token | undefined, text: string): boolean => token?.kind === 'word' && token.text === text

/** `"table"` or `"schema"."table"` at a place. */
function tableAt(tokens: Token[], at: number): { table: string; next: number } {
  const parts = [tokens[at]]
  if (tokens[at + 1]?.text === '.' && tokens[at + 1]?.kind === 'sign') parts.push(tokens[at + 2])
  if (parts.some((part) => part?.kind !== 'name')) throw refuse('names without quotes')
  return { table: parts.map((part) => quoted(part!.text)).join('.'), next: at + (parts.length === 2 ? 3 : 1) }
}

function dml(tokens: Token[]): string {
  tokens.forEach(({ kind, text }, at) => {
    if (kind === 'word' && !WORDS.has(text) && !isTimeAsText(tokens, at)) throw refuse(text)
  })
  tokens.forEach(({ kind, text }, at) => {
    if (kind !== 'name' || tokens[at + 1]?.text !== '(') return
    // `INSERT INTO "schema"."table" (…)` names columns, not arguments.
    if (!tokens.slice(Math.max(0, at - 3), at).some((one) => isWord(one, 'INTO'))) throw refuse(`the function ${text}`)
  })
  return textOf(tokens)
}

/** `CAST("t" AS VARCHAR(32))`, which is read from times of day alone: both write them alike. */
function isTimeAsText(tokens: Token[], at: number): boolean {
  return tokens[at]!.text === 'VARCHAR' && isWord(tokens[at - 1], 'AS') && tokens[at + 2]?.text === '32'
}

function createTable(tokens: Token[]): Statement {
  const temporary = isWord(tokens[1], 'TEMP')
  let at = temporary ? 3 : 2
  const gently = ['IF', 'NOT', 'EXISTS'].every((word, step) => isWord(tokens[at + step], word))
  if (gently) at += 3
  const { table, next } = tableAt(tokens, at)
  const rest = tokens.slice(next)
  if (rest.shift()?.text !== '(') throw refuse('CREATE TABLE without columns in brackets')
  const domains: Statement['domains'] = []
  const columns: string[] = []
  for (;;) {
    const column = takeColumn(rest, domains)
    columns.push(column)
    const sign = rest.shift()?.text
    if (sign === ')') break
    if (sign !== ',') throw refuse(`${sign ?? 'the end'} behind a column`)
  }
  if (rest.length > 0) throw refuse(`${rest[0]!.text} behind the columns`)
  const head = `CREATE ${temporary ? 'TEMP ' : ''}TABLE ${gently ? 'IF NOT EXISTS ' : ''}`
  return { sql: `${head}${table} (${columns.join(', ')})`, domains }
}

/** PRIMARY KEY means NOT NULL and nothing more: keys are not enforced. */
function takeColumn(rest: Token[], domains: Statement['domains']): string {
  const name = rest.shift()
  if (name?.kind !== 'name') throw refuse(`${name?.text ?? 'the end'} where a column is due`)
  const { sql, domain } = takeType(rest)
  if (domain) domains.push(domain)
  let more = ''
  if (isWord(rest[0], 'NOT') && isWord(rest[1], 'NULL')) {
    rest.splice(0, 2)
    more = ' NOT NULL'
  }
  if (isWord(rest[0], 'PRIMARY') && isWord(rest[1], 'KEY')) {
    rest.splice(0, 2)
    more = ' NOT NULL'
  }
  return `${quoted(name.text)} ${sql}${more}`
}

// https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
function alterTable(tokens: Token[]): Statement {
  const { table, next } = tableAt(tokens, 2)
  const rest = tokens.slice(next)
  const domains: Statement['domains'] = []
  if (isWord(rest[0], 'ADD') && isWord(rest[1], 'COLUMN')) {
    rest.splice(0, 2)
    const column = takeColumn(rest, domains)
    if (rest.length > 0) throw new SqlError('ERROR: ALTER TABLE ADD COLUMN adds one column at a time')
    if (column.endsWith('NOT NULL'))
      throw new SqlError('ERROR: ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression')
    return { sql: `ALTER TABLE ${table} ADD COLUMN ${column}`, domains }
  }
  if (isWord(rest[0], 'ALTER') && isWord(rest[1], 'COLUMN') && rest[2]?.kind === 'name' && isWord(rest[3], 'TYPE')) {
    const column = quoted(rest[2].text)
    if (!isWord(rest[4], 'VARCHAR')) throw new SqlError('ERROR: target data type is not supported. Must be a varchar')
    const type = takeType(rest.splice(4))
    domains.push(type.domain!)
    return { sql: `ALTER TABLE ${table} ALTER COLUMN ${column} TYPE ${type.sql}`, domains, alone: true }
  }
  throw refuse(`ALTER TABLE … ${rest[0]?.text ?? ''}`)
}

function lock(tokens: Token[]): Statement {
  const { table, next } = tableAt(tokens, isWord(tokens[1], 'TABLE') ? 2 : 1)
  if (next < tokens.length) throw refuse('modes of LOCK')
  return { sql: `LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`, domains: [], locks: true }
}

// https://docs.aws.amazon.com/redshift/latest/dg/r_UPDATE.html
function update(tokens: Token[], plain: (more: Partial<Statement>) => Statement): Statement {
  const { table } = tableAt(tokens, 1)
  const statement = plain({ writes: table })
  const from = tokens.findIndex((token) => isWord(token, 'FROM'))
  const condition = tokens.slice(tokens.findLastIndex((token) => isWord(token, 'WHERE')))
  const joined = condition.some(({ text }, at) => {
    const [before, behind] = [condition[at - 2]?.text, condition[at + 2]?.text]
    return text === '=' && before === '.' && behind === '.'
  })
  if (from >= 0 && !joined) throw new SqlError('ERROR: Target table must be part of an equijoin predicate')
  return statement
}

// https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html
function merge(tokens: Token[]): Statement {
  const { table, next } = tableAt(tokens, 2)
  if (!isWord(tokens[next], 'USING')) throw refuse('an alias of the target of MERGE')
  if (tokens[next + 1]?.kind !== 'name') throw new SqlError('ERROR: the source of MERGE must be a table')
  const whens = tokens.flatMap((token, at) => (isWord(token, 'WHEN') && !isWord(tokens[at - 1], 'CASE') ? [at] : []))
  const clauses = whens.map((at) =>
    tokens
      .slice(at + 1, at + 5)
      .map(({ text }) => text)
      .join(' '),
  )
  const both =
    /^MATCHED THEN (UPDATE SET|DELETE WHEN)$/.test(clauses[0] ?? '') && clauses[1] === 'NOT MATCHED THEN INSERT'
  if (clauses.length !== 2 || !both) {
    throw new SqlError('ERROR: MERGE takes one WHEN MATCHED and one WHEN NOT MATCHED clause, or REMOVE DUPLICATES')
  }
  const on = tokens.slice(
    tokens.findIndex((token) => isWord(token, 'ON')),
    whens[0],
  )
  const unequal = on.some(({ kind, text }) => (kind === 'sign' && !'=.()'.includes(text)) || text === 'OR')
  if (unequal) throw new SqlError('ERROR: MERGE takes equal predicates alone')
  return { sql: dml(tokens), writes: table, domains: [] }
}
