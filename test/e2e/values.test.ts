/**
 * What arrives is what the source has: every column of every row, in every format, and again after changes. Read by
 * DuckDB.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RunResult } from '../../activities/digests.ts'
import { describeWithTemporal } from '../temporal.ts'
import type { TruthRow } from './compare.ts'
import { compare, parquetTypes, queryFiles } from './compare.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'

describeWithTemporal('values', (temporal) => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage(temporal, { salesforce: { accounts: 14_000, opportunities: 1500 } })
    await stage.startWorker()
  })
  afterAll(() => stage.stop())

  const flowOf = (format: string) =>
    stage.flow(`
name: ${format}
source:
  settle: 0s
  objects:
    - { object: Account, into: accounts }
    - { object: Opportunity, into: opportunities }
destination: { prefix: ${format}, format: ${format} }
`)
  const folder = (format: string, into = 'accounts') => join(stage.lake, format, into)
  const truth = (object = 'Account'): TruthRow[] => [...stage.sandbox.control.truth(object, { includeDeleted: true })]
  const columnsOf = async () => {
    const { _lakeward_op, ...types } = await parquetTypes(folder('parquet'))
    return types
  }
  let first: RunResult

  it('Parquet has the types of the description and the values of the source', async () => {
    first = await stage.run(flowOf('parquet'))
    const types = await parquetTypes(folder('parquet'))
    expect(types).toMatchObject({
      Id: 'VARCHAR',
      Name: 'VARCHAR',
      AccountNumber: 'VARCHAR',
      AnnualRevenue: 'DECIMAL(18,0)',
      NumberOfEmployees: 'INTEGER',
      IsDeleted: 'BOOLEAN',
      SystemModstamp: 'TIMESTAMP WITH TIME ZONE',
      BillingLatitude: 'DECIMAL(18,15)',
      _lakeward_op: 'VARCHAR',
    })
    expect(Object.values(types)).toContain('DATE')
    expect(Object.values(types)).toContain('TIME')
    const source = Object.keys(truth()[0]!)
    // Compound fields come as their parts.
    expect(source.filter((name) => !(name in types))).toEqual(['BillingAddress'])

    const columns = await columnsOf()
    expect(await compare(folder('parquet'), 'parquet', columns, truth())).toEqual({
      onlyFiles: [],
      onlySource: [],
      files: truth().length,
      source: truth().length,
    })
    expect(first.objects.map((object) => object.proof)).toEqual([
      expect.stringMatching(/^proven/),
      expect.stringMatching(/^proven/),
    ])
  })

  it('text that looks like a number, "N/A" and null stay what they are', async () => {
    const odd = truth().filter((row) => Object.values(row).some((value) => value === 'N/A' || value === '01234'))
    expect(odd.length).toBeGreaterThan(0)
    const [row] = await queryFiles(
      folder('parquet'),
      `SELECT count(*) FILTER (AccountNumber = '01234') AS zero, count(*) FILTER (Name IS NULL) AS none FROM files`,
    )
    expect(Number(row?.['zero'])).toBe(truth().filter((one) => one['AccountNumber'] === '01234').length)
    expect(Number(row?.['none'])).toBe(truth().filter((one) => one['Name'] === null).length)
  })

  it.each(['jsonl', 'csv'] as const)('%s has the same values', async (format) => {
    await stage.run(flowOf(format))
    const columns = await columnsOf()
    const found = await compare(folder(format), format, columns, truth())
    expect(found).toEqual({ onlyFiles: [], onlySource: [], files: truth().length, source: truth().length })
  })

  it('the second run brings what changed, ties and late rows included, once; deletes and a new field too', async () => {
    const { control } = stage.sandbox
    const before = await columnsOf()
    const ids = control.ids({ object: 'Account', limit: 400, deleted: false })
    const stamp = new Date(Math.floor(control.now() / 1000) * 1000).toISOString()
    control.addField({ object: 'Account', name: 'Loyalty__c', type: 'string' })
    control.update({ object: 'Account', ids: ids.slice(0, 250), values: { Name: 'tied “update”' }, stamp })
    control.update({ object: 'Account', ids: ids.slice(250, 300), values: { Loyalty__c: 'gold' }, stamp })
    control.delete({ object: 'Account', ids: ids.slice(300, 310), stamp })
    const { ids: made } = control.insert({ object: 'Account', count: 40, stamp })
    await waitUntil(() => control.now() > Date.parse(stamp) + 1000)

    control.reset()
    const second = await stage.run(flowOf('parquet'))
    const account = second.objects.find((object) => object.object === 'Account')!
    expect(account.read).toBe(350)
    expect(account.notes.join('\n')).toContain('new field Loyalty__c')
    expect(control.served({ object: 'Account' }).again).toBe(0)

    const types = await parquetTypes(folder('parquet'))
    expect(Object.keys(types)).toEqual([...Object.keys(before), '_lakeward_op', 'Loyalty__c'])
    const changed = new Set([...ids.slice(0, 310), ...made])
    const now = truth().filter((row) => changed.has(String(row['Id'])))
    const { _lakeward_op, ...columns } = types
    const found = await compare(folder('parquet'), 'parquet', columns, now, `"SystemModstamp" >= '${stamp}'`)
    expect(found).toEqual({ onlyFiles: [], onlySource: [], files: 350, source: 350 })
    const deletes = await queryFiles(
      folder('parquet'),
      `SELECT Id FROM files WHERE _lakeward_op = 'delete' AND SystemModstamp >= '${stamp}' ORDER BY Id`,
    )
    expect(deletes.map((row) => row['Id'])).toEqual(ids.slice(300, 310).toSorted())

    const third = await stage.run(flowOf('parquet'))
    expect(third.objects.map((object) => [object.status, object.read])).toEqual([
      ['nothing', 0],
      ['nothing', 0],
    ])
  })

  it('rows that become visible late are held back by settle, and come once', async () => {
    const { control } = stage.sandbox
    const flow = stage.flow(
      'name: late\nsource: { settle: 2m, objects: [{ object: Account, into: late }] }\ndestination: {}',
    )
    // The org's clock is moved: nothing here depends on how fast this machine is.
    control.clock({ offsetMs: 600_000 })
    await stage.run(flow)
    const stamp = new Date(Math.floor(control.now() / 1000) * 1000).toISOString()
    const { ids: late } = control.insert({ object: 'Account', count: 5, stamp, hidden: true })
    const { ids: seen } = control.insert({ object: 'Account', count: 5, stamp })
    const early = await stage.run(flow)
    expect(early.objects[0]?.read).toBe(0)
    control.show({ object: 'Account', ids: late })
    control.clock({ offsetMs: 1_200_000 })
    const settled = await stage.run(flow)
    expect(settled.objects[0]?.read).toBe(10)
    const rows = await queryFiles(join(stage.lake, 'late'), `SELECT Id, count(*) AS n FROM files GROUP BY Id`)
    const counts = new Map(rows.map((row) => [row['Id'], Number(row['n'])]))
    for (const id of [...late, ...seen]) expect(counts.get(id)).toBe(1)
    expect(Math.max(...counts.values())).toBe(1)
  })
})

async function waitUntil(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 100))
}
