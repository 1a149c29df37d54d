/**
 * Salesforce into tables of Redshift's stand-in: three runs, kills at each step of load and ledger, wrong inputs.
 * LAKEWARD_THOROUGH=1 kills at every statement of the load; otherwise at the ledger's, in the middle, and at the
 * commit.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { orSkip, postgresPrograms } from '../components.ts'
import { startTestVersitygw } from '../s3-servers.ts'
import { describeWithTemporal } from '../temporal.ts'
import { failureOf } from './run-failure.ts'
import type { WorkerProcess } from './stage.ts'
import { pause, until } from './until.ts'
import { openWarehouse, type WarehouseStage } from './warehouse-stage.ts'

const EXAMPLE = new URL('../../client/examples/salesforce-to-redshift.yaml', import.meta.url)
const THOROUGH = process.env['LAKEWARD_THOROUGH'] === '1'
const ACCOUNTS = 120
const object = 'Account'
/** Salesforce's names and the columns they lie in; the queries bring them to the texts that the org has. */
const VALUES: [field: string, sql: string][] = [
  ['Id', 'id'],
  ['Name', 'name'],
  ['AccountNumber', 'account_number'],
  ['AnnualRevenue', 'annualrevenue'],
  ['NumberOfEmployees', 'numberofemployees'],
  ['Founded__c', 'founded__c'],
  ['Active__c', 'active__c'],
  ['Regions__c', 'regions__c'],
  ['Contract_Value__c', 'contract_value__c'],
  ['SystemModstamp', `to_char(systemmodstamp, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`],
]

