/** What tests of loads are made of: a session over the stand-in, staged files of our own sink, rows read back. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Field, Json, JsonObject, Load, LoadResult, Row, Session } from '../../connectors/connector.ts'
import { parquetSink } from '../../connectors/records/parquet.ts'
import { redshift } from '../../connectors/redshift/redshift.ts'
import { fileOf } from '../records/duckdb.ts'
import { batchOf } from '../records/tables.ts'
import { ROLE, type Warehouse } from './warehouse.ts'

export const table = redshift.destination!.table!

export function sessionOf({ redshift: { url } }: Warehouse, more: JsonObject = {}): Session {
  const place = { workgroup: 'lake', database: 'dev', region: 'us-east-1', endpoint: url, copyRole: ROLE, ...more }
  const keys = { accessKeyId: 'lakeward', secretAccessKey: 'any' }
  return {
    connection: 'warehouse',
    settings: redshift.settings.parse(place) as JsonObject,
    http: { request: () => Promise.reject(new Error('no HTTP here')), token: async () => undefined },
    aws: () => () => Promise.resolve(keys),
    signal: new AbortController().signal,
    now: () => Promise.resolve(Date.now()),
    beat: () => {},
    note: () => {},
  }
}

let staged = 0

/** Stages rows in files of `perFile` and describes their load as entry `n` of the lane. */
export async function loadOf(
  warehouse: Pick<Warehouse, 'put'>,
  schema: Field[],
  rows: Row[],
  rest: Pick<Load, 'table' | 'n' | 'write'> & Partial<Load>,
  perFile = 100,
): Promise<Load> {
  const folder = `staging/${++staged}`
  const files: Load['files'] = []
  for (let from = 0; from < rows.length; from += perFile) {
    const part = rows.slice(from, from + perFile)
    const sink = parquetSink(schema)
    sink.append(batchOf(schema, part))
    const bytes = Buffer.concat(fileOf(sink))
    const url = await warehouse.put(`${folder}/${files.length}.parquet`, bytes)
    files.push({ url, rows: part.length, bytes: bytes.length })
  }
  const manifest = await warehouse.put(`${folder}/manifest`, table.manifest(files))
  const run = `run-${staged}`
  return {
    lane: rest.table,
    run,
    after: rest.n - 1,
    watermark: null,
    schema,
    keys: [],
    order: [],
    files,
    manifest,
    ...rest,
  }
}

export async function untilReady(session: Session, ref: Json): Promise<LoadResult> {
  for (;;) {
    const answer = await table.load.poll(session, JSON.parse(JSON.stringify(ref)) as Json)
    if ('ready' in answer) return answer.ready
    if ('refused' in answer) throw new Error(answer.refused)
    await sleep(20)
  }
}

let tokens = 0
export async function loaded(session: Session, load: Load): Promise<LoadResult> {
  return untilReady(session, await table.load.submit(session, load, `token-${++tokens}`))
}

/** All rows of a table as text, in the order of the first column. */
export async function rowsIn({ redshift: { look } }: Warehouse, named: string): Promise<(string | null)[][]> {
  return (await look(`SELECT * FROM ${named} ORDER BY 1`)).rows
}
