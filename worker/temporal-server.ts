/**
 * The Temporal server: one that is configured, or a dev server of our own. Nothing here is faked: without a server
 * there is an error that lists the ways to one (`temporal-binary.ts`).
 *
 * Laws
 * - A configured server (TEMPORAL_ADDRESS or a profile) is used as it is; nothing is started beside it.
 * - A dev server listens on loopback unless told otherwise, is ready when it serves its namespace and its search
 *   attributes (not after a fixed time), does not die of the terminal's Ctrl-C, and never outlives this process.
 */
import { mkdirSync } from 'node:fs'
import type { AddressInfo, Server } from 'node:net'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Connection } from '@temporalio/client'
import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig'
import { InputError } from '../connectors/errors.ts'
import { type Launched, launch } from './launch.ts'
import { hold, onFreePort, touch } from './ports.ts'

export { findTemporalCli } from './temporal-binary.ts'

type ConnectionOptions = ClientConnectConfig['connectionOptions']

export interface ServerAddress {
  /** What `NativeConnection.connect` and `Connection.connect` take: address, TLS, API key, headers. */
  connectionOptions: ConnectionOptions & { address: string }
  namespace: string
  /** Who said so, for messages: `TEMPORAL_ADDRESS` or `profile default`. */
  from: string
}

/** The server that environment or profile name, with TLS and API key; null: none is named. */
// https://docs.temporal.io/references/client-environment-configuration
export function configuredServer(env: NodeJS.ProcessEnv = process.env): ServerAddress | null {
  const named: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith('TEMPORAL_') && value) named[name] = value
  }
  let config: ClientConnectConfig
  try {
    config = loadClientConnectConfig({ overrideEnvVars: named })
  } catch (error) {
    throw new InputError([
      {
        what: `the Temporal profile cannot be read: ${error instanceof Error ? error.message : String(error)}`,
        where: named.TEMPORAL_CONFIG_FILE ?? named.TEMPORAL_PROFILE ?? 'temporal.toml',
        advice: 'Correct it with `temporal config set`, or unset TEMPORAL_PROFILE and TEMPORAL_CONFIG_FILE.',
      },
    ])
  }
  const { address } = config.connectionOptions
  if (!address) return null
  return {
    connectionOptions: { ...config.connectionOptions, address },
    namespace: config.namespace ?? 'default',
    from: named.TEMPORAL_ADDRESS ? 'TEMPORAL_ADDRESS' : `profile ${named.TEMPORAL_PROFILE ?? 'default'}`,
  }
}

export interface DevServerOptions {
  /** The `temporal` binary: `findTemporalCli()`. */
  cli: string
  /** All output of the server is appended here. */
  logFile: string
  /** SQLite file that holds everything; absent: in memory. */
  dbFile?: string
  /** Default 127.0.0.1, for gRPC and the Web UI. */
  ip?: string
  /** Default: a free port. */
  port?: number
  /** Default: a free port; null: no Web UI. */
  uiPort?: number | null
  namespace?: string
  searchAttributes?: Record<string, 'Keyword' | 'Text' | 'Int' | 'Double' | 'Bool' | 'Datetime' | 'KeywordList'>
  /** More arguments for `temporal server start-dev`. */
  args?: string[]
  /** How long it may take to serve, milliseconds; default 60,000. */
  readyMs?: number
}

export interface DevServer extends Pick<Launched, 'pid' | 'ended' | 'stop'> {
  address: string
  namespace: string
  uiUrl: string | null
}

/** Starts `temporal server start-dev` and waits until it serves. */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  return options.port === undefined ? onFreePort(() => startOnce(options)) : startOnce(options)
}

