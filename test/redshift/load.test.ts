/** Loads: what lies in the tables after them, with twins, deletes, new and wider columns; and what is refused. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { Field, Row, Session } from '../../connectors/connector.ts'
import { fieldsOf } from '../records/tables.ts'
import { loaded, loadOf, rowsIn, sessionOf, table, untilReady } from './loads.ts'
import { useWarehouse } from './warehouse.ts'

const warehouse = useWarehouse()
let session: Session
let name: string
let made = 0
beforeEach(() => {
  session = sessionOf(warehouse)
  warehouse.redshift.gate()
  name = `l${++made}`
})

const account = fieldsOf({ Id: 'string', Name: 'string', At: 'timestamp', _lakeward_op: 'string' })
const row = (Id: string, Name: string | null, second: number, op = 'upsert'): Row => ({
  Id,
  Name,
  At: `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`,
  _lakeward_op: op,
})
const at = (second: number): string => `2026-01-01 00:00:${String(second).padStart(2, '0')}`
const upsert = (n: number, rows: Row[], more = {}, schema = account) =>
  loadOf(warehouse, schema, rows, { table: name, n, write: 'upsert', keys: ['Id'], order: ['At'], ...more }, 2)

describe('a load', () => {
  it('upserts and deletes over three runs, each record as its newest', async () => {
    const first = await upsert(1, [row('a', 'A', 1), row('b', 'B', 1), row('c', "O'x \\ é", 1), row('a', 'A2', 2)])
    expect(await loaded(session, first)).toEqual({ inserted: 3, updated: 0, deleted: 0 })
    const second = await upsert(2, [
      row('b', 'B', 3, 'delete'),
      row('c', null, 3),
      row('z', 'Z', 3, 'delete'),
      row('d', '', 3),
    ])
    expect(await loaded(session, second)).toEqual({ inserted: 1, updated: 1, deleted: 1 })
    // Twins of one stamp: the delete is the last. Twins that are out of order in the files: the stamp decides.
    const third = await upsert(3, [
      row('a', 'A', 9),
      row('a', null, 9, 'delete'),
      row('d', 'new', 8),
      row('d', 'old', 7),
    ])
    expect(await loaded(session, third)).toEqual({ inserted: 0, updated: 1, deleted: 1 })
    expect(await rowsIn(warehouse, name)).toEqual([
      ['c', null, at(3)],
      ['d', 'new', at(8)],
    ])
  })

  it('appends with every row, and replaces without a moment between', async () => {
    const append = (n: number) =>
      loadOf(warehouse, account, [row('a', 'A', 1), row('a', 'A', 1)], { table: name, n, write: 'append' })
    await loaded(session, await append(1))
    expect(await loaded(session, await append(2))).toEqual({ inserted: 2, updated: 0, deleted: 0 })
    expect(await rowsIn(warehouse, name)).toHaveLength(4)
    const replace = await loadOf(warehouse, account, [row('b', 'B', 2)], { table: name, n: 3, write: 'replace' })
    expect(await loaded(session, replace)).toEqual({ inserted: 1, updated: 0, deleted: 4 })
    expect(await rowsIn(warehouse, name)).toEqual([['b', 'B', at(2), 'upsert']])
    const nothing = await loadOf(warehouse, account, [], { table: name, n: 4, write: 'replace' })
    expect(await loaded(session, nothing)).toEqual({ inserted: 0, updated: 0, deleted: 1 })
  })

  it('adds columns, widens text in bytes, and keeps what others added', async () => {
    await loaded(session, await upsert(1, [row('a', 'A', 1), row('b', 'B', 1)], { widths: { Id: 1, Name: 1 } }))
    await warehouse.redshift.look(`ALTER TABLE ${name} ADD COLUMN theirs text; UPDATE ${name} SET theirs = 'kept'`)
    const wider = [...account, ...fieldsOf({ Score: 'decimal(20,4)', Raw: 'json' })]
    const long = 'é'.repeat(200)
    const rows = [{ ...row('a', long, 2), Score: '1234567890123456.7891', Raw: { b: [1, null] } }]
    await loaded(session, await upsert(2, rows, { widths: { Id: 1, Name: 400 } }, wider))
    expect(await rowsIn(warehouse, name)).toEqual([
      ['a', long, at(2), 'kept', '1234567890123456.7891', '{"b": [1, null]}'],
      ['b', 'B', at(1), 'kept', null, null],
    ])
    expect((await table.inspect(session, name))?.fields.map(({ sourceType }) => sourceType)).toEqual([
      ...['VARCHAR(256)', 'VARCHAR(1024)', 'TIMESTAMP WITHOUT TIME ZONE', 'TEXT', 'DECIMAL(20,4)', 'SUPER'],
    ])
  })

  it('adds more columns than a transaction has room for', async () => {
    await loaded(session, await upsert(1, [row('a', 'A', 1)]))
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`f${n}`, 'int32' as const]))
    const rows = [{ ...row('a', 'A', 2), ...Object.fromEntries(Object.keys(many).map((key, n) => [key, n])) }]
    await loaded(session, await upsert(2, rows, {}, [...account, ...fieldsOf(many)]))
    const [found] = await rowsIn(warehouse, name)
    expect(found?.slice(3)).toEqual(Array.from({ length: 60 }, (_, n) => String(n)))
  })

  it('keeps watermark and run beside the rows', async () => {
    expect(await table.newest(session, name)).toBeNull()
    const load = await upsert(1, [row('a', 'A', 1)], { watermark: '2026-01-01T00:00:00Z' })
    await loaded(session, load)
    const result = { inserted: 1, updated: 0, deleted: 0 }
    expect(await table.newest(session, name)).toEqual({ n: 1, run: load.run, watermark: load.watermark, result })
  })

  it('loads keys alone, of several columns, into another schema', async () => {
    await warehouse.redshift.look('CREATE SCHEMA sales')
    const schema = fieldsOf({ a: 'int32', b: 'int64' })
    const more = { table: 'sales.pairs', lane: name, write: 'upsert' as const, keys: ['a', 'b'] }
    const rows = [1, 2, 1].map((a) => ({ a, b: '7' }))
    expect(await loaded(session, await loadOf(warehouse, schema, rows, { n: 1, ...more }))).toMatchObject({
      inserted: 2,
    })
    expect(await loaded(session, await loadOf(warehouse, schema, rows, { n: 2, ...more }))).toMatchObject({
      updated: 2,
    })
    expect(await rowsIn(warehouse, 'sales.pairs')).toHaveLength(2)
  })
})

describe('a load is refused, and nothing is harmed, with', () => {
  const refused = async (rows: Row[], more: object, schema: Field[] = account): Promise<Error> => {
    const load = await upsert(1, rows, more, schema)
    return table.load.submit(session, load, `refused-${name}`).then(
      (ref) =>
        untilReady(session, ref).then(
          () => new Error('it was loaded'),
          (error: Error) => error,
        ),
      (error: Error) => error,
    )
  }
  it.each([
    ['no keys', { keys: [] }, undefined, 'upsert needs keys'],
    ['keys that are not in the output', { keys: ['Id', 'Other'] }, undefined, 'no column Other'],
    ['two fields of one column', {}, fieldsOf({ Id: 'string', ID: 'string' }), 'one column in Redshift'],
    ['a time', {}, fieldsOf({ Id: 'string', clock: 'time' }), 'cast: {clock: string}'],
    ['a name of three parts', { table: 'a.b.c' }, undefined, 'schema.table'],
  ])('%s', async (_, more, schema, said) => {
    const fields = schema ?? account
    const values = schema ? [] : [row('a', 'A', 1)]
    expect((await refused(values, more, fields)).message).toContain(said)
  })

  it('a view as target, a type that would lose, a column that must be filled: before it is submitted', async () => {
    const { look, counts } = warehouse.redshift
    await look(`CREATE VIEW ${name}v AS SELECT 1 AS id`)
    await look(`CREATE TABLE ${name}i ("id" redshift."character varying(256)", "name" integer)`)
    await look(`CREATE TABLE ${name}m ("id" redshift."character varying(256)", "must" integer NOT NULL)`)
    const before = counts()['BatchExecuteStatement']
    const check = (to: string) => table.check(session, { table: to, schema: account, keys: ['Id'], write: 'upsert' })
    await expect(check(`${name}v`)).rejects.toThrow('this is a view')
    await expect(check(`${name}i`)).rejects.toThrow(
      /string does not fit into INTEGER[\s\S]*ALTER TABLE .* ADD COLUMN "name_new" VARCHAR/,
    )
    await expect(check(`${name}m`)).rejects.toThrow('must may not be null')
    expect(counts()['BatchExecuteStatement']).toBe(before)
  })

  it('a key that is null: COPY tells file, row and column, and not what stood there', async () => {
    const error = await refused([row('a', 'secret-name', 1), { ...row('b', 'B', 1), Id: null }], {})
    expect(error.message).toContain('0.parquet row 2, id (character varying(65535)): Missing data for not-null field')
    expect(error.message).not.toContain('secret-name')
    expect(await table.newest(session, name)).toBeNull()
    await expect(rowsIn(warehouse, name)).rejects.toThrow('does not exist')
  })

  it('a role that is not the warehouse’s, a file that is gone, files that have other rows than was said', async () => {
    session = sessionOf(warehouse, { copyRole: 'arn:aws:iam::123456789012:role/other' })
    expect(await refused([row('a', 'A', 1)], {})).toMatchObject({ kind: 'forbidden', code: 'CopyRole' })
    session = sessionOf(warehouse)
    name = `${name}x`
    const manifest = await warehouse.put(
      'gone/manifest',
      table.manifest([{ url: 's3://gone/file', rows: 1, bytes: 1 }]),
    )
    expect(await refused([row('a', 'A', 1)], { manifest })).toMatchObject({ code: 'CopyFiles' })
    name = `${name}x`
    const load = await upsert(1, [row('a', 'A', 1)])
    const counted = { ...load, files: load.files.map((file) => ({ ...file, rows: 2 })) }
    await expect(loaded(session, counted)).rejects.toThrow('another number of rows')
    expect(await table.newest(session, name)).toBeNull()
  })
})
