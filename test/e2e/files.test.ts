/** Files in, files out: a directory of CSV to Parquet, a bucket to a bucket; new files only, through kills. */
import { mkdirSync, utimesSync, writeFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { orSkip } from '../components.ts'
import { startTestVersitygw } from '../s3-servers.ts'
import type { TestS3 } from '../s3-servers.ts'
import { describeWithTemporal } from '../temporal.ts'
import { queryFiles } from './compare.ts'
import { NO_WORK, workOf } from './lane-files.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'
import { until } from './until.ts'

const LINES = 60_000
const line = (id: number): string => `${id},"Näme, ""${id}""\n",${id}.07,2026-05-06T11:56:44.000001Z\n`
const csv = (from: number, to: number): string =>
  `id,name,amount,at\n${Array.from({ length: to - from }, (_, i) => line(from + i)).join('')}`

describeWithTemporal('flows from files', (temporal) => {
  let stage: Stage
  let s3: TestS3 | null
  let bucket = ''

  beforeAll(async () => {
    stage = await openStage(temporal, { salesforce: { accounts: 1, opportunities: 1 }, lake: 'file' })
    s3 = await orSkip(startTestVersitygw(), 'flows from files of a bucket')
    const path = join(stage.directory, 'lakeward.yaml')
    const installation = parse(readFileSync(path, 'utf8')) as { connections: Record<string, unknown> }
    installation.connections['inbox'] = { connector: 'file', path: './in' }
    if (s3) {
      bucket = await s3.createBucket()
      const place = { connector: 's3', bucket, endpoint: s3.url, region: s3.region }
      Object.assign(installation.connections, { drop: { ...place, path: 'in' }, bucket: { ...place, path: 'out' } })
    }
    writeFileSync(path, stringify(installation))
    const env = s3 ? { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey } : {}
    Object.assign(stage.env, env)
  })
  afterAll(async () => {
    await stage?.stop()
    await s3?.stop()
  })

  const put = (name: string, text: string): void => {
    const path = join(stage.directory, 'in/orders', name)
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, text)
    utimesSync(path, 1_700_000_000, 1_700_000_000)
  }
  const flow = (name: string, from: string, to: string) =>
    stage.flow(`
name: ${name}
source:
  connection: ${from}
  format: csv
  objects:
    - object: orders/*.csv
      id: orders
      into: orders
      schema: { id: int64, name: string, amount: 'decimal(18,2)', at: timestamp }
destination: { connection: ${to}, prefix: ${name}, fileSize: 1MB }
`)

  it('a directory of CSV into Parquet: each row once through a kill, new files only, bad lines set apart', async () => {
    put('1.csv', csv(0, LINES))
    put('2.csv', csv(LINES, 2 * LINES))
    const loading = flow('csv', 'inbox', 'lake')
    const worker = await stage.startWorker()
    const run = await stage.start(loading)
    await until('a unit is recorded', () => workOf(stage, loading.name, 'orders').units.length > 0)
    await worker.kill()
    await stage.startWorker()
    await run.result()
    const totals = `SELECT count(*) AS n, count(DISTINCT id) AS ids,
      count(*) FILTER (name = 'Näme, "' || id || '"' || chr(10)) AS named,
      count(*) FILTER ("at" = TIMESTAMPTZ '2026-05-06 11:56:44.000001+00') AS stamped FROM files`
    const read = async () => (await queryFiles(join(stage.lake, 'csv/orders'), totals))[0]
    const all = (n: number) => ({ n: `${n}`, ids: `${n}`, named: `${n}`, stamped: `${n}` })
    expect(await read()).toMatchObject(all(2 * LINES))
    expect(workOf(stage, loading.name, 'orders')).toEqual(NO_WORK)

    put('3.csv', `${csv(2 * LINES, 2 * LINES + 10)}not a number,x,1,2026-01-01T00:00:00Z\ntoo few\n`)
    const second = await stage.run(loading)
    expect(second).toMatchObject({ objects: [{ read: 12, written: 10, quarantined: 2 }] })
    expect(await read()).toMatchObject(all(2 * LINES + 10))
    await stage.run(loading)
    expect(await read()).toMatchObject(all(2 * LINES + 10))
  })

  it('a bucket into a bucket: the second run brings the new objects, and what changed', async (test) => {
    test.skip(s3 === null, 'there is no versitygw here')
    const send = (name: string, Body: string) =>
      s3!.client.send(new PutObjectCommand({ Bucket: bucket, Key: `in/orders/${name}`, Body }))
    await send('1.csv', csv(0, 2000))
    await send('2.csv', csv(2000, 4000))
    const loading = flow('objects', 'drop', 'bucket')
    expect(await stage.run(loading)).toMatchObject({ objects: [{ read: 4000, written: 4000 }] })
    await send('3.csv', csv(4000, 4500))
    await send('2.csv', csv(2000, 2001))
    expect(await stage.run(loading)).toMatchObject({ objects: [{ read: 501 }] })
    expect(await stage.run(loading)).toMatchObject({ objects: [{ status: 'nothing', read: 0 }] })
  })
})