async function startOnce(options: DevServerOptions): Promise<DevServer> {
  const ip = options.ip ?? '127.0.0.1'
  const [port, uiPort] = await choosePorts(ip, options.port, options.uiPort)
  const namespace = options.namespace ?? 'default'
  const attributes = Object.entries(options.searchAttributes ?? {})
  const args = ['server', 'start-dev', '--ip', ip, '--port', String(port), '--log-level', 'warn']
  args.push(...(uiPort === null ? ['--headless'] : ['--ui-ip', ip, '--ui-port', String(uiPort)]))
  if (namespace !== 'default') args.push('--namespace', namespace)
  if (options.dbFile) {
    mkdirSync(dirname(options.dbFile), { recursive: true })
    args.push('--db-filename', options.dbFile)
  }
  for (const [name, type] of attributes) args.push('--search-attribute', `${name}=${type}`)
  args.push('--dynamic-config-value', 'frontend.enableServerVersionCheck=false', ...(options.args ?? []))

  // The client's environment (a profile, a namespace) is not the server's.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_')))
  const server = launch({ title: 'the Temporal dev server', command: options.cli, args, env, logFile: options.logFile })
  try {
    const wanted = attributes.map(([name]) => name)
    await untilServing(server, `${ip}:${port}`, { namespace, wanted, uiPort, readyMs: options.readyMs ?? 60_000 })
  } catch (error) {
    await server.stop(0)
    throw error
  }
  const { pid, ended, stop } = server
  return {
    address: `${ip}:${port}`,
    namespace,
    uiUrl: uiPort === null ? null : `http://${ip}:${uiPort}`,
    pid,
    ended,
    stop,
  }
}

interface Serving {
  namespace: string
  wanted: string[]
  uiPort: number | null
  readyMs: number
}

async function untilServing(server: Launched, address: string, want: Serving): Promise<void> {
  const deadline = Date.now() + want.readyMs
  const ended = server.ended.then((failure) => Promise.reject(new Error(failure)))
  ended.catch(() => {}) // it is raced below; once it serves, its end is the caller's business
  let missing = 'no answer yet'
  let connection: Connection | undefined
  let pending: Promise<void> = Promise.resolve()
  try {
    while (Date.now() < deadline) {
      try {
        // The port first: a gRPC channel that was refused once waits a second before it tries again.
        await Promise.race([touch(address), ended])
        connection ??= Connection.lazy({ address })
        const asking = connection
        pending = asking.withDeadline(Date.now() + 2_000, () => askIfServing(asking, want))
        await Promise.race([pending, ended])
        if (want.uiPort !== null) await touch(`${address.slice(0, address.lastIndexOf(':'))}:${want.uiPort}`)
        return
      } catch (error) {
        const failure = server.failure()
        if (failure !== null) throw new Error(failure, { cause: error })
        missing = error instanceof Error ? error.message : String(error)
      }
      await sleep(50)
    }
  } finally {
    // A connection that is closed below a request that it will repeat throws out of a timer.
    void pending.catch(() => {}).then(() => connection?.close())
  }
  throw new Error(`the Temporal dev server at ${address} did not serve within ${want.readyMs / 1000} s: ${missing}`)
}

/** Throws with what is still missing. */
async function askIfServing(connection: Connection, { namespace, wanted }: Serving): Promise<void> {
  await connection.workflowService.describeNamespace({ namespace })
  if (wanted.length === 0) return
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace })
  const absent = wanted.filter((name) => !(name in (customAttributes ?? {})))
  if (absent.length > 0) throw new Error(`search attributes ${absent.join(', ')} are not registered yet`)
}

async function choosePorts(ip: string, port?: number, uiPort?: number | null): Promise<[number, number | null]> {
  // Both are held at once, so that they differ. A port that is given must be free as well: what listens there already
  // would be taken for our server.
  const held: Server[] = []
  try {
    for (const wanted of uiPort === null ? [port] : [port, uiPort]) held.push(await hold(ip, wanted))
    const [own, ui] = held.map((server) => (server.address() as AddressInfo).port)
    return [own ?? 0, ui ?? null]
  } finally {
    await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))))
  }
}
