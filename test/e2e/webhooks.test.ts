/**
 * Webhooks by the receiver into a bucket and a directory: worker and receiver are killed, and each event is there once;
 * what is not the shop's is refused and nowhere. `LAKEWARD_THOROUGH=1`: the full numbers, and how long it takes.
 */
import { createHmac } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { parse, stringify } from 'yaml'
import { LakewardClient } from '../../client/lakeward-client.ts'
import { freePort } from '../../worker/ports.ts'
import { orSkip } from '../components.ts'
import { startTestVersitygw } from '../s3-servers.ts'
import type { TestS3 } from '../s3-servers.ts'
import { describeWithTemporal } from '../temporal.ts'
import { queryFiles } from './compare.ts'
import { LakeMirror } from './lake-mirror.ts'
import { inFiles, inTemporal, inText, placesOf } from './canary-search.ts'
import { SHOP_SECRET, Shop, orderOf, signed } from './shop.ts'
import type { Stage, WorkerProcess } from './stage.ts'
import { openStage } from './stage.ts'
import { pause, until } from './until.ts'

const THOROUGH = process.env['LAKEWARD_THOROUGH'] === '1'
if (THOROUGH) vi.setConfig({ testTimeout: 1_800_000 })
const example = (name: string): string =>
  readFileSync(new URL(`../../client/examples/${name}`, import.meta.url), 'utf8')
type Connections = { connections: Record<string, Record<string, unknown>> }

