/**
 * Sources whose fields change between runs and in the middle of one, and flows that are edited: read by DuckDB, old
 * files and new ones together.
 */
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { LakewardClient } from '../../client/index.ts'
import { describeWithTemporal } from '../temporal.ts'
import { compare, parquetTypes, queryFiles } from './compare.ts'
import type { TruthRow } from './compare.ts'
import { NO_WORK, SAME, dataFiles, entriesOf, sameRows, workOf } from './lane-files.ts'
import { failureOf } from './run-failure.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'
import { pause, until } from './until.ts'

const ACCOUNTS = 300
const object = 'Account'

describeWithTemporal('drift', (temporal) => {
  let stage: Stage
  beforeAll(async () => {
    const salesforce = { accounts: ACCOUNTS, contacts: 1, opportunities: 1, pageRows: 100 }
    stage = await openStage(temporal, { salesforce })
    await stage.startWorker()
  })
  afterAll(() => stage.stop())
  afterEach(() => void stage.sandbox.control.clearFaults())

  const accounts = (name: string, more = '', transform = '', destination = '') =>
    stage.flow(`
name: ${name}
source: { settle: 0s, objects: [{ object: Account, into: ${name}, transform: [${transform}] }] }
destination: { ${destination} }
${more}`)
  const truth = (): TruthRow[] => [...stage.sandbox.control.truth(object, { includeDeleted: true })]
  const folder = (name: string) => join(stage.lake, name)
  const schemas = (flow: { name: string }) => entriesOf(stage, flow.name, object).map(({ schema }) => schema)
  const add = (name: string, type: string, options = {}) =>
    stage.sandbox.control.addField({ object, name, type, options, fill: true })
  const remove = (name: string) => stage.sandbox.control.removeField({ object, name })

  /** Gives some records new stamps, the same for all, and waits until it is past. */
  async function change(count: number): Promise<Set<string>> {
    const { control } = stage.sandbox
    const ids = control.ids({ object, limit: count, deleted: false })
    control.update({ object, ids, values: {} })
    await pause(1100) // stamps are whole seconds, and a bound leaves out the second it is in
    return new Set(ids)
  }

  it('evolve: new, gone, wider and finer fields; old and new files read as one, and every place tells', async () => {
    add('Level__c', 'int')
    add('Price__c', 'currency', { precision: 18, scale: 2 })
    add('Region__c', 'string', { length: 40 })
    const flow = accounts('evolve', '', '', 'partitionBy: [schemaVersion]')
    const lakeward = new LakewardClient(stage.client)
    await lakeward.apply(flow)
    await stage.run(flow)
    const old = truth()

    for (const name of ['Level__c', 'Price__c', 'Region__c']) remove(name)
    add('Level__c', 'double', { precision: 12, scale: 2 })
    add('Price__c', 'currency', { precision: 18, scale: 4 })
    add('Fresh__c', 'string', { length: 40 })
    const changed = await change(50)
    const workflowId = `flow/${flow.name}/run-second`
    const { objects } = await (await stage.start(flow, workflowId)).result()
    expect(objects).toMatchObject([{ read: 50, schemaVersion: 2 }])
    expect(objects[0]?.drift).toEqual([
      'field Level__c was int32 and is decimal(12,2)',
      'field Price__c was decimal(18,2) and is decimal(18,4)',
      'new field Fresh__c (string)',
      'field Region__c has vanished',
      'column Level__c widens from int32 to decimal(12,2)',
      'column Price__c widens from decimal(18,2) to decimal(20,4)',
    ])

    const { _lakeward_op, ...types } = await parquetTypes(folder('evolve'))
    expect(types).toMatchObject({
      Level__c: 'DECIMAL(12,2)',
      Price__c: 'DECIMAL(20,4)',
      Region__c: 'VARCHAR',
      Fresh__c: 'VARCHAR',
    })
    const now = truth().filter((row) => changed.has(String(row['Id'])))
    const found = await compare(folder('evolve'), 'parquet', types, [...old, ...now])
    expect(found).toEqual({ ...SAME, files: ACCOUNTS + 50, source: ACCOUNTS + 50 })
    const newFiles = await compare(folder('evolve/schema_version=2'), 'parquet', types, now)
    expect(newFiles).toEqual({ ...SAME, files: 50, source: 50 })
    expect(schemas(flow)).toEqual([
      { version: 1, since: 1 },
      { version: 2, since: 2 },
    ])

    const lane = stage.client.workflow.getHandle(`flow/${flow.name}/${object}`)
    const { currentDetails } = await lane.query<{ currentDetails: string }>('__temporal_workflow_metadata')
    expect(currentDetails).toContain('- Schema: version 2')
    expect(currentDetails).toContain('- new field Fresh__c (string)')
    const listed = async (): Promise<string | null> => {
      const { stdout } = await stage.lakeward('status', flow.name)
      return stdout.includes('Schema of Account') ? stdout : null
    }
    const status = await until('the run is listed', listed, { withinMs: 60_000, everyMs: 500 })
    expect(status).toMatch(/Schema of Account +version 2\n +field Level__c was int32/)
    await lakeward.delete(flow.name)

    add('Region__c', 'string', { length: 40 })
    await change(10)
    const back = await stage.run(flow)
    expect(back.objects).toMatchObject([{ read: 10, schemaVersion: 2, drift: ['field Region__c is back'] }])
    expect(schemas(flow).at(-1)).toEqual({ version: 2, since: 2 })
  })

  it('fail: the run ends before it reads, with the list; ignore goes on as it was; --full accepts', async () => {
    add('Extra__c', 'int')
    const strict = accounts('strict', 'onDrift: fail')
    const blind = accounts('blind', 'onDrift: ignore')
    await Promise.all([stage.run(strict), stage.run(blind)])
    remove('Extra__c')
    add('Other__c', 'int')
    await change(20)

    const { control } = stage.sandbox
    control.reset()
    const refused = await failureOf(stage.run(strict))
    expect(refused.objects).toMatchObject([{ status: 'failed', error: { type: 'DriftFound' } }])
    expect(refused.message).toMatch(/new field Other__c \(int32\); field Extra__c has vanished.*onDrift.*--full/s)
    expect(control.counts()).not.toHaveProperty('query')
    expect(control.counts()).not.toHaveProperty('queryAll')
    expect(workOf(stage, strict.name, object)).toEqual(NO_WORK)

    const { objects } = await stage.run(blind)
    expect(objects).toMatchObject([{ read: 20, schemaVersion: 1 }])
    const columns = Object.keys(await parquetTypes(folder('blind')))
    expect(columns).toContain('Extra__c')
    expect(columns).not.toContain('Other__c')

    const full = await stage.run({ ...strict, run: { full: true } })
    expect(full.objects).toMatchObject([{ read: ACCOUNTS, schemaVersion: 2 }])
    const anew = Object.keys(await parquetTypes(folder('strict')))
    expect(anew).toContain('Other__c')
    expect(anew).not.toContain('Extra__c')
  })

  const FIRST_PAGE = '^GET /services/data/[^/]+/query(All)?/?\\?.*Brittle__c'
  const SECOND_PAGE = '^GET /services/data/[^/]+/query(All)?/0r8'
  const fields = (name: string) => parquetTypes(folder(name)).then(Object.keys)

  it.each([
    ['before the first page', 'early', FIRST_PAGE],
    ['between two pages', 'late', SECOND_PAGE],
  ])(
    'a field that vanishes %s: the lane starts again behind a fence, and its rows are exact',
    async (_, name, match) => {
      const { control } = stage.sandbox
      add('Brittle__c', 'string', { length: 40 })
      const flow = accounts(name)
      control.fault({ match, do: { stall: true } })
      const run = await stage.start(flow)
      await until('the run is held', () => control.pendingFaults() === 0)
      remove('Brittle__c')
      control.addField({ object, name: `Mid_${name}__c`, type: 'string' })
      control.expireLocators()
      control.clearFaults()

      const { objects } = await run.result()
      expect(objects[0]?.notes.join('\n')).toContain('Started again after FieldVanished')
      expect(await sameRows(stage, name, truth())).toEqual(SAME)
      expect(await fields(name)).not.toContain('Brittle__c')
      const entries = entriesOf(stage, flow.name, object)
      expect(entries.map(({ kind }) => kind)).toEqual(['fence', 'commit'])
      const listed = entries.at(-1)!.outcome!.manifest.map(({ key }) => join(stage.lake, key))
      expect(dataFiles(stage, name)).toEqual(listed.toSorted())
      expect(workOf(stage, flow.name, object)).toEqual(NO_WORK)
    },
  )

  it('a lane that has a column for the field keeps it, as nulls; the run before is left as it was', async () => {
    const { control } = stage.sandbox
    add('Brittle__c', 'string', { length: 40 })
    const flow = accounts('kept')
    await stage.run(flow)
    const changed = await change(150)
    control.fault({ match: SECOND_PAGE, do: { stall: true } })
    const run = await stage.start(flow)
    await until('the run is held', () => control.pendingFaults() === 0)
    remove('Brittle__c')
    control.expireLocators()
    control.clearFaults()
    const { objects } = await run.result()
    expect(objects).toMatchObject([{ read: changed.size, drift: ['field Brittle__c has vanished'] }])
    const sql = 'SELECT count(*) AS rows, count(DISTINCT Id) AS ids, count(Brittle__c) AS filled FROM files'
    const [before, after] = entriesOf(stage, flow.name, object)
      .filter(({ kind }) => kind === 'commit')
      .map(({ files }) => files.reduce((sum, { rows }) => sum + rows, 0))
    expect([before, after]).toEqual([ACCOUNTS, changed.size])
    const [row] = await queryFiles(folder('kept'), sql)
    expect([Number(row?.['rows']), Number(row?.['ids'])]).toEqual([ACCOUNTS + changed.size, ACCOUNTS])
    const [filled] = await queryFiles(
      folder('kept'),
      'SELECT count(DISTINCT Id) AS ids, count(*) AS rows FROM files WHERE Brittle__c IS NOT NULL',
    )
    expect(filled?.['ids']).toEqual(filled?.['rows'])
  })

  it('a field that vanishes every time ends the run after three restarts', async () => {
    const body = JSON.stringify([{ errorCode: 'INVALID_FIELD', message: "No such column 'Fax' on entity 'Account'" }])
    stage.sandbox.control.fault({ match: 'query(All)?/?\\?.*Fax', times: 0, do: { answer: { status: 400, body } } })
    const flow = accounts('never')
    const failed = await failureOf(stage.run(flow))
    expect(failed.objects).toMatchObject([{ status: 'failed', error: { type: 'FieldVanished' } }])
    expect(failed.message).toContain('Fax')
    expect(dataFiles(stage, 'never')).toEqual([])
    expect(workOf(stage, flow.name, object)).toEqual(NO_WORK)
  })

  it('edited flows: what narrows or splits a folder is refused until --full, the rest goes on and is told', async () => {
    const plain = accounts('edited')
    await stage.run(plain)
    await change(10)
    const dropped = accounts('edited', '', '{ drop: [Fax] }')
    const narrower = await failureOf(stage.run(dropped))
    expect(narrower.message).toMatch(/FlowChanged: .*no longer gives column Fax.*--full/s)
    const csv = accounts('edited', '', '', 'format: csv')
    expect((await failureOf(stage.run(csv))).message).toMatch(/FlowChanged: .*format is csv and was parquet.*--full/s)

    const hashed = accounts('edited', '', '{ hash: { fields: [Website], key: pii } }')
    const told = await stage.run(hashed)
    expect(told.objects[0]).toMatchObject({ read: 10, schemaVersion: 1 })
    expect(told.objects[0]?.drift?.join()).toMatch(/since entry 1: its steps are others \(hash new\)/)

    const moved = await stage.run({ ...csv, run: { full: true } })
    expect(moved.objects).toMatchObject([{ read: ACCOUNTS, schemaVersion: 1 }])
    expect(dataFiles(stage, 'edited').filter((file) => !file.endsWith('.csv'))).toEqual([])
    expect(await sameRows(stage, 'edited', truth(), 'csv')).toEqual(SAME)
    const anew = await stage.run({ ...dropped, run: { full: true } })
    expect(anew.objects).toMatchObject([{ read: ACCOUNTS, schemaVersion: 2 }])
    expect(await fields('edited')).not.toContain('Fax')
    expect(await sameRows(stage, 'edited', truth())).toEqual(SAME)
  })
})
