/** Who is told of a run, what stands in it, and what becomes of a run when somebody cannot be told. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MockActivityEnvironment } from '@temporalio/testing'
import { DefaultLogger } from '@temporalio/worker'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import type { NotifyDigest, NotifyInput, RunEvent } from '../../activities/digests.ts'
import { noticeOf } from '../../activities/notices.ts'
import { notifyRun } from '../../activities/notify-run.ts'
import type { Json } from '../../connectors/connector.ts'
import { completeNotify, notify } from '../../connectors/flow-notify.ts'
import { validate } from '../../connectors/validate.ts'
import { assemble } from '../../worker/assemble.ts'
import { openReceiver } from './receiver.ts'
import type { Receiver } from './receiver.ts'

const AT = '2026-05-06T11:56:44.123Z'
const run = { workflowId: 'flow/orders/run-1', runId: '3f2a9c1d-0000-4000-8000-000000000000', startedAt: AT }
const flow = (target: Json): NotifyInput['flow'] => ({
  name: 'orders',
  notify: target,
  source: { connection: 'crm', objects: ['Account', 'Contact*'] },
  destination: { connection: 'lake', object: 'salesforce/raw' },
  trigger: 'SCHEDULED',
})
const ended: RunEvent = {
  kind: 'ended',
  at: '2026-05-06T12:00:00.000Z',
  status: 'Failed',
  error: '1 of 2 objects failed',
  totals: { read: 17, left: 3, failed: 2, files: 1, bytes: 4096 },
  objects: [{ object: 'Account', status: 'done', read: 17 }],
  others: 0,
}

describe('a notification', () => {
  it("is told in AppFlow's words, its counts as text", () => {
    const notice = noticeOf({ flow: flow([]), run }, ended, (name) => (name === 'crm' ? 'salesforce' : 's3'))
    expect(notice).toEqual({
      id: '20260506T120000000Z-3f2a9c1d-3-ended',
      type: 'AppFlow End Flow Run Report',
      time: '2026-05-06T12:00:00.000Z',
      detail: {
        'flow-name': 'orders',
        source: 'SALESFORCE/crm',
        'source-object': ['Account', 'Contact*'],
        destination: 'S3',
        'destination-object': 'lake/salesforce/raw',
        'trigger-type': 'SCHEDULED',
        'execution-id': run.runId,
        'workflow-id': run.workflowId,
        'start-time': AT,
        'end-time': '2026-05-06T12:00:00.000Z',
        status: 'Execution Failed',
        error: '1 of 2 objects failed',
        'num-of-records-processed': '17',
        'num-of-records-filtered': '3',
        'num-of-record-failures': '2',
        'num-of-documents-processed': '1',
        'data-processed': '4096',
        objects: [{ object: 'Account', status: 'done', read: 17 }],
      },
    })
  })

  it('has an id by which all of a run sort in order of time', () => {
    const events: RunEvent[] = [
      { kind: 'started', at: AT },
      { kind: 'drift', at: ended.at, objects: [] },
      ended,
      { kind: 'deactivated', at: ended.at, reason: 'so' },
    ]
    const ids = events.map((event) => noticeOf({ flow: flow([]), run }, event, () => 's3').id)
    expect(ids.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(ids)
    expect(new Set(ids).size).toBe(4)
  })
})

describe('`notify` of a flow', () => {
  it('tells everything where it does not choose', () => {
    const read = notify.parse([{ connection: 'hook' }, { connection: 'events', on: ['ended'] }])
    expect(completeNotify(read)).toEqual([
      { connection: 'hook', on: ['started', 'ended', 'drift', 'deactivated'] },
      { connection: 'events', on: ['ended'] },
    ])
  })

  it.each<[Json, RegExp]>([
    [{ connection: 'hook' }, /must be a list/],
    [[], /./],
    [[{}], /'connection' is missing/],
    [[{ connection: 'hook', on: ['end'] }], /'end' is not one of started/],
    [[{ connection: 'hook', on: ['ended', 'ended'] }], /listed twice/],
    [[{ connection: 'hook', when: 'ended' }], /unknown key 'when'/],
  ])('%j is refused', (written, what) => {
    const read = validate(notify, written, ['notify'])
    if (!('found' in read)) throw new Error('it was taken')
    expect(read.found[0]!.what).toMatch(what)
  })
})

describe('telling', () => {
  let folder: string
  let receivers: Receiver[]
  beforeAll(async () => {
    receivers = [await openReceiver('one'), await openReceiver('two')]
    folder = await mkdtemp(join(tmpdir(), 'lakeward-notify-'))
    Object.assign(process.env, { HOOK_ONE: 'one', HOOK_NEW: 'new', HOOK_TWO: 'two' })
    const hook = (url: string, auth: object) => ({
      connector: 'callback',
      url,
      auth: { type: 'signing_secret', ...auth },
    })
    const connections = {
      one: hook(receivers[0]!.url, { secret: { env: 'HOOK_ONE' } }),
      // Its receiver still has the old secret.
      two: hook(receivers[1]!.url, { secret: { env: 'HOOK_NEW' }, previous: { env: 'HOOK_TWO' } }),
      stranger: hook(receivers[0]!.url, { secret: { env: 'HOOK_NEW' } }),
      lake: { connector: 'file', path: './lake' },
    }
    await writeFile(join(folder, 'lakeward.yaml'), stringify({ version: 1, connections }))
  })
  afterEach(() => receivers.forEach((one) => one.told.splice(0)))
  afterAll(async () => {
    await Promise.all(receivers.map((one) => one.stop()))
    await rm(folder, { recursive: true })
  })

  async function tell(names: string[]): Promise<NotifyDigest> {
    const deps = assemble({ installation: join(folder, 'lakeward.yaml') })
    const input: NotifyInput = { flow: flow(names.map((connection) => ({ connection }))), run, events: [ended] }
    const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') })
    return (await environment.run(notifyRun(deps), input)) as NotifyDigest
  }
  const ids = (at: number) => receivers[at]!.told.map(({ event }) => event.id)

  it('reaches receivers that prove it, by the old secret too while it is changed', async () => {
    expect(await tell(['one', 'two'])).toEqual({ notes: [] })
    expect([ids(0), ids(1)]).toEqual([
      ['20260506T120000000Z-3f2a9c1d-3-ended'],
      ['20260506T120000000Z-3f2a9c1d-3-ended'],
    ])
    expect(receivers[0]!.told[0]!.event).toMatchObject({
      source: 'lakeward',
      time: ended.at,
      detail: { destination: 'FILE' },
    })
  })

  it('goes on behind who refuses it, and notes it without a secret', async () => {
    const { notes } = await tell(['stranger', 'lake', 'nobody', 'two'])
    expect(ids(1)).toHaveLength(1)
    expect(notes).toHaveLength(3)
    expect(notes[0]).toMatch(/^stranger was not told of the run: .*401.*secret of this connection/)
    expect(notes[1]).toMatch(/^lake was not told of the run: .*cannot be told/)
    expect(notes[2]).toMatch(/^nobody was not told of the run: .*nobody/)
  })

  it('is worth another attempt where somebody is away, with the same id and the same words', async () => {
    receivers[0]!.answers.push(503)
    await expect(tell(['one', 'two'])).rejects.toMatchObject({ type: 'SourceUnavailable', nonRetryable: false })
    expect(ids(1)).toHaveLength(1)
    await tell(['one', 'two'])
    const [first, second] = receivers[0]!.told
    expect(second!.body).toBe(first!.body)
  })
})
