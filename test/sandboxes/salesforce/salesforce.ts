/**
 * A Salesforce org on loopback: REST API, OAuth, and a control surface. It simulates the vendor's documentation and
 * recorded answers, and knows nothing of the code that is tested against it.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import type { Answer } from './answer.ts'
import { BulkQueries } from './bulk-query.ts'
import { type Control, createControl, type Parts } from './control.ts'
import { answerControl } from './control-http.ts'
import { type FaultAction, Faults, instead } from './faults.ts'
import { Ingest } from './ingest.ts'
import { Journal } from './journal.ts'
import { OAuth, type OAuthSettings } from './oauth.ts'
import { SalesforceOrg, type OrgSettings } from './org.ts'
import { Pages } from './pages.ts'
import { route } from './routes.ts'
import { Writer } from './writer.ts'

export interface SandboxOptions extends Partial<OrgSettings>, Partial<OAuthSettings> {
  /** 0 or absent: any free port. */
  port?: number
  /** Data is at another address than the login, which the token answer names. */
  separateInstance?: boolean
  /** A query locator works in the session that made it only. */
  locatorsPerSession?: boolean
  /** Records of a page, whatever a client asks for; 2,000 unless said. */
  pageRows?: number
  /** What tokens name as the place of the data, where something stands in front of it. */
  instanceUrl?: string
  /** Requests a day. */
  maxRequests?: number
  /** Time that every page of records takes, milliseconds. */
  pageMs?: number
}

export interface Sandbox {
  /** Where to log in; data is at the token answer's `instance_url`. */
  url: string
  port: number
  control: Control
  stop(): Promise<void>
}

const LONGEST_URI = 16_384
const deflate = promisify(gzip)

export async function startSalesforce(options: SandboxOptions = {}): Promise<Sandbox> {
  const accounts = options.accounts ?? 5000
  const org = new SalesforceOrg({
    seed: options.seed ?? 1,
    accounts,
    opportunities: options.opportunities ?? 1000,
    contacts: options.contacts ?? 300,
    ties: Math.min(accounts, options.ties ?? (accounts >= 12_000 ? 10_000 : Math.floor(accounts / 5))),
    orgId: options.orgId ?? '00D5g000004XyZaEAK',
  })
  let instanceUrl = ''
  const oauth = new OAuth(
    {
      clientId: options.clientId ?? 'sandbox-client',
      clientSecret: options.clientSecret ?? 'sandbox-secret',
      refreshToken: options.refreshToken ?? 'sandbox-refresh',
      tokenLifetimeMs: options.tokenLifetimeMs ?? 7_200_000,
      rotate: options.rotate ?? false,
      runAsUser: options.runAsUser ?? true,
      tokenMark: options.tokenMark ?? '',
      requireSecret: options.requireSecret ?? true,
      callbackUrls: options.callbackUrls ?? ['http://localhost:8417/callback'],
      scopes: options.scopes ?? ['api', 'refresh_token'],
      requirePkce: options.requirePkce ?? true,
      certificate: options.certificate ?? null,
      audience: options.audience ?? 'https://login.salesforce.com',
      preAuthorized: options.preAuthorized ?? ['user0@acme.example'],
    },
    () => org.now(),
    () => ({ orgId: org.id, userId: org.userId(), instanceUrl }),
  )
  const pages = new Pages(org)
  pages.perSession = options.locatorsPerSession ?? false
  pages.mostRows = options.pageRows ?? 2000
  const behaviour = { maxRequests: options.maxRequests ?? 100_000, usedRequests: 0, pageMs: options.pageMs ?? 0 }
  const writer = new Writer(org)
  const ingest = new Ingest(writer)
  const bulk = new BulkQueries(org, () => org.userId())
  if (options.pageRows !== undefined)
    Object.assign(bulk.behaviour, { pageRows: options.pageRows, mostRows: options.pageRows })
  const faults = new Faults()
  const parts: Parts = { org, oauth, pages, writer, ingest, bulk, faults, journal: new Journal(), behaviour }
  const control = createControl(parts)

  const listen = async (port: number, data: boolean): Promise<Server> => {
    const server = createServer({ maxHeaderSize: 65_536, keepAliveTimeout: 30_000 }, (request, response) => {
      answer(request, response, data).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : undefined)
      })
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return server
  }

  const answer = async (request: IncomingMessage, response: ServerResponse, data: boolean): Promise<void> => {
    response.sendDate = false
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const url = new URL(request.url ?? '/', instanceUrl)
    const body = Buffer.concat(chunks).toString('utf8')
    if (url.pathname.startsWith('/__control/')) {
      await answerControl(control, url, body, response)
      return
    }
    const { method = 'GET' } = request
    const shown = readable(request.url ?? '')
    const fault = parts.faults.next(method, shown)
    if (fault.close === 'before') {
      parts.journal.add({ at: Date.now(), method, url: shown, route: 'closed', status: 0 })
      response.destroy()
      return
    }
    await parts.faults.wait(fault)
    if (fault.expireTokens) control.expireTokens()
    if (fault.expireLocators) control.expireLocators()
    const headers = request.headers as Record<string, string | undefined>
    const tooLong = overlong(request)
    const asked = `${request.headers.authorization ?? ''} ${body}`.trim()
    const served = instead(fault, asked) ?? tooLong
    const routed = served
      ? { route: 'fault', answer: served }
      : route(parts, { method, path: url.pathname, query: url.searchParams, headers, body, instanceUrl, fault })
    if (!data && url.pathname.startsWith('/services/data')) routed.answer = { status: 404, headers: {}, body: '' }
    if ('read' in routed && behaviour.pageMs > 0) await new Promise((resolve) => setTimeout(resolve, behaviour.pageMs))
    parts.journal.add({ at: Date.now(), method, url: shown, status: routed.answer.status, ...entry(routed) })
    await faults.hold(fault)
    await send(routed.answer, fault, request, response, org.now())
  }

  const login = await listen(options.port ?? 0, !options.separateInstance)
  const instance = options.separateInstance ? await listen(0, true) : login
  const port = (login.address() as AddressInfo).port
  instanceUrl = options.instanceUrl ?? `http://127.0.0.1:${(instance.address() as AddressInfo).port}`
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    control,
    async stop() {
      parts.faults.clear()
      for (const server of new Set([login, instance])) {
        server.close()
        server.closeAllConnections()
      }
      await Promise.resolve()
    },
  }
}

