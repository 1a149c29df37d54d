/** A table of every type in the stand-in, as the suite of sources asks for one. */
import type { JsonObject, Session } from '../../connectors/connector.ts'
import { s3Store } from '../../connectors/lake/s3/s3-store.ts'
import type { SourceHarness, Trouble, TrueRecord } from '../conformance/index.ts'
import type { Fault } from '../sandboxes/redshift/redshift.ts'
import { sessionOf } from './loads.ts'
import { batch, vendorClient } from './vendor-client.ts'
import type { Warehouse } from './warehouse.ts'

const ROWS = 420
const TIES = 150
const DAY = 86_400_000

/** Each column, its type, a value for row `n`, and the text that the truth has for it. */
export const COLUMNS: [name: string, type: string, value: (n: string) => string, truth?: (column: string) => string][] =
  [
    ['id', 'VARCHAR(18)', (n) => `'k' || lpad((${n})::text, 5, '0')`],
    ['updated_at', 'TIMESTAMP', () => `'1970-01-01'`, (c) => `to_char(${c}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`],
    ['small', 'SMALLINT', (n) => `(${n}) % 100 - 50`],
    ['whole', 'INTEGER', (n) => `(${n}) * 1000 - 7`],
    ['long', 'BIGINT', (n) => `9223372036854775807 - (${n})`],
    ['amount', 'DECIMAL(38,10)', (n) => `1234567890123456789012345678.0123456789 - (${n})`],
    ['price', 'DECIMAL(9,2)', (n) => `(${n}) * 1.07`],
    ['single', 'REAL', (n) => `(${n}) / 10.0`, (c) => `(${c})::double precision::text`],
    ['twice', 'DOUBLE PRECISION', (n) => `(${n}) / 7.0::double precision`],
    ['flag', 'BOOLEAN', (n) => `(${n}) % 2 = 0`],
    ['code', 'CHAR(8)', (n) => `'c' || (${n}) % 7`, (c) => `rtrim(${c})`],
    [
      'name',
      'VARCHAR(200)',
      (n) => `CASE (${n}) % 5 WHEN 0 THEN '' WHEN 1 THEN 'Ünïcode  ' ELSE 'it''s "x", \\ 😀' END`,
    ],
    ['day', 'DATE', (n) => `date '1900-02-28' + (${n})`],
    [
      'zoned',
      'TIMESTAMPTZ',
      (n) => `timestamptz '2026-03-29 01:59:59.123456+02' + (${n}) * interval '1 hour'`,
      (c) => `to_char(${c} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`,
    ],
    ['clock', 'TIME', (n) => `time '00:00:00.000001' + (${n}) * interval '77 seconds'`],
    [
      'doc',
      'SUPER',
      (n) => `jsonb_build_object('n', 12345678901234567890 + (${n}), 'a', jsonb_build_array(NULL, 'ü'))`,
    ],
    ['bytes', 'VARBYTE(64)', (n) => `decode(md5((${n})::text), 'hex')`, (c) => `encode(${c}, 'base64')`],
  ]

/** The true text of each column, for a query of PostgreSQL's. */
export const TEXTS = COLUMNS.map(([name, , , truth]) => `(${truth?.(`"${name}"`) ?? `"${name}"`})::text`)

export const byName = (row: (string | null)[]): Record<string, string | null> =>
  Object.fromEntries(COLUMNS.map(([name], at) => [name, row[at] ?? null]))

export async function createTable(url: string, table: string): Promise<void> {
  const columns = COLUMNS.map(([name, type], at) => `"${name}" ${type}${at < 2 ? ' NOT NULL' : ''}`)
  await batch(vendorClient(url), `CREATE TABLE "${table}" (${columns.join(', ')})`)
}

/** Rows `from` to `to` with a stamp that SQL gives; each column but the first two is null in every 13th row. */
export function insertSql(table: string, from: number, to: number, stamp: string): string {
  const values = COLUMNS.map(([name, , value]) => (name === 'updated_at' ? stamp : value('n')))
  const some = values.map((value, at) => (at > 1 ? `CASE WHEN n % 13 = ${at % 13} THEN NULL ELSE ${value} END` : value))
  return `INSERT INTO ${table} SELECT ${some.join(', ')} FROM generate_series(${from}, ${to}) AS n`
}

