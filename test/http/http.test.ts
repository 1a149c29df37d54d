import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { ConnectorError } from '../../connectors/errors.ts'
import { Wire } from '../../connectors/exchange.ts'
import { httpClient } from '../../connectors/http.ts'
import type { HttpSetup, Token, Tokens } from '../../connectors/http.ts'

const opened: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0)) await close()
})

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  opened.push(async () => {
    server.close()
    if ('closeAllConnections' in server) (server as unknown as { closeAllConnections(): void }).closeAllConnections()
    await Promise.resolve()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const serve = (handle: RequestListener): Promise<string> => listen(createServer(handle))
const tcp = (text: string): Promise<string> =>
  listen(
    createTcpServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => socket.end(text))
    }),
  )

/** A login whose tokens are t1, t2 …; the last is the one the server takes. */
function login(): Tokens & { version: number; renewals: number[] } {
  const state = {
    version: 1,
    renewals: [] as number[],
    current: (): Promise<Token> =>
      Promise.resolve({ version: state.version, accessToken: `t${state.version}-secret`, kept: { home: 'x' } }),
    async renew(stale: number) {
      state.renewals.push(stale)
      await new Promise((resolve) => setTimeout(resolve, 10))
      if (state.version <= stale) state.version = stale + 1
    },
  }
  return state
}

function client(base: string, more: Partial<HttpSetup> & { wireOptions?: ConstructorParameters<typeof Wire>[0] } = {}) {
  const wire = new Wire({ headersMs: 500, bodyMs: 500, connectMs: 500, ...more.wireOptions })
  opened.unshift(() => wire.close())
  const notes: string[] = []
  const http = httpClient({
    connector: {
      name: 'fake',
      errors: [{ code: 'LATER', kind: 'transient' }],
      errorShapes: [{ at: [], code: 'code', message: 'message' }],
      limits: [{ name: 'requests per day', header: { name: 'x-use', pattern: 'u={used}/{max}' } }],
      baseUrl: '{url}',
      clockUrl: '/clock',
    },
    settings: { url: base },
    send: 'bearer',
    tokens: null,
    wire,
    signal: new AbortController().signal,
    secrets: () => ['t1-secret', 't2-secret', 'hidden-value'],
    note: (text) => void notes.push(text),
    retry: { firstMs: 2 },
    ...more,
  })
  return { http, notes, wire }
}

const get = { url: '/x', accept: 'json' as const, doing: 'read things' }
const ok = (response: ServerResponse, body: unknown = { fine: true }): void => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function refused(promise: Promise<unknown>): Promise<ConnectorError> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(ConnectorError)
  return error as ConnectorError
}

