/** Who takes part, and how each is started: warm processes that do the same work again and again. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startActor } from './actor.ts'
import type { Answered } from './actor.ts'
import { columnNames } from './columns.ts'
import { csvHeader } from './data.ts'
import { measure } from './process-tree.ts'
import { pinned } from './programs.ts'
import { bytesBelow, BUCKET, drop } from './stage.ts'
import type { Stage } from './stage.ts'
import { objectOf } from './vendor.ts'

/** One kind of work; contestants that read local files take the same bytes from there. */
export interface Heat {
  form: 'csv' | 'json'
  gzip: boolean
  rows: number
}

export interface Result extends Heat {
  contestant: ContestantName
  round: number
  seconds: number
  cpuSeconds: number
  peakBytes: number
  bytesOut: number
  /** Processor seconds of vendor, S3 server and Temporal server meanwhile. */
  around: { vendor: number; s3: number; temporal: number }
}

export interface Running {
  /** From its start until it was ready, seconds. */
  startSeconds: number
  /** Works, and tells where its files are. */
  run(heat: Heat, place: string): Promise<Answered & { rows: number; files: string }>
  stop(): Promise<void>
}

export const contestants = {
  temporal: 'Lakeward through Temporal',
  temporal20: 'Lakeward through Temporal, Node 20',
  plane: 'Lakeward, data plane alone',
  core: 'Lakeward, one core, local file',
  core20: 'Lakeward, one core, local file, Node 20',
  duck1: 'DuckDB COPY, local file, 1 thread',
  duck1alike: 'DuckDB COPY, local file, 1 thread, zstd 1, unordered',
  duckAll: 'DuckDB COPY, local file, all cores',
  duckAllAlike: 'DuckDB COPY, local file, all cores, zstd 1, unordered',
  pyarrow: 'requests + pyarrow by hand',
  dlt: 'dlt rest_api',
} as const
export type ContestantName = keyof typeof contestants

export interface Programs {
  /** Of the version that ratios are judged on. */
  node: string
  built: string
  pyarrow: string | null
  dlt: string | null
  data: { index: string; csv(rows: number): string; ndjson(rows: number): string; json: string }
}

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const tsx = fileURLToPath(import.meta.resolve('tsx'))
const typescript = (node: string, name: string, ...args: string[]): string[] => [
  node,
  '--import',
  tsx,
  here(name),
  ...args,
]

/** null: it cannot take part here. */
export async function enter(name: ContestantName, stage: Stage, programs: Programs): Promise<Running | null> {
  const { node, pyarrow, dlt } = programs
  switch (name) {
    case 'temporal':
      return lakeward(stage, node)
    case 'temporal20':
      return lakeward(stage, process.execPath)
    case 'plane':
      return plane(stage, programs)
    case 'core':
      return oneCore(node, stage, programs)
    case 'core20':
      return oneCore(process.execPath, stage, programs)
    case 'pyarrow':
      return pyarrow === null ? null : overHttp([pyarrow, here('run_pyarrow.py')], stage, '')
    case 'dlt':
      return dlt === null ? null : overHttp([dlt, here('run_dlt.py')], stage, 'raw/accounts/')
    default:
      return duckDb(node, stage, programs, {
        threads: name.startsWith('duck1') ? '1' : 'all',
        alike: name.endsWith('like'),
      })
  }
}

async function lakeward(stage: Stage, node: string): Promise<Running> {
  const worker = await stage.startWorker(node)
  return {
    startSeconds: worker.startSeconds,
    async run({ form, gzip, rows }, place) {
      const flow = stage.flow(place, { form, gzip, objects: [objectOf(rows)], taskQueue: worker.taskQueue })
      const measuring = measure(worker.pid)
      const from = performance.now()
      const result = await stage.run(flow)
      const seconds = (performance.now() - from) / 1000
      const taken = measuring.end()
      return { seconds, ...taken, answer: {}, rows: result.written, files: stage.files(place) }
    },
    stop: () => worker.stop(),
  }
}

async function plane(stage: Stage, { node, built }: Programs): Promise<Running> {
  const command = typescript(node, 'run-plane.ts', built, stage.house('plane'))
  const actor = await startActor(command, stage.env)
  return {
    ...actor,
    async run({ form, gzip, rows }, place) {
      const connection = gzip ? 'zipped' : 'crm'
      const api = form === 'csv' ? 'bulk' : 'rest'
      const answered = await actor.ask({ connection, object: objectOf(rows), api, prefix: place })
      return { ...answered, rows: Number(answered.answer['rows']), files: stage.files(place) }
    },
  }
}

async function oneCore(node: string, stage: Stage, { built, data }: Programs): Promise<Running> {
  const actor = await startActor(pinned(typescript(node, 'run-one-core.ts', built)))
  return {
    ...actor,
    async run({ form, rows }, place) {
      const path = form === 'csv' ? data.csv(rows) : data.json
      const first = form === 'csv' ? Buffer.byteLength(csvHeader) : 0
      return local(stage, place, (out) => actor.ask({ form, path, index: data.index, start: first, rows, out }))
    },
  }
}

async function duckDb(
  node: string,
  stage: Stage,
  { data }: Programs,
  { threads, alike }: { threads: '1' | 'all'; alike: boolean },
): Promise<Running> {
  const command = typescript(node, 'run-duckdb.ts', threads)
  const actor = await startActor(threads === '1' ? pinned(command) : command)
  return {
    ...actor,
    async run({ form, rows }, place) {
      const path = form === 'csv' ? data.csv(rows) : data.ndjson(rows)
      return local(stage, place, (out) => actor.ask({ form, path, out, alike }))
    },
  }
}

async function local(stage: Stage, place: string, ask: (out: string) => Promise<Answered>) {
  const files = join(stage.folder, place)
  mkdirSync(files)
  const answered = await ask(join(files, 'out.parquet'))
  return { ...answered, rows: Number(answered.answer['rows']), files }
}

/** `below`: where in its prefix its files are. */
async function overHttp(command: string[], stage: Stage, below: string): Promise<Running> {
  const actor = await startActor(command)
  const { url: endpoint, region, accessKeyId, secretAccessKey } = stage.s3
  return {
    ...actor,
    async run({ form, gzip, rows }, place) {
      const answered = await actor.ask({
        vendor: (gzip ? stage.vendors.gzip : stage.vendors.plain).url,
        object: objectOf(rows),
        columns: columnNames,
        form,
        gzip,
        s3: { endpoint, region, accessKeyId, secretAccessKey, bucket: BUCKET },
        prefix: place,
      })
      return { ...answered, rows: Number(answered.answer['rows']), files: stage.files(`${place}/${below}`) }
    },
  }
}

/** Parquet files as DuckDB names them. */
export const globOf = (files: string): string => join(files, '**', '*.parquet')

export { bytesBelow, drop }

/** dlt names columns in its own way. */
export function columnOf(contestant: ContestantName): (name: string) => string {
  if (contestant !== 'dlt') return (name) => name
  return (name) => name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()
}
