/**
 * The codec over HTTP, for Temporal's Web UI and CLI, which cannot load ours: POST /encode and /decode, each also below
 * a namespace (https://docs.temporal.io/codec-server).
 *
 * Laws
 * - Whoever reaches it reads what lies in Temporal: it listens on loopback unless a token is asked for, and a browser
 *   is answered only for the origins that were named. A foreign page sends its origin, also when it tricked DNS.
 * - Nothing of a payload is in an error or a log.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { z } from 'zod'
import { CodecError } from '../connectors/codec/codec.ts'
import type { PayloadCodec } from '../connectors/codec/codec.ts'
import { InputError } from '../connectors/errors.ts'

export interface CodecServerOptions {
  codec: PayloadCodec
  /** `host:port`; port 0: any free one. */
  listen: string
  /** Origins of Web UIs, `https://ui.example.com`. */
  origins: string[]
  /** What callers must send as `Authorization: Bearer …`; null: nothing, and then it listens on loopback alone. */
  token: string | null
}

export interface CodecServer {
  url: string
  close(): Promise<void>
}

/** Temporal's own messages have 4 MB at most. */
const MOST_BYTES = 16 * 1024 * 1024
const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|localhost|::1)$/

const base64 = z.base64().transform((text) => new Uint8Array(Buffer.from(text, 'base64')))
/** Payloads as protocol buffers' JSON: bytes are base64. */
const bodySchema = z.object({
  payloads: z
    .array(z.object({ metadata: z.record(z.string(), base64).optional(), data: base64.optional() }))
    .default([]),
})

export async function serveCodec(options: CodecServerOptions): Promise<CodecServer> {
  const { listen, token } = options
  const at = listen.lastIndexOf(':')
  const host = listen.slice(0, at).replace(/^\[|\]$/g, '')
  const port = Number(listen.slice(at + 1))
  const where = '--listen'
  if (at < 1 || !/^\d{1,5}$/.test(listen.slice(at + 1)) || port > 65_535) {
    throw new InputError([{ where, what: `${listen} is no address to listen on`, advice: 'Write host:port.' }])
  }
  if (token === null && !LOOPBACK.test(host)) {
    const what = `whoever reaches ${host} could read what lies in Temporal`
    throw new InputError([{ where, what, advice: 'Listen on 127.0.0.1, or ask for a token: --token-env NAME.' }])
  }
  const server = createServer((request, response) => {
    answer(options, request, response).catch(() => response.destroy())
  })
  server.listen(port, host)
  await once(server, 'listening').catch((error: Error) => {
    throw new InputError([{ where, what: `${listen}: ${error.message}`, advice: 'Choose another port.' }])
  })
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${portOf(server)}`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

async function answer(options: CodecServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { origin } = request.headers
  const say = (status: number, value: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(value))
  }
  if (origin !== undefined) {
    if (!options.origins.includes(origin)) return say(403, { message: `origin ${origin} is not allowed: --origin` })
    // https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CORS
    response.setHeader('access-control-allow-origin', origin)
    response.setHeader('access-control-allow-credentials', 'true')
    response.setHeader('vary', 'origin')
    if (request.method === 'OPTIONS') {
      response.setHeader('access-control-allow-methods', 'POST')
      response.setHeader('access-control-allow-headers', 'authorization, content-type, x-namespace')
      // A page of the internet asks a server of this machine.
      if (request.headers['access-control-request-private-network']) {
        response.setHeader('access-control-allow-private-network', 'true')
      }
      response.writeHead(204).end()
      return
    }
  }
  const doing = /^(?:\/[^/]+)?\/(encode|decode)$/.exec((request.url ?? '').split('?')[0] ?? '')?.[1]
  if (doing !== 'encode' && doing !== 'decode') return say(404, { message: 'POST /encode or /decode' })
  if (request.method !== 'POST') return say(405, { message: 'POST is the only method' })
  if (options.token !== null && !same(request.headers.authorization ?? '', `Bearer ${options.token}`)) {
    return say(401, { message: 'the token is missing or wrong: Authorization: Bearer …' })
  }
  const body = bodySchema.safeParse(await bodyOf(request))
  if (!body.success) return say(400, { message: 'no payloads: {"payloads": [{"metadata": {…}, "data": "base64"}]}' })
  try {
    const payloads = await options.codec[doing](body.data.payloads)
    say(200, { payloads: payloads.map(shown) })
  } catch (error) {
    if (!(error instanceof CodecError) && !(error instanceof InputError)) throw error
    say(error instanceof CodecError ? 400 : 500, { message: error.message })
  }
}

function shown({ metadata, data }: Awaited<ReturnType<PayloadCodec['decode']>>[number]) {
  const labels = Object.entries(metadata ?? {}).map(([label, value]) => [label, Buffer.from(value).toString('base64')])
  return { metadata: Object.fromEntries(labels) as object, data: Buffer.from(data ?? []).toString('base64') }
}

/** JSON; null: none, or too much. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MOST_BYTES) return null
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown
  } catch {
    return null
  }
}

/** Takes as long for a token that is nearly right. */
function same(given: string, wanted: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(wanted))
}