const FAULTS: Partial<Record<Trouble, Partial<Fault>>> = {
  throttled: { type: 'ThrottlingException', status: 400 },
  unavailable: { type: 'InternalServerException', status: 503 },
  html: { spoilt: 'html' },
  truncated: { spoilt: 'truncated' },
  cut: { spoilt: 'cut' },
  'empty page': { spoilt: 'empty page' },
  'repeated cursor': { spoilt: 'repeated cursor' },
  stall: { spoilt: 'stall' },
}

/** Where the stand-in unloads to. */
export function stagingOf({ s3, bucket }: Warehouse): NonNullable<Session['staging']> {
  const { url: endpoint, region, accessKeyId, secretAccessKey } = s3
  const credentials = () => Promise.resolve({ accessKeyId, secretAccessKey })
  const store = s3Store({ bucket, path: 'base', endpoint, region, credentials, settleMs: 0 })
  return () => Promise.resolve({ store, folder: '_lakeward/_exports' })
}

let tables = 0
let ahead = 0

export async function openTable(warehouse: Warehouse, options: JsonObject = {}): Promise<SourceHarness> {
  const { redshift } = warehouse
  const table = `source_${++tables}`
  const now = (): number => Date.now() + ahead
  await createTable(redshift.url, table)
  let made = 0
  const stampSql = (stamp: string): string => `'${stamp.replace('T', ' ').replace('Z', '')}'`
  async function add(count: number, stamp: string): Promise<string[]> {
    const first = made + 1
    made += count
    await redshift.look(insertSql(table, first, made, stamp))
    return Array.from({ length: count }, (_, i) => `k${String(first + i).padStart(5, '0')}`)
  }
  const start = new Date(now() - 10 * DAY).toISOString()
  await add(TIES, stampSql(new Date(Math.floor((now() - 5 * DAY) / 1000) * 1000).toISOString()))
  await add(ROWS - TIES, `timestamp ${stampSql(start)} + n * interval '17.123457 minutes'`)
  const among = (keys: string[]): string => keys.map((key) => `'${key}'`).join(', ')

  return {
    object: table,
    options,
    cursorField: 'updated_at',
    keys: ['id'],
    session: (signal) => ({ ...sessionOf(warehouse), staging: stagingOf(warehouse), signal }),
    async truth() {
      const { rows } = await redshift.look(`SELECT ${TEXTS.join(', ')} FROM ${table}`)
      return rows.map((row): TrueRecord => ({ values: byName(row), deleted: false }))
    },
    now,
    async advance(ms) {
      ahead += ms
      await redshift.advance(ms)
    },
    trouble: async (trouble, { skip, times }) =>
      redshift.fault({
        operation: 'GetStatementResult',
        ...FAULTS[trouble],
        skip,
        times: times || Number.POSITIVE_INFINITY,
      }),
    calm: async () => redshift.calm(),
    insert: (count, stamp) => add(count, stampSql(stamp)),
    async insertLate(count, stamp) {
      const first = made + 1
      made += count
      const keys = Array.from({ length: count }, (_, i) => `k${String(first + i).padStart(5, '0')}`)
      return {
        keys,
        async show() {
          for (const key of keys) {
            await redshift.look(`INSERT INTO ${table} (id, updated_at) VALUES ('${key}', ${stampSql(stamp)})`)
          }
        },
      }
    },
    update: async (keys, stamp) =>
      void (await redshift.look(
        `UPDATE ${table} SET updated_at = ${stampSql(stamp)}, whole = 1 WHERE id IN (${among(keys)})`,
      )),
    remove: async (keys) => void (await redshift.look(`DELETE FROM ${table} WHERE id IN (${among(keys)})`)),
    async close() {
      redshift.calm()
      await redshift.look(`DROP TABLE ${table}`)
    },
  }
}
