/** Events out of a stage: what happens to runs, on a bus of moto and at a receiver of signed requests. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ScheduleOverlapPolicy } from '@temporalio/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { LakewardClient } from '../../client/lakeward-client.ts'
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
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'
import { until } from './until.ts'

describeWithTemporal('events out', (temporal) => {
  let stage: Stage
  let moto: TestS3 | null
  let gate: EventGate
  let queue: EventQueue
  let receiver: Receiver
  const made: string[] = []

  beforeAll(async () => {
    stage = await openStage(temporal, { salesforce: { accounts: 30, contacts: 12, pageRows: 10 }, lake: 'file' })
    receiver = await openReceiver('hook-secret')
    moto = await orSkip(startTestMoto(), 'events of a bus')
    const path = join(stage.directory, 'lakeward.yaml')
    const installation = parse(readFileSync(path, 'utf8')) as { connections: Record<string, unknown> }
    const auth = { type: 'signing_secret', secret: { env: 'HOOK_SECRET' } }
    installation.connections['hook'] = { connector: 'callback', url: receiver.url, auth }
    if (moto) {
      gate = await openEventGate(moto.url)
      queue = await openEventQueue(moto.url)
      const events = { connector: 'eventbridge', bus: queue.bus, region: 'us-east-1', endpoint: gate.url }
      installation.connections['events'] = events
    }
    writeFileSync(path, stringify(installation))
    Object.assign(stage.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', HOOK_SECRET: 'hook-secret' })
    await stage.startWorker({ args: ['--task-queue', stage.queue] })
  })
  afterAll(async () => {
    const lakeward = new LakewardClient(stage.client)
    await Promise.all(made.map((name) => lakeward.delete(name, { cancel: true }).catch(() => {})))
    await stage.stop()
    await receiver.stop()
    await gate?.stop()
    await moto?.stop()
  })

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
})
