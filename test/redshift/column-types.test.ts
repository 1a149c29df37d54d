/** Every pair of field type and column type: what fits is loaded and is the same, what would lose is refused. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { FieldType, Row, Session } from '../../connectors/connector.ts'
import { columnType, type Column, fitOf, shown } from '../../connectors/redshift/column-types.ts'
import { dataApi } from '../../connectors/redshift/data-api.ts'
import { inspectTable } from '../../connectors/redshift/inspect.ts'
import { shapeOf } from '../../connectors/redshift/load-statements.ts'
import { tableName } from '../../connectors/redshift/sql.ts'
import { fieldsOf } from '../records/tables.ts'
import { loaded, loadOf, rowsIn, sessionOf, table } from './loads.ts'
import { useWarehouse } from './warehouse.ts'

/** The ends of each type, and what reads back as text. */
const VALUES: Record<string, { values: Row[string][]; text: string[] }> = {
  string: { values: ['', `a'b\\c"é😀\n`], text: ['', `a'b\\c"é😀\n`] },
  json: { values: [{ a: [1.5, null, 'é'] }, 'x'], text: ['{"a": [1.5, null, "é"]}', '"x"'] },
  boolean: { values: [true, false], text: ['t', 'f'] },
  int32: { values: [-2147483648, 2147483647], text: ['-2147483648', '2147483647'] },
  int64: {
    values: ['-9223372036854775808', '9223372036854775807'],
    text: ['-9223372036854775808', '9223372036854775807'],
  },
  float64: { values: [0.1, -1.7976931348623157e308], text: ['0.1', '-1.7976931348623157e+308'] },
  'decimal(9,0)': { values: ['-999999999', '999999999'], text: ['-999999999', '999999999'] },
  'decimal(18,2)': { values: ['-9999999999999999.99', '0.01'], text: ['-9999999999999999.99', '0.01'] },
  'decimal(19,0)': { values: ['-9999999999999999999', '1'], text: ['-9999999999999999999', '1'] },
  'decimal(38,10)': {
    values: ['-9999999999999999999999999999.9999999999', '0.0000000001'],
    text: ['-9999999999999999999999999999.9999999999', '0.0000000001'],
  },
  date: { values: ['0001-01-01', '4000-12-31'], text: ['0001-01-01', '4000-12-31'] },
  timestamp: {
    values: ['2024-01-02T03:04:05.678901Z', '4000-12-31T23:59:59.999999Z'],
    text: ['2024-01-02 03:04:05.678901', '4000-12-31 23:59:59.999999'],
  },
  binary: { values: [Uint8Array.of(0, 255), new Uint8Array()], text: [String.raw`\x00ff`, String.raw`\x`] },
}

const COLUMNS: Record<string, string> = {
  'VARCHAR(65535)': 'redshift."character varying(65535)"',
  SUPER: 'redshift.super',
  BOOLEAN: 'boolean',
  SMALLINT: 'smallint',
  INTEGER: 'integer',
  BIGINT: 'bigint',
  REAL: 'real',
  'DOUBLE PRECISION': 'double precision',
  'DECIMAL(9,0)': 'numeric(9,0)',
  'DECIMAL(18,2)': 'numeric(18,2)',
  'DECIMAL(19,0)': 'numeric(19,0)',
  'DECIMAL(38,10)': 'numeric(38,10)',
  DATE: 'date',
  TIMESTAMP: 'timestamp',
  TIMESTAMPTZ: 'timestamptz',
  'VARBYTE(1024000)': 'redshift."varbyte(1024000)"',
}

/** Written down, not computed: what goes into which column without loss. */
const LOSSLESS: Record<string, string[]> = {
  string: ['VARCHAR(65535)'],
  json: ['SUPER', 'VARCHAR(65535)'],
  boolean: ['BOOLEAN'],
  int32: ['INTEGER', 'BIGINT', 'DOUBLE PRECISION', 'DECIMAL(18,2)', 'DECIMAL(19,0)', 'DECIMAL(38,10)'],
  int64: ['BIGINT', 'DECIMAL(19,0)', 'DECIMAL(38,10)'],
  float64: ['DOUBLE PRECISION'],
  'decimal(9,0)': ['INTEGER', 'BIGINT', 'DECIMAL(9,0)', 'DECIMAL(18,2)', 'DECIMAL(19,0)', 'DECIMAL(38,10)'],
  'decimal(18,2)': ['DECIMAL(18,2)', 'DECIMAL(38,10)'],
  'decimal(19,0)': ['DECIMAL(19,0)', 'DECIMAL(38,10)'],
  'decimal(38,10)': ['DECIMAL(38,10)'],
  date: ['DATE', 'TIMESTAMP'],
  timestamp: ['TIMESTAMP'],
  binary: ['VARBYTE(1024000)'],
}

