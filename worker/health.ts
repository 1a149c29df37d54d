/**
 * Whether this worker lives and whether it takes work, over HTTP, for what starts and stops workers.
 *
 * `/healthz`: 200 while the process can answer. `/readyz`: 200 while every queue is polled, Temporal answers and
 * lakeward.yaml can be read; 503 with the reason otherwise, and from the moment the worker is told to stop.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { InputError } from '../connectors/errors.ts'

export interface Health {
  /** Where it listens, `host:port`. */
  address: string
  close(): Promise<void>
}

/** Each throws with what is missing. */
export type Check = () => void | Promise<void>

/** An answer serves all who ask within this: probes of several kinds must not become calls to Temporal. */
const KEPT_MS = 2_000

export async function serveHealth(address: string, checks: Check[]): Promise<Health> {
  let last: { at: number; problem: Promise<string | null> } | undefined
  const server = createServer((request, response) => {
    const answer = (status: number, value: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(`${JSON.stringify(value)}\n`)
    }
    const path = (request.url ?? '').split('?')[0]
    if (path === '/healthz') return answer(200, { status: 'alive' })
    if (path !== '/readyz') return answer(404, { status: 'no such page', pages: ['/healthz', '/readyz'] })
    const now = performance.now()
    if (!last || now - last.at > KEPT_MS) last = { at: now, problem: problemOf(checks) }
    void last.problem.then((problem) =>
      problem === null ? answer(200, { status: 'ready' }) : answer(503, { status: 'not ready', problem }),
    )
  })
  const at = address.lastIndexOf(':')
  const host = address.slice(0, at).replace(/^\[|\]$/g, '')
  server.listen(Number(address.slice(at + 1)), host)
  try {
    await once(server, 'listening')
  } catch (error) {
    throw new InputError([
      {
        where: 'worker.health',
        what: `${address} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
        advice: 'Stop what listens there, or choose another port.',
      },
    ])
  }
  // Probes must not keep a worker alive that has ended.
  server.unref()
  return {
    address,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function problemOf(checks: Check[]): Promise<string | null> {
  try {
    for (const check of checks) await check()
    return null
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
  }
}
