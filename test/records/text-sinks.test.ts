import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Field, FieldType, Row } from '../../connectors/connector.ts'
import { csvSink } from '../../connectors/records/csv.ts'
import { jsonlSink } from '../../connectors/records/jsonl.ts'
import { quarantineLine } from '../../connectors/records/quarantine.ts'
import { textReader } from '../../connectors/records/cells.ts'
import { decimalOf } from '../../connectors/records/field-kind.ts'
import { Dice, randomTable } from './random-tables.ts'
import { batchOf, decodedRows, fieldsOf } from './tables.ts'
import { duckdb, fileOf } from './duckdb.ts'
import type { Reader } from './duckdb.ts'

let reader: Reader
beforeAll(async () => {
  reader = await duckdb()
})
afterAll(() => reader.close())

const types: Record<string, FieldType> = {
  s: 'string',
  b: 'boolean',
  i: 'int64',
  m: 'decimal(38,2)',
  f: 'float64',
  d: 'date',
  c: 'time',
  t: 'timestamp',
  x: 'binary',
  j: 'json',
}
const fields = fieldsOf(types)
const rows: Row[] = [
  {
    s: 'q"\\,\n😀\u0001',
    b: true,
    i: '9007199254740993',
    m: '123456789012345678901234567890.10',
    f: 0.1,
    d: '1700-01-01',
    c: '10:15',
    t: '2026-05-06T11:56:44.1Z',
    x: Uint8Array.of(1, 255),
    j: { a: ['é', 1] },
  },
  {
    s: '',
    b: false,
    i: -1,
    m: 0,
    f: -0,
    d: '4000-12-31',
    c: '23:59:59.999999',
    t: '2026-05-06',
    x: new Uint8Array(),
    j: 'text',
  },
  {},
]
const text = (pieces: Uint8Array[]) => Buffer.concat(pieces).toString()

describe('JSON lines', () => {
  it('keep every digit', () => {
    const sink = jsonlSink(fields)
    sink.append(batchOf(fields, rows))
    const written = text(fileOf(sink))
    expect(written.split('\n')).toEqual([
      '{"s":"q\\"\\\\,\\n😀\\u0001","b":true,"i":9007199254740993,"m":"123456789012345678901234567890.10","f":0.1,' +
        '"d":"1700-01-01","c":"10:15:00","t":"2026-05-06T11:56:44.100Z","x":"Af8=","j":{"a":["é",1]}}',
      '{"s":"","b":false,"i":-1,"m":"0.00","f":-0,' +
        '"d":"4000-12-31","c":"23:59:59.999999","t":"2026-05-06T00:00:00Z","x":"","j":"text"}',
      '{"s":null,"b":null,"i":null,"m":null,"f":null,"d":null,"c":null,"t":null,"x":null,"j":null}',
      '',
    ])
    expect(sink.bytes).toBe(Buffer.byteLength(written))
    expect(sink.rows).toBe(3)
  })
  it('write decimals that a double holds as numbers', () => {
    const of = fieldsOf({ a: 'decimal(15,2)', b: 'decimal(16,2)' })
    const sink = jsonlSink(of)
    sink.append(batchOf(of, [{ a: '1.10', b: '1.10' }]))
    expect(text(fileOf(sink))).toBe('{"a":1.10,"b":"1.10"}\n')
  })
  it('put json on one line', () => {
    const of = fieldsOf({ j: 'json' })
    const sink = jsonlSink(of)
    for (const { batch } of decodedRows(of, [{ j: 1 }])) {
      const data = { kind: 'bytes' as const, offsets: Int32Array.of(0, 9), bytes: Buffer.from('{\n"a":\r1}') }
      sink.append({ ...batch, columns: [{ length: 1, nulls: 0, data }] })
    }
    expect(text(fileOf(sink))).toBe('{"j":{ "a": 1}}\n')
  })
  it('are read back by DuckDB, many of them and in pieces', async () => {
    const many = Array.from({ length: 20_000 }, (_, i) => ({ ...rows[i % 3], i }))
    const sink = jsonlSink(fields)
    const pieces: Uint8Array[] = []
    for (const { batch } of decodedRows(fields, many)) {
      sink.append(batch)
      pieces.push(...sink.drain())
    }
    expect(pieces.length).toBeGreaterThan(1)
    const path = reader.write('many.jsonl', [...pieces, ...sink.finish()])
    const columns = "{s: 'varchar', i: 'bigint', m: 'decimal(38,2)', t: 'timestamptz', j: 'json'}"
    expect(
      await reader.rows(
        `select count(*), count(s), sum(i)::varchar, count(distinct s), max(m)::varchar, max(epoch_us(t)), max(j->>'$.a[0]')
         from read_json(${path}, format = 'newline_delimited', columns = ${columns})`,
      ),
    ).toEqual([['20000', '13334', '199990000', '2', '123456789012345678901234567890.10', '1778068604100000', 'é']])
  })
})

