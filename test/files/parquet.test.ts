/** Parquet files as others write them (DuckDB), and as this project does: every value exactly. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, describe, expect, it } from 'vitest'
import type { FieldType, JsonObject, Page } from '../../connectors/connector.ts'
import { file } from '../../connectors/file/file.ts'
import { parquetSink } from '../../connectors/records/parquet.ts'
import { batchOf, fieldsOf } from '../records/tables.ts'
import { FileReader } from './file-reader.ts'

const root = mkdtempSync(join(tmpdir(), 'lakeward-parquet-'))
const reader = new FileReader(file, { path: root })
afterAll(() => rmSync(root, { recursive: true, force: true }))

async function write(name: string, select: string, options = 'COMPRESSION snappy'): Promise<void> {
  const connection = await (await DuckDBInstance.create()).connect()
  await connection.run(`COPY (${select}) TO '${join(root, name)}' (FORMAT parquet, ${options})`)
  connection.closeSync()
}

const read = (name: string, schema: Record<string, FieldType>) => reader.run(name, { format: 'parquet', schema })
const sampled = async (name: string) =>
  (await reader.source.files!.sample(reader.session(), name)) as { schema: JsonObject }

/** SQL, type, text. */
const VALUES: [string, FieldType, string | null][] = [
  ['true', 'boolean', 'true'],
  ['(-2147483648)::INTEGER', 'int32', '-2147483648'],
  ['7::TINYINT', 'int32', '7'],
  ['4294967295::UINTEGER', 'int64', '4294967295'],
  ['9007199254740993::BIGINT', 'int64', '9007199254740993'],
  ['(-9223372036854775808)::BIGINT', 'int64', '-9223372036854775808'],
  ['18446744073709551615::UBIGINT', 'decimal(20,0)', '18446744073709551615'],
  ["'-0.05'::DECIMAL(4,2)", 'decimal(4,2)', '-0.05'],
  ["'1234567.89'::DECIMAL(9,2)", 'decimal(9,2)', '1234567.89'],
  ["'9007199254740993.07'::DECIMAL(18,2)", 'decimal(18,2)', '9007199254740993.07'],
  [
    "'-12345678901234567890123456789.012345678'::DECIMAL(38,9)",
    'decimal(38,9)',
    '-12345678901234567890123456789.012345678',
  ],
  ['0.1::DOUBLE', 'float64', '0.1'],
  ["DATE '1583-02-28'", 'date', '1583-02-28'],
  ["TIME '11:56:44.123456'", 'time', '11:56:44.123456'],
  ["TIMESTAMP '1969-12-31 23:59:59.999999'", 'timestamp', '1969-12-31T23:59:59.999999Z'],
  ["TIMESTAMPTZ '2026-05-06 11:56:44.000001+02'", 'timestamp', '2026-05-06T09:56:44.000001Z'],
  ["'2026-05-06 11:56:44.123'::TIMESTAMP_MS", 'timestamp', '2026-05-06T11:56:44.123Z'],
  ["'2026-05-06 11:56:44.123456789'::TIMESTAMP_NS", 'timestamp', '2026-05-06T11:56:44.123456Z'],
  ["'é😀'", 'string', 'é😀'],
  ["''", 'string', ''],
  ["'01234'", 'string', '01234'],
  ["'a0b1c2d3-0000-4000-8000-0123456789ab'::UUID", 'string', 'a0b1c2d3-0000-4000-8000-0123456789ab'],
  ["'\\xFF\\x00'::BLOB", 'binary', '/wA='],
  ['NULL::BIGINT', 'int64', null],
]
const columns = VALUES.map(([sql], at) => `${sql} AS c${at}`)
const schema = Object.fromEntries(VALUES.map(([, type], at) => [`c${at}`, type]))

