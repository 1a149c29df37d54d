/**
 * A gate in front of an S3 server, through which a stage's workers reach their lake: it sees every request, and can
 * leave some of them without an answer for ever, before or after the server did what was asked. The host name that was
 * signed goes on unchanged, so signatures hold.
 */
import { createServer, request as forward } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

/** Requests that match are carried out `done` times and never answered from then on. */
export interface GateHang {
  name: string
  method: string
  /** Matched against path and query, unescaped. */
  path: string
  done: number
}

export interface S3Gate {
  url: string
  /** What shall hang from now on, instead of what was set before. */
  hang(hangs: GateHang[]): void
  /** Names of those that have hung. */
  halted(): Set<string>
  /** `METHOD path?query` of every request since it opened, in order, with the headers that ask for encryption. */
  seen: { method: string; path: string; headers: IncomingMessage['headers'] }[]
  /** Connections whose requests hang are cut. */
  stop(): Promise<void>
}

export async function openS3Gate(target: string): Promise<S3Gate> {
  const { hostname, port } = new URL(target)
  let hangs: (GateHang & { pattern: RegExp })[] = []
  let halted = new Set<string>()
  const seen: S3Gate['seen'] = []

  const server = createServer((incoming, outgoing) => {
    const path = unescaped(incoming.url ?? '')
    const method = incoming.method ?? ''
    seen.push({ method, path, headers: incoming.headers })
    const hang = hangs.find((one) => one.method === method && one.pattern.test(path))
    const answered = !hang
    if (hang && hang.done === 0) {
      halted.add(hang.name)
      incoming.resume()
      return
    }
    if (hang) hang.done -= 1
    pass(incoming, outgoing, (status) => {
      if (answered) return true
      // An error is no deed: it is answered, and the next one counts.
      if (status >= 300) hang.done += 1
      else halted.add(hang.name)
      return status >= 300
    })
  })

  function pass(incoming: IncomingMessage, outgoing: ServerResponse, answer: (status: number) => boolean): void {
    const { method, url: path, headers } = incoming
    const onward = forward({ hostname, port, method, path, headers, agent: false }, (answered) => {
      const status = answered.statusCode ?? 502
      if (answer(status)) answered.pipe(outgoing.writeHead(status, answered.headers))
      else answered.resume()
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
