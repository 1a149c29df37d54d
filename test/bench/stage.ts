/**
 * Where contestants meet: a vendor with and without gzip, an S3 server and a Temporal server, each a process of its
 * own, and an installation of Lakeward that knows them.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { Client, Connection } from '@temporalio/client'
import { stringify } from 'yaml'
import type { RunResult } from '../../activities/digests.ts'
import { startVersitygw } from '../../worker/s3-server.ts'
import { freePort } from '../../worker/ports.ts'
import type { S3Server } from '../../worker/s3-server.ts'
import { findTemporalCli, startDevServer } from '../../worker/temporal-server.ts'
import type { DevServer } from '../../worker/temporal-server.ts'
import { findVersitygw } from '../../worker/versitygw-binary.ts'
import { startVendor } from './vendor.ts'
import type { Vendor } from './vendor.ts'

export const BUCKET = 'bench'
const WATCH = new URL('watch-loop.mjs', import.meta.url).href

export interface StageOptions {
  data: string
  vendor: string
  /** Folder of the built package. */
  built: string
  /** A Temporal server that runs already; absent: one of its own. */
  temporal?: TemporalServer
  log: (line: string) => void
}

export type TemporalServer = Pick<DevServer, 'address' | 'namespace' | 'pid'>

export interface WorkerProcess {
  pid: number
  startSeconds: number
  taskQueue: string
  /** Where it writes how long its event loop stood still. */
  loopFile: string
  /** Prometheus's text of it. */
  metrics(): Promise<string>
  stop(): Promise<void>
}

export interface FlowOptions {
  form: 'csv' | 'json'
  gzip: boolean
  objects: string[]
  taskQueue: string
}

export interface Stage {
  folder: string
  vendors: { plain: Vendor; gzip: Vendor }
  s3: S3Server
  temporal: TemporalServer
  client: Client
  /** What processes of Lakeward need to know: secrets and addresses. */
  env: Record<string, string>
  /** A folder with an installation of its own. */
  house(name: string): string
  /** Without `taskQueue` it has a queue of its own; `s3`: another way to the S3 server. */
  startWorker(node: string, taskQueue?: string, s3?: string): Promise<WorkerProcess>
  flow(name: string, options: FlowOptions): Record<string, unknown>
  run(flow: Record<string, unknown>, workflowId?: string): Promise<RunResult>
  /** Where objects below a prefix lie on disk. */
  files(prefix: string): string
  close(): Promise<void>
}

export async function openStage(options: StageOptions): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'lakeward-bench-'))
  const open: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })]
  const close = async (): Promise<void> => {
    for (const one of open.splice(0).toReversed()) await one()
  }
  try {
    const vendors = {
      plain: await startVendor(options.vendor, options.data, { gzip: false }),
      gzip: await startVendor(options.vendor, options.data, { gzip: true }),
    }
    open.push(() => Promise.all([vendors.plain.stop(), vendors.gzip.stop()]))
    const s3 = await startVersitygw(join(folder, 's3'), await findVersitygw({ log: options.log }))
    open.push(() => s3.stop(0))
    await createBucket(s3)
    const own = options.temporal ? null : await startTemporal(folder, options.log)
    if (own) open.push(() => own.stop(0))
    const temporal = (options.temporal ?? own)!
    const connection = await Connection.connect({ address: temporal.address })
    open.push(() => connection.close())
    return stageOf(options, { folder, vendors, s3, temporal, connection, open, close })
  } catch (error) {
    await close()
    throw error
  }
}

/** In memory: a database on a disk of this machine would be measured with every step. */
async function startTemporal(folder: string, log: (line: string) => void): Promise<DevServer> {
  return startDevServer({
    cli: await findTemporalCli({ log }),
    logFile: join(folder, 'temporal.log'),
    uiPort: null,
    searchAttributes: { LakewardFlow: 'Keyword', LakewardConnector: 'Keyword', LakewardDestination: 'Keyword' },
  })
}

interface Parts {
  folder: string
  vendors: Stage['vendors']
  s3: S3Server
  temporal: TemporalServer
  connection: Connection
  open: (() => Promise<unknown>)[]
  close: () => Promise<void>
}

