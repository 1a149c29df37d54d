/**
 * A stage for end-to-end tests: a Salesforce sandbox, a lake directory, an installation, and workers that are processes
 * of their own, all on the test run's Temporal server. Every stage has its own task queue and flow names, so that files
 * run side by side.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync, createWriteStream } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { parse, stringify } from 'yaml'
import type { RunResult } from '../../activities/digests.ts'
import { startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import type { Sandbox, SandboxOptions } from '../sandboxes/salesforce/salesforce.ts'
import { builtCommand } from '../built.ts'
import type { TestTemporal } from '../global-setup.ts'
import { openLakePlace } from './lake-place.ts'
import type { LakeKind, LakePlace } from './lake-place.ts'

export interface StageOptions {
  salesforce?: SandboxOptions
  /** Seconds of silence until a step goes to another worker. */
  heartbeatSeconds?: number
  lake?: LakeKind | undefined
}

export interface WorkerProcess {
  pid: number
  process: ChildProcess
  /** Everything it printed. */
  output(): string
  kill(signal?: NodeJS.Signals): Promise<void>
}

export interface Stage {
  id: string
  /** Name of the Salesforce connection: a stage's own, because a refresh is one per name and namespace. */
  crm: string
  directory: string
  /** The lake as files, of a bucket as they were when a run ended or they were pulled last. */
  lake: string
  pull(): Promise<void>
  s3: LakePlace['s3']
  queue: string
  sandbox: Sandbox
  client: Client
  /** The command's environment: address, secrets, key. */
  env: Record<string, string>
  /** `directory`: another one than the stage's, with a lakeward.yaml of its own. */
  startWorker(options?: {
    args?: string[]
    nodeArgs?: string[]
    env?: Record<string, string>
    directory?: string
  }): Promise<WorkerProcess>
  /** `lakeward listen` at `host:port`. */
  startReceiver(on: string): Promise<WorkerProcess>
  /** A flow of this stage from YAML; name, queue and connections are filled in. */
  flow(yaml: string): Record<string, unknown> & { name: string }
  start(flow: object, workflowId?: string): Promise<{ workflowId: string; result(): Promise<RunResult> }>
  run(flow: object): Promise<RunResult>
  /** `lakeward …` as a person types it, in the stage's directory. */
  lakeward(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>
  stop(): Promise<void>
}

export const SECRET = 'stage-client-secret'
let stages = 0

export async function openStage(temporal: TestTemporal, options: StageOptions = {}): Promise<Stage> {
  const id = `s${process.pid.toString(36)}${(stages++).toString(36)}`
  const directory = mkdtempSync(join(tmpdir(), `lakeward-stage-${id}-`))
  const sandbox = await startSalesforce({ clientId: 'stage-client', clientSecret: SECRET, ...options.salesforce })
  const queue = `stage-${id}`
  const crm = `crm-${id}`
  const env: Record<string, string> = {
    ...inherited(),
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    SF_CLIENT_ID: 'stage-client',
    SF_CLIENT_SECRET: SECRET,
    PII_HASH_KEY: 'a key for hashes',
    XDG_CONFIG_HOME: join(directory, 'config'),
    LAKEWARD_HEARTBEAT_SECONDS: String(options.heartbeatSeconds ?? 5),
    NO_COLOR: '1',
  }
  const connection = await Connection.connect({ address: temporal.address })
  const client = new Client({ connection, namespace: temporal.namespace })
  const place = await openLakePlace(directory, client, options.lake)
  Object.assign(env, place.env)
  writeFileSync(join(directory, 'lakeward.yaml'), installation(crm, sandbox.url, queue, place.connection))
  const workers = new Set<WorkerProcess>()

  const stage: Stage = {
    id,
    crm,
    directory,
    lake: place.folder,
    pull: () => place.pull(),
    s3: place.s3,
    queue,
    sandbox,
    client,
    env,
    async startWorker({ args = [], nodeArgs = [], env: more = {}, directory: at = directory } = {}) {
      const worker = await launch(at, ['worker', ...args], /polls/, nodeArgs, { ...env, ...more })
      workers.add(worker)
      return worker
    },
    async startReceiver(on) {
      const receiver = await launch(directory, ['listen', '--on', on], /^takes .*hooks/m, [], env)
      workers.add(receiver)
      return receiver
    },
    flow(yaml) {
      const flow = parse(yaml) as { name: string; source: object; destination: object }
      return {
        version: 1,
        ...flow,
        name: `${flow.name}-${id}`,
        taskQueue: queue,
        source: { connection: crm, ...flow.source },
        destination: { connection: 'lake', ...flow.destination },
      }
    },
    async start(flow, workflowId = `run-${id}-${Math.random().toString(36).slice(2, 10)}`) {
      const handle = await client.workflow.start('runFlow', { workflowId, taskQueue: queue, args: [flow] })
      const ended = async (): Promise<RunResult> => {
        try {
          return (await handle.result()) as RunResult
        } finally {
          await place.pull()
        }
      }
      return { workflowId, result: ended }
    },
    run: async (flow) => (await stage.start(flow)).result(),
    lakeward: (...args) => commandOf(directory, args, env),
    async stop() {
      await Promise.all([...workers].map((worker) => worker.kill('SIGKILL')))
      await sandbox.stop()
      await place.stop()
      await connection.close()
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  return stage
}

function installation(crm: string, url: string, taskQueue: string, lake: object): string {
  return stringify({
    version: 1,
    connections: {
      [crm]: {
        connector: 'salesforce',
        loginUrl: url,
        taskQueue,
        auth: {
          type: 'client_credentials',
          clientId: { env: 'SF_CLIENT_ID' },
          clientSecret: { env: 'SF_CLIENT_SECRET' },
        },
      },
      lake,
    },
    // Many cases are held up at once, each with a unit.
    worker: { taskQueues: [taskQueue], slots: 40 },
    keys: { pii: { env: 'PII_HASH_KEY' } },
  })
}

function inherited(): Record<string, string> {
  const names = [
    'PATH',
    'HOME',
    'TMPDIR',
    'NODE_COMPILE_CACHE',
    'LAKEWARD_CACHE',
    'XDG_CACHE_HOME',
    'CI',
    'TEMPORAL_CONFIG_FILE',
  ]
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
}

async function launch(
  cwd: string,
  args: string[],
  ready: RegExp,
  nodeArgs: string[],
  env: Record<string, string>,
): Promise<WorkerProcess> {
  const log = join(cwd, `${args[0]}-${Date.now()}-${Math.random().toString(36).slice(2, 6)}.log`)
  const child = spawn(process.execPath, [...nodeArgs, await builtCommand(), ...args], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const file = createWriteStream(log)
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (chunk: string) => {
      text += chunk
      file.write(chunk)
    })
  }
  const ended = once(child, 'exit')
  const polls = (async () => {
    while (!ready.test(text)) await new Promise((resolve) => setTimeout(resolve, 50))
  })()
  const early = ended.then(() => {
    throw new Error(`it ended before it was ready:\n${text}`)
  })
  await Promise.race([polls, early])
  early.catch(() => {})
  return {
    pid: child.pid as number,
    process: child,
    output: () => readFileSync(log, 'utf8') || text,
    async kill(signal = 'SIGKILL') {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill(signal)
      await ended
    },
  }
}

async function commandOf(cwd: string, args: string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [await builtCommand(), ...args], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const read = async (stream: NodeJS.ReadableStream): Promise<string> => {
    let text = ''
    for await (const chunk of stream) text += String(chunk)
    return text
  }
  const [stdout, stderr, [code]] = await Promise.all([read(child.stdout), read(child.stderr), once(child, 'exit')])
  return { code: code as number, stdout, stderr }
}
