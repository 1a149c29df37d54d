/**
 * Statements on their way: submitted, picked, started, then finished, failed or aborted. Each request has a database
 * connection of its own, so that temporary tables end with it; a batch is one transaction under snapshot isolation.
 */
import { randomUUID } from 'node:crypto'
import { type CopyPlace, LoadError, runCopy } from './copy-run.ts'
import { PostgresConnection, type PostgresResult } from './postgres-wire.ts'
import { inRedshiftsWords, SqlError } from './sql-errors.ts'
import { runUnload } from './unload-run.ts'
import { createDomain } from './sql-types.ts'
import { literal } from './sql-tokens.ts'
import { read, type Statement } from './sql-subset.ts'

export type Status = 'SUBMITTED' | 'PICKED' | 'STARTED' | 'FINISHED' | 'FAILED' | 'ABORTED'

export interface Part {
  id: string
  sql: string
  status: Status
  error?: string
  result?: PostgresResult
}
export interface Request {
  id: string
  name: string
  batch: boolean
  status: Status
  error?: string
  parts: Part[]
  createdAt: number
  updatedAt: number
  /** The parameters, for what must be the same when a client token is used again. */
  asked: string
  token: string | null
  /** Of the database. */
  user: string
}

export interface Place extends CopyPlace {
  socket: string
  now: () => number
}

/** Where a test may stop a request: before each statement, and before the commit. */
export type Gate = (request: Request, at: number | 'commit') => Promise<void> | void

const SESSION = {
  search_path: 'public,redshift',
  default_transaction_isolation: 'repeatable read',
  timezone: 'UTC',
  datestyle: 'ISO, YMD',
}

export class Statements {
  readonly #place: Place
  readonly #requests = new Map<string, Request>()
  readonly #running = new Map<string, PostgresConnection>()
  readonly #work = new Set<Promise<void>>()
  #halt = (): void => {}
  readonly #halted = new Promise<void>((resolve) => (this.#halt = resolve))
  gate: Gate = () => {}

  constructor(place: Place) {
    this.#place = place
  }

  submit(sqls: string[], batch: boolean, name: string, by: Pick<Request, 'asked' | 'token' | 'user'>): Request {
    const id = randomUUID()
    const now = this.#place.now()
    const parts = sqls.map((sql, at): Part => ({ id: batch ? `${id}:${at + 1}` : id, sql, status: 'SUBMITTED' }))
    const request: Request = {
      id,
      name,
      batch,
      status: 'SUBMITTED',
      parts,
      createdAt: now,
      updatedAt: now,
      ...by,
    }
    this.#requests.set(id, request)
    const work = this.#run(request).finally(() => this.#work.delete(work))
    this.#work.add(work)
    return request
  }

  find(id: string): Request | undefined {
    return this.#requests.get(id.split(':')[0]!)
  }

  all(): Request[] {
    return [...this.#requests.values()]
  }

  /** False: it has ended already. */
  async cancel(request: Request): Promise<boolean> {
    if (hasEnded(request)) return false
    this.#end(request, 'ABORTED')
    await this.#running.get(request.id)?.cancel()
    return true
  }

  async stop(): Promise<void> {
    this.#halt()
    for (const request of this.#requests.values()) await this.cancel(request).catch(() => {})
    for (const connection of this.#running.values()) connection.close()
    await Promise.allSettled(this.#work)
  }

  async #run(request: Request): Promise<void> {
    let connection: PostgresConnection | null = null
    try {
      connection = await PostgresConnection.open(this.#place.socket, 'postgres', SESSION)
      this.#running.set(request.id, connection)
      if (request.user !== 'redshift') await connection.query(`SET ROLE ${request.user}`)
      this.#move(request, 'PICKED')
      await this.#transaction(request, connection)
      this.#end(request, 'FINISHED')
    } catch (error) {
      const said = inRedshiftsWords(error).message
      const failed = request.parts.find(({ status }) => status === 'STARTED')
      if (failed && !hasEnded(request)) Object.assign(failed, { status: 'FAILED', error: said })
      if (!hasEnded(request))
        request.error =
          request.batch && failed ? `Query #${request.parts.indexOf(failed) + 1} failed with ${said}` : said
      this.#end(request, 'FAILED')
    } finally {
      this.#running.delete(request.id)
      connection?.close()
    }
  }

  async #transaction(request: Request, connection: PostgresConnection): Promise<void> {
    // Before the snapshot, which shows nothing that is made later.
    for (const domain of request.parts.flatMap(({ sql }) => domainsOf(sql))) await this.#aside(createDomain(domain))
    await connection.query('BEGIN')
    let snapshot = false
    for (const [at, part] of request.parts.entries()) {
      await this.#pass(request, at)
      if (hasEnded(request)) return
      part.status = 'STARTED'
      this.#move(request, 'STARTED')
      const statement = read(part.sql)
      if (statement.alone && request.batch) {
        throw new SqlError('ERROR: ALTER TABLE ALTER COLUMN cannot run inside a transaction block')
      }
      // The first statement that is not LOCK fixes what the transaction sees, before it waits for a writer.
      if (!statement.locks && !snapshot) snapshot = (await connection.query('SELECT 1')).rows.length > 0
      part.result = await this.#one(statement, connection)
      part.status = 'FINISHED'
    }
    await this.#pass(request, 'commit')
    if (!hasEnded(request)) await connection.query('COMMIT')
  }

  /** Waits as long as the gate does, and nobody stops the server. */
  async #pass(request: Request, at: number | 'commit'): Promise<void> {
    await Promise.race([this.gate(request, at), this.#halted])
  }

  async #one(statement: Statement, connection: PostgresConnection): Promise<PostgresResult> {
    if (statement.writes) await connection.query(`LOCK TABLE ${statement.writes} IN SHARE ROW EXCLUSIVE MODE`)
    if (statement.unload) {
      const found = await connection.query(statement.sql)
      return { columns: [], rows: [], affected: await runUnload(statement.unload, found, this.#place) }
    }
    if (!statement.copy) return connection.query(statement.sql)
    try {
      return { columns: [], rows: [], affected: await runCopy(statement.copy, connection, this.#place) }
    } catch (error) {
      // What is told about a load stays when the load is rolled back.
      if (error instanceof LoadError) await this.#tell(error)
      throw error
    }
  }

  async #tell({ problem: { file, line, column, type, message } }: LoadError): Promise<void> {
    const texts = [file, String(line), column, type, message].map(literal)
    await this.#aside(
      'INSERT INTO redshift.sys_load_error_detail (file_name, line_number, column_name, column_type, error_message, ' +
        `error_code) VALUES (${texts.join(', ')}, 1204)`,
    )
  }

  /** In a transaction of its own. */
  async #aside(sql: string): Promise<void> {
    const connection = await PostgresConnection.open(this.#place.socket, 'postgres', {})
    try {
      await connection.query(sql)
    } finally {
      connection.close()
    }
  }

  #move(request: Request, status: Status): void {
    if (hasEnded(request)) return
    request.status = status
    request.updatedAt = this.#place.now()
  }

  #end(request: Request, status: Status): void {
    this.#move(request, status)
    if (status !== 'FINISHED') {
      for (const part of request.parts)
        if (part.status !== 'FINISHED' && part.status !== 'FAILED') part.status = 'ABORTED'
    }
  }
}

/** What cannot be read says so when its turn comes. */
function domainsOf(sql: string): Statement['domains'] {
  try {
    return read(sql).domains
  } catch {
    return []
  }
}

export const hasEnded = ({ status }: Request): boolean => ['FINISHED', 'FAILED', 'ABORTED'].includes(status)