describe('Parquet', () => {
  it.each([
    ['snappy', 'COMPRESSION snappy'],
    ['gzip', 'COMPRESSION gzip'],
    ['brotli', 'COMPRESSION brotli'],
    ['not compressed, the newer encodings', 'COMPRESSION uncompressed, PARQUET_VERSION v2'],
  ])('every type keeps its value: %s', async (_, options) => {
    // Unsigned integers of the newer encodings are refused: see below.
    const left = VALUES.findIndex(([sql]) => options.includes('v2') && sql.endsWith('::UINTEGER'))
    const [some, wanted] = [columns.filter((_column, at) => at !== left), { ...schema }]
    delete wanted[`c${left}`]
    await write('types.parquet', `SELECT ${some.join(', ')} FROM range(3)`, options)
    expect((await sampled('types.parquet')).schema).toEqual(wanted)
    const { rows, rejects } = await read('types.parquet', wanted)
    const row = Object.fromEntries(VALUES.flatMap(([, , text], at) => (at === left ? [] : [[`c${at}`, text]])))
    expect([rows, rejects]).toEqual([[row, row, row], []])
  })

  it('many row groups come in pages, and from every cursor exactly the rest, nulls in place', async () => {
    const select = "SELECT i AS id, CASE WHEN i % 3 = 0 THEN NULL ELSE 'v' || (i % 100) END AS v FROM range(40000) t(i)"
    await write('many.parquet', select, 'COMPRESSION snappy, ROW_GROUP_SIZE 10240')
    const plan = await reader.plan('many.parquet', { format: 'parquet', schema: { id: 'int64', v: 'string' } })
    const pages: Page[] = []
    for await (const page of reader.pages(plan, plan.ranges[0]!, null)) pages.push(page)
    const idsOf = (some: typeof pages) =>
      some.flatMap(({ body }) => (body as { id: bigint }[]).map(({ id }) => Number(id)))
    expect(idsOf(pages)).toEqual(Array.from({ length: 40_000 }, (_, i) => i))
    for (const at of [0, 1, pages.length - 2]) {
      const rest: Page[] = []
      for await (const page of reader.pages(plan, plan.ranges[0]!, pages[at]!.next)) rest.push(page)
      expect(idsOf(rest)).toEqual(idsOf(pages.slice(at + 1)))
    }
    const { rows } = await reader.read(plan)
    expect(rows.every(({ id, v }) => v === (Number(id) % 3 === 0 ? null : `v${Number(id) % 100}`))).toBe(true)
  })

  it('that this project wrote reads back the same', async () => {
    const fields = fieldsOf({ id: 'int64', d: 'decimal(38,9)', t: 'timestamp', j: 'json' })
    const sink = parquetSink(fields)
    sink.append(batchOf(fields, [{ id: 1n, d: '0.000000001', t: '2026-05-06T11:56:44.000001Z', j: [1, { a: '😀' }] }]))
    writeFileSync(join(root, 'own.parquet'), Buffer.concat([...sink.drain(), ...sink.finish()]))
    const found = read('own.parquet', Object.fromEntries(fields.map(({ name, type }) => [name, type])))
    const { zstdCompressSync } = (await import('node:zlib')) as { zstdCompressSync?: unknown }
    expect(zstdCompressSync === undefined || (await found).rows.length === 1).toBe(true)
    expect((await found).rows).toEqual([
      { id: '1', d: '0.000000001', t: '2026-05-06T11:56:44.000001Z', j: '[1,{"a":"😀"}]' },
    ])
  })

  it('columns that are not there are null, and told; a value that does not fit is set apart', async () => {
    await write('few.parquet', 'SELECT i AS id, i * 1000000000 AS large FROM range(5) t(i)')
    const { rows, rejects, notes } = await read('few.parquet', { id: 'int64', large: 'int32', no: 'string' })
    expect(rows).toEqual([0, 1, 2].map((i) => ({ id: `${i}`, large: `${i * 1_000_000_000}`, no: null })))
    expect(rejects).toHaveLength(2)
    expect([...notes].join()).toMatch('no column no')
  })

  it('unsigned integers that the library would misread are refused', async () => {
    await write('u.parquet', 'SELECT 4294967295::UINTEGER AS x FROM range(3)', 'PARQUET_VERSION v2')
    await expect(read('u.parquet', { x: 'int64' })).rejects.toThrow(/column x has unsigned integers/)
  })

  it.each([
    ['is nested', 'SELECT {a: 1} AS x', /column x is nested/],
    ['is a list', 'SELECT [1, 2] AS x', /column x is nested/],
    ['has none of the columns', 'SELECT 1 AS y', /none of the columns/],
  ])('that %s is an error that says what to do', async (_, select, message) => {
    await write('bad.parquet', select)
    await expect(read('bad.parquet', { x: 'json' })).rejects.toThrow(message)
  })

  it('that is cut off, or no Parquet at all, is an error that names the file', async () => {
    await write('cut.parquet', 'SELECT i AS id FROM range(9999) t(i)')
    truncateSync(join(root, 'cut.parquet'), 5000)
    writeFileSync(join(root, 'not.parquet'), 'id,name\n1,2\n')
    for (const name of ['cut.parquet', 'not.parquet']) {
      await expect(read(name, { id: 'int64' })).rejects.toThrow(new RegExp(`${name} failed: it is no Parquet file`))
    }
  })
})
