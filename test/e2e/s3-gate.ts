/**
 * A gate in front of an S3 server, through which a stage's workers reach their lake: it sees every request, can leave
 * some of them without an answer, before or after the server did what was asked, and can answer as a bucket does that
 * is in trouble. The host name that was signed goes on unchanged, so signatures hold.
 */
import { createServer, request as forward } from 'node:http'
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** Requests that match are carried out `done` times and not answered from then on. */
export interface GateHang {
  name: string
  method: string
  /** Matched against path and query, unescaped. */
  path: string
  done: number
}

/** Some requests meet trouble; those before and after them pass. */
export interface Strike {
  method: string
  path: string
  /** Matching requests to let pass first. */
  skip?: number
  /** Requests it meets; 1 unless said. */
  times?: number
  do: Trouble
}

export interface Trouble {
  /** The server does what is asked before the trouble comes. */
  done?: boolean
  /** An error as S3 words it; with status 200 it comes as the body of an answer that began well. */
  error?: { status: number; code: string }
  /** Without an error: the connection is cut, or nothing is ever answered. */
  silent?: boolean
  /** Called before anything else is done. */
  before?: () => Promise<unknown>
}

export interface S3Gate {
  url: string
  /** What shall hang from now on, instead of what was set before; what hangs already stays. */
  hang(hangs: GateHang[]): void
  /** Names of those that have hung. */
  halted(): Set<string>
  /** Carries out and answers all that hangs, though nobody may wait for it any more. */
  release(): Promise<void>
  /** Adds strikes to those there are. */
  strike(strikes: Strike[]): void
  /** Takes all strikes away. */
  calm(): void
  /** Paths of strikes that have met nothing. */
  unmet(): string[]
  /** `METHOD path?query` of every request since it opened, in order, with the headers that ask for encryption. */
  seen: { method: string; path: string; headers: IncomingMessage['headers'] }[]
  /** Connections whose requests hang are cut. */
  stop(): Promise<void>
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#RESTErrorResponses */
const errorBody = (code: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>made up</Message></Error>`

export async function openS3Gate(target: string): Promise<S3Gate> {
  const { hostname, port } = new URL(target)
  let hangs: (GateHang & { pattern: RegExp })[] = []
  let strikes: (Strike & { pattern: RegExp; left: number; toPass: number })[] = []
  let halted = new Set<string>()
  let held: (() => Promise<void>)[] = []
  const seen: S3Gate['seen'] = []

  const server = createServer((incoming, outgoing) => {
    const path = unescaped(incoming.url ?? '')
    const method = incoming.method ?? ''
    seen.push({ method, path, headers: incoming.headers })
    const hang = hangs.find((one) => one.method === method && one.pattern.test(path))
    const strike = hang ? undefined : due(method, path)
    const answered = hang ? hold(hang, incoming, outgoing) : strike ? struck(strike, incoming, outgoing) : null
    if (answered) answered.catch(() => outgoing.destroy())
    else pass(incoming, outgoing)
  })

  function due(method: string, path: string): Trouble | undefined {
    const found = strikes.find((one) => one.left > 0 && one.method === method && one.pattern.test(path))
    if (!found) return undefined
    if (found.toPass > 0) found.toPass -= 1
    else {
      found.left -= 1
      return found.do
    }
    return undefined
  }

  async function hold(hang: GateHang, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await buffer(incoming)
    if (hang.done === 0) {
      halted.add(hang.name)
      held.push(async () => {
        const answer = await carryOut(incoming, body)
        outgoing.writeHead(answer.status, answer.headers).end(answer.body)
      })
      return
    }
    hang.done -= 1
    const answer = await carryOut(incoming, body)
    const send = (): void => void outgoing.writeHead(answer.status, answer.headers).end(answer.body)
    // An error is no deed: it is answered, and the next one counts.
    if (answer.status >= 300) {
      hang.done += 1
      send()
    } else {
      halted.add(hang.name)
      held.push(() => Promise.resolve(send()))
    }
  }

  async function struck(trouble: Trouble, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { done, error, silent, before } = trouble
    // In the middle of what is sent.
    if (!done && !error && !silent && !before) return void outgoing.destroy()
    const body = await buffer(incoming)
    await before?.()
    const answer = done || (before && !error && !silent) ? await carryOut(incoming, body) : null
    if (error) outgoing.writeHead(error.status, { 'content-type': 'application/xml' }).end(errorBody(error.code))
    else if (before && answer && !done) outgoing.writeHead(answer.status, answer.headers).end(answer.body)
    else if (!silent) outgoing.destroy()
  }

  async function carryOut({ method, url: path, headers }: IncomingMessage, body: Buffer) {
    const onward = forward({ hostname, port, method, path, headers, agent: false })
    onward.end(body)
    const [answered] = (await once(onward, 'response')) as [IncomingMessage]
    const status = answered.statusCode ?? 502
    return { status, headers: answered.headers as OutgoingHttpHeaders, body: await buffer(answered) }
  }

  function pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { method, url: path, headers } = incoming
    const onward = forward({ hostname, port, method, path, headers, agent: false }, (answered) => {
      answered.pipe(outgoing.writeHead(answered.statusCode ?? 502, answered.headers))
    })
    onward.on('error', () => outgoing.destroy())
    outgoing.on('close', () => onward.destroy())
    incoming.pipe(onward)
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hang(next) {
      hangs = next.map((one) => ({ ...one, pattern: new RegExp(one.path) }))
      halted = new Set()
    },
    halted: () => halted,
    async release() {
      const late = held
      held = []
      await Promise.all(late.map((go) => go().catch(() => {})))
    },
    strike(next) {
      for (const one of next)
        strikes.push({ ...one, pattern: new RegExp(one.path), left: one.times ?? 1, toPass: one.skip ?? 0 })
    },
    calm: () => void (strikes = []),
    unmet: () => strikes.filter(({ left, times = 1 }) => left === times).map(({ path }) => path),
    seen,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function unescaped(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
