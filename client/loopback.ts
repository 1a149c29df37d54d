/**
 * Where a browser comes back to after a login: a page of this machine, for one visit.
 * https://www.rfc-editor.org/rfc/rfc8252#section-7.3
 *
 * Law: it listens on 127.0.0.1 alone; the page it shows quotes nothing of what came in.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import { ClientError } from './client-error.ts'

export interface Loopback<Taken> {
  /** What `take` made of the visit. */
  visited: Promise<Taken>
  close(): void
}

/** `take` is given the whole address of the visit, once. */
export async function listen<Taken>(
  redirectUri: string,
  connection: string,
  take: (address: string) => Promise<Taken>,
): Promise<Loopback<Taken>> {
  const { port, pathname } = new URL(redirectUri)
  const { promise: visited, resolve, reject } = withResolvers<Taken>()
  visited.catch(() => {}) // whoever waits for it hears of it
  let seen = false
  const server = createServer((request, response) => {
    const address = new URL(request.url ?? '/', redirectUri)
    if (request.method !== 'GET' || address.pathname !== pathname) return show(response, 404, 'There is nothing here.')
    if (seen) return show(response, 410, 'This login was answered already.')
    seen = true
    take(address.href).then(
      (taken) => {
        show(response, 200, 'You are logged in. This page can be closed.')
        resolve(taken)
      },
      (error: unknown) => {
        show(response, 400, 'The login failed: the terminal says why. This page can be closed.')
        reject(error as Error)
      },
    )
  })
  server.listen(Number(port), '127.0.0.1')
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    throw cannotListen(error, Number(port), connection)
  })
  return { visited, close: () => server.close().closeIdleConnections() }
}

function show(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'content-security-policy': "default-src 'none'",
    connection: 'close',
  })
  response.end(`<!doctype html><title>Lakeward</title><p>${text}</p>`)
}

function cannotListen({ code }: NodeJS.ErrnoException, port: number, connection: string): ClientError {
  const why = code === 'EADDRINUSE' ? 'is used by another process' : `cannot be listened on (${code})`
  return new ClientError(
    'credentials',
    `connection ${connection}`,
    `port ${port} of this machine ${why}, and the login comes back to it`,
    'End that process, or set auth.redirectPort and register its callback URL with the app; --paste needs no port.',
  )
}

function withResolvers<T>() {
  let resolve!: (value: T) => void
  let reject!: (error: Error) => void
  const promise = new Promise<T>((yes, no) => ([resolve, reject] = [yes, no]))
  return { promise, resolve, reject }
}
