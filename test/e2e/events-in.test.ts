/** Events in: by signals and updates with Temporal's own command, into a lake; each once, whatever comes again. */
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import type { ListenProgress } from '../../workflows/listen-messages.ts'
import { LakewardClient } from '../../client/lakeward-client.ts'
import { recorded } from '../client/stand-in/recorder.ts'
import { describeWithTemporal } from '../temporal.ts'
import { queryFiles } from './compare.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'
import { until } from './until.ts'

describeWithTemporal('events in', (temporal) => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage(temporal, { salesforce: { accounts: 1, opportunities: 1 }, lake: 'file' })
    const path = join(stage.directory, 'lakeward.yaml')
    const installation = parse(readFileSync(path, 'utf8')) as { connections: Record<string, unknown> }
    installation.connections['signals'] = { connector: 'webhook', scheme: 'none', taskQueue: stage.queue }
    writeFileSync(path, stringify(installation))
    await stage.startWorker()
  })
  afterAll(() => stage?.stop())

  const cli = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      execFile(temporal.cli, args, { cwd: stage.directory, env: stage.env }, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      )
    })
  const id = (flow: { name: string }): string => `flow/${flow.name}/listen`
  const progress = async (flow: { name: string }): Promise<ListenProgress> =>
    stage.client.workflow.getHandle(id(flow)).query('progress')

  it("Temporal's own command starts a listener with an event, sends more, and has them committed", async () => {
    const flow = stage.flow(`
name: by-hand
source:
  connection: signals
  objects: [{ object: order, into: orders, schema: { number: int64, total: 'decimal(18,2)', at: timestamp } }]
destination: { connection: lake, prefix: hand }
trigger: { event: signal, batch: { every: 1h } }
`)
    writeFileSync(join(stage.directory, 'by-hand.yaml'), stringify(flow))
    writeFileSync(join(stage.directory, 'by-hand.json'), (await stage.lakeward('render', 'by-hand.yaml')).stdout)
    const order = (number: number) => ({
      id: `order-${number}`,
      kind: 'order',
      body: { number, total: `${number}.50`, at: '2026-05-06T11:56:44.000001Z', more: [number] },
    })
    const at = ['--workflow-id', id(flow)]
    const signal = (name: string, input: object) =>
      cli('workflow', 'signal', ...at, '--name', name, '--input', JSON.stringify(input))
    const started = await cli(
      ...['workflow', 'signal-with-start', ...at, '--type', 'listenFlow', '--task-queue', stage.queue],
      ...['--input-file', 'by-hand.json', '--signal-name', 'event', '--signal-input', JSON.stringify(order(1))],
    )
    expect([started.code, started.stderr]).toEqual([0, ''])
    for (const number of [2, 1, 2]) expect((await signal('event', order(number))).code).toBe(0)
    // Without an id each is an event of its own; without a body it is none.
    const { kind, body } = order(3)
    for (const given of [
      { kind, body },
      { kind, body },
      { id: 'x', kind },
    ])
      expect((await signal('event', given)).code).toBe(0)
    const update = (name: string, input: object) =>
      cli('workflow', 'update', 'execute', ...at, '--name', name, '--input', JSON.stringify(input), '--output', 'json')
    const sent = await update('send', { events: [order(4), order(2)] })
    expect(JSON.parse(sent.stdout)).toMatchObject({ result: { kept: { order: 2 }, notes: [] } })
    expect((await update('send', { events: [{ id: 'big', kind, body: 'x'.repeat(70_000) }] })).stderr).toMatch(
      /events\[0\]: it has 70002 bytes/,
    )
    const flushed = JSON.parse((await update('flush', {})).stdout) as { result: object }
    expect(flushed.result).toEqual([{ object: 'order', status: 'done', read: 5, written: 5 }])
    const sql = `SELECT number, CAST(total AS VARCHAR) AS total, CAST("at" AS VARCHAR) AS at, count(*) AS n,
      min(_event_id) AS id FROM files GROUP BY ALL ORDER BY number`
    const row = (number: number, n: number, event: unknown) => ({
      ...{ number: `${number}`, total: `${number}.50`, at: '2026-05-06 11:56:44.000001+00', n: `${n}`, id: event },
    })
    expect(await queryFiles(join(stage.lake, 'hand/orders'), sql)).toEqual([
      row(1, 1, 'order-1'),
      row(2, 1, 'order-2'),
      row(3, 2, expect.stringMatching(/^[0-9a-f-]{36}-\d$/)),
      row(4, 1, 'order-4'),
    ])
    expect(await progress(flow)).toMatchObject({ refused: 1, held: 0, objects: [{ batches: 1, read: 5, waiting: 0 }] })
    const described = await cli('workflow', 'metadata', ...at, '--output', 'json')
    expect(described.stdout).toContain('Commit what waits now')
    expect((await signal('end', {})).code).toBe(0)
    await until('the listener has ended', async () => {
      const { status } = await stage.client.workflow.getHandle(id(flow)).describe()
      return status.name === 'COMPLETED'
    })
  })

  it('a flow that cannot run says why, and goes on with what was applied when that is mended', async () => {
    const define = (type: string) =>
      stage.flow(`
name: mended
source: { connection: signals, objects: [{ object: '*', id: all, into: all, schema: { n: ${type} } }] }
destination: { connection: ${type === 'string' ? 'lake' : 'nowhere'}, prefix: mended }
trigger: { event: signal, batch: { every: 1s } }
`)
    const wrong = define('int64')
    const handle = await stage.client.workflow.signalWithStart('listenFlow', {
      workflowId: id(wrong),
      taskQueue: stage.queue,
      args: [wrong],
      signal: 'event',
      signalArgs: [{ id: '1', kind: 'any', body: { n: '1' } }],
    })
    await handle.signal('event', { id: '2', kind: 'other', body: { n: '2' } })
    await until('it says what is wrong', async () => {
      const found = await stage.client.workflow
        .getHandle(id(wrong))
        .query<{ currentDetails?: string }>('__temporal_workflow_metadata')
      return found.currentDetails?.includes('no connection is called nowhere')
    })
    await stage.client.workflow.getHandle(id(wrong)).signal('define', define('string'))
    await until('both are there', async () => (await progress(wrong)).objects[0]?.read === 2)
    expect(
      await queryFiles(join(stage.lake, 'mended/all'), 'SELECT n, _event_kind AS kind FROM files ORDER BY n'),
    ).toEqual([
      { n: '1', kind: 'any' },
      { n: '2', kind: 'other' },
    ])
    await stage.client.workflow.getHandle(id(wrong)).cancel()
  })

  it('two hundred signals while it continues as new again and again: each event once', async () => {
    const flow = stage.flow(`
name: turning
source: { connection: signals, objects: [{ object: lead, into: leads, schema: { n: int64 } }] }
destination: { connection: lake, prefix: turning }
trigger: { event: signal, batch: { every: 1s } }
`)
    const lakeward = new LakewardClient(stage.client)
    await lakeward.apply(flow)
    const listener = stage.client.workflow.getHandle(id(flow))
    const first = (await listener.describe()).runId
    for (let turn = 0; turn < 4; turn++) {
      const events = Array.from({ length: 50 }, (_, at) => turn * 50 + at)
      await Promise.all([
        ...events.map((n) => listener.signal('event', { id: `e${n}`, body: { n } })),
        listener.signal('define', { ...flow, description: `as of turn ${turn}` }),
      ])
    }
    await until('all are committed', async () => (await progress(flow)).objects[0]?.read === 200)
    const sql = 'SELECT count(*) AS n, count(DISTINCT n) AS ids, sum(n) AS numbers FROM files'
    expect(await queryFiles(join(stage.lake, 'turning/leads'), sql)).toEqual([
      { n: '200', ids: '200', numbers: '19900' },
    ])
    expect((await listener.describe()).runId).not.toBe(first)
    await lakeward.delete(flow.name, { cancel: true })
  })

  it('a listener that is told of events of a flow that was deleted commits them, and ends', async () => {
    const flow = stage.flow(`
name: deleted
source: { connection: signals, objects: [{ object: lead, into: leads }] }
destination: { connection: lake, prefix: deleted }
trigger: { event: webhook }
`)
    const listener = await stage.client.workflow.signalWithStart('listenFlow', {
      workflowId: id(flow),
      taskQueue: stage.queue,
      args: [flow],
      signal: 'event',
      signalArgs: [{ body: 1 }],
    })
    expect(await listener.result()).toMatchObject({ objects: [{ written: 1, waiting: 0 }] })
  })

  it('apply starts the listener; pause, unpause, status, run and delete know it', async () => {
    const flow = stage.flow(`
name: applied
source: { connection: signals, objects: [{ object: lead, into: leads }] }
destination: { connection: lake, prefix: applied, format: jsonl }
trigger: { event: signal, batch: { every: 1s } }
`)
    const lakeward = new LakewardClient(stage.client)
    const there = ['--address', temporal.address]
    const file = join(stage.directory, 'lakeward.yaml')
    expect((await recorded('doctor', 'signals', '--config', file)).out).toMatch(
      /^ok +secret +none: it takes signals alone/m,
    )
    expect(await lakeward.apply({ ...flow, paused: true })).toMatchObject({ change: 'created', paused: true })
    const listener = stage.client.workflow.getHandle(id(flow))
    const lead = (n: number) => ({ id: `l${n}`, body: { n, name: 'Näme "x"\n', deep: { list: [1, null] } } })
    await listener.executeUpdate('send', { args: [{ events: [lead(1), lead(2)] }] })
    await expect(listener.executeUpdate('flush', { args: [{}] })).rejects.toMatchObject({
      cause: { message: 'the flow is paused: `resume` first' },
    })
    const state = async () => (await lakeward.status(flow.name)).listener?.objects[0]
    const before = await state()
    expect(before).toMatchObject({ phase: 'waiting', batches: 0 })
    // What came while the listener looked into the lake is counted by both.
    expect([2, 4]).toContain(before?.waiting)
    await lakeward.unpause(flow.name)
    await until('both are committed', async () => (await state())?.written === 2)
    expect((await recorded('status', flow.name, ...there)).out).toMatch(/^lead +waiting +0 +1 +2 +2 +/m)
    expect((await recorded('list', ...there)).out).toMatch(
      new RegExp(`^${flow.name} +on +signal, batches of 1s +batch, `, 'm'),
    )

    await lakeward.pause(flow.name)
    await listener.executeUpdate('send', { args: [{ events: [lead(2), lead(3)] }] })
    const run = await lakeward.run(flow.name, { evenPaused: true })
    expect(await lakeward.outcome(run.workflowId)).toMatchObject({ status: 'done', result: { read: 1, written: 1 } })
    await expect(lakeward.run(flow.name, { evenPaused: true, full: true })).rejects.toThrow(/reads again/)
    const rows = await queryFiles(
      join(stage.lake, 'applied/leads'),
      'SELECT id, kind, body FROM files ORDER BY id',
      'jsonl',
    )
    expect(rows).toEqual(
      [1, 2, 3].map((n) => ({
        id: `l${n}`,
        kind: 'lead',
        body: { n: `${n}`, name: 'Näme "x"\n', deep: { list: ['1', null] } },
      })),
    )

    await lakeward.unpause(flow.name)
    await listener.executeUpdate('send', { args: [{ events: [lead(4)] }] })
    expect(await lakeward.delete(flow.name)).toMatchObject({ running: expect.arrayContaining([id(flow)]) })
    expect(await listener.result()).toMatchObject({ objects: [{ waiting: 0, failures: 0 }] })
    expect(await queryFiles(join(stage.lake, 'applied/leads'), 'SELECT count(*) AS n FROM files', 'jsonl')).toEqual([
      { n: '4' },
    ])
  })
})