describeWithTemporal('webhooks', (temporal) => {
  let stage: Stage
  let s3: TestS3 | null
  let mirror: LakeMirror | undefined
  let shop: Shop
  let worker: WorkerProcess
  let receiver: WorkerProcess
  let on = ''

  beforeAll(async () => {
    stage = await openStage(temporal, { salesforce: { accounts: 1, opportunities: 1 }, lake: 'file' })
    s3 = await orSkip(startTestVersitygw(), 'webhooks into a bucket')
    const path = join(stage.directory, 'lakeward.yaml')
    const installation = parse(readFileSync(path, 'utf8')) as Connections
    const { connections } = parse(example('lakeward.yaml')) as Connections
    installation.connections['shop'] = { ...connections['shop'], taskQueue: stage.queue }
    installation.connections['chat'] = {
      connector: 'webhook',
      scheme: 'slack',
      taskQueue: stage.queue,
      auth: { type: 'signing_secret', secret: { env: 'CHAT_SECRET' } },
    }
    installation.connections['bucket'] = { connector: 'file', path: './bucket' }
    if (s3) {
      const bucket = await s3.createBucket()
      installation.connections['bucket'] = { connector: 's3', bucket, endpoint: s3.url, region: s3.region }
      Object.assign(stage.env, { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey })
      const { namespaceInfo } = await stage.client.workflowService.describeNamespace({ namespace: temporal.namespace })
      mirror = new LakeMirror(join(stage.directory, 'bucket'), { client: s3.client, bucket }, namespaceInfo?.id ?? '')
    }
    Object.assign(stage.env, { SHOP_SECRET, CHAT_SECRET: 'chat' })
    writeFileSync(path, stringify({ ...installation, listen: { maxBody: '1MB' } }))
    on = `127.0.0.1:${await freePort()}`
    shop = new Shop(`http://${on}`)
    ;[worker, receiver] = await Promise.all([stage.startWorker(), stage.startReceiver(on)])
  })
  afterAll(async () => {
    await shop?.close()
    await stage?.stop()
    await s3?.stop()
  })

  const flowOf = (change: object) => {
    const { source, ...written } = parse(example('webhook-to-s3.yaml')) as { source: object }
    return stage.flow(
      stringify({ ...written, source, trigger: { event: 'webhook', batch: { every: '1s' } }, ...change }),
    )
  }
  const lane = async (flow: { name: string }) =>
    (await new LakewardClient(stage.client).status(flow.name)).listener?.objects[0]
  /** Nothing waits: as the listener knows, and in the lake. */
  const settled = (flow: { name: string }, lake: string) =>
    until(
      'all are committed',
      async () => {
        const { phase = '', waiting = 0 } = (await lane(flow)) ?? {}
        if (phase !== 'waiting' || waiting > 0) return false
        if (lake !== stage.lake) await mirror?.pull()
        const kept = join(lake, '_lakeward/_events', flow.name, 'orders/kept')
        return !existsSync(kept) || readdirSync(kept).length === 0
      },
      { withinMs: THOROUGH ? 600_000 : 90_000, everyMs: 500 },
    )
  /** Sends while worker and receiver are killed, each so many times. */
  async function storm(from: number, to: number, perSecond: number, kills: number): Promise<void> {
    const sending = shop.send(from, to, perSecond)
    const pauseMs = ((to - from) * 1000) / perSecond / (kills + 1)
    for (let at = 0; at < kills; at++) {
      await pause(pauseMs)
      await receiver.kill()
      await worker.kill()
      ;[worker, receiver] = await Promise.all([stage.startWorker(), stage.startReceiver(on)])
    }
    await sending
  }
  /** Applied, and known to the receiver. */
  async function apply(flow: Record<string, unknown> & { name: string }): Promise<void> {
    await new LakewardClient(stage.client).apply(flow)
    await until('the receiver knows it', () => receiver.output().includes(`${flow.name} takes events`))
  }
  const TOTALS = `SELECT count(*) AS n, count(DISTINCT _event_id) AS ids, sum(number) AS numbers,
    count(*) FILTER (_event_id = 'evt-' || number AND total = number + 0.07
      AND note = 'Näme "' || number || '"' || chr(10) AND placed_at <= _received_at
      AND _event_kind = CASE WHEN number % 2 = 0 THEN 'order.created' ELSE 'order.paid' END) AS right FROM files`
  const totals = (n: number) => ({ n: `${n}`, ids: `${n}`, numbers: `${(n * (n - 1)) / 2}`, right: `${n}` })

  it('the example: worker and receiver are killed while the shop sends, and each order is in the bucket once', async () => {
    const flow = flowOf({})
    await apply(flow)
    await storm(0, 400, 100, 1)
    const bucket = join(stage.directory, 'bucket')
    await settled(flow, bucket)
    expect(await queryFiles(join(bucket, 'shop/orders'), TOTALS)).toEqual([totals(400)])
    // Once more, and nothing is new.
    await shop.send(0, 20, 1000)
    await settled(flow, bucket)
    expect(await queryFiles(join(bucket, 'shop/orders'), TOTALS)).toEqual([totals(400)])
    await new LakewardClient(stage.client).delete(flow.name, { cancel: true })
  })

  it('what is forged, altered, stale, too large or no event is refused, and nothing of it is written', async () => {
    const flow = flowOf({ name: 'refusing', destination: { connection: 'lake', prefix: 'refusing' } })
    await apply(flow)
    const body = JSON.stringify(orderOf(1, 0))
    const fine = (): Record<string, string> => signed(body)
    const old = 1_700_000_000_000
    const large = `${body.slice(0, -1)},"x":"${'x'.repeat(1024 * 1024)}"}`
    async function* chunks() {
      yield await Promise.resolve(large)
    }
    const cases: [string, number, () => Promise<{ status: number; body: string }>][] = [
      ['forged', 401, () => shop.post(body, signed(body, { secret: 'another' }))],
      ['altered', 401, () => shop.post(body.replace('.07', '.08'), fine())],
      ['altered by a space', 401, () => shop.post(`${body} `, fine())],
      ['stale', 401, () => shop.post(body, signed(body, { atMs: Date.now() - 301_000 }))],
      ['of a time to come', 401, () => shop.post(body, signed(body, { atMs: Date.now() + 305_000 }))],
      [
        'of an old time with a new stamp',
        401,
        () => shop.post(body, { ...fine(), 'x-shop-signature': signed(body, { atMs: old })['x-shop-signature']! }),
      ],
      ['without a signature', 401, () => shop.post(body, { 'x-shop-timestamp': fine()['x-shop-timestamp']! })],
      ['without a time', 401, () => shop.post(body, { 'x-shop-signature': fine()['x-shop-signature']! })],
      [
        'with half a signature',
        401,
        () => shop.post(body, { ...fine(), 'x-shop-signature': fine()['x-shop-signature']!.slice(0, 39) }),
      ],
      ['empty', 401, () => shop.post('', fine())],
      ['no JSON', 400, () => shop.post('hello', signed('hello'))],
      ['without an id', 400, () => shop.post('{"type":"order.paid"}', signed('{"type":"order.paid"}'))],
      ['too large', 413, () => shop.post(large, signed(large))],
      ['too large, in chunks', 413, () => shop.post(chunks() as never, signed(large))],
      ['compressed', 415, () => shop.post(body, { ...fine(), 'content-encoding': 'gzip' })],
      ['no POST', 405, () => shop.post(body, fine(), '/hooks/shop', 'PUT')],
      ["another connection's", 401, () => shop.post(body, fine(), '/hooks/chat')],
      ['of no connection', 404, () => shop.post(body, fine(), '/hooks/nobody')],
      ['outside of hooks', 404, () => shop.post(body, fine(), '/hooks/../shop')],
    ]
    const chat = { name: 'chat', source: { connection: 'chat', objects: ['message'] } }
    await apply(stage.flow(stringify({ ...parse(example('webhook-to-s3.yaml')), ...chat })))
    for (let at = 0; at < (THOROUGH ? 10_000 : 2 * cases.length); at++) {
      const [what, status, send] = cases[at % cases.length]!
      const told = await until('it is answered', () => send().catch(() => null))
      expect([what, told.status, Object.keys(JSON.parse(told.body) as object)]).toEqual([what, status, ['error']])
    }
    expect(existsSync(join(stage.lake, '_lakeward/_events'))).toBe(false)
    expect(await lane(flow)).toMatchObject({ waiting: 0, batches: 0 })
    const challenge = '{"type":"url_verification","challenge":"c-1"}'
    expect(await shop.post(challenge, slackSigned(challenge), '/hooks/chat/any/thing')).toMatchObject({
      status: 200,
      body: 'c-1',
    })
    // 503 asks to come again, as a shop does.
    await until('it is kept', async () => (await shop.post(body, fine())).body === '{"kept":1}\n')
    expect(await shop.post('', {}, '/health', 'GET')).toMatchObject({ status: 200, body: '{"status":"ready"}\n' })
    await settled(flow, stage.lake)
    expect(await queryFiles(join(stage.lake, 'refusing'), 'SELECT _event_id AS id FROM files')).toEqual([
      { id: 'evt-1' },
    ])
    for (const name of [flow.name, flow.name.replace('refusing', 'chat')])
      await new LakewardClient(stage.client).delete(name, { cancel: true })
    const haystacks = [
      ...(await inTemporal(stage, temporal.folder)),
      ...(await inFiles(stage)),
      inText('log of the worker', [worker.output()]),
      inText('log of the receiver', [receiver.output()]),
    ]
    expect(placesOf(SHOP_SECRET, haystacks)).toEqual([])
    // The search finds words: an event's id is in the lake.
    expect(placesOf('evt-1', haystacks)).not.toEqual([])
  })

  it('a flow on a queue that the workers of this file do not poll is left to whoever does', async () => {
    const lakeward = new LakewardClient(stage.client)
    const foreign = { ...flowOf({ name: 'foreign' }), taskQueue: `elsewhere-${stage.id}` }
    await lakeward.apply(foreign)
    await until('it is told', () =>
      receiver.output().includes(`${foreign.name} is left out: its task queue is elsewhere-${stage.id}`),
    )
    const body = JSON.stringify(orderOf(2, 0))
    expect(await shop.post(body, signed(body))).toMatchObject({ status: 503 })
    await stage.client.workflow.getHandle(`flow/${foreign.name}/listen`).terminate()
    await lakeward.delete(foreign.name, { cancel: true })
  })

  it.runIf(THOROUGH)(
    '100,000 at 500 a second, killed three times: none lost, none doubled; how long it takes',
    async () => {
      const flow = flowOf({ name: 'many', destination: { connection: 'lake', prefix: 'many' } })
      await apply(flow)
      const CALM = 30_000
      await shop.send(0, CALM, 500)
      await settled(flow, stage.lake)
      const calm = await latencies(stage, flow.name, 'many')
      await storm(CALM, 100_000, 500, 3)
      await settled(flow, stage.lake)
      const all = await latencies(stage, flow.name, 'many')
      const entries = readdirSync(join(stage.lake, '_lakeward', flow.name, 'orders/commits')).length / 2
      console.log(
        `events: to visible rows ${seconds(calm)}; with three kills ${seconds(all)}; ${entries} batches, ${shop.again} sent again`,
      )
      expect(await queryFiles(join(stage.lake, 'many/orders'), TOTALS)).toEqual([totals(100_000)])
      expect(calm[Math.floor(calm.length * 0.95)]).toBeLessThan(5_000)
    },
  )
})

