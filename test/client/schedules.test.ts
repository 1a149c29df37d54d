import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ClientError } from '../../client/client-error.ts'
import { LakewardClient } from '../../client/lakeward-client.ts'
import { specOf } from '../../client/schedules.ts'
import { InputError } from '../../connectors/errors.ts'
import { describeWithTemporal } from '../temporal.ts'
import { flowOf, freshName } from './stand-in/flows.ts'

test('an on-demand flow waits for 2099, so that the server keeps its schedule', () => {
  expect(specOf({ kind: 'none' })).toEqual({
    calendars: [expect.objectContaining({ year: 2099, month: 'JANUARY', dayOfMonth: 1 })],
  })
  expect(specOf({ kind: 'every', everyMs: 5_400_000, catchUpMs: 0 })).toEqual({ intervals: [{ every: 5_400_000 }] })
  expect(specOf({ kind: 'cron', cron: '0 2 * * *', timezone: 'Europe/Berlin', catchUpMs: 0 })).toEqual({
    cronExpressions: ['0 2 * * *'],
    timezone: 'Europe/Berlin',
  })
})

describeWithTemporal('the flow store', ({ address, namespace }) => {
  let connection: Connection
  let client: Client
  let lakeward: LakewardClient
  const made: string[] = []
  const name = (about: string): string => {
    const fresh = freshName(about)
    made.push(fresh)
    return fresh
  }

  beforeAll(async () => {
    connection = await Connection.connect({ address })
    client = new Client({ connection, namespace })
    lakeward = new LakewardClient(client)
  })

  afterAll(async () => {
    await Promise.all(made.map((flow) => lakeward.delete(flow).catch(() => {})))
    await connection.close()
  })

  test('apply says created, unchanged, updated; the order of keys is no change', async () => {
    const flow = name('applied')
    const document = flowOf(flow, { trigger: { cron: '0 2 * * *', timezone: 'Europe/Berlin' } })
    expect(await lakeward.apply(document)).toMatchObject({ name: flow, change: 'created', paused: false })
    const { name: _, ...rest } = document
    expect((await lakeward.apply({ ...rest, name: flow })).change).toBe('unchanged')
    expect((await lakeward.apply({ ...document, description: 'now with words' })).change).toBe('updated')
    const stored = await lakeward.flow(flow)
    expect(stored.document).toEqual({ ...document, description: 'now with words' })
    expect(stored.nextTimes.length).toBeGreaterThan(0)
    expect([0, 1]).toContain(stored.nextTimes[0]?.getUTCHours()) // 02:00 in Berlin
  })

  test('what lies in Temporal is what its own tools expect', async () => {
    const flow = name('plain')
    await lakeward.apply(flowOf(flow))
    const { action, policies, typedSearchAttributes, info, memo } = await client.schedule
      .getHandle(`flow/${flow}`)
      .describe()
    expect(action).toMatchObject({ workflowType: 'runFlow', workflowId: `flow/${flow}/run`, taskQueue: 'lakeward' })
    expect(action.args).toEqual([flowOf(flow)])
    expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 6 * 3_600_000 })
    expect(memo ?? {}).toEqual({})
    expect(info.nextActionTimes.map((time) => time.toISOString())).toEqual(['2099-01-01T00:00:00.000Z'])
    expect(typedSearchAttributes.getAll()).toContainEqual(
      expect.objectContaining({ key: expect.objectContaining({ name: 'LakewardFlow' }), value: flow }),
    )
    expect((await lakeward.flow(flow)).nextTimes).toEqual([])
  })

  test('the trigger, the queue and the definition are all updated', async () => {
    const flow = name('moved')
    await lakeward.apply(flowOf(flow))
    await lakeward.apply(flowOf(flow, { trigger: { every: '1h' }, taskQueue: 'elsewhere' }))
    const { spec, action } = await client.schedule.getHandle(`flow/${flow}`).describe()
    expect(spec.intervals).toMatchObject([{ every: 3_600_000 }])
    expect(spec.calendars ?? []).toEqual([])
    expect(action.taskQueue).toBe('elsewhere')
    await lakeward.apply(flowOf(flow))
    const back = await client.schedule.getHandle(`flow/${flow}`).describe()
    expect(back.spec.intervals ?? []).toEqual([])
    expect(back.info.nextActionTimes).toHaveLength(1)
  })

  test('apply leaves the state alone unless the definition says it', async () => {
    const flow = name('paused')
    await lakeward.apply(flowOf(flow))
    await lakeward.pause(flow, 'until Friday')
    expect(await lakeward.apply(flowOf(flow, { description: 'new' }))).toMatchObject({
      change: 'updated',
      paused: true,
    })
    expect(await lakeward.flow(flow)).toMatchObject({ paused: true, note: 'until Friday' })
    expect(await lakeward.apply(flowOf(flow, { paused: false }))).toMatchObject({ change: 'updated', paused: false })
    await lakeward.pause(flow)
    expect(await lakeward.apply(flowOf(flow, { paused: false }))).toMatchObject({ change: 'updated', paused: false })
    await lakeward.unpause(flow)
    expect((await lakeward.apply(flowOf(flow, { paused: false }))).change).toBe('unchanged')
  })

  test('a paused flow is not run, unless somebody insists', async () => {
    const flow = name('held')
    await lakeward.apply(flowOf(flow, { paused: true, taskQueue: flow }))
    await expect(lakeward.run(flow)).rejects.toMatchObject({
      kind: 'paused',
      message: expect.stringContaining('paused'),
    })
    await expect(lakeward.run(flowOf(flow))).rejects.toMatchObject({ kind: 'paused' })
    const run = await lakeward.run(flow, { evenPaused: true })
    expect(run.workflowId).toMatch(new RegExp(`^flow/${flow}/run-\\d{4}-.*\\.\\d{3}Z$`))
    await client.workflow.getHandle(run.workflowId).terminate()
  })

  test('options of one run cannot be applied', async () => {
    const document = flowOf(name('options'), { run: { full: true } })
    await expect(lakeward.apply(document)).rejects.toBeInstanceOf(InputError)
    await expect(lakeward.apply(document)).rejects.toThrow(/run/)
  })

  test('a definition above 256 KB is refused before it is sent', async () => {
    const flow = name('large')
    const keep = Array.from({ length: 30_000 }, (_, at) => `Field_${at}__c`)
    const objects = [{ object: 'Account', transform: [{ keep }] }]
    const document = flowOf(flow, { source: { connection: 'crm', objects } })
    await expect(lakeward.apply(document)).rejects.toThrow(/256 KB/)
    await expect(lakeward.flow(flow)).rejects.toMatchObject({ kind: 'missing' })
  })

  test('a name that nothing has is told with the nearest', async () => {
    const flow = name('salesforce-daily')
    await lakeward.apply(flowOf(flow))
    const typo = flow.replace('salesforce', 'slaesforce')
    await expect.poll(() => lakeward.list().then((flows) => flows.map((one) => one.name))).toContain(flow)
    for (const call of [
      () => lakeward.status(typo),
      () => lakeward.run(typo),
      () => lakeward.pause(typo),
      () => lakeward.unpause(typo),
      () => lakeward.runs(typo),
      () => lakeward.cancel(typo),
      () => lakeward.delete(typo),
    ]) {
      const error = await call().then(
        () => null,
        (problem: unknown) => problem,
      )
      expect(error).toBeInstanceOf(ClientError)
      expect((error as ClientError).kind).toBe('missing')
      expect((error as ClientError).advice).toContain(`Did you mean ${flow}?`)
    }
  })

  test('a schedule that is not ours is neither listed nor overwritten', async () => {
    const flow = freshName('foreign')
    const handle = await client.schedule.create({
      scheduleId: `flow/${flow}`,
      spec: { intervals: [{ every: '1h' }] },
      action: { type: 'startWorkflow', workflowType: 'somethingElse', taskQueue: 'other', args: [] },
    })
    try {
      await expect(lakeward.apply(flowOf(flow))).rejects.toThrow(/no flow of Lakeward/)
      expect((await lakeward.list()).map((one) => one.name)).not.toContain(flow)
      expect((await handle.describe()).action.workflowType).toBe('somethingElse')
    } finally {
      await handle.delete()
    }
  })

  test('many at once: one creates, the others find it there', async () => {
    const flow = name('raced')
    const applied = await Promise.all(Array.from({ length: 5 }, () => lakeward.apply(flowOf(flow))))
    expect(applied.filter((one) => one.change === 'created')).toHaveLength(1)
    expect(applied.filter((one) => one.change === 'unchanged')).toHaveLength(4)
  })

  test('an encoded definition is told as a missing codec, and the rest of the list stays readable', async () => {
    const flow = name('encoded')
    const plain = name('readable')
    await lakeward.apply(flowOf(plain))
    const codec = {
      encode: async (payloads: { metadata?: Record<string, Uint8Array> | null; data?: Uint8Array | null }[]) =>
        payloads.map((payload) => ({
          metadata: { encoding: Buffer.from('binary/encrypted') },
          data: payload.data ?? new Uint8Array(),
        })),
      decode: async <T>(payloads: T[]) => payloads,
    }
    const dataConverter = { payloadCodecs: [codec] }
    const encoding = new LakewardClient(new Client({ connection, namespace, dataConverter }))
    await encoding.apply(flowOf(flow)).catch(() => {}) // it cannot read back what it wrote either
    await expect.poll(() => lakeward.list().then((flows) => flows.map((one) => one.name))).toContain(flow)
    const listed = await lakeward.list()
    expect(listed.find((one) => one.name === flow)?.problem).toMatchObject({ kind: 'codec' })
    expect(listed.find((one) => one.name === plain)?.flow).not.toBeNull()
    await expect(lakeward.status(flow)).rejects.toMatchObject({ kind: 'codec' })
    await client.schedule.getHandle(`flow/${flow}`).delete()
  })

  test('a deleted flow is gone', async () => {
    const flow = freshName('deleted')
    await lakeward.apply(flowOf(flow))
    expect(await lakeward.delete(flow)).toEqual({ cancelled: [], running: [] })
    await expect(lakeward.status(flow)).rejects.toMatchObject({ kind: 'missing' })
  })
})