async function send(
  answer: Answer,
  fault: FaultAction,
  request: IncomingMessage,
  response: ServerResponse,
  now: number,
): Promise<void> {
  let body = Buffer.from(answer.body)
  const headers: Record<string, string | number> = {
    date: new Date(now).toUTCString(),
    'content-type': 'application/json;charset=UTF-8',
    vary: 'Accept-Encoding',
    ...answer.headers,
  }
  if (fault.cut !== undefined) body = body.subarray(0, fault.cut)
  if (/\bgzip\b/.test(request.headers['accept-encoding'] ?? '') && body.length > 1024) {
    body = await deflate(body, { level: constants.Z_BEST_SPEED })
    headers['content-encoding'] = 'gzip'
  }
  if (answer.status !== 304 && answer.status !== 204) headers['content-length'] = body.length + (fault.lengthOff ?? 0)
  if (fault.close === 'after') {
    response.destroy()
    return
  }
  response.writeHead(answer.status, headers)
  if (fault.truncate === undefined && fault.lengthOff === undefined) {
    response.end(body)
    return
  }
  // Half an answer has to leave the machine before the connection closes.
  const part = fault.truncate === undefined ? body : body.subarray(0, fault.truncate)
  response.write(part, () => setTimeout(() => response.destroy(), 20))
}

/** The edge's answer to a request line or a head that is too long; it is not JSON. */
function overlong(request: IncomingMessage): Answer | null {
  const uri = request.url?.length ?? 0
  const head = request.rawHeaders.reduce((sum, part) => sum + part.length + 2, uri)
  if (uri <= LONGEST_URI && head <= LONGEST_URI * 2) return null
  const [status, reason] = uri > LONGEST_URI ? [414, 'URI Too Long'] : [431, 'Request Header Fields Too Large']
  const body = `<h1>Bad Message ${status}</h1><pre>reason: ${reason}</pre>`
  return { status, headers: { 'content-type': 'text/html;charset=iso-8859-1' }, body }
}

function entry({ route: name, read }: { route: string; read?: Parameters<Journal['add']>[0]['read'] }) {
  return read ? { route: name, read } : { route: name }
}

function readable(url: string): string {
  try {
    return decodeURIComponent(url.replaceAll('+', ' '))
  } catch {
    return url
  }
}