describeWithTemporal('tables', (temporal) => {
  let house: WarehouseStage
  let ready = false
  let worker: WorkerProcess | undefined
  beforeAll(async () => {
    const postgres = await orSkip(postgresPrograms(), 'tables')
    const s3 = postgres && (await orSkip(startTestVersitygw(), 'tables'))
    if (!postgres || !s3) return
    await s3.stop()
    house = await openWarehouse(temporal, postgres, { salesforce: { accounts: ACCOUNTS, opportunities: 1 } })
    ready = true
  })
  beforeEach((test) => test.skip(!ready, 'there is no PostgreSQL or no versitygw here'))
  afterEach(async () => {
    house?.redshift.gate()
    await worker?.kill()
  })
  afterAll(() => house?.stop())

  /** What only the table has, or only the org: every row, as often as it is there. */
  const unlike = async (table: string, values = VALUES) => {
    const found = await house.rows(`SELECT ${values.map(([, sql]) => `(${sql})::text`).join(', ')} FROM ${table}`)
    const org = [...house.stage.sandbox.control.truth(object)].map((row) => values.map(([field]) => row[field] ?? null))
    const left = found.map((row) => JSON.stringify(row))
    const lacking = org
      .map((row) => JSON.stringify(row))
      .filter((row) => {
        const at = left.indexOf(row)
        if (at >= 0) left.splice(at, 1)
        return at < 0
      })
    return { table: left.slice(0, 5), org: lacking.slice(0, 5), rows: found.length - org.length }
  }
  const ALIKE = { table: [], org: [], rows: 0 }
  const flow = (name: string, of: { object?: object; destination?: object; more?: object } = {}) => {
    const fields = ['Id', 'Name', 'AnnualRevenue', 'SystemModstamp']
    const one = { object, into: name, transform: [{ keep: fields }], ...of.object }
    return house.stage.flow(
      JSON.stringify({
        name,
        source: { settle: '0s', includeDeleted: false, objects: [one] },
        destination: { connection: 'warehouse', write: 'append', ...of.destination },
        ...of.more,
      }),
    )
  }
  const held = (steps: Set<number | 'commit'>) => {
    const all = [...steps]
    return THOROUGH ? all : [all[0]!, all[Math.floor(all.length / 2)]!, all.at(-1)!]
  }
  /** Stamps are whole seconds, and a bound leaves out the second it is in. */
  const settled = (): Promise<void> => pause(1100)

  it('the example: rows, changes, deletes and a new column over three runs, as the org has them', async () => {
    const { stage, rows } = house
    const { control } = stage.sandbox
    worker = await stage.startWorker()
    const written = parse(readFileSync(EXAMPLE, 'utf8')) as { source: object; destination: object }
    const example = stage.flow(
      JSON.stringify({ ...written, source: { ...written.source, connection: stage.crm, settle: '0s' } }),
    )
    const first = await stage.run(example)
    expect(first.objects[0]).toMatchObject({ read: ACCOUNTS, delivered: { inserted: ACCOUNTS, rejected: 0 } })
    expect(await unlike('crm_accounts')).toEqual(ALIKE)

    const ids = control.ids({ object, limit: 30, deleted: false })
    control.update({ object, ids: ids.slice(0, 20), values: { Name: 'Jürgen & Söhne "GmbH"', AnnualRevenue: 7 } })
    control.delete({ object, ids: ids.slice(20) })
    control.insert({ object, count: 5 })
    await settled()
    const second = await stage.run(example)
    expect(second.objects[0]).toMatchObject({ read: 35, delivered: { inserted: 5, updated: 20, deleted: 10 } })
    expect(await unlike('crm_accounts')).toEqual(ALIKE)

    control.addField({ object, name: 'Note__c', type: 'string', options: { length: 255 } })
    control.update({ object, ids: ids.slice(0, 3), values: { Note__c: 'ü'.repeat(255) } })
    await settled()
    await stage.run(example)
    const values: typeof VALUES = [...VALUES, ['Note__c', 'note__c']]
    expect(await unlike('crm_accounts', values)).toEqual(ALIKE)
    expect(await rows(`SELECT count(note__c) FROM crm_accounts`)).toEqual([['3']])

    // A full run puts what is there in the place of all rows; an unchanged object loads nothing.
    expect((await stage.run(example)).objects[0]).toMatchObject({ status: 'nothing' })
    await stage.run({ ...example, run: { full: true } })
    expect(await unlike('crm_accounts', values)).toEqual(ALIKE)
  })

  it('killed at each step of load and ledger: each row is there once, and the next run goes on', async () => {
    const { stage, redshift } = house
    const { control } = stage.sandbox
    const gate = stage.s3!.gate
    const steps = new Set<number | 'commit'>()
    redshift.gate((_, at) => void steps.add(at))
    // All that are held at a point hold a slot.
    worker = await stage.startWorker({ args: ['--task-queue', stage.queue, '--slots', '40'] })
    await stage.run(flow('steps'))
    const points: { name: string; at?: number | 'commit'; path?: string; method?: string; done?: number }[] = [
      ...held(steps).map((at, i) => ({ name: `held_${i}`, at })),
      { name: 'try_unsaid', method: 'PUT', path: 'deliveries/00000001/try-1', done: 0 },
      { name: 'try_said', method: 'PUT', path: 'deliveries/00000001/try-1', done: 1 },
      { name: 'receipt_unsaid', method: 'PUT', path: 'commits/00000001\\.delivered', done: 0 },
      { name: 'receipt_said', method: 'PUT', path: 'commits/00000001\\.delivered', done: 1 },
      { name: 'clearing', method: 'DELETE', path: 'deliveries/00000001/', done: 0 },
    ]
    const stopped = new Set<string>()
    let release = (): void => {}
    const released = new Promise<void>((resolve) => (release = resolve))
    redshift.gate(async ({ parts }, at) => {
      const point = points.find((one) => one.at === at && parts.some(({ sql }) => sql.includes(`"${one.name}"`)))
      if (!point || stopped.has(point.name)) return
      stopped.add(point.name)
      await released
    })
    gate.hang(
      points.flatMap(({ name, method, path, done }) =>
        path ? [{ name, method: method!, path: `/${name}-${stage.id}/${object}/${path}`, done: done! }] : [],
      ),
    )
    const flows = points.map(({ name }) => flow(name))
    const runs = await Promise.all(flows.map((one) => stage.start(one)))
    await until('every point is reached', () => stopped.size + gate.halted().size === points.length)
    await worker.kill()
    gate.hang([])
    release()
    worker = await stage.startWorker()
    await Promise.all(runs.map((run) => run.result()))
    const values: typeof VALUES = [VALUES[0]!, VALUES[1]!, VALUES[3]!]
    for (const { name } of points) expect(await unlike(name, values), name).toEqual(ALIKE)

    control.insert({ object, count: 3 })
    await settled()
    await Promise.all(flows.map((one) => stage.run(one)))
    for (const { name } of points) expect(await unlike(name, values), name).toEqual(ALIKE)
  })

  it('a load that is cancelled is taken back, stays owed, and the next run brings it first', async () => {
    const { stage, redshift, rows } = house
    let reached = false
    let release = (): void => {}
    const released = new Promise<void>((resolve) => (release = resolve))
    redshift.gate(async ({ parts }, at) => {
      if (at !== 'commit' || !parts.some(({ sql }) => sql.includes('"cancelled"'))) return
      reached = true
      await released
    })
    const loading = flow('cancelled')
    const run = await stage.start(loading)
    worker = await stage.startWorker()
    await until('the load waits for its commit', () => reached)
    await stage.client.workflow.getHandle(run.workflowId).cancel()
    await expect(run.result()).rejects.toThrow()
    release()
    redshift.gate()
    expect(await rows(`SELECT to_regclass('cancelled')::text`)).toEqual([[null]])
    writeFileSync(join(stage.directory, 'cancelled.yaml'), stringify(loading))
    const ledger = async () => (await stage.lakeward('state', 'show', 'cancelled.yaml', object)).stdout
    expect(await ledger()).toMatch(/^To deliver +entry 1: the next run brings them first$[^]* done /m)
    expect((await stage.run(loading)).objects[0]).toMatchObject({ status: 'nothing', delivered: { rejected: 0 } })
    expect(await unlike('cancelled', [VALUES[0]!])).toEqual(ALIKE)
    expect(await ledger()).toMatch(/^To deliver +nothing$[^]* delivered /m)
  })

  it('wrong inputs are told before data is harmed', async () => {
    const { stage, redshift, rows, connect, warehouse } = house
    const { look } = redshift
    connect({
      roleless: { ...warehouse, copyRole: 'arn:aws:iam::123456789012:role/nobody' },
      elsewhere: { ...warehouse, workgroup: 'nowhere' },
    })
    worker = await stage.startWorker()
    await look('CREATE TABLE shape (id varchar(18), name varchar(255), annualrevenue date, systemmodstamp timestamp)')
    await look(`INSERT INTO shape VALUES ('before', 'b', NULL, NULL)`)
    await look('CREATE VIEW seen AS SELECT id FROM shape')
    const wrong: [string, ReturnType<typeof flow>, RegExp][] = [
      ['another shape', flow('shape'), /annualrevenue|AnnualRevenue/],
      ['a view', flow('seen'), /is a view/],
      ['a type', flow('timed', { object: { transform: [{ keep: ['Id', 'Opens_At__c'] }] } }), /Opens_At__c.*time/s],
      [
        'keys that are not there',
        flow('keyed', { object: { keys: ['Number'] }, destination: { write: 'upsert' } }),
        /no column Number/,
      ],
      [
        'keys that were dropped',
        flow('keyless', { object: { transform: [{ keep: ['Name'] }] }, destination: { write: 'upsert' } }),
        /upsert finds rows by Id/,
      ],
      ['a role that is not there', flow('role', { destination: { connection: 'roleless' } }), /role/i],
      [
        'a workgroup that is not there',
        flow('group', { destination: { connection: 'elsewhere' } }),
        /endpoint doesn't exist.*Check workgroup/,
      ],
      ['files', flow('files', { destination: { prefix: 'a' } }), /`prefix` is for files, and redshift has none/],
    ]
    const told = await Promise.all(wrong.map(([, one]) => failureOf(stage.run(one))))
    for (const [at, [name, , pattern]] of wrong.entries()) expect(JSON.stringify(told[at]), name).toMatch(pattern)
    expect(await rows('SELECT id FROM shape')).toEqual([['before']])
    for (const name of ['timed', 'keyed', 'keyless', 'role', 'group', 'files']) {
      expect(await rows(`SELECT to_regclass('${name}')::text`), name).toEqual([[null]])
    }
    redshift.fault({ operation: 'ExecuteStatement', type: 'AccessDeniedException', status: 400, times: 1000 })
    expect(JSON.stringify(await failureOf(stage.run(flow('denied'))))).toMatch(/ExecuteStatement|permission|denied/i)
    redshift.fault({ operation: 'ExecuteStatement', times: 0 })
  })
})
