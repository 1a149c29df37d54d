/** Which type holds which: every pair of types, and what a reader makes of files on both sides of a change. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FieldType } from '../../connectors/connector.ts'
import { conform } from '../../connectors/records/conform.ts'
import { csvSink } from '../../connectors/records/csv.ts'
import { parquetSink } from '../../connectors/records/parquet.ts'
import { widens, widest } from '../../connectors/records/widening.ts'
import { duckdb, fileOf } from './duckdb.ts'
import type { Reader } from './duckdb.ts'
import { batchOf, fieldsOf } from './tables.ts'

const TYPES: FieldType[] = [
  'string',
  'boolean',
  'int32',
  'int64',
  'float64',
  'decimal(9,0)',
  'decimal(18,2)',
  'decimal(18,4)',
  'decimal(38,10)',
  'date',
  'time',
  'timestamp',
  'binary',
  'json',
]

/** The type that holds both, for every two types that any holds; the two are on the left. */
const HOLDS: [FieldType, FieldType, FieldType, duck: string][] = [
  ['int32', 'int64', 'int64', 'BIGINT'],
  ['int32', 'float64', 'float64', 'DOUBLE'],
  ['int32', 'decimal(9,0)', 'decimal(10,0)', 'DECIMAL(10,0)'],
  ['int32', 'decimal(18,2)', 'decimal(18,2)', 'DECIMAL(18,2)'],
  ['int32', 'decimal(18,4)', 'decimal(18,4)', 'DECIMAL(18,4)'],
  ['int32', 'decimal(38,10)', 'decimal(38,10)', 'DECIMAL(38,10)'],
  ['int64', 'decimal(9,0)', 'decimal(19,0)', 'DECIMAL(19,0)'],
  ['int64', 'decimal(18,2)', 'decimal(21,2)', 'DECIMAL(21,2)'],
  ['int64', 'decimal(18,4)', 'decimal(23,4)', 'DECIMAL(23,4)'],
  ['int64', 'decimal(38,10)', 'decimal(38,10)', 'DECIMAL(38,10)'],
  ['decimal(9,0)', 'float64', 'float64', 'DOUBLE'],
  ['decimal(9,0)', 'decimal(18,2)', 'decimal(18,2)', 'DECIMAL(18,2)'],
  ['decimal(9,0)', 'decimal(18,4)', 'decimal(18,4)', 'DECIMAL(18,4)'],
  ['decimal(9,0)', 'decimal(38,10)', 'decimal(38,10)', 'DECIMAL(38,10)'],
  ['decimal(18,2)', 'decimal(18,4)', 'decimal(20,4)', 'DECIMAL(20,4)'],
  ['decimal(18,2)', 'decimal(38,10)', 'decimal(38,10)', 'DECIMAL(38,10)'],
  ['decimal(18,4)', 'decimal(38,10)', 'decimal(38,10)', 'DECIMAL(38,10)'],
]

describe('the type that holds two others', () => {
  const pairs = TYPES.flatMap((a) => TYPES.map((b) => [a, b] as const))
  it.each(pairs)('%s and %s', (a, b) => {
    const held = HOLDS.find(([x, y]) => (x === a && y === b) || (x === b && y === a))?.[2] ?? (a === b ? a : null)
    expect(widest(a, b)).toBe(held)
    expect(widens(a, b)).toBe(held === b)
  })

  it.each([
    ['decimal(38,0)', 'decimal(38,1)', null],
    ['decimal(30,0)', 'decimal(20,20)', null],
    ['decimal(16,0)', 'float64', null],
    ['decimal(15,0)', 'float64', 'float64'],
    ['int64', 'decimal(38,20)', null],
    ['decimal(2,2)', 'int32', 'decimal(12,2)'],
  ] as const)('by digits: %s and %s', (a, b, held) => expect(widest(a, b)).toBe(held))
})

/** The greatest values of each type, as text. */
const EDGES: Partial<Record<FieldType, string[]>> = {
  int32: ['2147483647', '-2147483648', '0'],
  int64: ['9223372036854775807', '-9223372036854775808', '0'],
  float64: ['1.5', '-1e300', '0.1'],
  'decimal(9,0)': ['999999999', '-999999999', '0'],
  'decimal(18,2)': ['9999999999999999.99', '-0.01', '0.00'],
  'decimal(18,4)': ['99999999999999.9999', '-0.0001', '0.0000'],
  'decimal(38,10)': ['9999999999999999999999999999.9999999999', '-0.0000000001', '1.0000000000'],
}

describe('files before and after a column widens', () => {
  let reader: Reader
  beforeAll(async () => void (reader = await duckdb()))
  afterAll(() => reader.close())

  // Every way into the type that holds both: from the first to it, and from the second where that is another.
  const ways = HOLDS.flatMap(([a, b, to, duck]) =>
    [a, b].filter((from) => from !== to).map((from) => [from, a === from ? b : a, to, duck] as const),
  )
  it.each(ways)('DuckDB reads a column that was %s, when values of %s came, as %s', async (from, other, to, duck) => {
    const was = fieldsOf({ n: from })
    const came = fieldsOf({ n: other })
    const column = fieldsOf({ n: to })
    const old = batchOf(
      was,
      EDGES[from]!.map((n) => ({ n })),
    )
    const values = EDGES[other]!.map((n) => ({ n }))
    const now = conform(batchOf(came, values), column)
    const files = [
      [old, was],
      [now, column],
    ] as const
    const paths = files.map(([batch, fields], at) => {
      const sink = parquetSink([...fields])
      sink.append(batch)
      return reader.write(`${from}-${other}-${at}.parquet`, fileOf(sink))
    })
    const all = `read_parquet([${paths.join(', ')}], union_by_name = true)`
    expect(await reader.rows(`SELECT DISTINCT typeof(n) FROM ${all}`)).toEqual([[duck]])
    const wanted = [...EDGES[from]!, ...EDGES[other]!].map((n) => `CAST('${n}' AS ${duck})`)
    const same = `SELECT count(*) FROM (SELECT n FROM ${all} EXCEPT ALL SELECT unnest([${wanted.join(', ')}]))`
    expect(await reader.rows(same)).toEqual([['0']])
    expect(await reader.rows(`SELECT count(*) FROM ${all}`)).toEqual([['6']])
  })

  it('CSV has the digits of the type the column has by then', () => {
    const column = fieldsOf({ n: 'decimal(18,2)' })
    const sink = csvSink(column)
    sink.append(conform(batchOf(fieldsOf({ n: 'int32' }), [{ n: 5 }]), column))
    expect(Buffer.concat(fileOf(sink)).toString()).toContain('5.00')
  })
})
