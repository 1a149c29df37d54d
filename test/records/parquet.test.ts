import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Field, FieldType, Row } from '../../connectors/connector.ts'
import { pageCodec, snappy } from '../../connectors/records/compression.ts'
import { parquetSink } from '../../connectors/records/parquet.ts'
import type { ParquetOptions } from '../../connectors/records/parquet.ts'
import { batchOf, decodedRows, fieldsOf, randoms, textRows } from './tables.ts'
import { duckdb, fileOf } from './duckdb.ts'
import type { Reader } from './duckdb.ts'

let reader: Reader
beforeAll(async () => {
  reader = await duckdb()
})
afterAll(() => reader.close())

const types = {
  id: 'string',
  text: 'string',
  yes: 'boolean',
  small: 'int32',
  large: 'int64',
  double: 'float64',
  money: 'decimal(18,2)',
  long: 'decimal(38,10)',
  day: 'date',
  clock: 'time',
  at: 'timestamp',
  bytes: 'binary',
  raw: 'json',
  nothing: 'string',
  nothing_at_all: 'decimal(38,0)',
} satisfies Record<string, FieldType>
const fields = fieldsOf(types)

const TEXTS = [
  '',
  'a',
  'é',
  '日本',
  '😀',
  'N/A',
  '01234',
  'quote " and , comma',
  'line\nbreak',
  '\u0000',
  'x'.repeat(300),
]
const edges: Row[] = [
  {
    large: '9223372036854775807',
    small: 2147483647,
    double: 1.7976931348623157e308,
    money: '9999999999999999.99',
    long: '9999999999999999999999999999.9999999999',
    day: '4000-12-31',
    at: '4000-12-31T23:59:59.999999Z',
    clock: '23:59:59.999999',
    yes: true,
  },
  {
    large: '-9223372036854775808',
    small: -2147483648,
    double: -5e-324,
    money: '-9999999999999999.99',
    long: '-9999999999999999999999999999.9999999999',
    day: '1700-01-01',
    at: '1700-01-01T00:00:00Z',
    clock: '00:00',
    yes: false,
  },
  { large: 0, small: 0, double: 0, money: 0, long: 0, day: '1970-01-01', at: '1970-01-01', clock: '12:00' },
  {
    large: -1,
    small: -1,
    double: -0.1,
    money: '-0.01',
    long: '-0.0000000001',
    day: '1969-12-31',
    at: '1969-12-31T23:59:59.999999Z',
  },
  { large: '4294967296', double: 0.1, long: '18446744073709551616', day: '0001-01-01', at: '2262-04-12T00:00:00Z' },
  {},
]

function rowsOf(count: number): Row[] {
  const random = randoms(count)
  return Array.from({ length: count }, (_, i) => {
    if (i % 7 === 3) return { id: String(i) }
    const edge = edges[i % edges.length]!
    return {
      ...edge,
      id: `id-${String(i).padStart(9, '0')}`,
      text: TEXTS[Math.floor(random() * TEXTS.length)]!,
      bytes: Uint8Array.from({ length: i % 5 }, () => random() * 256),
      raw: i % 2 ? { i, s: 'é"' } : [i],
    }
  })
}

function file(of: Field[], rows: Row[], options: ParquetOptions = {}, chosen?: (row: number) => boolean): Uint8Array[] {
  const sink = parquetSink(of, options)
  const pieces: Uint8Array[] = []
  for (const { batch } of decodedRows(of, rows)) {
    const some = chosen && Uint32Array.from(Array.from({ length: batch.rows }, (_, i) => i).filter(chosen))
    sink.append(batch, some)
    pieces.push(...sink.drain())
  }
  pieces.push(...sink.finish())
  expect(sink.bytes).toBe(Buffer.concat(pieces).length)
  return pieces
}

/** Every value in the text form that `textOf` writes, made by DuckDB from its own types. */
const select = `select id, text, yes::varchar, small::varchar, large::varchar, double, money::varchar, long::varchar,
  day::varchar, epoch_us(('1970-01-01'::date + clock))::varchar, epoch_us("at")::varchar, base64(bytes), raw::varchar,
  nothing, nothing_at_all::varchar`

