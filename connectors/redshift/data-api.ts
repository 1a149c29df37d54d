/**
 * Redshift's Data API: statements are submitted, described, and their rows fetched.
 * https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { DescribeStatementCommandOutput, Field as Value, RedshiftDataClient } from '@aws-sdk/client-redshift-data'
import type { Session } from '../connector.ts'
import { apiError, statementError } from './errors.ts'
import type { Warehouse } from './settings.ts'

type Sdk = typeof import('@aws-sdk/client-redshift-data')
export type Described = DescribeStatementCommandOutput

/** A statement of our own is short; one that waits for a lock of another is given up, and asked again later. */
const LONGEST_MS = 120_000
const FIRST_POLL_MS = 50
const LAST_POLL_MS = 2_000

/** Values of a row as text; null where there is none. */
export type Cells = (string | null)[]

export interface DataApi {
  /** Submits a transaction; the same token and text give the same id for eight hours. */
  submit(sqls: string[], token: string, title: string): Promise<string>
  describe(id: string): Promise<Described>
  /** The newest request of a title, of the last day. */
  find(title: string): Promise<string | null>
  cancel(id: string): Promise<void>
  /** Begins one statement by itself. */
  start(sql: string): Promise<string>
  /** Waits for a statement's end; one that takes longer than `longestMs` is cancelled. */
  finished(id: string, doing: string, longestMs?: number): Promise<Described>
  /** Rows of a statement that has ended; they are kept for a day. */
  page(id: string, token?: string): Promise<{ rows: Cells[]; next: string | null }>
  /** Runs one statement by itself to its end. */
  run(sql: string): Promise<Cells[]>
  /** Runs a transaction to its end. */
  runAll(sqls: string[]): Promise<void>
}

const clients = new WeakMap<Session, RedshiftDataClient>()

export function dataApi(session: Session): DataApi {
  const { workgroup, clusterIdentifier, database, secretArn } = session.settings as unknown as Warehouse
  const place = {
    ...(workgroup === undefined ? { ClusterIdentifier: clusterIdentifier } : { WorkgroupName: workgroup }),
    Database: database,
    ...(secretArn !== undefined && { SecretArn: secretArn }),
  }
  async function ask<T>(doing: string, call: (sdk: Sdk, client: RedshiftDataClient) => Promise<T>): Promise<T> {
    try {
      const sdk = await import('@aws-sdk/client-redshift-data')
      return await call(sdk, clientOf(session, sdk))
    } catch (error) {
      session.signal.throwIfAborted()
      throw apiError(error, doing)
    }
  }
  const options = { abortSignal: session.signal }

  // https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_DescribeStatement.html
  const describe = (Id: string): Promise<Described> =>
    ask(`look at statement ${Id}`, (sdk, client) => client.send(new sdk.DescribeStatementCommand({ Id }), options))

  async function finished(id: string, doing: string, longestMs = LONGEST_MS): Promise<Described> {
    const deadline = Date.now() + longestMs
    for (let wait = FIRST_POLL_MS; ; wait = Math.min(wait * 2, LAST_POLL_MS)) {
      const found = await describe(id)
      if (found.Status === 'FINISHED') return found
      if (found.Status === 'FAILED' || found.Status === 'ABORTED')
        throw statementError(found.Error ?? found.Status, doing)
      if (Date.now() > deadline) {
        await cancel(id)
        throw statementError('it waited too long', doing, 'transient')
      }
      await sleep(wait, undefined, { signal: session.signal })
    }
  }

  // https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_CancelStatement.html
  async function cancel(Id: string): Promise<void> {
    try {
      const sdk = await import('@aws-sdk/client-redshift-data')
      await clientOf(session, sdk).send(new sdk.CancelStatementCommand({ Id }))
    } catch (error) {
      const { name, message } = error as Error
      // It has ended, or is forgotten.
      if (name === 'ResourceNotFoundException' || /already in/.test(message)) return
      throw apiError(error, `cancel statement ${Id}`)
    }
  }

  // https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_GetStatementResult.html
  const page = (Id: string, token?: string): ReturnType<DataApi['page']> =>
    ask('read rows', async (sdk, client) => {
      const asked = { Id, ...(token !== undefined && { NextToken: token }) }
      const { Records = [], NextToken } = await client.send(new sdk.GetStatementResultCommand(asked), options)
      if (NextToken !== undefined && NextToken === token) throw statementError('a token repeats', 'read rows', 'answer')
      return { rows: Records.map((record) => record.map(textOf)), next: NextToken ?? null }
    })

  async function rowsOf(id: string): Promise<Cells[]> {
    const rows: Cells[] = []
    let token: string | undefined
    do {
      const { rows: more, next } = await page(id, token)
      rows.push(...more)
      token = next ?? undefined
    } while (token !== undefined)
    return rows
  }

  // https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html
  const start = (Sql: string): Promise<string> =>
    ask(doingOf(Sql), async (sdk, client) => {
      const { Id } = await client.send(new sdk.ExecuteStatementCommand({ ...place, Sql }), options)
      return Id!
    })

  return {
    describe,
    cancel,
    start,
    finished,
    page,
    // https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_BatchExecuteStatement.html
    submit: (Sqls, ClientToken, StatementName) =>
      ask('submit a transaction', async (sdk, client) => {
        const asked = { ...place, Sqls, ClientToken, StatementName }
        return (await client.send(new sdk.BatchExecuteStatementCommand(asked), options)).Id!
      }),
    // https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ListStatements.html
    find: (StatementName) =>
      ask('look for a statement', async (sdk, client) => {
        const asked = { ...place, StatementName, Status: 'ALL' as const }
        const { Statements = [] } = await client.send(new sdk.ListStatementsCommand(asked), options)
        return Statements.find((one) => one.StatementName === StatementName)?.Id ?? null
      }),
    async run(sql) {
      const id = await start(sql)
      const { HasResultSet } = await finished(id, doingOf(sql))
      return HasResultSet ? rowsOf(id) : []
    },
    async runAll(Sqls) {
      const { Id } = await ask('run a transaction', (sdk, client) =>
        client.send(new sdk.BatchExecuteStatementCommand({ ...place, Sqls }), options),
      )
      await finished(Id!, 'run a transaction')
    },
  }
}

const doingOf = (sql: string): string => `run ${sql.slice(0, sql.indexOf(' '))}`

/** https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_Field.html */
function textOf({ isNull, stringValue, longValue, doubleValue, booleanValue }: Value): string | null {
  if (isNull) return null
  const value = stringValue ?? longValue ?? doubleValue ?? booleanValue
  if (value === undefined)
    throw statementError('a cell has no value that is text, a number or a boolean', 'read rows', 'answer')
  return String(value)
}

function clientOf(session: Session, sdk: Sdk): RedshiftDataClient {
  const known = clients.get(session)
  if (known) return known
  const { region, endpoint } = session.settings as unknown as Warehouse
  const credentials = session.aws?.()
  const made = new sdk.RedshiftDataClient({
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && { credentials }),
  })
  clients.set(session, made)
  return made
}
