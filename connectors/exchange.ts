/**
 * One request and its whole answer, over kept-alive connections; all sessions of a connection share one wire.
 *
 * Laws
 * - An answer is whole or it is an error: bytes short of Content-Length, a cut gzip stream and a closed socket never
 *   pass for a body.
 * - The server's clock is read from its Date header and carried on by our monotonic clock, never by our wall clock.
 */
import { gunzip } from 'node:zlib'
import { promisify } from 'node:util'
import { Agent } from 'undici'
import type { Dispatcher } from 'undici'
import type { Answer } from './classify.ts'
import type { HttpRequest } from './connector.ts'
import { Pace } from './pace.ts'

const inflate = promisify(gunzip)

/** zlib's own 16 KB chunks cost as much as the inflating itself. */
const LEAST_CHUNK = 64 * 1024
/** Deflate makes no more of a byte. */
const MOST_RATIO = 1032

export interface WireOptions {
  /** Requests in flight. */
  parallel?: number
  connectMs?: number
  /** Until the first byte of an answer: queries are allowed two minutes by Salesforce, more by others. */
  headersMs?: number
  /** Between two pieces of a body. */
  bodyMs?: number
  /** Of a body, inflated. */
  mostBytes?: number
}

export class Wire {
  readonly agent: Agent
  readonly mostBytes: number
  readonly pace: Pace
  #date: { serverMs: number; at: number } | undefined

  constructor(options: WireOptions = {}) {
    this.mostBytes = options.mostBytes ?? 256 * 1024 * 1024
    this.pace = new Pace(options.parallel ?? 16)
    this.agent = new Agent({
      connections: this.pace.most,
      connect: { timeout: options.connectMs ?? 10_000 },
      headersTimeout: options.headersMs ?? 300_000,
      bodyTimeout: options.bodyMs ?? 60_000,
      keepAliveTimeout: 10_000,
      keepAliveMaxTimeout: 60_000,
      maxResponseSize: this.mostBytes,
      // One request after the other on a connection: an answer that is long would hold up those behind it.
      pipelining: 1,
    })
  }

