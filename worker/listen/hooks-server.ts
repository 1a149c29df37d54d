/**
 * The receiver over HTTP: POST /hooks/<connection>, and below it whatever a vendor needs there; GET /health.
 *
 * Laws
 * - A body is read as it comes and never longer than allowed; what all requests hold together is bounded as well, and
 *   who does not fit is asked to come again.
 * - An answer says what is wrong with a request in a few words, and nothing of what the installation has.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { InputError } from '../../connectors/errors.ts'
import type { RawRequest } from '../../connectors/events.ts'
import type { Answer } from './hooks.ts'

export interface HooksServerOptions {
  /** `host:port`; port 0: any free one. */
  address: string
  maxBody: number
  /** Whether there is such a connection; a text: why its events cannot be taken now. */
  takes(connection: string): boolean | string | Promise<boolean | string>
  take(connection: string, request: RawRequest): Promise<Answer>
  /** null: all is well. */
  problem(): string | null
}

export interface HooksServer {
  url: string
  /** Answers what is being read, takes nothing new, and resolves when nothing is open. */
  close(): Promise<void>
}

/** All bodies that are in hand. */
const MOST_HELD = 64 * 1024 * 1024
const MOST_CONNECTIONS = 5_000
const HOOK = /^\/hooks\/([a-z0-9][a-z0-9_.-]{0,63})(?:\/.*)?$/

export async function serveHooks(options: HooksServerOptions): Promise<HooksServer> {
  const state = { held: 0, closing: false }
  const server = createServer(
    { maxHeaderSize: 16 * 1024, headersTimeout: 15_000, requestTimeout: 30_000, keepAliveTimeout: 65_000 },
    (request, response) => {
      serve(options, state, request, response).catch(() => response.destroy())
    },
  )
  server.maxConnections = MOST_CONNECTIONS
  const at = options.address.lastIndexOf(':')
  const host = options.address.slice(0, at).replace(/^\[|\]$/g, '')
  server.listen(Number(options.address.slice(at + 1)), host)
  await once(server, 'listening').catch((error: Error) => {
    const advice = 'Stop what listens there, or choose another: `listen.address`, or --on host:port.'
    throw new InputError([{ where: 'listen.address', what: `${options.address}: ${error.message}`, advice }])
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    async close() {
      state.closing = true
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeIdleConnections()
      const late = setTimeout(() => server.closeAllConnections(), 10_000)
      await closed
      clearTimeout(late)
    },
  }
}

async function serve(
  options: HooksServerOptions,
  state: { held: number; closing: boolean },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const say = (status: number, value: object, headers: Record<string, string> = {}): void => {
    // What was not read is not waited for: the connection ends with the answer.
    const end = request.complete && !state.closing ? {} : { connection: 'close' }
    response.writeHead(status, { 'content-type': 'application/json', ...end, ...headers })
    response.end(`${JSON.stringify(value)}\n`)
  }
  const refuse = (status: number, error: string, retryAfter?: number): void =>
    say(status, { error }, retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) })
  const path = (request.url ?? '').split('?')[0] ?? ''
  if (path === '/health') {
    const problem = state.closing ? 'it is about to end' : options.problem()
    return say(problem === null ? 200 : 503, problem === null ? { status: 'ready' } : { status: 'not ready', problem })
  }
  const name = HOOK.exec(path)?.[1]
  if (name === undefined) return refuse(404, 'no such page: POST /hooks/<connection>')
  if (request.method !== 'POST') return say(405, { error: 'events are sent by POST' }, { allow: 'POST' })
  if (state.closing) return refuse(503, 'it is about to end', 5)
  const declared = Number(request.headers['content-length'] ?? Number.NaN)
  if (declared > options.maxBody) return refuse(413, `more than ${options.maxBody} bytes`)
  if (!['identity', undefined].includes(request.headers['content-encoding'])) return refuse(415, 'the body is encoded')
  const takes = await options.takes(name)
  if (typeof takes === 'string') return refuse(503, takes, 10)
  if (!takes) return refuse(404, 'there is no such connection here')
  const room = Number.isNaN(declared) ? options.maxBody : declared
  if (state.held + room > MOST_HELD) return refuse(503, 'too much at once', 1)
  state.held += room
  try {
    const body = await bodyOf(request, options.maxBody)
    if (body === null) return refuse(413, `more than ${options.maxBody} bytes`)
    const answer = await options
      .take(name, { method: 'POST', path, headers: headersOf(request), body })
      .catch((): Answer => ({ status: 503, error: 'the event could not be kept', retryAfter: 5 }))
    if ('text' in answer) {
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' })
      response.end(answer.text)
    } else if ('kept' in answer) say(200, { kept: answer.kept })
    else refuse(answer.status, answer.error, 'retryAfter' in answer ? answer.retryAfter : undefined)
  } finally {
    state.held -= room
  }
}

/** null: it is longer than allowed; the rest is not read. */
function bodyOf(request: IncomingMessage, most: number): Promise<Uint8Array | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= most) chunks.push(chunk)
      else {
        request.pause()
        resolve(null)
      }
    })
    request.once('end', () => resolve(Buffer.concat(chunks)))
    request.once('error', reject)
    request.once('close', () => reject(new Error('the sender has gone')))
  })
}

/** A header that came twice is all its values, with commas; Node leaves only the first of some. */
function headersOf({ headersDistinct }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(headersDistinct).map(([name, values]) => [name, (values ?? []).join(',')]))
}
