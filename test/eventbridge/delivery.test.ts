/** Records as events of a bus, checked where they arrive; and what is told where they cannot. */
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { createHash } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Field, Row, Session } from '../../connectors/connector.ts'
import { deliver } from '../../connectors/deliver.ts'
import type { ConnectorError } from '../../connectors/errors.ts'
import { eventbridge } from '../../connectors/eventbridge/eventbridge.ts'
import { settings } from '../../connectors/eventbridge/settings.ts'
import { checkTarget } from '../../connectors/records/target-check.ts'
import type { Outcome, RecordBatch } from '../../connectors/record-sink.ts'
import { orSkip } from '../components.ts'
import { madeUpSession } from '../contract/made-up-core.ts'
import { startTestMoto } from '../s3-servers.ts'
import type { TestS3 } from '../s3-servers.ts'
import { openEventGate } from './event-gate.ts'
import type { EventGate } from './event-gate.ts'
import { openEventQueue } from './event-queue.ts'
import type { EventQueue } from './event-queue.ts'

const THOROUGH = process.env['LAKEWARD_THOROUGH'] === '1'
const RECORDS = THOROUGH ? 10_000 : 200
const sink = eventbridge.destination!.record!
const fields: Field[] = [
  { name: 'Id', type: 'string', nullable: false },
  { name: 'Amount', type: 'decimal(18,2)', nullable: true },
]
const none = { read: () => Promise.resolve(null), write: <Ref>(_: number, ref: Ref) => Promise.resolve(ref) }

let moto: TestS3 | null
let gate: EventGate
let queue: EventQueue
beforeAll(async () => {
  moto = await orSkip(startTestMoto(), 'events of a bus')
  if (!moto) return
  gate = await openEventGate(moto.url)
  queue = await openEventQueue(moto.url)
})
afterAll(async () => {
  await gate?.stop()
  await moto?.stop()
})
beforeEach((test) => {
  test.skip(moto === null, 'there is no moto here')
  Object.assign(gate, { fate: () => 'taken', refusal: null, requests: [] })
})

const sessionOf = (more: Record<string, string> = {}): Session => ({
  ...madeUpSession(() => null, settings.parse({ bus: queue.bus, region: 'us-east-1', endpoint: gate.url, ...more })),
  aws: () => () => Promise.resolve({ accessKeyId: 'test', secretAccessKey: 'test' }),
})

function batchOf(rows: Row[], more: Partial<RecordBatch> = {}): RecordBatch {
  const target = { object: 'Account changed', fields: [], open: true as const }
  const ids = rows.map((_, row) => `lane-7-${row}`)
  return { target, write: 'append', key: null, fields, rows, ids, options: { source: 'com.acme.crm' }, ...more }
}

const send = (batch: RecordBatch, session = sessionOf()): Promise<Outcome[]> =>
  deliver({ sink, session, batch, way: 'send', jobs: none, attempts: 30, pauseMs: 1 })

