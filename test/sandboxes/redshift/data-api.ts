/**
 * The operations of the Data API: what they check, and what they answer.
 * https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_Operations.html
 */
import type { PostgresColumn } from './postgres-wire.ts'
import { hasEnded, type Part, type Request, type Statements } from './statements.ts'

export class ApiError extends Error {
  readonly type: string
  readonly status: number

  constructor(type: string, message: string, status = 400) {
    super(message)
    this.type = type
    this.status = status
  }
}

type Input = Record<string, unknown>
type Output = Record<string, unknown>

export interface Rules {
  workgroups: string[]
  clusters: string[]
  readers: string[]
  database: string
  secrets: string[]
  now: () => number
  /** Rows of a page of results. */
  pageRows: number
}

const MOST_STATEMENTS = 40
const MOST_BYTES = 100_000
// https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-calling.html (idempotency)
const TOKEN_LIVES_MS = 8 * 3_600_000
// https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
const RESULT_LIVES_MS = 24 * 3_600_000

export function operations(
  statements: Statements,
  rules: Rules,
): Record<string, (input: Input) => Promise<Output> | Output> {
  const submit = (input: Input, sqls: unknown[], batch: boolean): Output => {
    checkPlace(input, rules)
    const size = sqls.reduce<number>((sum, sql) => sum + Buffer.byteLength(String(sql)), 0)
    if (size > MOST_BYTES) throw invalid(`The SQL text has ${size} bytes; at most ${MOST_BYTES} are taken.`)
    for (const name of ['Parameters', 'SessionId', 'SessionKeepAliveSeconds', 'ExecutionMode', 'WaitTimeSeconds']) {
      if (input[name] !== undefined) throw invalid(`The stand-in does not imitate ${name}.`)
    }
    const { ClientToken: token = null, StatementName: name = '' } = input as {
      ClientToken?: string
      StatementName?: string
    }
    if (token !== null && !/^.{1,64}$/s.test(token)) throw invalid('ClientToken has 1 to 64 characters.')
    if (name.length > 500) throw invalid('StatementName has at most 500 characters.')
    const asked = JSON.stringify({ ...input, ClientToken: undefined })
    const known =
      token === null
        ? undefined
        : statements.all().find((one) => one.token === token && rules.now() - one.createdAt < TOKEN_LIVES_MS)
    if (known && known.asked !== asked) throw invalid('The ClientToken was used with other parameters.')
    const request =
      known ?? statements.submit(sqls as string[], batch, name, { asked, token, user: userOf(input, rules) })
    return { Id: request.id, CreatedAt: request.createdAt / 1000, Database: input['Database'], DbUser: request.user }
  }

  return {
    ExecuteStatement(input) {
      if (typeof input['Sql'] !== 'string' || input['Sql'] === '') throw invalid('Sql is missing.')
      return submit(input, [input['Sql']], false)
    },
    BatchExecuteStatement(input) {
      const { Sqls: sqls } = input
      if (!Array.isArray(sqls) || sqls.length === 0) throw invalid('Sqls is missing.')
      if (sqls.length > MOST_STATEMENTS) {
        throw invalid(`Sqls has ${sqls.length} statements; at most ${MOST_STATEMENTS} are taken.`)
      }
      return submit(input, sqls, true)
    },
    DescribeStatement(input) {
      const request = found(statements, input)
      const [first] = request.parts
      return {
        ...described(request),
        ...(!request.batch && first && outcome(first)),
        ...(request.batch && { SubStatements: request.parts.map((part) => ({ ...partOf(part), ...outcome(part) })) }),
      }
    },
    GetStatementResult(input) {
      const request = found(statements, input)
      const part = request.parts.find(({ id }) => id === input['Id'])
      const forgotten = rules.now() - request.updatedAt > RESULT_LIVES_MS
      if (!part || forgotten || !hasEnded(request) || !part.result || part.result.columns.length === 0) {
        throw new ApiError(
          'ResourceNotFoundException',
          'Query does not have result. Please check query status with DescribeStatement.',
        )
      }
      const { columns, rows } = part.result
      const from = Number.parseInt((input['NextToken'] as string | undefined) ?? '0', 10)
      const page = rows.slice(from, from + rules.pageRows)
      const next = from + page.length
      return {
        ColumnMetadata: columns.map(({ name, type }) => ({
          name,
          label: name,
          typeName: TYPE_NAMES[type] ?? 'varchar',
        })),
        Records: page.map((row) => row.map((value, at) => cell(value, columns[at]!))),
        TotalNumRows: rows.length,
        ...(next < rows.length && { NextToken: String(next) }),
      }
    },
    async CancelStatement(input) {
      const request = found(statements, input)
      if (!(await statements.cancel(request))) {
        throw invalid(`Could not cancel a query that is already in ${request.status} state.`)
      }
      return { Status: true }
    },
    ListStatements(input) {
      const { StatementName: prefix = '', Status: status } = input as { StatementName?: string; Status?: string }
      const listed = statements.all().filter((one) => one.name.startsWith(prefix) && hasStatus(one, status))
      return { Statements: listed.toReversed().map((one) => ({ ...described(one), StatementName: one.name })) }
    },
  }
}