function expected(of: Field[], rows: Row[]): (string | null)[][] {
  const micros = (text: string | null | undefined) => {
    if (text == null) return null
    const [, seconds, fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(text)!
    return String(BigInt(Date.parse(`${seconds}Z`)) * 1000n + BigInt(fraction.padEnd(6, '0')))
  }
  return decodedRows(of, rows)
    .flatMap(({ batch }) => textRows(batch))
    .map((row) => ({
      ...row,
      clock: row['clock'] ? micros(`1970-01-01T${row['clock']}Z`) : null,
      at: micros(row['at']),
    }))
    .map((row) => Object.values(row))
}
const asNumbers = (rows: (string | null)[][]) =>
  rows.map((row) => row.map((value, i) => (i === 5 && value !== null ? Number(value) : value)))

describe('Parquet, read by DuckDB', () => {
  it('has the types of the fields', async () => {
    const path = reader.write('types.parquet', file(fields, []))
    const described = await reader.rows(`describe select * from read_parquet(${path})`)
    expect(Object.fromEntries(described.map(([name, type]) => [name, type]))).toEqual({
      id: 'VARCHAR',
      text: 'VARCHAR',
      yes: 'BOOLEAN',
      small: 'INTEGER',
      large: 'BIGINT',
      double: 'DOUBLE',
      money: 'DECIMAL(18,2)',
      long: 'DECIMAL(38,10)',
      day: 'DATE',
      clock: 'TIME',
      at: 'TIMESTAMP WITH TIME ZONE',
      bytes: 'BLOB',
      raw: 'JSON',
      nothing: 'VARCHAR',
      nothing_at_all: 'DECIMAL(38,0)',
    })
    expect(await reader.rows(`select count(*) from read_parquet(${path})`)).toEqual([['0']])
  })

  it.each<[string, number, ParquetOptions]>([
    ['one small group', 5, {}],
    ['with a dictionary', 3000, {}],
    ['without a dictionary', 3000, { dictionary: false }],
    ['in many groups', 9000, { rowGroupRows: 2000 }],
    ['in groups by bytes', 5000, { rowGroupBytes: 200_000 }],
    ['by snappy', 2000, { codec: snappy() }],
    ['by several pages', 34_000, {}],
  ])('gives every value back: %s', async (name, count, options) => {
    const rows = rowsOf(count)
    const path = reader.write(`${name.replaceAll(' ', '-')}.parquet`, file(fields, rows, options))
    const read = asNumbers(await reader.rows(`${select} from read_parquet(${path})`))
    const wanted = asNumbers(expected(fields, rows))
    expect(read.length).toBe(wanted.length)
    const wrong = wanted.findIndex((row, i) => row.some((value, c) => value !== read[i]![c]))
    expect(wrong < 0 ? null : read[wrong]).toEqual(wrong < 0 ? null : wanted[wrong])
  })

  it('writes chosen rows alone', async () => {
    const rows = rowsOf(3000)
    const chosen = (row: number) => row % 3 === 1
    const path = reader.write('chosen.parquet', file(fields, rows, {}, chosen))
    const read = asNumbers(await reader.rows(`${select} from read_parquet(${path})`))
    const wanted = asNumbers(
      expected(
        fields,
        rows.filter((_, i) => chosen(i % 1024)),
      ),
    )
    expect(read).toEqual(wanted)
  })

  it('gives up a dictionary that does not pay, and keeps one that does', async () => {
    const of = fieldsOf({ same: 'string', unique: 'string', late: 'string' })
    const rows = Array.from({ length: 50_000 }, (_, i) => ({
      same: `v${i % 20}`,
      unique: `u${i}`,
      late: i < 35_000 ? 'x' : `l${i}`,
    }))
    const path = reader.write('dictionary.parquet', file(of, rows))
    const metadata = await reader.rows(
      `select path_in_schema, encodings like '%RLE_DICTIONARY%', encodings like '%PLAIN%' from parquet_metadata(${path})`,
    )
    expect(metadata.map(([name, dictionary]) => [name, dictionary])).toEqual([
      ['same', 'true'],
      ['unique', 'false'],
      ['late', 'true'],
    ])
    const sums = 'select count(distinct same), count(distinct "unique"), count(distinct late), min(late), max("unique")'
    expect(await reader.rows(`${sums} from read_parquet(${path})`)).toEqual([
      ['20', '50000', '15001', 'l35000', 'u9999'],
    ])
  })

  it('tells least, greatest and nulls of every group rightly', async () => {
    const rows = rowsOf(4000)
    const path = reader.write('statistics.parquet', file(fields, rows, { rowGroupRows: 1000 }))
    const wanted = expected(fields, rows)
    for (const [column, { name, type }] of fields.entries()) {
      if (type === 'binary' || type === 'json') continue
      const [told] = await reader.rows(
        `select sum(stats_null_count)::bigint, sum(num_values)::bigint from parquet_metadata(${path}) where path_in_schema = '${name}'`,
      )
      expect(told, name).toEqual([String(wanted.filter((row) => row[column] === null).length), '4000'])
    }
    const bounds = await reader.rows(
      `select path_in_schema, stats_min_value, stats_max_value from parquet_metadata(${path}) where row_group_id = 0`,
    )
    const of = Object.fromEntries(bounds.map(([name, least, greatest]) => [name, [least, greatest]]))
    expect(of).toMatchObject({
      id: ['10', 'id-000001023'],
      yes: ['false', 'true'],
      small: ['-2147483648', '2147483647'],
      large: ['-9223372036854775808', '9223372036854775807'],
      money: ['-9999999999999999.99', '9999999999999999.99'],
      long: ['-9999999999999999999999999999.9999999999', '9999999999999999999999999999.9999999999'],
      day: ['0001-01-01', '4000-12-31'],
      clock: ['00:00:00', '23:59:59.999999'],
      at: ['1700-01-01 00:00:00+00', '4000-12-31 23:59:59.999999+00'],
      nothing: [null, null],
    })
    // Readers leave groups out by these bounds: nothing may be lost by it.
    const asked = [
      `id = 'id-000003333'`,
      `text = '😀'`,
      `long < -1`,
      `"at" > '4000-01-01'`,
      `day < '1000-01-01'`,
      `double = 0`,
      `money = -0.01`,
    ]
    for (const where of asked) {
      const [[pruned], [whole]] = [
        await reader.rows(`select count(*) from read_parquet(${path}) where ${where}`),
        await reader.rows(`select count(*) from (select * from read_parquet(${path}) limit 1000000) where ${where}`),
      ] as [[string[]], [string[]]]
      expect(pruned, where).toEqual(whole)
      expect(Number(pruned[0]), where).toBeGreaterThan(0)
    }
  })

  it('goes on plainly where a dictionary is full in the middle of a batch', async () => {
    const of = fieldsOf({ long: 'string' })
    const rows = Array.from({ length: 1024 }, (_, i) => ({ long: `${i} ${'x'.repeat(1500)}` }))
    const path = reader.write('full.parquet', file(of, rows))
    expect(await reader.rows(`select long from read_parquet(${path})`)).toEqual(rows.map(({ long }) => [long]))
  })

  it('tells bounds of values that are all alike, and of zeros both', async () => {
    const of = fieldsOf({ yes: 'boolean', no: 'boolean', zero: 'float64', below: 'float64' })
    const rows = Array.from({ length: 13 }, () => ({ yes: true, no: false, zero: 0, below: -0 }))
    const path = reader.write('alike.parquet', file(of, rows))
    const told = `select stats_min_value, stats_max_value from parquet_metadata(${path})`
    expect(await reader.rows(told)).toEqual([
      ['true', 'true'],
      ['false', 'false'],
      ['-0.0', '0.0'],
      ['-0.0', '0.0'],
    ])
  })

  it('takes the same bytes from the same rows, and says who wrote them', async () => {
    const rows = rowsOf(500)
    const [a, b] = [Buffer.concat(file(fields, rows)), Buffer.concat(file(fields, rows))]
    expect(a.equals(b)).toBe(true)
    const path = reader.write('who.parquet', [a])
    expect(await reader.rows(`select created_by from parquet_file_metadata(${path})`)).toEqual([
      [expect.stringMatching(/^lakeward version \d/) as string],
    ])
    const [[codec]] = (await reader.rows(`select distinct compression from parquet_metadata(${path})`)) as [[string]]
    expect(codec.toLowerCase()).toBe(pageCodec().name)
  })

  it('holds no more than a row group, and knows about how many bytes it will have', () => {
    const sink = parquetSink(fields, { rowGroupRows: 2048 })
    const rows = rowsOf(10_000)
    let most = 0
    for (const { batch } of decodedRows(fields, rows)) {
      sink.append(batch)
      most = Math.max(most, sink.buffered)
    }
    expect(most).toBeLessThan(2048 * 500)
    const pair = fieldsOf({ a: 'string', b: 'string' })
    const texts = parquetSink(pair, { codec: snappy(), dictionary: false })
    const random = randoms(1)
    const noise = () => Array.from({ length: 1500 }, () => String.fromCharCode(33 + random() * 90)).join('')
    const batch = batchOf(
      pair,
      Array.from({ length: 100 }, () => ({ a: noise(), b: noise() })),
    )
    most = 0
    for (let i = 0; i < 150; i++) {
      texts.append(batch)
      most = Math.max(most, texts.buffered)
    }
    expect(most).toBeLessThan(24 << 20)
    expect(most).toBeGreaterThan(16 << 20)
    const guessed = sink.bytes
    fileOf(sink)
    expect(sink.rows).toBe(10_000)
    expect(guessed / sink.bytes).toBeGreaterThan(0.5)
    expect(guessed / sink.bytes).toBeLessThan(2)
  })
})