function stageOf({ built }: StageOptions, parts: Parts): Stage {
  const { folder, vendors, s3, temporal, connection, open } = parts
  const client = new Client({ connection, namespace: temporal.namespace })
  const env = {
    ...inherited(),
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    TEMPORAL_CONFIG_FILE: join(folder, 'no-profiles.toml'),
    XDG_CONFIG_HOME: join(folder, 'config'),
    SF_CLIENT_ID: 'bench',
    SF_CLIENT_SECRET: 'bench-secret',
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    NO_COLOR: '1',
  }
  let houses = 0
  const house = (name: string, more: object = {}, endpoint = s3.url): string => {
    const path = join(folder, `${name}-${++houses}`)
    mkdirSync(path)
    writeFileSync(
      join(path, 'lakeward.yaml'),
      stringify({ ...installation(vendors, { ...s3, url: endpoint }), ...more }),
    )
    return path
  }
  return {
    folder,
    vendors,
    s3,
    temporal,
    client,
    env,
    house,
    async startWorker(node, queue, endpoint = s3.url) {
      const prometheus = `127.0.0.1:${await freePort()}`
      const path = house('worker', { worker: { metrics: { prometheus } } }, endpoint)
      const taskQueue = queue ?? `bench-${houses}`
      const args = ['--import', WATCH, join(built, 'client/main.js'), 'worker', '--task-queue', taskQueue]
      const loopFile = join(path, 'event-loop')
      // As the image of `deploy/` has it.
      const more = { NODE_OPTIONS: '--max-semi-space-size=16', BENCH_LOOP_FILE: loopFile }
      const launched = await launchWorker(node, args, path, { ...env, ...more })
      const metrics = async (): Promise<string> => (await fetch(`http://${prometheus}/metrics`)).text()
      const worker = { ...launched, taskQueue, loopFile, metrics }
      open.push(() => worker.stop())
      return worker
    },
    flow: (name, flow) => flowOf(name, flow),
    async run(flow, workflowId = `run/${String(flow['name'])}`) {
      const started = { workflowId, taskQueue: String(flow['taskQueue']), args: [flow] }
      try {
        return (await client.workflow.execute('runFlow', started)) as RunResult
      } catch (error) {
        throw new Error(`${workflowId}: ${reasonOf(error)}`, { cause: error })
      }
    },
    files: (prefix) => join(folder, 's3', 'buckets', BUCKET, prefix),
    close: parts.close,
  }
}

function flowOf(name: string, { form, gzip, objects, taskQueue }: FlowOptions): Record<string, unknown> {
  return {
    version: 1,
    name,
    taskQueue,
    source: {
      connection: gzip ? 'zipped' : 'crm',
      settle: '0s',
      options: { api: form === 'csv' ? 'bulk' : 'rest' },
      objects: objects.map((object) => ({ object })),
    },
    destination: { connection: 'lake', prefix: name },
  }
}

function installation(vendors: Stage['vendors'], s3: S3Server): object {
  const salesforce = ({ url }: Vendor) => ({
    connector: 'salesforce',
    loginUrl: url,
    auth: {
      type: 'client_credentials',
      clientId: { env: 'SF_CLIENT_ID' },
      clientSecret: { env: 'SF_CLIENT_SECRET' },
    },
  })
  return {
    version: 1,
    connections: {
      crm: salesforce(vendors.plain),
      zipped: salesforce(vendors.gzip),
      lake: { connector: 's3', bucket: BUCKET, endpoint: s3.url, region: s3.region },
    },
  }
}

async function createBucket({ url, region, accessKeyId, secretAccessKey }: S3Server): Promise<void> {
  const credentials = { accessKeyId, secretAccessKey }
  const client = new S3Client({ endpoint: url, region, forcePathStyle: true, credentials })
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }))
  client.destroy()
}

async function launchWorker(
  node: string,
  args: string[],
  folder: string,
  env: Record<string, string>,
): Promise<Omit<WorkerProcess, 'taskQueue' | 'loopFile' | 'metrics'>> {
  const began = performance.now()
  const child = spawn(node, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  const log = createWriteStream(join(folder, 'worker.log'))
  const ready = new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        log.write(chunk)
        text = (text + chunk).slice(-10_000)
        if (text.includes('polls ')) resolve()
      })
    }
    child.once('exit', () => reject(new Error(`the worker ended:\n${text}`)))
  })
  await ready
  return {
    pid: child.pid as number,
    startSeconds: (performance.now() - began) / 1000,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** The innermost failure, which says what was wrong. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? reasonOf(cause) : message
}

function inherited(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'LAKEWARD_CACHE', 'XDG_CACHE_HOME']
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
}

/** Bytes of the Parquet files below a folder. */
export function bytesBelow(folder: string): number {
  let bytes = 0
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && entry.name.endsWith('.parquet')) bytes += statSync(join(entry.parentPath, entry.name)).size
  }
  return bytes
}

export function drop(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 5 })
}
