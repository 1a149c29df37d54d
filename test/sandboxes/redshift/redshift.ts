/**
 * Redshift's Data API on loopback, over a PostgreSQL of its own: AWS JSON 1.1, statements that take their time, COPY
 * from S3. It simulates the vendor's documentation and knows nothing of the code that is tested against it; what it
 * does not truly imitate it refuses (`sql-subset.ts`).
 *
 * Not proven by it: permissions of IAM, distribution and sorting, the words of most errors.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { CATALOG } from './catalog.ts'
import type { ParquetReader } from './copy-run.ts'
import type { ParquetColumn } from './parquet-fit.ts'
import { ApiError, operations } from './data-api.ts'
import { startPostgres } from './postgres-server.ts'
import { PostgresConnection, type PostgresResult } from './postgres-wire.ts'
import { type Gate, Statements } from './statements.ts'

export type { ParquetColumn, ParquetReader }

export interface RedshiftOptions {
  /** Folder of PostgreSQL's programs. */
  postgres: string
  /** Where COPY reads. */
  s3: S3ClientConfig
  parquet: ParquetReader
  /** Roles that COPY may assume; the first is the default. */
  roles?: string[]
  accessKeyId?: string
  workgroups?: string[]
  clusters?: string[]
  database?: string
  secrets?: string[]
  pageRows?: number
}

/** The next `times` requests of an operation are answered with an error, or not at all. */
export interface Fault {
  operation: string
  type?: string
  status?: number
  /** The request is done, and its answer lost. */
  loseAnswer?: true
  times: number
}

export interface RedshiftSandbox {
  url: string
  /** Requests by operation. */
  counts: () => Record<string, number>
  fault(fault: Fault): void
  /** Called before each statement of a request and before its commit; undefined: nobody waits. */
  gate(gate?: Gate): void
  /** Moves the clock that client tokens end by. */
  advance(ms: number): void
  /** Asks PostgreSQL itself, for looking from outside: its own SQL, committed. */
  look: (sql: string) => Promise<PostgresResult>
  stop(): Promise<void>
}

export async function startRedshift(options: RedshiftOptions): Promise<RedshiftSandbox> {
  const postgres = await startPostgres(options.postgres)
  const s3 = new S3Client(options.s3)
  let offset = 0
  const now = (): number => Date.now() + offset
  const look = async (sql: string): Promise<PostgresResult> => {
    const connection = await PostgresConnection.open(postgres.socket, 'postgres', { search_path: 'public,redshift' })
    try {
      return await connection.query(sql)
    } finally {
      connection.close()
    }
  }
  await look(CATALOG)
  const roles = options.roles ?? ['arn:aws:iam::123456789012:role/copy']
  const statements = new Statements({
    socket: postgres.socket,
    folder: postgres.folder,
    s3,
    parquet: options.parquet,
    roles,
    now,
  })
  const api = operations(statements, {
    workgroups: options.workgroups ?? ['lake'],
    clusters: options.clusters ?? ['lake-cluster'],
    database: options.database ?? 'dev',
    secrets: options.secrets ?? [],
    pageRows: options.pageRows ?? 100,
    now,
  })
  const counts: Record<string, number> = {}
  const faults: Fault[] = []

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const operation = /^RedshiftData\.(\w+)$/.exec(String(request.headers['x-amz-target']))?.[1] ?? ''
    counts[operation] = (counts[operation] ?? 0) + 1
    let [status, body]: [number, Record<string, unknown>] = [200, {}]
    const fault = faults.find((one) => one.operation === operation && one.times > 0)
    if (fault) fault.times--
    try {
      checkLogin(request, options.accessKeyId ?? 'lakeward')
      if (fault && !fault.loseAnswer)
        throw new ApiError(fault.type ?? 'InternalServerException', 'a fault', fault.status)
      const run = api[operation]
      if (!run) throw new ApiError('UnknownOperationException', `the stand-in does not imitate ${operation}`)
      body = await run(JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>)
      if (fault) {
        response.destroy()
        return
      }
    } catch (error) {
      const { type, message } =
        error instanceof ApiError ? error : { type: 'InternalServerException', message: String(error) }
      status = error instanceof ApiError ? error.status : 500
      body = { __type: type, message, Message: message }
    }
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
    response.end(JSON.stringify(body))
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts: () => ({ ...counts }),
    fault: (fault) => void faults.push({ ...fault }),
    gate: (gate = () => {}) => (statements.gate = gate),
    advance: (ms) => (offset += ms),
    look,
    async stop() {
      server.closeAllConnections()
      server.close()
      await statements.stop()
      s3.destroy()
      await postgres.stop()
    },
  }
}

/** The signature itself is not checked: whose it claims to be is. */
function checkLogin({ headers }: IncomingMessage, accessKeyId: string): void {
  const [, key, service] =
    /Credential=([^/]+)\/\d{8}\/[^/]+\/([^/]+)\/aws4_request/.exec(headers.authorization ?? '') ?? []
  if (key === undefined) throw new ApiError('MissingAuthenticationTokenException', 'Missing Authentication Token', 403)
  if (service !== 'redshift-data') throw new ApiError('InvalidSignatureException', `signed for ${service}`, 403)
  if (key !== accessKeyId) {
    throw new ApiError('UnrecognizedClientException', 'The security token included in the request is invalid.', 403)
  }
}
