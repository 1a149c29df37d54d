/**
 * The front of a hosted Temporal: TLS, an API key or a client's certificate, one namespace, no operator's rights. Calls
 * that pass go on to a real server, as they are.
 *
 * It refuses as Temporal Cloud does: gRPC status 7 with "Request unauthorized." for a wrong key and for a namespace
 * that the key does not open.
 */
import { once } from 'node:events'
import { connect, createSecureServer } from 'node:http2'
import type { ClientHttp2Session, IncomingHttpHeaders, ServerHttp2Stream, ServerHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { Certificate } from './certificates.ts'

export interface FrontOptions {
  /** `host:port` of the server behind it, without TLS. */
  target: string
  certificate: Certificate
  /** Absent: none is asked for. */
  apiKey?: string
  /** PEM of the authority whose certificates clients must show. */
  clientAuthority?: string
  namespace: string
  /** Callers may list search attributes; registering them is always refused. */
  mayList?: boolean
}

export interface Front {
  /** `127.0.0.1:port` */
  address: string
  /** Paths of all calls, with the gRPC status of those that were refused here. */
  calls: { path: string; refused?: number }[]
  stop(): Promise<void>
}

// https://grpc.github.io/grpc/core/md_doc_statuscodes.html
const PERMISSION_DENIED = 7
const UNAVAILABLE = 14

export async function startFront(options: FrontOptions): Promise<Front> {
  const { certificate, clientAuthority } = options
  const calls: Front['calls'] = []
  const sessions = new Set<ServerHttp2Session>()
  let behind: ClientHttp2Session | undefined
  const upstream = (): ClientHttp2Session => {
    if (!behind || behind.closed || behind.destroyed) {
      behind = connect(`http://${options.target}`)
      behind.on('error', () => {})
    }
    return behind
  }

  const server = createSecureServer({
    ...certificate,
    ALPNProtocols: ['h2'],
    ...(clientAuthority ? { ca: clientAuthority, requestCert: true, rejectUnauthorized: true } : {}),
  })
  server.on('session', (session) => {
    sessions.add(session)
    session.on('error', () => {})
    session.once('close', () => sessions.delete(session))
  })
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    const path = String(headers[':path'])
    const why = refusal(options, path, headers)
    calls.push({ path, ...(why ? { refused: why.status } : {}) })
    if (why) return refuse(stream, why.status, why.message)
    pass(stream, headers, upstream())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    async stop() {
      for (const session of sessions) session.destroy()
      behind?.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function refusal({ apiKey, namespace, mayList }: FrontOptions, path: string, headers: IncomingHttpHeaders) {
  const unauthorized = { status: PERMISSION_DENIED, message: 'Request unauthorized.' }
  if (apiKey !== undefined && headers.authorization !== `Bearer ${apiKey}`) return unauthorized
  const operator = path.startsWith('/temporal.api.operatorservice.')
  if (operator && !(mayList && path.endsWith('/ListSearchAttributes'))) return unauthorized
  const asked = headers['temporal-namespace']
  return asked !== undefined && asked !== namespace ? unauthorized : null
}

function refuse(stream: ServerHttp2Stream, status: number, message: string): void {
  if (stream.destroyed) return
  const grpc = { 'grpc-status': String(status), 'grpc-message': message }
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...grpc }, { endStream: true })
}

const hop = new Set(['host', 'connection', 'te', 'transfer-encoding'])

function pass(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, behind: ClientHttp2Session): void {
  const own = Object.entries(headers).filter(([name]) => !name.startsWith(':') && !hop.has(name))
  const call = behind.request({
    ':method': 'POST',
    ':path': headers[':path'],
    te: 'trailers',
    ...Object.fromEntries(own),
  })
  stream.pipe(call)
  // A caller that gives up must not leave its poll behind.
  stream.once('close', () => call.close())
  let trailers: Record<string, unknown> = {}
  call.on('error', () => refuse(stream, UNAVAILABLE, 'the server behind is away'))
  call.on('trailers', (found) => (trailers = found))
  call.on('response', (found, flags) => {
    if (stream.destroyed) return
    // A refusal may be headers alone.
    const END_STREAM = 1
    if ((flags & END_STREAM) !== 0) return stream.respond(found, { endStream: true })
    stream.respond(found, { waitForTrailers: true })
    stream.once('wantTrailers', () => stream.sendTrailers(trailers as Record<string, string>))
    call.pipe(stream)
  })
}
