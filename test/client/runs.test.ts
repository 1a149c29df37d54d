import { fileURLToPath } from 'node:url'
import { Client, Connection } from '@temporalio/client'
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RunState } from '../../client/follow-run.ts'
import { LakewardClient } from '../../client/lakeward-client.ts'
import type { JsonObject } from '../../connectors/connector.ts'
import { outcomeCode } from '../../client/failures.ts'
import { outcomeLine, outcomeText, progressLine, stageLine } from '../../client/terminal/progress.ts'
import { describeWithTemporal } from '../temporal.ts'
import { flowOf, freshName } from './stand-in/flows.ts'

const workflowsPath = fileURLToPath(new URL('stand-in/workflows.ts', import.meta.url))
const nameOf = (document: JsonObject): string => document.name as string

describeWithTemporal('runs', ({ address, namespace }) => {
  const taskQueue = freshName('queue')
  let connection: Connection
  let native: NativeConnection
  let client: Client
  let lakeward: LakewardClient
  let worker: Worker
  let working: Promise<void>
  const made: string[] = []

  const acting = (act: string, more: JsonObject = {}): JsonObject => {
    const name = freshName(act)
    made.push(name)
    return flowOf(name, { taskQueue, tags: { act }, ...more })
  }

  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR') })
    connection = await Connection.connect({ address })
    native = await NativeConnection.connect({ address })
    client = new Client({ connection, namespace })
    lakeward = new LakewardClient(client)
    worker = await Worker.create({
      connection: native,
      namespace,
      taskQueue,
      workflowsPath,
    })
    working = worker.run()
  })

  afterAll(async () => {
    await Promise.all(made.map((flow) => lakeward.delete(flow, { cancel: true }).catch(() => {})))
    worker.shutdown()
    await working
    await native.close()
    await connection.close()
  })

  async function follow(document: JsonObject): Promise<RunState[]> {
    const states: RunState[] = []
    const run = await lakeward.run(document)
    for await (const state of lakeward.follow(run, { everyMs: 50 })) states.push(state)
    return states
  }

  test('is followed to its end, lane by lane', async () => {
    const states = await follow(acting('ok'))
    const reads = states.flatMap(({ objects }) =>
      objects.filter((one) => one.object === 'Account').map((one) => one.read),
    )
    expect(reads).toEqual(reads.toSorted((a, b) => a - b))
    expect(reads.some((read) => read > 0 && read < 3000)).toBe(true)
    const last = states.at(-1)
    expect(last?.stage).toBe('ended')
    expect(last?.objects.map(({ object, phase, read }) => ({ object, phase, read }))).toEqual([
      { object: 'Account', phase: 'done', read: 3000 },
      { object: 'Opportunity', phase: 'done', read: 3000 },
    ])
    const outcome = last?.outcome
    expect(outcome).toMatchObject({ status: 'done', result: { read: 6000, written: 6000, files: 2 } })
    expect(outcomeCode(outcome!)).toBe(0)
    expect(outcomeLine(outcome!)).toBe('done: 6,000 rows in 2 files, 246.9 kB')
    expect(outcomeText(outcome!)).toContain('Account: 12 rows are held back until they settle')
  })

  test.each([
    ['partly', 'partly', 5, 'partly: 1 of 2 objects failed'],
    ['all', 'failed', 1, 'failed: 2 of 2 objects failed'],
    ['unauthorized', 'failed', 4, 'failed: 2 of 2 objects failed'],
    ['invalid', 'failed', 2, 'failed: source.connection: no connection is called crm'],
  ])('that ends %s has its exit code and its words', async (act, status, code, line) => {
    const states = await follow(acting(act))
    const outcome = states.at(-1)?.outcome
    expect(outcome?.status).toBe(status)
    expect(outcomeCode(outcome!)).toBe(code)
    expect(outcomeLine(outcome!)).toBe(line)
    if (act === 'partly') {
      expect(outcomeText(outcome!)).toContain(
        'Opportunity: RequestRejected: [stand-in] read Opportunity failed: refused',
      )
    }
  })

  test('two at once: the second is told who holds the lane, and only for the objects it asks for', async () => {
    const document = acting('hang')
    await lakeward.apply(document)
    const name = nameOf(document)
    const first = await lakeward.run(name)
    const lane = client.workflow.getHandle(`flow/${name}/Account`)
    const holds = () =>
      lane.describe().then(
        ({ status }) => status.name,
        () => 'nobody',
      )
    await expect.poll(holds, { timeout: 60_000 }).toBe('RUNNING')
    await expect(lakeward.run(name)).rejects.toMatchObject({
      kind: 'busy',
      message: expect.stringContaining(first.workflowId) as string,
    })
    const other = await lakeward.run(document, { objects: ['Opportunity'] })
    const status = await lakeward.status(name)
    expect(status.running.map((state) => state.workflowId)).toContain(first.workflowId)

    expect((await lakeward.cancel(name)).toSorted()).toEqual([first.workflowId, other.workflowId].toSorted())
    expect(await lakeward.outcome(first.workflowId)).toMatchObject({ status: 'cancelled', result: null })
    expect((await lakeward.outcome(other.workflowId)).status).toBe('cancelled')
    expect(await lakeward.cancel(name)).toEqual([])
  })

  test('are listed with what they moved, those of the schedule too', async () => {
    const document = acting('ok')
    const name = nameOf(document)
    await lakeward.apply(document)
    await client.schedule.getHandle(`flow/${name}`).trigger('SKIP')
    await expect.poll(() => lakeward.runs(name).catch(() => []), { timeout: 15_000 }).toHaveLength(1)
    await expect.poll(async () => (await lakeward.runs(name))[0]?.status, { timeout: 15_000 }).toBe('done')
    const run = await lakeward.run(name)
    await lakeward.outcome(run.workflowId)
    await expect.poll(async () => (await lakeward.runs(name))[0]?.outcome?.status, { timeout: 15_000 }).toBe('done')
    const [newest, oldest] = await lakeward.runs(name)
    expect(newest).toMatchObject({ workflowId: run.workflowId, scheduled: false, status: 'done' })
    expect(newest?.outcome?.result?.written).toBe(6000)
    expect(oldest).toMatchObject({ scheduled: true, status: 'done' })
    expect(await lakeward.runs(name, 1)).toHaveLength(1)
    const listed = (await lakeward.list()).find((flow) => flow.name === name)
    expect(listed?.lastRun?.workflowId).toBe(run.workflowId)
  })

  test('runs under an id of their own are found where the attribute is registered', async () => {
    const document = acting('invalid')
    const name = nameOf(document)
    const { typedSearchAttributes } = await lakeward
      .run(document)
      .then(({ workflowId }) => client.workflow.getHandle(workflowId).describe())
    const handle = await client.workflow.start('runFlow', {
      workflowId: `any-${name}`,
      taskQueue,
      args: [document],
      typedSearchAttributes,
    })
    await handle.result().catch(() => {})
    await expect
      .poll(() => lakeward.runs(name).then((runs) => runs.map((run) => run.workflowId)), { timeout: 15_000 })
      .toContain(`any-${name}`)
  })

  test('without a worker: it is said at once, and again when one comes nothing is left of it', async () => {
    const nobody = freshName('nobody')
    const run = await lakeward.run(acting('ok', { taskQueue: nobody }))
    expect(await lakeward.hasWorker(nobody)).toBe(false)
    expect(await lakeward.hasWorker(taskQueue)).toBe(true)
    const startedAt = Date.now()
    for await (const state of lakeward.follow(run)) {
      expect(state.stage).toBe('unclaimed')
      expect(stageLine(state)).toContain(`no worker polls task queue ${nobody}`)
      break
    }
    expect(Date.now() - startedAt).toBeLessThan(3_000)
  })

  test('the stream ends with the patience of its reader, and the run goes on', async () => {
    const run = await lakeward.run(acting('hang'))
    const stop = new AbortController()
    const states: RunState[] = []
    for await (const state of lakeward.follow(run, { everyMs: 50, signal: stop.signal })) {
      states.push(state)
      if (state.objects.length > 0) stop.abort()
    }
    expect(states.at(-1)?.outcome).toBeUndefined()
    expect((await client.workflow.getHandle(run.workflowId).describe()).status.name).toBe('RUNNING')
    expect(progressLine(states.at(-1)!.objects[0]!)).toMatch(/^Account: reading, [\d,]+ of 3,000 rows read/)
  })

  test('what nobody takes up says which queue it waits at', async () => {
    const run = await lakeward.run(acting('elsewhere'))
    const stop = new AbortController()
    let held: string | undefined
    for await (const { objects } of lakeward.follow(run, { everyMs: 200, signal: stop.signal })) {
      held = objects[0]?.held
      if (held) stop.abort()
    }
    expect(held).toBe(`no worker takes tasks of queue ${taskQueue}-elsewhere`)
    await client.workflow.getHandle(run.workflowId).terminate()
  })

  test('a worker that goes away is told, with what was known before', async () => {
    const own = freshName('leaving')
    const leaving = await Worker.create({ connection: native, namespace, taskQueue: own, workflowsPath })
    const left = leaving.run()
    const run = await lakeward.run(acting('hang', { taskQueue: own }))
    const stop = new AbortController()
    const stages: string[] = []
    for await (const { stage, objects } of lakeward.follow(run, { everyMs: 100, signal: stop.signal })) {
      if (objects[0]?.read === 1000 && leaving.getState() === 'RUNNING') leaving.shutdown()
      if (stage !== stages.at(-1)) stages.push(stage)
      if (stage === 'silent') {
        expect(objects.map(({ object, read }) => [object, read])).toEqual([['Account', 1000]])
        stop.abort()
      }
    }
    expect(stages.slice(-2)).toEqual(['running', 'silent'])
    await left
    await client.workflow.getHandle(run.workflowId).terminate()
  })

  test('an object that the flow does not have is told with the nearest', async () => {
    const document = acting('ok')
    await expect(lakeward.run(document, { objects: ['Acount'] })).rejects.toThrow(/Acount.*Account/s)
  })
})
