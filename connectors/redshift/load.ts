/**
 * Loads as jobs: submitted once, looked at from time to time, cancelled on request.
 *
 * Laws
 * - Whatever is asked again is harmless: a title and a client token find the statement that runs, the ledger refuses
 *   the second of two, and a load whose run has the entry already is ready.
 * - Nothing is repeated here: a conflict is a transient error, and the next attempt has another token.
 */
import { createHash } from 'node:crypto'
import type { Job, Load, LoadResult, Session, TableEntry } from '../connector.ts'
import { ConnectorError } from '../errors.ts'
import { type DataApi, dataApi, type Described } from './data-api.ts'
import { statementError } from './errors.ts'
import { inspectTable } from './inspect.ts'
import { entryOf, Ledger } from './ledger.ts'
import { loadStatements } from './load-statements.ts'
import type { Warehouse } from './settings.ts'
import { literal, tableName } from './sql.ts'

const POLL_MS = 2_000
const ERROR_ROWS = 5

/** What is kept of a load that was submitted. */
interface Ref extends Record<string, string | number | null> {
  /** null: it had committed before. */
  id: string | null
  lane: string
  n: number
  run: string
  table: string
  manifest: string
}

export const loadJob: Job<Load, LoadResult> = {
  async find(session, load, token) {
    const id = await dataApi(session).find(titleOf(token))
    return id === null ? null : refOf(load, id)
  },

  async submit(session, load, token) {
    const api = dataApi(session)
    const { schema, copyRole } = session.settings as unknown as Warehouse
    const ledger = new Ledger(schema, load.lane)
    const entry = await prepared(api, ledger)
    if (isOf(load, entry)) return refOf(load, null)
    const before = entry?.n ?? 0
    if (load.after !== null && before !== load.after) throw moved(load, entry)
    const target = await inspectTable(api, tableName(load.table, schema))
    const { early, transaction } = loadStatements({ ...load, after: before }, target, ledger, copyRole)
    for (const sql of early) await api.run(sql)
    return refOf(load, await api.submit(transaction, createHash('sha256').update(token).digest('hex'), titleOf(token)))
  },

  async poll(session, kept) {
    const ref = kept as unknown as Ref
    const api = dataApi(session)
    const found = ref.id === null ? null : await described(api, ref.id)
    if (found && (found.Status === 'SUBMITTED' || found.Status === 'PICKED' || found.Status === 'STARTED')) {
      return { waitMs: POLL_MS }
    }
    // What is committed is in the ledger, whatever the statement says.
    const entry = await newestEntry(session, ref.lane)
    if (entry && isOf(ref, entry)) return { ready: entry.result }
    throw await failureOf(api, ref, entry, found)
  },

  async cancel(session, kept) {
    const { id } = kept as unknown as Ref
    if (id !== null) await dataApi(session).cancel(id)
  },
}

export async function newestEntry(session: Session, lane: string): Promise<TableEntry | null> {
  const { schema } = session.settings as unknown as Warehouse
  const api = dataApi(session)
  const ledger = new Ledger(schema, lane)
  const { columns } = await inspectTable(api, ledger.name)
  return columns === null ? null : entryOf(await api.run(ledger.newest()), lane)
}

/** null: the Data API forgets statements after a day. */
async function described(api: DataApi, id: string): Promise<Described | null> {
  try {
    return await api.describe(id)
  } catch (error) {
    if (error instanceof ConnectorError && error.kind === 'missing') return null
    throw error
  }
}

/** Makes the ledger and the lane's row where they are not there yet. */
async function prepared(api: DataApi, ledger: Ledger): Promise<TableEntry | null> {
  await api.run(ledger.create())
  const rows = await api.run(ledger.newest())
  if (rows.length > 0) return entryOf(rows, ledger.lane)
  await api.runAll(ledger.begin())
  return entryOf(await api.run(ledger.newest()), ledger.lane)
}

const isOf = ({ n, run }: { n: number; run: string }, entry: TableEntry | null): boolean =>
  entry?.n === n && entry.run === run

const refOf = ({ lane, n, run, table, manifest }: Load, id: string | null): Ref => ({
  id,
  lane,
  n,
  run,
  table,
  manifest,
})

/** Of at most 500 characters, and nobody else's. */
const titleOf = (token: string): string => `lakeward ${token}`.slice(0, 500)

function moved({ lane, n }: Pick<Ref, 'lane' | 'n'>, entry: TableEntry | null): ConnectorError {
  return new ConnectorError({
    connector: 'redshift',
    doing: `move ${lane} to entry ${n}`,
    kind: 'rejected',
    code: 'CommitConflict',
    reason: `the ledger is at ${entry?.n ?? 0}${entry ? `, by ${entry.run}` : ''}`,
    advice: 'Another run took the number: start the run again.',
  })
}

async function failureOf(api: DataApi, ref: Ref, entry: TableEntry | null, found: Described | null): Promise<Error> {
  if ((entry?.n ?? 0) >= ref.n) return moved(ref, entry)
  const doing = `load ${ref.table}`
  if (!found) return statementError('the statement is no longer known', doing, 'transient')
  const failed = found.SubStatements?.find(({ Status }) => Status === 'FAILED')
  const said = failed?.Error ?? found.Error ?? found.Status ?? ''
  const sql = failed?.QueryString ?? ''
  if (/^SELECT .* AS "complete" /.test(sql) && /divi(?:de|sion) by zero/i.test(said)) {
    return statementError('COPY loaded another number of rows than the staged files have', doing, 'answer')
  }
  if (!sql.startsWith('COPY ')) return statementError(said, doing, found.Status === 'FINISHED' ? 'answer' : 'rejected')
  const rows = await errorRows(api, ref.manifest)
  return statementError([said, ...rows].join('; '), doing)
}

/**
 * File, row, column and reason of what COPY could not load; what stood there is not asked for.
 * https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html
 */
async function errorRows(api: DataApi, manifest: string): Promise<string[]> {
  const folder = manifest.slice(0, manifest.lastIndexOf('/') + 1)
  const rows = await api
    .run(
      `SELECT "file_name", "line_number", "column_name", "column_type", "error_message" FROM "sys_load_error_detail" ` +
        `WHERE LEFT("file_name", ${folder.length}) = ${literal(folder)} ORDER BY "start_time" DESC LIMIT ${ERROR_ROWS}`,
    )
    .catch(() => [])
  return rows.map(
    ([file, line, column, type, message]) =>
      `${file?.trim().slice(folder.length)} row ${line}, ${column?.trim()} (${type?.trim()}): ${message?.trim()}`,
  )
}
