/** Tables of Redshift's stand-in into a lake: every type, run after run, killed while it unloads and while it reads. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { parse } from 'yaml'
import { orSkip, postgresPrograms } from '../components.ts'
import { byName, createTable, insertSql, TEXTS } from '../redshift/source-harness.ts'
import { batch, vendorClient } from '../redshift/vendor-client.ts'
import { startTestVersitygw } from '../s3-servers.ts'
import { describeWithTemporal } from '../temporal.ts'
import { compare, parquetTypes, queryFiles } from './compare.ts'
import { filesBelow, NO_WORK, workOf } from './lane-files.ts'
import { failureOf } from './run-failure.ts'
import type { WorkerProcess } from './stage.ts'
import { until } from './until.ts'
import { openWarehouse, type WarehouseStage } from './warehouse-stage.ts'

/** Rows of a table that is read while workers are killed. */
const ROWS = process.env['LAKEWARD_THOROUGH'] ? 100_000 : 6000
const EXAMPLE = new URL('../../client/examples/redshift-to-salesforce.yaml', import.meta.url)
const TYPES = {
  long: 'BIGINT',
  amount: 'DECIMAL(38,10)',
  price: 'DECIMAL(9,2)',
  updated_at: 'TIMESTAMP WITH TIME ZONE',
  zoned: 'TIMESTAMP WITH TIME ZONE',
  day: 'DATE',
  clock: 'TIME',
  flag: 'BOOLEAN',
  twice: 'DOUBLE',
}

