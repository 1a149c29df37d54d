/** Events out of a stage: records, and what happens to runs, on a bus of moto and at a receiver of signed requests. */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { GetObjectCommand } from '@aws-sdk/client-s3'
import { ScheduleOverlapPolicy } from '@temporalio/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { LakewardClient } from '../../client/lakeward-client.ts'
import { freePort } from '../../worker/ports.ts'
import { orSkip } from '../components.ts'
import { openEventGate } from '../eventbridge/event-gate.ts'
import type { EventGate } from '../eventbridge/event-gate.ts'
import { openEventQueue } from '../eventbridge/event-queue.ts'
import type { EventQueue } from '../eventbridge/event-queue.ts'
import { openReceiver } from '../notify/receiver.ts'
import type { Receiver } from '../notify/receiver.ts'
import { startTestMoto } from '../s3-servers.ts'
import type { TestS3 } from '../s3-servers.ts'
import { describeWithTemporal } from '../temporal.ts'
import { failureOf } from './run-failure.ts'
import { freshWord, inFiles, inTemporal, inText, placesOf } from './canary-search.ts'
import { SHOP_SECRET, Shop, orderOf } from './shop.ts'
import type { Stage, WorkerProcess } from './stage.ts'
import { openStage } from './stage.ts'
import { pause, until } from './until.ts'

const THOROUGH = process.env['LAKEWARD_THOROUGH'] === '1'
const MANY = THOROUGH ? 10_000 : 60
const example = (name: string) =>
  parse(readFileSync(new URL(`../../client/examples/${name}.yaml`, import.meta.url), 'utf8')) as Record<string, object>

const HOOK_SECRET = freshWord('hook')

