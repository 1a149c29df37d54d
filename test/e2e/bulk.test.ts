/** Salesforce read by Bulk jobs, through killed workers and cancelled runs: what arrives is what pages bring. */
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeWithTemporal } from '../temporal.ts'
import { compare, parquetTypes, queryFiles } from './compare.ts'
import { NO_WORK, repeated, workOf } from './lane-files.ts'
import type { Stage, WorkerProcess } from './stage.ts'
import { openStage } from './stage.ts'
import { until } from './until.ts'

const ACCOUNTS = process.env['LAKEWARD_THOROUGH'] ? 60_000 : 4000
const PAGE = ACCOUNTS / 20
const OBJECTS = ['Account', 'Opportunity', 'Contact']

describeWithTemporal('Bulk jobs', (temporal) => {
  let stage: Stage
  let worker: WorkerProcess
  beforeAll(async () => {
    stage = await openStage(temporal, { salesforce: { accounts: ACCOUNTS, opportunities: 700, contacts: 300 } })
    worker = await stage.startWorker()
  })
  afterAll(() => stage.stop())
  beforeEach(() => {
    const { control } = stage.sandbox
    control.clearFaults()
    control.forgetQueryJobs()
    control.bulk({ polls: 2, hang: false, fail: null, pageRows: PAGE, mostRows: PAGE })
    control.reset()
  })

  const flowOf = (name: string, api: string, objects: string[], of: object = {}) =>
    stage.flow(
      JSON.stringify({
        name,
        source: { settle: '0s', options: { api }, objects: objects.map((object) => ({ object, ...of })) },
        destination: { prefix: name, ...(of === REPLACE ? { write: 'replace' } : {}) },
      }),
    )
  const REPLACE = { read: 'full' }
  const folder = (name: string, object: string): string => join(stage.lake, name, object)
  const states = (): string[] => stage.sandbox.control.queryJobs().map(({ state }) => state)

  it('every value of every column is that of pages, and of the source', async () => {
    const { control } = stage.sandbox
    const results = []
    for (const api of ['rest', 'bulk']) results.push(await stage.run(flowOf(api, api, OBJECTS)))
    expect(control.counts()['resultPages']).toBeGreaterThan(0)
    for (const object of OBJECTS) {
      const [pages, job] = results.map(({ objects }) => objects.find((one) => one.object === object)!)
      expect(job, object).toMatchObject({ read: pages!.read, written: pages!.written, watermark: expect.any(String) })
      expect(job!.proof, object).toMatch(/^proven/)
      const types = await parquetTypes(folder('bulk', object))
      expect(types).toEqual(await parquetTypes(folder('rest', object)))
      const other = `(SELECT * FROM read_parquet('${folder('rest', object)}/**/*.parquet'))`
      const sql = `SELECT (SELECT count(*) FROM (FROM files EXCEPT ALL FROM ${other})) AS more,
        (SELECT count(*) FROM (FROM ${other} EXCEPT ALL FROM files)) AS less, count(*) AS rows FROM files`
      const rows = String(pages!.written)
      expect(await queryFiles(folder('bulk', object), sql), object).toEqual([{ more: '0', less: '0', rows }])
      const { _lakeward_op, ...columns } = types
      const truth = [...control.truth(object, { includeDeleted: true })]
      const found = await compare(folder('bulk', object), 'parquet', columns, truth)
      expect(found).toEqual({ onlyFiles: [], onlySource: [], files: truth.length, source: truth.length })
    }
    expect(states()).toEqual([])
  })

  it('killed before a job is known, and while its results are read: each record once, the job is gone', async () => {
    const { control } = stage.sandbox
    control.fault({ match: '^POST .*/jobs/query', do: { hold: true } })
    const run = await stage.start(flowOf('killed', 'bulk', ['Account']))
    await until('a job is made', () => states().length === 1)
    await worker.kill()
    const [lost] = control.queryJobs()
    control.clearFaults()
    control.fault({ match: '^GET .*/results[?]locator', skip: 7, do: { hold: true } })
    worker = await stage.startWorker()
    await until('results are read', () => control.pendingFaults() === 0)
    await worker.kill()
    control.clearFaults()
    worker = await stage.startWorker()
    expect((await run.result()).objects[0]).toMatchObject({ read: ACCOUNTS, written: ACCOUNTS })
    expect(await repeated(stage, 'killed/Account')).toEqual([])
    expect(workOf(stage, `killed-${stage.id}`, 'Account')).toEqual(NO_WORK)
    // Nobody has heard of the first one: Salesforce ends it by itself.
    expect(control.queryJobs().map(({ id }) => id)).toEqual([lost!.id])
  })

  it('a job that hangs is waited for and leaves nothing in the history; cancelled, it is gone', async () => {
    const { control } = stage.sandbox
    control.bulk({ hang: true })
    const run = await stage.start(flowOf('hangs', 'bulk', ['Opportunity']))
    const asked = (): number =>
      control.log().filter(({ route, method }) => route === 'queryJob' && method === 'GET').length
    await until('the job is asked for', () => asked() > 0)
    const parent = await stage.client.workflow.getHandle(run.workflowId).fetchHistory()
    const child = parent.events!.find((event) => event.childWorkflowExecutionStartedEventAttributes)!
    const lane = child.childWorkflowExecutionStartedEventAttributes!.workflowExecution!.workflowId!
    const events = async (): Promise<number> =>
      (await stage.client.workflow.getHandle(lane).fetchHistory()).events!.length
    const before = await events()
    await until('it is asked for again and again', () => asked() > 2)
    expect(await events()).toBe(before)
    expect(states()).toEqual(['InProgress'])
    await stage.client.workflow.getHandle(run.workflowId).cancel()
    await expect(run.result()).rejects.toThrow()
    expect(states()).toEqual([])
    expect(workOf(stage, `hangs-${stage.id}`, 'Opportunity')).toEqual(NO_WORK)
  })

  it('what Salesforce does not export is read by pages, and the run says why', async () => {
    const { objects } = await stage.run(flowOf('refused', 'bulk', ['Ledger__x'], REPLACE))
    expect(objects[0]).toMatchObject({ read: 90, written: 90 })
    const told = objects[0]!.notes.join('\n')
    expect(told).toContain("Entity 'Ledger__x' is not supported by the Bulk API.")
    expect(told).toContain('Ledger__x is read by pages of its records: Salesforce did not export it by a Bulk job.')
    stage.sandbox.control.bulk({ fail: 'InternalServerError: Retried more than 15 times' })
    const failed = await stage.run(flowOf('failed', 'bulk', ['Contact']))
    expect(failed.objects[0]!.notes.join('\n')).toContain('Retried more than 15 times')
    expect(failed.objects[0]).toMatchObject({ read: 300, written: 300 })
    expect(states()).toEqual([])
  })
})
