/** COPY of the stand-in: Parquet that DuckDB wrote, from a real S3. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { RedshiftDataClient } from '@aws-sdk/client-redshift-data'
import { beforeEach, describe, expect, it } from 'vitest'
import { batch, rowsOf, vendorClient } from './vendor-client.ts'
import { ROLE, useWarehouse } from './warehouse.ts'

const warehouse = useWarehouse()
let client: RedshiftDataClient
let table: string
let made = 0
beforeEach(() => {
  client = vendorClient(warehouse.redshift.url)
  table = `c${++made}`
})

async function parquetOf(select: string): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'lakeward-copy-'))
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run(`COPY (${select}) TO '${join(folder, 'a.parquet')}' (FORMAT parquet)`)
    return await readFile(join(folder, 'a.parquet'))
  } finally {
    connection.closeSync()
    instance.closeSync()
    await rm(folder, { recursive: true })
  }
}

/** A manifest of files made by these queries. */
async function manifestOf(selects: string[], change: (entry: Record<string, unknown>) => unknown = (entry) => entry) {
  const entries = await Promise.all(
    selects.map(async (select, at) => {
      const bytes = await parquetOf(select)
      const url = await warehouse.put(`${table}/${at}.parquet`, bytes)
      return change({ url, mandatory: true, meta: { content_length: bytes.length } })
    }),
  )
  return warehouse.put(`${table}/manifest`, JSON.stringify({ entries }))
}

const copy = (manifest: string, role = ROLE): string =>
  `COPY "${table}" FROM '${manifest}' IAM_ROLE '${role}' FORMAT AS PARQUET MANIFEST`
const failure = async (columns: string, manifest: string, role?: string): Promise<string> => {
  const { Status, Error: said = '' } = await batch(client, `CREATE TABLE "${table}" (${columns})`, copy(manifest, role))
  expect(Status).toBe('FAILED')
  return said
}

describe('COPY of the stand-in', () => {
  it('loads what the manifest names, every type and value as it was', async () => {
    const values = String.raw`SELECT 'a"b,c' || chr(10) || '\N' AS s, '' AS e, NULL::VARCHAR AS z, true AS b,
      1::INTEGER AS i,
      9223372036854775807 AS l, 0.1::DOUBLE AS d, 12.30::DECIMAL(18,2) AS m, DATE '4000-12-31' AS day,
      TIMESTAMP '2024-01-02 03:04:05.678901' AS t, '\x00\xFF'::BLOB AS bytes`
    const columns =
      '"s" VARCHAR(20), "e" VARCHAR(1), "z" VARCHAR(1), "b" BOOLEAN, "i" INTEGER, "l" BIGINT, "d" DOUBLE PRECISION, ' +
      '"m" DECIMAL(18,2), "day" DATE, "t" TIMESTAMP, "bytes" VARBYTE(9)'
    const manifest = await manifestOf([values, values])
    const { Status, SubStatements } = await batch(client, `CREATE TABLE "${table}" (${columns})`, copy(manifest))
    expect([Status, SubStatements?.[1]?.ResultRows]).toEqual(['FINISHED', 2])
    const rows = await rowsOf(client, `SELECT * FROM "${table}"`)
    expect(rows[1]).toEqual(rows[0])
    const at = '2024-01-02 03:04:05.678901'
    expect((await warehouse.redshift.look(`SELECT l FROM "${table}"`)).rows[0]).toEqual(['9223372036854775807'])
    expect(rows[0]?.toSpliced(5, 1)).toEqual([
      ...['a"b,c\n\\N', '', null, true, 1, 0.1, '12.30', '4000-12-31', at, String.raw`\x00ff`],
    ])
  })

  it('goes by position, wants as many columns, and each type into its own', async () => {
    const two = await manifestOf([`SELECT 'x' AS a, 1::BIGINT AS b`])
    expect(await failure('"b" VARCHAR(5)', two)).toContain('Table columns: 1, Data columns: 2')
    expect(await failure('"a" VARCHAR(5), "b" INTEGER', two)).toContain("incompatible Parquet schema for column 'b'")
    expect((await batch(client, `CREATE TABLE "${table}" ("x" VARCHAR(5), "y" BIGINT)`, copy(two))).Status).toBe(
      'FINISHED',
    )
  })

  it('wants decimals in the least bytes, and of the same precision', async () => {
    const long = await manifestOf(['SELECT 1.5::DECIMAL(20,2) AS a'])
    expect(await failure('"a" DECIMAL(20,2)', long)).toContain('Expecting: 9 len in file: 16')
    expect(await failure('"a" DECIMAL(38,2)', long)).toContain('incompatible Parquet schema')
  })

  it('takes timestamps of no finer grain than microseconds', async () => {
    const nanos = await manifestOf([`SELECT '2024-01-02 03:04:05'::TIMESTAMP_NS AS a`])
    expect(await failure('"a" TIMESTAMP', nanos)).toContain('incompatible Parquet schema')
  })

  it('tells file, line and column of what does not fit, and keeps it when all is rolled back', async () => {
    const manifest = await manifestOf([`SELECT 'ok' AS a`, `SELECT * FROM (VALUES ('fits'), ('ééé')) AS v(a)`])
    expect(await failure('"a" VARCHAR(5)', manifest)).toContain("Check 'sys_load_error_detail'")
    const file = manifest.replace('manifest', '1.parquet')
    const about =
      'SELECT "line_number", "column_name", "column_type", "error_message" FROM "sys_load_error_detail" ' +
      `WHERE "file_name" = '${file}'`
    const expected = [2, 'a', 'character varying(5)', 'Value too long for character type']
    expect(await rowsOf(client, about)).toEqual([expected])
    await expect(rowsOf(client, `SELECT * FROM "${table}"`)).rejects.toThrow('does not exist')
    const nulls = await manifestOf(['SELECT NULL::VARCHAR AS a'])
    expect(await failure('"a" VARCHAR(5) NOT NULL', nulls)).toContain("Check 'sys_load_error_detail'")
  })

  it('assumes no role but those it was given', async () => {
    const manifest = await manifestOf([`SELECT 'x' AS a`])
    expect(await failure('"a" VARCHAR(5)', manifest, 'arn:aws:iam::1:role/other')).toContain('not authorized to assume')
  })

  it.each([
    ['a file that is not there', (entry: object) => ({ ...entry, url: 's3://nowhere/at/all' }), 'S3ServiceException'],
    ['another length', (entry: object) => ({ ...entry, meta: { content_length: 7 } }), 'says 7 bytes'],
    ['no length', (entry: object) => ({ ...entry, meta: {} }), 'lacks meta.content_length'],
  ])('refuses a manifest with %s', async (_, change, said) => {
    expect(await failure('"a" VARCHAR(5)', await manifestOf([`SELECT 'x' AS a`], change))).toContain(said)
  })
})