describe('answers', () => {
  it('come whole, inflated, with our name and token on the request', async () => {
    let asked: IncomingMessage['headers'] = {}
    const big = JSON.stringify({ text: 'x'.repeat(300_000) })
    const base = await serve((request, response) => {
      asked = request.headers
      response.writeHead(200, { 'content-encoding': 'gzip', 'X-Use': 'u=95/100' }).end(gzipSync(big))
    })
    const { http, notes } = client(base, { tokens: login() })
    const { body, headers } = await http.request(get)
    expect(Buffer.from(body).toString()).toBe(big)
    expect(headers['x-use']).toBe('u=95/100')
    expect(asked).toMatchObject({ authorization: 'Bearer t1-secret', accept: 'application/json' })
    expect(asked['user-agent']).toMatch(/^lakeward\/\d+\.\d+\.\d+/)
    await http.request(get)
    expect(notes).toEqual(['requests per day: 95 of 100 are used'])
    expect(await http.token('home')).toBe('x')
  })

  const gzipped = gzipSync(JSON.stringify({ a: 'b'.repeat(5000), c: Math.random() }))
  it.each<[string, string, string | RegExp]>([
    ['closed too early', 'HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{"a":1}', /closed the connection|length/],
    [
      'cut chunks',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7\r\n{"a":1}\r\n',
      /closed|terminated|no answer/,
    ],
    [
      'too short a length',
      'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n{"a":1}',
      /where whole JSON was due|length|no answer/,
    ],
    ['HTML', 'HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n<html></html>', 'an HTML page where whole JSON was due'],
    ['nothing', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', 'an empty body where whole JSON was due'],
    ['no content', 'HTTP/1.1 204 No Content\r\n\r\n', 'an empty body'],
    ['nonsense', 'NO HTTP AT ALL\r\n\r\n', 'no answer'],
    ['an unknown encoding', 'HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 2\r\n\r\n{}', 'encoded as br'],
  ])('that are %s are errors', async (_, raw, message) => {
    const { http } = client(await tcp(raw))
    expect((await refused(http.request(get))).message).toMatch(message)
  })

  it('that are compressed and cut are errors', async () => {
    const half = gzipped.subarray(0, gzipped.length - 12)
    const base = await serve((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(half))
    expect((await refused(client(base).http.request(get))).message).toContain('cut or damaged')
  })

  it('is inflated whole, whatever its end says of its length', async () => {
    const parts = ['a'.repeat(300_000), '', 'b'].map((text) => gzipSync(text))
    const base = await serve((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(Buffer.concat(parts)),
    )
    const { body } = await client(base).http.request({ url: '/', doing: 'read' })
    expect(Buffer.from(body).toString()).toBe(`${'a'.repeat(300_000)}b`)
  })

  it('that are larger than allowed are not kept, compressed or not', async () => {
    const body = gzipSync(Buffer.alloc(2_000_000, 32))
    for (const headers of [{ 'content-encoding': 'gzip' }, {}]) {
      const base = await serve((_, response) =>
        response.writeHead(200, headers).end('content-encoding' in headers ? body : Buffer.alloc(2_000_000, 32)),
      )
      const { http } = client(base, { wireOptions: { mostBytes: 1024 * 1024 } })
      expect(await refused(http.request(get))).toMatchObject({
        kind: 'answer',
        message: expect.stringContaining('longer than 1 MB') as string,
      })
    }
  })

  it('that do not come in time are errors, and an abort is the reason given', async () => {
    const slow = await serve((request, response) => {
      if (request.url === '/body') response.writeHead(200, { 'content-length': 10 }).write('{')
    })
    const { http } = client(slow, { retry: { attempts: 1 } })
    expect((await refused(http.request(get))).message).toContain('did not answer in time')
    expect((await refused(http.request({ ...get, url: '/body' }))).message).toContain('stopped half-way')
    const stop = new AbortController()
    const { http: other } = client(slow, { signal: stop.signal })
    setTimeout(() => stop.abort(new Error('cancelled by us')), 50)
    await expect(other.request(get)).rejects.toThrow('cancelled by us')
  })
})

describe('another try', () => {
  it('is made for blips, a few times', async () => {
    let count = 0
    const base = await serve((_, response) => {
      count++
      if (count === 1) response.writeHead(503).end()
      else if (count === 2) response.writeHead(200).end('<html>')
      else if (count === 3) response.writeHead(400).end('{"code":"LATER"}')
      else ok(response)
    })
    await client(base).http.request(get)
    expect(count).toBe(4)
  })

  it('ends', async () => {
    let count = 0
    const base = await serve((_, response) => {
      count++
      response.writeHead(500).end()
    })
    expect(await refused(client(base).http.request(get))).toMatchObject({ kind: 'transient', status: 500 })
    expect(count).toBe(4)
  })

  it('is not made for requests that change something, nor for what stays wrong', async () => {
    let count = 0
    const base = await serve((request, response) => {
      count++
      response.writeHead(request.method === 'POST' ? 503 : 400).end()
    })
    const { http } = client(base)
    expect((await refused(http.request({ ...get, method: 'POST', body: '{}' }))).kind).toBe('transient')
    expect((await refused(http.request(get))).kind).toBe('rejected')
    expect(count).toBe(2)
  })

  it.each([
    [{ 'retry-after': '0' }, 2, undefined],
    [{ 'retry-after': '1' }, 2, undefined],
    [{ 'retry-after': '40' }, 1, 40_000],
    [{}, 1, 30_000],
  ])('waits for a short 429 here, and throws a long one: %j', async (headers, requests, waitMs) => {
    let count = 0
    const base = await serve((_, response) => {
      count++
      if (count === 1) response.writeHead(429, headers as Record<string, string>).end()
      else ok(response)
    })
    const done = client(base).http.request(get)
    if (waitMs === undefined) await done
    else expect(await refused(done)).toMatchObject({ kind: 'throttled', waitMs })
    expect(count).toBe(requests)
  })
})

describe('tokens', () => {
  it('are renewed once for everybody who is told that one has expired', async () => {
    const tokens = login()
    const base = await serve((request, response) => {
      if (request.headers.authorization === 'Bearer t2-secret') ok(response)
      else response.writeHead(401).end()
    })
    const { http } = client(base, { tokens })
    await Promise.all(Array.from({ length: 12 }, () => http.request(get)))
    expect(tokens.version).toBe(2)
    expect(new Set(tokens.renewals)).toEqual(new Set([1]))
  })

  it('that are refused when new are a matter of the login', async () => {
    const tokens = login()
    const base = await serve((_, response) =>
      response.writeHead(401).end('{"code":"x","message":"token t2-secret is bad"}'),
    )
    const error = await refused(client(base, { tokens }).http.request(get))
    expect(error).toMatchObject({ kind: 'auth', status: 401 })
    expect(error.message).toBe('[fake] read things failed: 401 x: token *** is bad')
    expect(tokens.renewals).toEqual([1, 2])
  })

  it('are not carried to another host', async () => {
    const seen: string[] = []
    const other = await serve((request, response) => {
      seen.push(request.headers.authorization ?? 'none')
      ok(response)
    })
    const base = await serve((request, response) => {
      if (request.url === '/home') ok(response)
      else
        response
          .writeHead(302, { location: request.url === '/here' ? '/home' : `${other}/x?secret=hidden-value` })
          .end()
    })
    const { http } = client(base, { tokens: login() })
    const error = await refused(http.request(get))
    expect(error).toMatchObject({ kind: 'answer', advice: expect.stringContaining('another host') as string })
    expect(error.message).not.toContain('hidden-value')
    expect((await refused(http.request({ ...get, url: `${other}/x` }))).message).toContain('another host')
    expect((await refused(http.request({ ...get, url: `//${new URL(other).host}/x` }))).message).toContain(
      'another host',
    )
    await http.request({ ...get, url: '/here' })
    expect(seen).toEqual([])
  })

  it('go over plain http to this machine only', async () => {
    const { http } = client('http://example.test')
    expect(await refused(http.request(get))).toMatchObject({
      kind: 'rejected',
      advice: expect.stringContaining('allowInsecure') as string,
    })
  })
})

describe('the clock', () => {
  it("is the server's, and is asked for when it is not known", async () => {
    let asked = 0
    const base = await serve((request, response) => {
      if (request.url === '/clock') asked++
      response.sendDate = false
      response
        .writeHead(200, { date: 'Wed, 06 May 2026 12:00:00 GMT', age: request.url === '/old' ? '900' : '0' })
        .end('{}')
    })
    const { http, wire } = client(base)
    await http.request({ ...get, url: '/old' })
    expect(wire.now()).toBeUndefined()
    const now = await http.now()
    expect(now - Date.UTC(2026, 4, 6, 12)).toBeLessThan(1000)
    expect(await http.now()).toBeGreaterThanOrEqual(now)
    expect(asked).toBe(1)
  })

  it('must be told', async () => {
    const base = await serve((_, response) => {
      response.sendDate = false
      response.end('{}')
    })
    expect((await refused(client(base).http.now())).message).toContain('no answer carries a Date header')
  })
})

it('says where nothing listens', async () => {
  const base = await serve(() => {})
  for (const close of opened.splice(0)) await close()
  const error = await refused(client(base, { retry: { attempts: 1 } }).http.request(get))
  expect(error).toMatchObject({ kind: 'transient', advice: expect.stringContaining('lakeward.yaml') as string })
  expect(error.message).toContain('nothing listens at 127.0.0.1')
})
