/**
 * The processes of the demo: a Temporal server, a simulated Salesforce org, an S3 server if the lake is a bucket, a
 * worker. Each is a process of its own, so that killing one is a real kill.
 *
 * Law: whatever is started here ends with the demo, also after Ctrl-C. A server that was configured is used and left.
 */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, fstatSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Call, GlobalOptions } from '../call.ts'
import type { DemoLake } from './lake.ts'
import { bucketLake, directoryLake } from './lake.ts'

export interface Stage {
  /** Flags and environment that reach the server. */
  options: GlobalOptions
  /** null: not known. */
  uiUrl: string | null
  /** The server is the demo's own. */
  ownServer: boolean
  sandboxUrl: string
  lake: DemoLake
  startWorker(config: string): Promise<Actor>
  close(): Promise<void>
}

export interface Actor {
  pid: number
  kill(): Promise<void>
}

export interface Org {
  accounts: number
  opportunities: number
  /** Time that a page of records takes. */
  pageMs: number
}

/** A step of a killed worker goes to the next one after this long. */
const HEARTBEAT_SECONDS = 5
const READY_MS = 60_000

export async function setStage(
  { options }: Call,
  { folder, org, s3 }: { folder: string; org: Org; s3: boolean },
  log: (line: string) => void,
): Promise<Stage> {
  const secret = randomUUID()
  const running: { end: () => Promise<void> }[] = []
  const close = async (): Promise<void> => {
    for (const one of running.splice(0).toReversed()) await one.end()
  }
  try {
    const server = await findServer(options, folder, log)
    running.push({ end: server.stop })
    const sandbox = start(join(folder, 'salesforce.log'), ...sandboxCommand(org), { SANDBOX_CLIENT_SECRET: secret })
    running.push({ end: () => sandbox.kill() })
    const lake = s3 ? await bucketLake(folder, log) : directoryLake(folder)
    running.push({ end: () => lake.stop() })
    const url = await sandbox.says(/"url":"([^"]+)"/)
    return {
      options: server.options,
      uiUrl: server.uiUrl,
      ownServer: server.own,
      sandboxUrl: url,
      lake,
      async startWorker(config) {
        const flags = Object.entries(server.options).flatMap(([name, value]) =>
          value ? [`--${name}`, String(value)] : [],
        )
        const [node, args] = selfCommand(['worker', ...flags, '--config', config])
        const worker = start(join(folder, 'worker.log'), node, args, {
          LAKEWARD_DEMO_CLIENT_ID: CLIENT_ID,
          LAKEWARD_DEMO_CLIENT_SECRET: secret,
          LAKEWARD_HEARTBEAT_SECONDS: String(HEARTBEAT_SECONDS),
          ...lake.env,
        })
        running.push({ end: () => worker.kill() })
        await worker.says(/^(polls .*)$/m)
        return worker
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

const CLIENT_ID = 'lakeward-demo'

async function findServer(options: GlobalOptions, folder: string, log: (line: string) => void) {
  const { configuredServer, findTemporalCli, startDevServer } = await import('../../../worker/temporal-server.ts')
  const given = options.address !== undefined || options.profile !== undefined || configuredServer() !== null
  if (given) return { own: false, options, uiUrl: null, stop: async () => {} }
  const { attributeNames } = await import('../../../activities/namespace.ts')
  const server = await startDevServer({
    cli: await findTemporalCli({ log }),
    logFile: join(folder, 'temporal.log'),
    dbFile: join(folder, 'temporal.db'),
    searchAttributes: Object.fromEntries(attributeNames.map((name) => [name, 'Keyword' as const])),
  })
  const there: GlobalOptions = { address: server.address, namespace: server.namespace }
  return { own: true, options: there, uiUrl: server.uiUrl, stop: () => server.stop(2_000) }
}

/** This very command again, however it was started. */
function selfCommand(args: string[]): [string, string[]] {
  return [process.execPath, [...process.execArgv, process.argv[1] as string, ...args]]
}

function sandboxCommand({ accounts, opportunities, pageMs }: Org): [string, string[]] {
  const sources = import.meta.url.endsWith('.ts')
  const main = new URL(`../../../test/sandboxes/salesforce/main.${sources ? 'ts' : 'js'}`, import.meta.url)
  const loader = sources ? ['--import', import.meta.resolve('tsx')] : []
  const sizes = { accounts, opportunities, 'page-ms': pageMs, 'client-id': CLIENT_ID }
  const flags = Object.entries(sizes).flatMap(([name, value]) => [`--${name}`, String(value)])
  return [process.execPath, [...loader, fileURLToPath(main), ...flags]]
}

interface Started extends Actor {
  /** Waits until its log has this, and gives the first group. */
  says(pattern: RegExp): Promise<string>
}

function start(logFile: string, command: string, args: string[], env: Record<string, string>): Started {
  const log = openSync(logFile, 'a')
  const from = fstatSync(log).size
  // A group of its own: Ctrl-C is for the demo, which ends the others in order.
  const child: ChildProcess = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log],
    detached: process.platform !== 'win32',
  })
  closeSync(log)
  const ended = once(child, 'exit')
  ended.catch(() => {}) // could not be started: `says` tells
  let gone = false
  child.once('exit', () => (gone = true))
  child.once('error', () => (gone = true))
  const strike = (): void => {
    if (!gone) child.kill('SIGKILL')
  }
  process.once('exit', strike)
  return {
    pid: child.pid ?? -1,
    async kill() {
      strike()
      process.removeListener('exit', strike)
      if (!gone) await ended
    },
    async says(pattern) {
      const before = Date.now()
      for (;;) {
        const text = (await readFile(logFile)).subarray(from).toString()
        const found = pattern.exec(text)?.[1]
        if (found !== undefined) return found
        if (gone || Date.now() - before > READY_MS) {
          throw new Error(`${logFile} says:\n  ${text.trim().split('\n').slice(-5).join('\n  ') || '(nothing)'}`)
        }
        await sleep(50)
      }
    },
  }
}
