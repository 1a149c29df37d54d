/** The bench's short mode: whether everybody writes every value as the source has it. Nothing is timed here. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Checker, differences } from './check.ts'
import { localCsv, localLines, makeData } from './data.ts'
import type { Data } from './data.ts'
import { copySql } from './duck-sql.ts'
import { readOptions } from './options.ts'
import { rowId } from './records.ts'
import { median, ratioOf } from './report.ts'
import type { Result } from './contestants.ts'

const ROWS = 1_000

describe('the value check', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lakeward-bench-check-'))
  let data: Data
  let checker: Checker
  beforeAll(async () => {
    data = await makeData(ROWS, () => {})
    checker = await Checker.open()
  })
  afterAll(() => {
    checker.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const truth = () => checker.truth(localCsv(data, ROWS), ROWS, rowId(ROWS - 1))

  /** DuckDB's own copy, with some values as an expression has them. */
  async function copied(form: 'csv' | 'json', replaced?: string): Promise<string> {
    const out = join(folder, `${Math.random().toString(36).slice(2)}.parquet`)
    const sql = copySql({
      form,
      path: form === 'csv' ? localCsv(data, ROWS) : localLines(data, ROWS),
      out,
      alike: false,
    })
    const database = await DuckDBInstance.create(':memory:')
    const duck = await database.connect()
    await duck.run(replaced ? sql.replace(/SELECT .*? FROM/, `SELECT * REPLACE (${replaced}) FROM`) : sql)
    duck.closeSync()
    database.closeSync()
    return out
  }

  it('passes for what DuckDB copies of either form', async () => {
    expect(differences(await checker.written(await copied('csv')), await truth())).toBeNull()
    expect(differences(await checker.written(await copied('json')), await truth())).toBeNull()
  })

  const one = `Id = '${rowId(500)}'`
  it.each([
    ['a text', 'Phone', `CASE WHEN ${one} THEN 'x' ELSE Phone END`],
    ['a null', 'Name', `CASE WHEN ${one} THEN NULL ELSE Name END`],
    ['a cent', 'Amount', `CASE WHEN ${one} THEN coalesce(Amount, 0) + 0.01 ELSE Amount END`],
    ['a millisecond', 'CreatedDate', `CASE WHEN ${one} THEN CreatedDate + INTERVAL 1 MILLISECOND ELSE CreatedDate END`],
    ['a flag', 'HasOpenActivity', `CASE WHEN ${one} THEN NOT HasOpenActivity ELSE HasOpenActivity END`],
  ])('sees %s that differs', async (_, column, expression) => {
    const found = await checker.written(await copied('csv', `${expression} AS "${column}"`))
    expect(differences(found, await truth())).toBe(`other values: ${column},*`)
  })

  it('sees values that two records have exchanged, and rows that are missing', async () => {
    const [a, b] = [rowId(500), rowId(501)]
    const exchanged = `CASE Id WHEN '${a}' THEN '${b}' WHEN '${b}' THEN '${a}' ELSE Id END AS Id`
    expect(differences(await checker.written(await copied('csv', exchanged)), await truth())).toMatch(/exchanged/)
    const less = await checker.truth(localCsv(data, ROWS), ROWS - 1, rowId(ROWS - 2))
    expect(differences(less, await truth())).toBe('999 rows, and the source has 1000')
  })
})

describe('a ratio', () => {
  it('is taken inside a round, and the median of them counts', () => {
    const run = (contestant: 'core' | 'duck1', round: number, seconds: number) =>
      ({ contestant, round, seconds }) as unknown as Result
    const results = [run('core', 1, 1), run('duck1', 1, 2), run('core', 2, 1), run('duck1', 2, 4), run('core', 3, 9)]
    const ratio = ratioOf(results, { what: '', of: 'core', to: 'duck1', least: null, aim: null })
    expect(ratio).toMatchObject({ median: 3, low: 2, high: 4, rounds: 2 })
    expect(median([5, 1, 3])).toBe(3)
  })
})

describe('options', () => {
  it.each([[['--only', 'toml']], [['--rows', '-1']], [['--rounds', 'many']], [['--fast']], [['--write', '--short']]])(
    'that make no sense are refused: %j',
    (args) => expect(readOptions(args)).toMatchObject({ code: 2, say: expect.stringContaining('--help') as string }),
  )

  it('explain themselves', () => {
    expect(readOptions(['--help'])).toMatchObject({ code: 0, say: expect.stringContaining('--rounds') as string })
  })
})