describeWithTemporal('events out', (temporal) => {
  let stage: Stage
  let moto: TestS3 | null
  let gate: EventGate
  let queue: EventQueue
  let receiver: Receiver
  let bucket = ''
  let worker: WorkerProcess
  const made: string[] = []

  beforeAll(async () => {
    stage = await openStage(temporal, { salesforce: { accounts: 30, contacts: 12, pageRows: 10 }, lake: 'file' })
    receiver = await openReceiver(HOOK_SECRET)
    moto = await orSkip(startTestMoto(), 'events of a bus')
    const path = join(stage.directory, 'lakeward.yaml')
    const installation = parse(readFileSync(path, 'utf8')) as { connections: Record<string, unknown> }
    const auth = { type: 'signing_secret', secret: { env: 'HOOK_SECRET' } }
    installation.connections['hook'] = { connector: 'callback', url: receiver.url, auth }
    if (moto) {
      gate = await openEventGate(moto.url)
      queue = await openEventQueue(moto.url)
      const events = { connector: 'eventbridge', bus: queue.bus, region: 'us-east-1', endpoint: gate.url }
      bucket = await moto.createBucket()
      Object.assign(installation.connections, {
        bucket: { connector: 's3', bucket, endpoint: moto.url, region: moto.region },
        events: { ...events, staging: { connection: 'bucket', prefix: 'claims' } },
        unstaged: events,
        nowhere: { ...events, bus: 'nowhere' },
      })
    }
    const { shop } = example('lakeward')['connections'] as Record<string, object>
    installation.connections['shop'] = { ...shop, taskQueue: stage.queue }
    writeFileSync(path, stringify(installation))
    Object.assign(stage.env, {
      SHOP_SECRET,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      HOOK_SECRET,
    })
    worker = await startWorker()
  })
  afterAll(async () => {
    const lakeward = new LakewardClient(stage.client)
    await Promise.all(made.map((name) => lakeward.delete(name, { cancel: true }).catch(() => {})))
    await stage.stop()
    await receiver.stop()
    await gate?.stop()
    await moto?.stop()
  })

  const startWorker = () => stage.startWorker({ args: ['--task-queue', stage.queue] })
  const told = () => receiver.told.splice(0).map(({ event }) => event)
  const typeOf = (one: { 'detail-type': string }): string => one['detail-type'].replace('AppFlow ', '')
  async function stepsOf(workflowId: string): Promise<string[]> {
    const { events = [] } = await stage.client.workflow.getHandle(workflowId).fetchHistory()
    return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: one }) => one?.activityType?.name ?? [])
  }

  it('a run is told on the bus and to a receiver, with counts, and with what drifted', async (test) => {
    test.skip(moto === null, 'there is no moto here')
    const flow = stage.flow(`
name: told
source: { settle: 0s, objects: [{ object: Account, into: accounts }, { object: Contact, into: contacts }] }
destination: { prefix: told }
notify: [{ connection: events }, { connection: hook }]
`)
    // Who is away for a moment is told later, and the run does not wait for it.
    receiver.answers.push(503)
    const first = await stage.start(flow)
    const result = await first.result()
    expect(result).toMatchObject({ read: 42, notes: [] })
    const came = told()
    expect(came.map(typeOf)).toEqual(['Start Flow Run Report', 'Start Flow Run Report', 'End Flow Run Report'])
    const [start, again, end] = came
    expect(again).toEqual(start)
    expect(end!.id > start!.id).toBe(true)
    expect(end!.detail).toMatchObject({
      'flow-name': flow.name,
      source: `SALESFORCE/${stage.crm}`,
      'source-object': ['Account', 'Contact'],
      destination: 'FILE',
      'trigger-type': 'ONDEMAND',
      'workflow-id': first.workflowId,
      status: 'Execution Successful',
      'num-of-records-processed': '42',
      'num-of-record-failures': '0',
      'num-of-documents-processed': String(result.files),
      'data-processed': String(result.bytes),
      objects: [
        { object: 'Account', status: 'done', read: 30, written: 30 },
        { object: 'Contact', status: 'done', read: 12, written: 12 },
      ],
    })
    const onBus = new Map((await queue.take()).map((one) => [one.detail['notification-id'], one]))
    expect([...onBus.keys()]).toEqual([start!.id, end!.id])
    const { 'notification-id': _, ...detail } = onBus.get(end!.id)!.detail
    expect(detail).toEqual(end!.detail)
    expect((await stepsOf(first.workflowId)).filter((name) => name === 'notifyRun')).toHaveLength(2)

    stage.sandbox.control.addField({ object: 'Account', name: 'New__c', type: 'string' })
    stage.sandbox.control.insert({ object: 'Account', count: 2 })
    await stage.run(flow)
    const second = told()
    expect(second.map(typeOf)).toEqual([
      'Start Flow Run Report',
      'Automatic Field Import Report',
      'End Flow Run Report',
    ])
    expect(second[1]!.detail['objects']).toMatchObject([
      { object: 'Account', schemaVersion: 2, changes: [expect.stringContaining('New__c')] },
    ])
    expect((await queue.take()).map(typeOf).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      'Automatic Field Import Report',
      'End Flow Run Report',
      'Start Flow Run Report',
    ])
  })

  it('who refuses to be told is a note, and no failure; where nobody is named, nobody is told', async () => {
    const flow = stage.flow(`
name: refused
source: { settle: 0s, objects: [{ object: Contact, into: contacts }] }
destination: { prefix: refused }
notify: [{ connection: hook, on: [ended] }]
`)
    receiver.answers.push(403)
    const { notes } = await stage.run(flow)
    expect(notes).toEqual([expect.stringMatching(/^hook was not told of the run: .*403/)])
    expect(told().map(typeOf)).toEqual(['End Flow Run Report'])
    const { notify: _, ...quiet } = flow
    const run = await stage.start(quiet)
    await run.result()
    expect(await stepsOf(run.workflowId)).not.toContain('notifyRun')
    expect(told()).toEqual([])
    const wrong = await stage.start({ ...flow, notify: [{ connection: 'lake' }] })
    expect(await failureOf(wrong.result())).toMatchObject({
      type: 'FlowInvalid',
      message: expect.stringMatching(/notify\[0\]\.connection: file cannot be told how runs go/),
    })
  })

  it('failures in a row are told, and that the flow is paused for them', async () => {
    const flow = stage.flow(`
name: fails
source: { objects: [Nothing__c] }
destination: { prefix: fails }
trigger: { cron: 0 0 1 1 *, pauseAfterFailures: 2 }
notify: [{ connection: hook }]
`)
    made.push(flow.name)
    await new LakewardClient(stage.client).apply(flow)
    const schedule = stage.client.schedule.getHandle(`flow/${flow.name}`)
    for (const runs of [1, 2]) {
      // A schedule names its runs by the second.
      if (runs > 1) await new Promise((resolve) => setTimeout(resolve, 1_100))
      await schedule.trigger(ScheduleOverlapPolicy.SKIP)
      const started = await until('the run has begun', async () => {
        const { recentActions } = (await schedule.describe()).info
        return recentActions.length === runs ? recentActions.at(-1)!.action.workflow.workflowId : null
      })
      await failureOf(stage.client.workflow.getHandle(started).result())
    }
    const came = told()
    const each = ['Start Flow Run Report', 'End Flow Run Report']
    expect(came.map(typeOf)).toEqual([...each, ...each, 'Scheduled Flow Deactivated'])
    expect(came[1]!.detail).toMatchObject({
      status: 'Execution Failed',
      error: expect.stringContaining('Nothing__c'),
      'trigger-type': 'SCHEDULED',
    })
    expect(came.at(-1)!.detail).toMatchObject({
      'deactivation-reason': '2 runs in a row failed',
      'deactivation-time': came.at(-1)!.time,
    })
    const ids = came.map(({ id }) => id)
    expect(ids.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(ids)
  })

  /** Records as they came, by the id of their event; one that came twice came the same. */
  async function records(type: string) {
    const came = (await queue.take()).filter((one) => one['detail-type'] === type)
    const byId = new Map<unknown, Record<string, unknown>>()
    for (const { detail } of came) {
      const { _lakeward_id: id, ...record } = detail
      if (byId.has(id)) expect(record).toEqual(byId.get(id))
      byId.set(id, record)
    }
    return { came, rows: [...byId.values()].toSorted((a, b) => (String(a['Id']) < String(b['Id']) ? -1 : 1)) }
  }
  const truth = (ids?: string[]) =>
    [...stage.sandbox.control.truth('Account')]
      .filter(({ Id }) => ids === undefined || ids.includes(Id!))
      .map(({ Id, Name, AnnualRevenue, SystemModstamp }) => ({
        Id,
        Name,
        annual_revenue: AnnualRevenue,
        SystemModstamp,
      }))
      .toSorted((a, b) => (a.Id! < b.Id! ? -1 : 1))
  /** The org writes whole seconds with their thousandths. */
  const asOrg = (row: Record<string, unknown>) => ({
    ...row,
    SystemModstamp: new Date(String(row['SystemModstamp'])).toISOString(),
  })
  const flowOf = (name: string, destination: object = {}, object: object = {}) =>
    stage.flow(
      JSON.stringify({
        name,
        source: {
          settle: '0s',
          objects: [{ object: 'Account', into: name, transform: [{ keep: ['Id', 'Name'] }], ...object }],
        },
        destination: { connection: 'events', ...destination },
      }),
    )

  it('the example: every account is an event, as the org has it; later what changed, and what is too large', async (test) => {
    test.skip(moto === null, 'there is no moto here')
    const { control } = stage.sandbox
    const written = example('salesforce-to-eventbridge')
    const flow = stage.flow(
      JSON.stringify({ ...written, source: { ...written.source, connection: stage.crm, settle: '0s' } }),
    )
    const all = truth()
    const first = await stage.run(flow)
    expect(first.objects[0]).toMatchObject({ read: all.length, delivered: { inserted: all.length, rejected: 0 } })
    const { came, rows } = await records('Account changed')
    expect(rows.map(asOrg)).toEqual(all)
    expect(new Set(came.map(({ source }) => source))).toEqual(new Set(['com.acme.crm']))

    const ids = control.ids({ object: 'Account', limit: 3, deleted: false })
    control.update({ object: 'Account', ids, values: { Name: 'Jürgen & Söhne "GmbH"' } })
    await pause(1_100)
    expect((await stage.run(flow)).objects[0]).toMatchObject({ delivered: { inserted: 3 } })
    expect((await records('Account changed')).rows.map(asOrg)).toEqual(truth(ids))
  })

  it('the example of a shop: its signed webhooks come out on the bus, each once, as they were sent', async (test) => {
    test.skip(moto === null, 'there is no moto here')
    const flow = stage.flow(JSON.stringify(example('webhook-to-eventbridge')))
    made.push(flow.name)
    await new LakewardClient(stage.client).apply(flow)
    const on = `127.0.0.1:${await freePort()}`
    const at = await stage.startReceiver(on)
    await until('the receiver knows the flow', () => at.output().includes(`${flow.name} takes events`))
    const shop = new Shop(`http://${on}`)
    await shop.send(1, 31, 100)
    const found: Record<string, unknown>[] = []
    await until('all are on the bus', async () => {
      for (const { detail } of (await records('Shop order')).came) found.push(detail)
      return new Set(found.map(({ number }) => number)).size === 30
    })
    await shop.close()
    await at.kill()
    const wanted = Array.from({ length: 30 }, (_, n) => orderOf(n + 1, 0))
    const sorted = found.toSorted((a, b) => Number(a['number']) - Number(b['number']))
    expect(sorted).toMatchObject(wanted.map(({ id, type, total }) => ({ _event_id: id, kind: type, total })))
    expect(new Set(sorted.map(({ _lakeward_id: id }) => id)).size).toBe(30)
  })

  it(`killed while ${MANY} are sent, and entries fail: every event comes, and its id tells it`, async (test) => {
    test.skip(moto === null, 'there is no moto here')
    stage.sandbox.control.insert({ object: 'Account', count: MANY })
    await pause(1_100)
    const all = truth().map(({ Id, Name }) => ({ Id, Name }))
    let passed = 0
    // From the fourth on, what was delivered is not answered.
    gate.passed = () => (++passed <= 3 ? queue.collect() : new Promise(() => {}))
    const run = await stage.start(flowOf('killed'))
    // Some were sent, and nobody has written that down.
    await until('requests have gone through', () => passed > 3)
    await worker.kill()
    let entries = 0
    gate.fate = () =>
      (['lost', { code: 'ThrottlingException' }, { code: 'InternalFailure' }] as const)[entries++ % 7] ?? 'taken'
    gate.passed = () => queue.collect()
    worker = await startWorker()
    expect((await run.result()).objects[0]).toMatchObject({ delivered: { inserted: all.length, rejected: 0 } })
    const { came, rows } = await records('killed')
    expect(rows).toEqual(all)
    expect(came.length).toBeGreaterThan(all.length)
    expect(new Set(came.map(({ detail }) => detail['_lakeward_id'])).size).toBe(all.length)
    Object.assign(gate, { fate: () => 'taken', passed: () => Promise.resolve() })
    expect((await stage.run(flowOf('killed'))).objects[0]).toMatchObject({ status: 'nothing' })
  }, 900_000)

  it('a record too large for an event is a claim to its body; without staging it is quarantined', async (test) => {
    test.skip(moto === null, 'there is no moto here')
    const { control } = stage.sandbox
    for (const name of ['Long__c', 'Longer__c'])
      control.addField({ object: 'Account', name, type: 'textarea', options: { length: 131_072 } })
    const long = 'ß'.repeat(80_000)
    const ids = control.ids({ object: 'Account', limit: 3, deleted: false })
    control.update({ object: 'Account', ids: ids.slice(0, 1), values: { Long__c: long, Longer__c: long } })
    await pause(1_100)
    const fields = { where: { Id: { in: ids } }, transform: [{ keep: ['Id', 'Long__c', 'Longer__c'] }] }
    const claimed = await stage.run(flowOf('claimed', {}, fields))
    expect(claimed.objects[0]).toMatchObject({ delivered: { rejected: 0 } })
    const { rows } = await records('claimed')
    expect(rows).toHaveLength(3)
    const claims = rows.filter((row) => row['_lakeward_claim'])
    expect(claims).toHaveLength(1)
    const { key, bytes, sha256, bucket: Bucket } = claims[0]!['_lakeward_claim'] as Record<string, string>
    expect([Bucket, key]).toEqual([bucket, expect.stringMatching(/^claims\/.*\/[0-9a-f]{32}\.json$/)])
    const { Body } = await moto!.client.send(new GetObjectCommand({ Bucket, Key: key }))
    const body = await text(Body as NodeJS.ReadableStream)
    expect(JSON.parse(body)).toMatchObject({ Id: ids[0], Long__c: long, Longer__c: long })
    expect([Buffer.byteLength(body), createHash('sha256').update(body).digest('hex')]).toEqual([bytes, sha256])

    const without = await stage.run(flowOf('unstaged', { connection: 'unstaged' }, fields))
    expect(without.objects[0]).toMatchObject({ delivered: { rejected: 1, inserted: 2 } })
    expect(without.objects[0]!.notes.join()).toMatch(/1 of .* refused by unstaged: TooLarge \(1\)/)
    expect((await records('unstaged')).rows).toHaveLength(2)
  })

  it('wrong inputs are told before anything is sent', async (test) => {
    test.skip(moto === null, 'there is no moto here')
    const [Id] = stage.sandbox.control.ids({ object: 'Account', limit: 1, deleted: false })
    const one = { where: { Id: { eq: Id! } } }
    const denied = { code: 'AccessDeniedException', message: 'User is not authorized to perform this' }
    const cases: [flow: object, action: string | null, message: RegExp][] = [
      [flowOf('wrong', { connection: 'nowhere' }), null, /look at the bus nowhere failed.*make the bus/],
      [flowOf('wrong', { options: { source: 'aws.mine' } }), null, /destination\.options\.source.*begins with aws\./],
      [flowOf('wrong', { options: { bus: 'x' } }), null, /unknown key 'bus'/],
      [flowOf('wrong', { write: 'upsert' }), null, /eventbridge has no write 'upsert'/],
      [flowOf('wrong', { prefix: 'raw' }), null, /`prefix` is for files/],
      [flowOf('wrong', {}, { keys: ['Id'] }), null, /keys/],
      [flowOf('wrong', {}, { into: 'x'.repeat(129) }), null, /128 letters/],
      [flowOf('wrong', {}, one), 'DescribeEventBus', /AccessDenied.*events:DescribeEventBus/],
      [flowOf('wrong', {}, one), 'PutEvents', /AccessDenied.*events:PutEvents/],
    ]
    for (const [flow, action, message] of cases) {
      gate.refusal = action === null ? null : { action, ...denied }
      const { type, message: said } = await failureOf(stage.run(flow))
      expect(`${type}: ${said}`).toMatch(message)
    }
    gate.refusal = null
    expect(await queue.take()).toEqual([])
    // What could not be sent is owed, and goes first.
    expect((await stage.run(flowOf('wrong', {}, one))).objects[0]).toMatchObject({ delivered: { inserted: 1 } })
    expect((await records('wrong')).rows).toMatchObject([{ Id }])
  })

  it('the secrets of webhooks, in and out, are found nowhere', async () => {
    const haystacks = [
      ...(await inTemporal(stage, temporal.folder)),
      ...(await inFiles(stage)),
      inText('log of the worker', [worker.output()]),
      inText('what receivers were told', [JSON.stringify(receiver.told)]),
    ]
    for (const word of [HOOK_SECRET, SHOP_SECRET]) expect(placesOf(word, haystacks)).toEqual([])
    expect(placesOf(receiver.url, haystacks)).not.toEqual([])
  })
})