describeWithTemporal('tables that are read', (temporal) => {
  let house: WarehouseStage
  let ready = false
  let worker: WorkerProcess | undefined
  beforeAll(async () => {
    const postgres = await orSkip(postgresPrograms(), 'Redshift as a source')
    const s3 = postgres && (await orSkip(startTestVersitygw(), 'Redshift as a source'))
    if (!postgres || !s3) return
    await s3.stop()
    house = await openWarehouse(temporal, postgres, { salesforce: { accounts: 1, opportunities: 1 } })
    const { staging: _, ...unstaged } = house.warehouse
    house.connect({ unstaged, roleless: { ...house.warehouse, copyRole: 'arn:aws:iam::123456789012:role/nobody' } })
    ready = true
  })
  beforeEach(async (test) => {
    test.skip(!ready, 'there is no PostgreSQL or no versitygw here')
    worker ??= await house.stage.startWorker()
  })
  afterEach(() => house?.redshift.gate())
  afterAll(() => house?.stop())

  const flow = (table: string, unload: string, of: { object?: object; source?: object } = {}) =>
    house.stage.flow(
      JSON.stringify({
        name: table,
        source: {
          connection: 'warehouse',
          settle: '0s',
          objects: [{ object: table, cursorField: 'updated_at', options: { unload }, ...of.object }],
          ...of.source,
        },
        destination: { prefix: 'raw' },
      }),
    )
  const table = async (name: string, rows: number, stamp = "timestamp '2026-01-01' + n * interval '1 second'") => {
    await createTable(house.redshift.url, name)
    await house.redshift.look(insertSql(name, 1, rows, stamp))
  }
  const folder = (name: string): string => join(house.stage.lake, 'raw', name)
  const exports = (): string[] => filesBelow(join(house.stage.lake, '_lakeward', '_exports'))
  const expectAlike = async (name: string): Promise<void> => {
    const types = await parquetTypes(folder(name))
    expect(types).toMatchObject(TYPES)
    const truth = (await house.rows(`SELECT ${TEXTS.join(', ')} FROM ${name}`)).map(byName)
    const { bytes, ...compared } = types
    expect(bytes).toBe('BLOB')
    expect(await compare(folder(name), 'parquet', compared, truth)).toEqual({
      ...{ onlyFiles: [], onlySource: [], files: truth.length, source: truth.length },
    })
    const wrong = `SELECT count(*) FILTER (lower(hex(bytes)) <> md5((9223372036854775807 - long)::VARCHAR)) AS wrong,
      count(bytes) > 0 AS some FROM files`
    expect(await queryFiles(folder(name), wrong)).toEqual([{ wrong: '0', some: true }])
    expect(workOf(house.stage, `${name}-${house.stage.id}`, name)).toEqual(NO_WORK)
    expect(exports()).toEqual([])
  }

  it.each(['never', 'always'])('every type, and what came since, ties too; unloaded: %s', async (unload) => {
    const { stage, redshift } = house
    const name = `types_${unload}`
    await table(name, 500)
    const loading = flow(name, unload)
    const [first] = (await stage.run(loading)).objects
    expect(first).toMatchObject({ read: 500, written: 500, proof: expect.stringMatching(/^proven/) as string })
    const bound = first!.watermark!
    await redshift.look(insertSql(name, 501, 520, `'${bound.replace('T', ' ').replace('Z', '')}'`))
    await redshift.look(
      insertSql(name, 521, 800, `'${bound.slice(0, 10)} 23:59:59.999999'::timestamp + interval '1 day'`),
    )
    await redshift.advance(3 * 86_400_000)
    expect((await stage.run(loading)).objects[0]).toMatchObject({ read: 300, written: 300 })
    expect((await stage.run(loading)).objects[0]).toMatchObject({ status: 'nothing', read: 0 })
    await expectAlike(name)
  })

  it('killed while it unloads, while it reads files and while it reads pages: each row once', async () => {
    const { stage, redshift } = house
    const gate = stage.s3!.gate
    const names = ['killed_files', 'killed_pages']
    for (const name of names) await table(name, ROWS)
    let release = (): void => {}
    const released = new Promise<void>((resolve) => (release = resolve))
    let unloads = 0
    redshift.gate(async ({ parts }, at) => {
      if (at !== 0 || !parts[0]!.sql.startsWith('UNLOAD')) return
      unloads++
      await released
    })
    const files = await stage.start(flow('killed_files', 'always'))
    await until('the statement runs', () => unloads > 0)
    const read = (): number => redshift.counts()['GetStatementResult'] ?? 0
    const before = read()
    const pages = await stage.start(flow('killed_pages', 'never'))
    await until('pages are read', () => read() > before + 20, { everyMs: 5 })
    await worker!.kill()
    gate.hang([{ name: 'reading', method: 'GET', path: '_exports/.*0001_part', done: 0 }])
    worker = await stage.startWorker()
    release()
    await until('a file is read', () => gate.halted().has('reading'), { withinMs: 300_000 })
    await worker.kill()
    gate.hang([])
    worker = await stage.startWorker()
    for (const run of [files, pages]) {
      expect((await run.result()).objects[0]).toMatchObject({ read: ROWS, written: ROWS })
    }
    expect(unloads).toBe(1)
    for (const name of names) await expectAlike(name)
  })

  it('cancelled while it unloads: the statement ends, and nothing is left', async () => {
    const { stage, redshift } = house
    await table('stopped', 50)
    let held: { status: string } | undefined
    redshift.gate(async (request, at) => {
      if (at !== 'commit' || !request.parts[0]!.sql.startsWith('UNLOAD')) return
      held = request
      await new Promise((resolve) => setTimeout(resolve, 30_000).unref())
    })
    const run = await stage.start(flow('stopped', 'always'))
    await until('the files are there', () => held)
    await stage.client.workflow.getHandle(run.workflowId).cancel()
    await expect(run.result()).rejects.toThrow()
    expect(held!.status).toBe('ABORTED')
    expect(exports()).toEqual([])
    expect(workOf(stage, `stopped-${stage.id}`, 'stopped')).toEqual(NO_WORK)
  })

  it('wrong inputs are told before anything is written', async () => {
    const { stage, redshift } = house
    await redshift.look('CREATE TABLE wrong (id int, day date, updated_at timestamp)')
    await redshift.look("INSERT INTO wrong VALUES (1, '2026-01-01', '2026-01-01'), (2, NULL, NULL)")
    const wrong: [string, ReturnType<typeof flow>, RegExp][] = [
      ['a table that is not there', flow('nowhere', 'auto'), /no such table or view/],
      ['rows without a stamp', flow('wrong', 'auto'), /rows without updated_at \(1\)/],
      ['days', flow('wrong', 'auto', { object: { cursorField: 'day' } }), /day is date, and no date-time/],
      ['no such column', flow('wrong', 'auto', { object: { cursorField: 'at' } }), /no column at/],
      ['nothing that tells', flow('wrong', 'auto', { object: { cursorField: undefined } }), /read: full/],
      [
        'no staging',
        flow('wrong', 'always', { source: { connection: 'unstaged' }, object: { read: 'full' } }),
        /staging/,
      ],
      [
        'no role',
        flow('wrong', 'always', { source: { connection: 'roleless' }, object: { read: 'full' } }),
        /copyRole/,
      ],
      ['an option', flow('wrong', 'sometimes'), /unload.*auto \| always \| never/s],
    ]
    for (const [at, [, one]] of wrong.entries()) one.name = `wrong-${at}-${stage.id}`
    const told = await Promise.all(wrong.map(([, one]) => failureOf(stage.run(one))))
    for (const [at, [name, , pattern]] of wrong.entries()) expect(JSON.stringify(told[at]), name).toMatch(pattern)
    expect(filesBelow(folder('wrong'))).toEqual([])
    expect(exports()).toEqual([])
  })

  it('the example: rows of the warehouse become accounts, and change them; what is refused is told', async () => {
    const { stage, redshift } = house
    const columns = '"account_key" VARCHAR(30), "name" VARCHAR(300), "contract_value" DECIMAL(18,2), "founded" DATE'
    const client = vendorClient(redshift.url)
    await batch(client, 'CREATE SCHEMA IF NOT EXISTS "marketing"')
    await batch(client, `CREATE TABLE "marketing"."accounts" (${columns}, "score" INTEGER, "updated_at" TIMESTAMPTZ)`)
    const day = `date '1899-12-31' + n, n, redshift.getdate() - interval '1 day'`
    const values = `'wh-' || n, 'Müller "' || n || '"', n * 1000000.25, ${day}`
    await redshift.look(`INSERT INTO marketing.accounts SELECT ${values} FROM generate_series(1, 300) AS n`)
    const written = parse(readFileSync(EXAMPLE, 'utf8')) as { source: object; destination: object }
    const example = stage.flow(
      JSON.stringify({
        ...written,
        source: { ...written.source, settle: '0s' },
        destination: { ...written.destination, connection: stage.crm },
      }),
    )
    const own = 'account_key, name, contract_value, founded'
    const accounts = async () => ({
      org: [...stage.sandbox.control.truth('Account')]
        .filter(({ External_Key__c: key }) => key?.startsWith('wh-'))
        .map((one) => [one['External_Key__c'], one['Name'], one['Contract_Value__c'], one['Founded__c']].join('|'))
        .toSorted(),
      warehouse: (await house.rows(`SELECT ${own} FROM marketing.accounts WHERE score <> 0`))
        .map((row) => row.join('|'))
        .toSorted(),
    })
    const first = await stage.run(example)
    expect(first.objects[0]).toMatchObject({ read: 300, delivered: { inserted: 300, updated: 0, rejected: 0 } })
    const { org, warehouse } = await accounts()
    expect(org).toEqual(warehouse)
    expect(org).toHaveLength(300)

    const changed = `name = 'Meier', contract_value = NULL, updated_at = redshift.getdate() + interval '1 hour'`
    await redshift.look(`UPDATE marketing.accounts SET ${changed} WHERE score <= 20`)
    const long = `repeat('x', 300), 1, NULL, 0, redshift.getdate() + interval '1 hour'`
    await redshift.look(`INSERT INTO marketing.accounts VALUES ('wh-long', ${long})`)
    await redshift.advance(2 * 3_600_000)
    const second = await stage.run(example)
    expect(second.objects[0]).toMatchObject({ read: 21, delivered: { inserted: 0, updated: 20, rejected: 1 } })
    expect(second.objects[0]!.notes.join()).toMatch(/STRING_TOO_LONG/)
    const after = await accounts()
    expect(after.org).toEqual(after.warehouse)
  })

  it('a look at some rows takes some, in pages', async () => {
    const { stage } = house
    await table('looked_at', 300)
    const path = join(stage.directory, 'look.yaml')
    writeFileSync(path, JSON.stringify(flow('looked_at', 'always')))
    const shown = await stage.lakeward('preview', path, '--rows', '3', '--json')
    expect(shown.code, shown.stderr).toBe(0)
    expect(shown.stdout).toContain('k0000')
  })
})