describe('CSV', () => {
  it('tells null from empty text', () => {
    const sink = csvSink(fieldsOf({ 'a,b': 'string', n: 'int32' }))
    sink.append(
      batchOf(fieldsOf({ 'a,b': 'string', n: 'int32' }), [{ 'a,b': '', n: 1 }, { n: 2 }, { 'a,b': 'x\r\n"y"' }]),
    )
    expect(text(fileOf(sink))).toBe('"a,b",n\n"",1\n,2\n"x\r\n""y""",\n')
  })
  it('without rows is a header', () => {
    expect(text(fileOf(csvSink(fieldsOf({ a: 'string', b: 'json' }))))).toBe('a,b\n')
  })
  it('is read back by DuckDB', async () => {
    const sink = csvSink(fields)
    sink.append(batchOf(fields, rows), Uint32Array.of(0, 2, 1))
    const path = reader.write('three.csv', fileOf(sink))
    const columns =
      "{s: 'varchar', b: 'boolean', i: 'bigint', m: 'decimal(38,2)', f: 'double', " +
      "d: 'date', c: 'time', t: 'timestamptz', x: 'varchar', j: 'json'}"
    const read = `read_csv(${path}, header = true, auto_detect = false, quote = '"', escape = '"', new_line = '\\n', nullstr = '', allow_quoted_nulls = false, columns = ${columns})`
    expect(
      await reader.rows(
        `select s, b::varchar, i::varchar, m::varchar, f, d::varchar, c::varchar, epoch_us(t), x, j::varchar from ${read}`,
      ),
    ).toEqual([
      [
        'q"\\,\n😀\u0001',
        'true',
        '9007199254740993',
        '123456789012345678901234567890.10',
        '0.1',
        '1700-01-01',
        '10:15:00',
        '1778068604100000',
        'Af8=',
        '{"a":["é",1]}',
      ],
      Array.from({ length: 10 }, () => null),
      ['', 'false', '-1', '0.00', '0', '4000-12-31', '23:59:59.999999', '1778025600000000', '', '"text"'],
    ])
  })
})

it('a quarantine line is the record, its rule and why', () => {
  const reject = { row: '{"n":1.10}', field: 'n', rule: 'cast', reason: 'it is too large', deleted: true }
  const line = quarantineLine(reject, { flow: 'f', object: 'Account', run: 'r1', attempt: 1, by: 'flow' })
  expect(line).toBe(
    '{"flow":"f","object":"Account","run":"r1","attempt":1,"by":"flow","field":"n","rule":"cast",' +
      '"reason":"it is too large","deleted":true,"record":{"n":1.10}}\n',
  )
})

/** Cell by cell and by strings, as the laws of both formats say. */
function plainly(format: 'jsonl' | 'csv', { type, name }: Field, cell: string | null): string {
  if (format === 'csv')
    return cell === null ? '' : cell === '' || /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
  const asText =
    ['string', 'binary', 'date', 'time', 'timestamp'].includes(type) || (decimalOf(type)?.precision ?? 0) > 15
  return `"${name}":${cell !== null && asText ? JSON.stringify(cell) : cell}`
}

describe('Text formats', () => {
  it('write random tables as cells and strings would be', () => {
    for (let seed = 0; seed < (process.env['LAKEWARD_THOROUGH'] ? 1000 : 40); seed++) {
      const { fields: of, parts } = randomTable(new Dice(seed))
      const readers = of.map(({ type }) => textReader(type))
      for (const format of ['jsonl', 'csv'] as const) {
        const sink = format === 'csv' ? csvSink(of) : jsonlSink(of)
        const wanted = format === 'csv' ? [of.map(({ name }) => name).join(',')] : []
        for (const { batch, chosen } of parts) {
          sink.append(batch, chosen)
          for (const row of chosen ?? Array.from({ length: batch.rows }, (_, i) => i)) {
            const cells = of.map((field, at) => plainly(format, field, readers[at]!(batch.columns[at]!, row)))
            wanted.push(format === 'csv' ? cells.join(',') : `{${cells.join(',')}}`)
          }
        }
        const written = text(fileOf(sink))
        // Not by `toBe`: its message would be as long as the files.
        expect(written === wanted.map((line) => `${line}\n`).join(''), `seed ${seed} ${format}`).toBe(true)
      }
    }
  })
})