  /** The server's time now; undefined before its first answer, or when the last one is older than `withinMs`. */
  now(withinMs = 60_000): number | undefined {
    if (!this.#date) return undefined
    const age = performance.now() - this.#date.at
    return age > withinMs ? undefined : this.#date.serverMs + age
  }

  /** An answer out of a cache on the way (`Age`) tells the time of long ago. */
  see(headers: Record<string, string>): void {
    const serverMs = Date.parse(headers.date ?? '')
    if (Number.isNaN(serverMs) || Number(headers.age ?? 0) > 0) return
    this.#date = { serverMs, at: performance.now() }
  }

  async close(): Promise<void> {
    await this.agent.destroy()
  }
}

/** The request was sent or not, but no whole answer came. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  readonly kind: 'transient' | 'rejected' | 'answer'
  readonly advice: string | undefined

  constructor(reason: string, kind: NoAnswer['kind'] = 'transient', advice?: string) {
    super(reason)
    this.kind = kind
    this.advice = advice
  }
}

/** Resolves on any status; throws `NoAnswer`, or the signal's reason. */
export async function exchange(
  wire: Wire,
  url: URL,
  request: Pick<HttpRequest, 'method' | 'body'> & { headers: Record<string, string> },
  signal: AbortSignal,
): Promise<Answer> {
  signal.throwIfAborted()
  try {
    const collector = new Collector(wire, request.method === 'HEAD', signal)
    const asked = {
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: request.method ?? 'GET',
      headers: { 'accept-encoding': 'gzip', ...request.headers },
      body: request.body ?? null,
    }
    wire.agent.dispatch(asked, collector)
    const { status, headers, raw } = await collector.answer
    const body = await inflated(raw, headers['content-encoding'], wire.mostBytes)
    return { status, headers, body }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (codeOf(error) === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') throw tooLong(wire.mostBytes)
    throw error instanceof NoAnswer ? error : explain(error, url)
  }
}

interface Raw {
  status: number
  headers: Record<string, string>
  raw: Uint8Array
}

/**
 * An answer into one buffer of its own, which can change hands. Its size is known before it comes, mostly: pieces go to
 * their place at once, and none of a long answer is held twice.
 */
class Collector implements Dispatcher.DispatchHandler {
  readonly answer: Promise<Raw>
  readonly #wire: Wire
  readonly #signal: AbortSignal
  readonly #headOnly: boolean
  #resolve!: (answer: Raw) => void
  #reject!: (error: unknown) => void
  #abort: (() => void) | undefined
  #status = 0
  #headers: Record<string, string> = {}
  /** What was announced; undefined: nothing was. */
  #whole: Uint8Array<ArrayBuffer> | undefined
  #pieces: Uint8Array[] = []
  #length = 0

  constructor(wire: Wire, headOnly: boolean, signal: AbortSignal) {
    this.#wire = wire
    this.#headOnly = headOnly
    this.#signal = signal
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#forget()
    const abort = (): void => controller.abort(new Error('the request was given up', { cause: this.#signal.reason }))
    if (this.#signal.aborted) return abort()
    this.#abort = abort
    this.#signal.addEventListener('abort', abort)
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, all: Headers): void {
    // What comes before the answer itself: https://www.rfc-editor.org/rfc/rfc9110#section-15.2
    if (status < 200) return
    this.#status = status
    this.#headers = flat(all)
    this.#wire.see(this.#headers)
    const announced = Number(this.#headers['content-length'] ?? Number.NaN)
    if (this.#headOnly || !Number.isSafeInteger(announced) || announced < 0) return
    this.#whole = Buffer.allocUnsafeSlow(Math.min(announced, this.#wire.mostBytes))
  }

  onResponseData(_: Dispatcher.DispatchController, piece: Buffer): void {
    // More than was announced is the client's own error, and comes to `onResponseError`.
    if (!this.#whole) this.#pieces.push(piece)
    else if (this.#length + piece.length <= this.#whole.length) this.#whole.set(piece, this.#length)
    this.#length += piece.length
  }

  onResponseEnd(): void {
    this.#forget()
    const expected = this.#headers['content-length']
    if (expected !== undefined && !this.#headOnly && Number(expected) !== this.#length) {
      return this.#reject(new NoAnswer(`the answer has ${this.#length} of ${expected} bytes`))
    }
    const raw = this.#whole ?? joined(this.#pieces, this.#length)
    this.#resolve({ status: this.#status, headers: this.#headers, raw })
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#forget()
    this.#reject(error)
  }

  #forget(): void {
    if (this.#abort) this.#signal.removeEventListener('abort', this.#abort)
    this.#abort = undefined
  }
}

function joined(pieces: Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

async function inflated(raw: Uint8Array, encoding: string | undefined, most: number): Promise<Uint8Array> {
  if (!encoding || encoding === 'identity' || raw.length === 0) return raw
  if (encoding !== 'gzip' && encoding !== 'x-gzip') {
    throw new NoAnswer(`the answer is encoded as ${encoding}, which was not asked for`, 'answer')
  }
  try {
    return await inflate(raw, { chunkSize: sizeOf(raw, most), maxOutputLength: most })
  } catch (error) {
    if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') throw tooLong(most)
    throw new NoAnswer('the compressed answer is cut or damaged')
  }
}

/**
 * What gzip says at its end that the bytes were, so that one buffer takes them all; it may be wrong, and then it takes
 * more of them. https://www.rfc-editor.org/rfc/rfc1952#section-2.3.1
 */
function sizeOf(gzip: Uint8Array, most: number): number {
  const told = gzip.length < 4 ? 0 : new DataView(gzip.buffer, gzip.byteOffset).getUint32(gzip.length - 4, true)
  return Math.max(LEAST_CHUNK, Math.min(told, most, gzip.length * MOST_RATIO))
}

function tooLong(most: number): NoAnswer {
  return new NoAnswer(`the answer is longer than ${Math.round(most / 1024 / 1024)} MB`, 'answer')
}

type Headers = Record<string, string | string[] | undefined>

function flat(headers: Headers): Record<string, string> {
  const all: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) all[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value
  }
  return all
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** TLS was spoken to a port that does not speak it, or the two sides have no version in common. */
const tls = /^(ERR_SSL|EPROTO)/
const certificate = /CERT|SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY)|ERR_TLS/
const reasons: Record<string, (url: URL) => string> = {
  ECONNREFUSED: (url) => `nothing listens at ${url.host}`,
  ENOTFOUND: (url) => `there is no host ${url.hostname}`,
  EAI_AGAIN: (url) => `the name ${url.hostname} could not be looked up`,
  ECONNRESET: (url) => `${url.host} closed the connection`,
  UND_ERR_SOCKET: (url) => `${url.host} closed the connection before its answer was whole`,
  UND_ERR_CONNECT_TIMEOUT: (url) => `${url.host} could not be reached in time`,
  UND_ERR_HEADERS_TIMEOUT: (url) => `${url.host} did not answer in time`,
  UND_ERR_BODY_TIMEOUT: (url) => `the answer of ${url.host} stopped half-way`,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: () => `the answer's length is not what its header says`,
}

function explain(error: unknown, url: URL): NoAnswer {
  const code = codeOf(error) || codeOf((error as { cause?: unknown })?.cause)
  if (certificate.test(code)) {
    return new NoAnswer(
      `the certificate of ${url.host} is not trusted (${code})`,
      'rejected',
      'Behind a proxy with its own authority, name its certificate in NODE_EXTRA_CA_CERTS.',
    )
  }
  if (tls.test(code)) {
    return new NoAnswer(
      `${url.host} does not speak TLS as it should (${code})`,
      'transient',
      'Is it https in lakeward.yaml, and the right port?',
    )
  }
  const reason = reasons[code]?.(url) ?? `no answer from ${url.host} (${code || (error as Error)?.name || 'unknown'})`
  const advice = ['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED'].includes(code)
    ? 'Is the address in lakeward.yaml right?'
    : undefined
  return new NoAnswer(reason, 'transient', advice)
}