function slackSigned(body: string): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1000))
  const signature = createHmac('sha256', 'chat').update(`v0:${timestamp}:${body}`).digest('hex')
  return { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': `v0=${signature}` }
}

/** Milliseconds from each event to the outcome of its entry, sorted: who lists the folder saw the row before. */
async function latencies(stage: Stage, flow: string, prefix: string): Promise<number[]> {
  const commits = join(stage.lake, '_lakeward', flow, 'orders/commits')
  const visibleMs = new Map<string, number>()
  for (const name of readdirSync(commits).filter((one) => one.endsWith('.json'))) {
    const { files } = JSON.parse(readFileSync(join(commits, name), 'utf8')) as { files: { key: string }[] }
    const { mtimeMs } = statSync(join(commits, name.replace('.json', '.outcome')))
    for (const { key } of files) visibleMs.set(key.slice(key.lastIndexOf('/') + 1), mtimeMs)
  }
  const duck = await (await DuckDBInstance.create(':memory:', { threads: '2' })).connect()
  const rows = await duck.runAndReadAll(`SELECT parse_filename(filename) AS file, epoch_ms(placed_at) AS at
    FROM read_parquet('${stage.lake}/${prefix}/**/*.parquet', filename = true)`)
  duck.closeSync()
  const took = rows.getRowObjects().map(({ file, at }) => visibleMs.get(String(file))! - Number(at))
  return took.toSorted((a, b) => a - b)
}

const seconds = (sorted: number[]): string =>
  [0.5, 0.95]
    .map((share) => `p${share * 100} ${(sorted[Math.floor(sorted.length * share)]! / 1000).toFixed(2)} s`)
    .join(', ')
