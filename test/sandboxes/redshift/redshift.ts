/**
 * Redshift's Data API on loopback, over a PostgreSQL of its own: AWS JSON 1.1, statements that take their time, COPY
 * from S3 and UNLOAD to it. It simulates the vendor's documentation and knows nothing of the code that is tested
 * against it; what it does not truly imitate it refuses (`sql-subset.ts`).
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
  /** Where COPY reads and UNLOAD writes. */
  s3: S3ClientConfig
  parquet: ParquetReader
  /** Roles that COPY and UNLOAD may assume; the first is the default. */
  roles?: string[]
  accessKeyId?: string
  workgroups?: string[]
  clusters?: string[]
  database?: string
  secrets?: string[]
  /** Workgroups whose login becomes the user `reader`, who owns nothing; of all others it is a superuser. */
  readers?: string[]
  pageRows?: number
}

/** Requests of an operation are answered with an error, otherwise than they should be, or not at all. */
export interface Fault {
  operation: string
  type?: string
  status?: number
  /** The request is done, and its answer lost. */
  loseAnswer?: true
  /** The request is done, and its answer is spoilt. */
  spoilt?: Spoilt
  /** So many pass before; default: none. */
  skip?: number
  /** So many are met. */
  times: number
}

/** A page for people, half a body with its length or without, no rows or the asked token in a page, no answer. */
export type Spoilt = 'html' | 'truncated' | 'cut' | 'empty page' | 'repeated cursor' | 'stall'

export interface RedshiftSandbox {
  url: string
  /** Requests by operation. */
  counts: () => Record<string, number>
  fault(fault: Fault): void
  /** Forgets all faults. */
  calm(): void
  /** Called before each statement of a request and before its commit; undefined: nobody waits. */
  gate(gate?: Gate): void
  /** Moves the clock: client tokens and results end by it, and GETDATE() tells it. */
  advance(ms: number): Promise<void>
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
    workgroups: [...(options.workgroups ?? ['lake']), ...(options.readers ?? [])],
    readers: options.readers ?? [],
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
    const fault = struck(faults, operation)
    try {
      checkLogin(request, options.accessKeyId ?? 'lakeward')
      if (fault && !fault.loseAnswer && !fault.spoilt)
        throw new ApiError(fault.type ?? 'InternalServerException', 'a fault', fault.status)
      const run = api[operation]
      if (!run) throw new ApiError('UnknownOperationException', `the stand-in does not imitate ${operation}`)
      const input = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>
      body = await run(input)
      if (fault) return spoil(response, fault.spoilt, input, body)
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
    calm: () => void faults.splice(0),
    gate: (gate = () => {}) => (statements.gate = gate),
    async advance(ms) {
      offset += ms
      await look(`UPDATE redshift.clock SET ahead = '${offset} milliseconds'`)
    },
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

function struck(faults: Fault[], operation: string): Fault | undefined {
  const fault = faults.find((one) => one.operation === operation && one.times > 0)
  if (!fault) return undefined
  if (fault.skip) {
    fault.skip--
    return undefined
  }
  fault.times--
  return fault
}

function spoil(
  response: ServerResponse,
  how: Spoilt | undefined,
  { NextToken: asked = '0' }: { NextToken?: string },
  body: Record<string, unknown>,
): void {
  const send = (text: string, type = 'application/x-amz-json-1.1'): void => {
    response.writeHead(200, { 'content-type': type })
    response.end(text)
  }
  const text = JSON.stringify(body)
  const half = text.slice(0, text.length / 2)
  if (how === 'html') send('<html><body>Sign in</body></html>', 'text/html')
  else if (how === 'cut') send(half)
  else if (how === 'empty page') send(JSON.stringify({ ...body, Records: [], NextToken: `${asked}.` }))
  else if (how === 'repeated cursor') send(JSON.stringify({ ...body, NextToken: asked }))
  else if (how === 'truncated') {
    response.writeHead(200, { 'content-length': text.length })
    response.write(half, () => response.destroy())
  } else if (how === undefined) response.destroy()
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