const warehouse = useWarehouse()
let session: Session
beforeEach(() => {
  session = sessionOf(warehouse)
})

describe('types', () => {
  it('of new columns bring every value back as it was', async () => {
    const names = Object.keys(VALUES)
    const fields = fieldsOf({
      row: 'int32',
      ...Object.fromEntries(names.map((type, at) => [`c${at}`, type as FieldType])),
    })
    const rows = [0, 1].map((row) => ({
      row,
      ...Object.fromEntries(names.map((type, at) => [`c${at}`, VALUES[type]!.values[row]])),
    }))
    await loaded(
      session,
      await loadOf(warehouse, fields, [...rows, { row: 2 }], { table: 'every', n: 1, write: 'append' }),
    )
    const found = await rowsIn(warehouse, 'every')
    for (const row of [0, 1]) expect(found[row]?.slice(1)).toEqual(names.map((type) => VALUES[type]!.text[row]))
    expect(found[2]?.slice(1)).toEqual(names.map(() => null))
    const inspected = await table.inspect(session, 'every')
    expect(inspected?.fields.slice(1).map(({ type }) => type)).toEqual(names)
  })

  it.each(Object.keys(LOSSLESS))('%s goes into the columns that hold it all, and into no other', async (type) => {
    const known = `t_${type.replaceAll(/\W/g, '_')}`
    const fields = fieldsOf(Object.fromEntries(Object.keys(COLUMNS).map((_, at) => [`c${at}`, type as FieldType])))
    const domains = { 'varbyte(1024000)': 'bytea', 'character varying(65535)': 'text', super: 'jsonb' }
    for (const [domain, over] of Object.entries(domains)) {
      await warehouse.redshift.look(
        `DO $$ BEGIN CREATE DOMAIN redshift."${domain}" AS ${over}; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
      )
    }
    const columnsOf = Object.values(COLUMNS).map((column, at) => `c${at} ${column}`)
    await warehouse.redshift.look(`CREATE TABLE ${known} (${columnsOf.join(', ')})`)
    const fitting: string[] = []
    const target = await inspectTable(dataApi(session), tableName(known, 'public'))
    for (const [at, field] of fields.entries()) {
      const fit = fitOf(field, target.columns![at]!)
      if (!('loses' in fit)) fitting.push(Object.keys(COLUMNS)[at]!)
      else
        expect(() => shapeOf({ table: known, keys: [], write: 'append', schema: [field] }, target)).toThrow(fit.loses)
    }
    expect(fitting.toSorted()).toEqual(LOSSLESS[type]!.toSorted())
    const taken = fields.filter((_, at) => fitting.includes(Object.keys(COLUMNS)[at]!))
    const { values, text } = VALUES[type]!
    const rows = values.map((value) => Object.fromEntries(taken.map(({ name }) => [name, value])))
    await loaded(session, await loadOf(warehouse, taken, rows, { table: known, n: 1, write: 'append' }))
    const columns = taken.map(({ name }) => name).join(', ')
    const { rows: found } = await warehouse.redshift.look(`SELECT ${columns} FROM ${known}`)
    const plain = (value: string | null | undefined): string =>
      (value ?? 'null')
        .replace(/ 00:00:00$/, '')
        .replace(/^(-?\d+\.\d*?)0+$/, '$1')
        .replace(/\.$/, '')
        .replaceAll(/(?<=[:,]) /g, '')
    expect(found.map((row) => row.map(plain))).toEqual(text.map((one) => taken.map(() => plain(one))))
  })
})

describe('text columns', () => {
  const column = (length: number): Column => ({
    name: 'a',
    type: 'character varying',
    length,
    precision: null,
    scale: null,
    nullable: true,
    hasDefault: false,
  })
  const [field] = fieldsOf({ a: 'string' })
  it.each([
    [256, 10, 'fits'],
    [256, 256, 'fits'],
    [256, 257, 1024],
    [100, 101, 256],
    [100, 5000, 16_384],
    [65_535, undefined, 'fits'],
    [256, undefined, 65_535],
  ])('of %s bytes with texts of %s: %s', (length, bytes, expected) => {
    const fit = fitOf(field!, column(length), bytes)
    expect('widen' in fit ? fit.widen : Object.keys(fit)[0]).toBe(expected)
    expect(shown(column(length))).toBe(`VARCHAR(${length})`)
  })

  it('are made for the text they get; a time has none', () => {
    expect([columnType('string', 0), columnType('string', 257), columnType('string')]).toEqual([
      'VARCHAR(256)',
      'VARCHAR(1024)',
      'VARCHAR(65535)',
    ])
    expect([columnType('time'), columnType('decimal(38,38)')]).toEqual([null, null])
  })
})