const userOf = ({ WorkgroupName: workgroup }: Input, { readers }: Rules): string =>
  readers.includes(workgroup as string) ? 'reader' : 'redshift'

const invalid = (message: string): ApiError => new ApiError('ValidationException', message)

// By default those that are under way or have ended well.
function hasStatus({ status }: Request, wanted: string | undefined): boolean {
  return wanted === undefined || wanted === 'ALL' || status === wanted
}

function checkPlace(input: Input, rules: Rules): void {
  const { WorkgroupName: workgroup, ClusterIdentifier: cluster, Database: database } = input
  if (workgroup !== undefined && cluster !== undefined) {
    throw invalid('Only one of WorkgroupName and ClusterIdentifier may be given.')
  }
  if (workgroup === undefined && cluster === undefined) throw invalid('WorkgroupName or ClusterIdentifier is missing.')
  if (database === undefined) throw invalid('Database is missing.')
  const known =
    workgroup === undefined
      ? rules.clusters.includes(cluster as string)
      : rules.workgroups.includes(workgroup as string)
  if (!known)
    throw invalid(
      workgroup === undefined ? 'Redshift cluster is not found' : "Redshift endpoint doesn't exist in this region.",
    )
  if (database !== rules.database) throw invalid(`FATAL: database "${database as string}" does not exist`)
  const { SecretArn: secret, DbUser: user } = input
  if (secret !== undefined && user !== undefined) throw invalid('Only one of SecretArn and DbUser may be given.')
  if (secret !== undefined && !rules.secrets.includes(secret as string)) {
    throw invalid("Secrets Manager can't find the specified secret.")
  }
}

function found(statements: Statements, { Id: id }: Input): Request {
  const request = typeof id === 'string' ? statements.find(id) : undefined
  if (!request) throw new ApiError('ResourceNotFoundException', 'Query does not exist.')
  return request
}

function described(request: Request): Output {
  const { id, status, error, createdAt, updatedAt, batch, parts } = request
  const sql = batch ? { QueryStrings: parts.map((part) => part.sql) } : { QueryString: parts[0]?.sql }
  return {
    Id: id,
    Status: status,
    CreatedAt: createdAt / 1000,
    UpdatedAt: updatedAt / 1000,
    IsBatchStatement: batch,
    ...sql,
    ...(error !== undefined && { Error: error }),
  }
}

const partOf = ({ id, status, error, sql }: Part): Output => ({
  Id: id,
  Status: status,
  QueryString: sql,
  ...(error !== undefined && { Error: error }),
})

const outcome = ({ result }: Part): Output => ({
  HasResultSet: result !== undefined && result.columns.length > 0,
  ResultRows: result ? result.affected : -1,
})

const TYPE_NAMES: Record<number, string> = {
  16: 'bool',
  20: 'int8',
  21: 'int2',
  23: 'int4',
  700: 'float4',
  701: 'float8',
  1082: 'date',
  1114: 'timestamp',
  1700: 'numeric',
  3802: 'super',
}

/** https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_Field.html */
function cell(value: string | null, { type }: PostgresColumn): Output {
  if (value === null) return { isNull: true }
  const name = TYPE_NAMES[type]
  if (name === 'bool') return { booleanValue: value === 't' }
  if (name?.startsWith('int')) return { longValue: Number(value) }
  if (name?.startsWith('float')) return { doubleValue: Number(value) }
  return { stringValue: value }
}