/** The same in every run of the test. */
function dice(): () => number {
  let state = 42
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

describe('events', () => {
  it(`${RECORDS} records through random failures of entries: each arrives, and ids tell what came twice`, async () => {
    const roll = dice()
    gate.passed = () => queue.collect()
    gate.fate = () => {
      const fallen = roll()
      if (fallen < 0.1) return 'lost'
      return fallen < 0.3 ? { code: fallen < 0.2 ? 'ThrottlingException' : 'InternalFailure' } : 'taken'
    }
    const rows = Array.from({ length: RECORDS }, (_, at): Row => ({ Id: `r${at}`, Amount: at % 7 ? `${at}.10` : null }))
    const outcomes = await send(batchOf(rows))
    expect(outcomes).toHaveLength(RECORDS)
    expect(outcomes.every((one) => one.ok)).toBe(true)
    const came = await queue.take()
    expect(came.length).toBeGreaterThan(RECORDS)
    const byId = new Map(came.map(({ detail }) => [detail['_lakeward_id'], detail]))
    const expected = rows.map((row, at) => [`lane-7-${at}`, { _lakeward_id: `lane-7-${at}`, ...row }] as const)
    expect(byId).toEqual(new Map(expected))
    expect(came[0]).toMatchObject({ source: 'com.acme.crm', 'detail-type': 'Account changed' })
    expect(Math.max(...gate.requests)).toBe(10)
    expect(gate.requests.length).toBeLessThan((came.length / 10) * 2)
  }, 900_000)

  it('go in fewer per request where they are large, and never reach the limit together', async () => {
    const rows = Array.from({ length: 9 }, (_, at): Row => ({ Id: 'é'.repeat(40_000) + at, Amount: null }))
    expect((await send(batchOf(rows))).every((one) => one.ok)).toBe(true)
    expect(gate.requests).toEqual([3, 3, 3])
    expect(await queue.take()).toHaveLength(9)
  })

  it('that are too large are claims to their bodies, the same in every attempt', async () => {
    const bucket = await moto!.createBucket()
    const claimed: string[] = []
    const claim = async (id: string, body: Uint8Array) => {
      claimed.push(id)
      const Key = `claims/${createHash('sha256').update(id).digest('hex')}.json`
      await moto!.client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: body }))
      return { url: `s3://${bucket}/${Key}` }
    }
    const large = 'ß'.repeat(150_000)
    const batch = batchOf([{ Id: 'small' }, { Id: large, Amount: '1.10' }], { claim })
    for (const _ of [1, 2]) expect(await send(batch)).toMatchObject([{ ok: true }, { ok: true }])
    const [, first, , second] = (await queue.take()).map(({ detail }) => detail)
    expect(second).toEqual(first)
    const { bucket: Bucket, key, bytes, sha256 } = first!['_lakeward_claim'] as Record<string, string>
    const stored = await moto!.client.send(new GetObjectCommand({ Bucket, Key: key }))
    const body = await text(stored.Body as NodeJS.ReadableStream)
    expect(JSON.parse(body)).toEqual({ _lakeward_id: 'lane-7-1', Id: large, Amount: '1.10' })
    expect([Buffer.byteLength(body), createHash('sha256').update(body).digest('hex')]).toEqual([bytes, sha256])
    expect(claimed).toEqual(['lane-7-1', 'lane-7-1'])
  })

  it('are refused one by one for what they are', async () => {
    gate.fate = ({ Detail }) => (Detail.includes('bad') ? { code: 'MalformedDetail' } : 'taken')
    expect(await send(batchOf([{ Id: 'good' }, { Id: 'bad' }]))).toMatchObject([
      { ok: true },
      { ok: false, again: false, reason: 'MalformedDetail: made up' },
    ])
    const large = await send(batchOf([{ Id: 'x'.repeat(300_000) }]))
    expect(large).toMatchObject([{ ok: false, again: false, reason: expect.stringMatching(/294 KB.*256KB.*staging/) }])
    expect(await queue.take()).toHaveLength(1)
  })
})

describe('a target', () => {
  it('takes any fields, and needs no keys', async () => {
    const target = await sink.target(sessionOf(), 'Account changed', ['Id'])
    const [kind] = sink.writes
    expect(checkTarget({ target, kind: kind!, keys: [], fields })).toEqual({ key: null })
    expect(checkTarget({ target, kind: kind!, keys: ['Id'], fields })).toMatchObject([{ where: 'keys' }])
  })

  it('is told to people by its ARN', async () => {
    expect(await eventbridge.account!(sessionOf())).toEqual({
      bus: expect.stringMatching(`^arn:aws:events:.*/${queue.bus}$`),
    })
  })

  const look = (session: Session) => sink.target(session, 'Account', [])
  const put = (session: Session) => sink.send(session, batchOf([{ Id: '1' }]))
  const denied = { code: 'AccessDeniedException', message: 'User is not authorized to perform this' }
  it.each<[string, () => Promise<unknown>, string, RegExp]>([
    ['no such bus', () => look(sessionOf({ bus: 'nowhere' })), 'rejected', /look at the bus nowhere/],
    [
      'no permission to look',
      () => ((gate.refusal = { action: 'DescribeEventBus', ...denied }), look(sessionOf())),
      'forbidden',
      /AccessDenied/,
    ],
    [
      'no permission to put',
      () => ((gate.refusal = { action: 'PutEvents', ...denied }), put(sessionOf())),
      'forbidden',
      /AccessDenied/,
    ],
    [
      'no permission, told of an entry',
      () => ((gate.fate = () => ({ code: 'AccessDeniedException' })), put(sessionOf())),
      'forbidden',
      /AccessDenied/,
    ],
    [
      'keys that are wrong',
      () => (
        (gate.refusal = { action: 'PutEvents', code: 'UnrecognizedClientException', message: 'invalid token' }),
        put(sessionOf())
      ),
      'auth',
      /invalid token/,
    ],
    ['a type that is too long', () => sink.target(sessionOf(), 'x'.repeat(129), []), 'rejected', /128 letters/],
  ])('%s: told before anything is sent, with what to do', async (_, work, kind, reason) => {
    const error = await work().then(
      () => null,
      (caught: ConnectorError) => caught,
    )
    expect(error).toMatchObject({ kind, message: expect.stringMatching(reason), advice: expect.any(String) })
    expect(await queue.take()).toEqual([])
  })
})
