/** What the stand-in for Redshift does, asked by the vendor's own client. */
import {
  BatchExecuteStatementCommand,
  CancelStatementCommand,
  DescribeStatementCommand,
  ExecuteStatementCommand,
  GetStatementResultCommand,
  ListStatementsCommand,
  type RedshiftDataClient,
} from '@aws-sdk/client-redshift-data'
import { beforeEach, describe, expect, it } from 'vitest'
import { AT, batch, ended, rowsOf, vendorClient } from './vendor-client.ts'
import { useWarehouse } from './warehouse.ts'

const warehouse = useWarehouse()
let client: RedshiftDataClient
let table: string
let made = 0
beforeEach(() => {
  client = vendorClient(warehouse.redshift.url)
  warehouse.redshift.gate()
  table = `"t${++made}"`
})

describe('statements', () => {
  it('take their time: submitted first, then their rows, page by page, in the types of the API', async () => {
    let open = (): void => {}
    const opened = new Promise<void>((resolve) => (open = resolve))
    warehouse.redshift.gate(() => opened)
    const { Id } = await client.send(new ExecuteStatementCommand({ ...AT, Sql: 'SELECT 1 AS "a"' }))
    const early = await client.send(new DescribeStatementCommand({ Id }))
    expect(['SUBMITTED', 'PICKED']).toContain(early.Status)
    await expect(client.send(new GetStatementResultCommand({ Id }))).rejects.toThrow('does not have result')
    open()
    expect(await ended(client, Id!)).toMatchObject({ Status: 'FINISHED', HasResultSet: true, ResultRows: 1 })

    await batch(
      client,
      `CREATE TABLE ${table} ("n" BIGINT, "x" DOUBLE PRECISION, "s" VARCHAR(9), "d" DECIMAL(9,2), "b" BOOLEAN)`,
    )
    const values = Array.from({ length: 250 }, (_, n) => `(${n}, 0.5, 'é', 1.50, TRUE)`)
    await batch(client, `INSERT INTO ${table} VALUES ${values.join(', ')}`, `INSERT INTO ${table} ("n") VALUES (250)`)
    const rows = await rowsOf(client, `SELECT * FROM ${table} ORDER BY "n"`)
    expect(rows).toHaveLength(251)
    expect(rows[7]).toEqual([7, 0.5, 'é', '1.50', true])
    expect(rows[250]).toEqual([250, null, null, null, null])
  })

  it('of a batch are one transaction, told one by one', async () => {
    await batch(client, `CREATE TABLE ${table} ("n" INTEGER)`)
    const failed = await batch(
      client,
      `INSERT INTO ${table} VALUES (1)`,
      'SELECT 1 / 0',
      `INSERT INTO ${table} VALUES (2)`,
    )
    expect(failed.Status).toBe('FAILED')
    expect(failed.Error).toContain('Divide by zero')
    expect(failed.SubStatements?.map(({ Status }) => Status)).toEqual(['FINISHED', 'FAILED', 'ABORTED'])
    expect(await rowsOf(client, `SELECT COUNT(*) FROM ${table}`)).toEqual([[0]])
  })

  it('end with their connection: temporary tables are gone', async () => {
    const { Status } = await batch(client, `CREATE TEMP TABLE ${table} ("n" INTEGER)`)
    expect(Status).toBe('FINISHED')
    await expect(rowsOf(client, `SELECT * FROM ${table}`)).rejects.toThrow('does not exist')
  })

  it('are cancelled, once, and leave nothing', async () => {
    await batch(client, `CREATE TABLE ${table} ("n" INTEGER)`)
    let reached = (): void => {}
    const atCommit = new Promise<void>((resolve) => (reached = resolve))
    let open = (): void => {}
    const opened = new Promise<void>((resolve) => (open = resolve))
    warehouse.redshift.gate((_, at) => {
      if (at !== 'commit') return undefined
      reached()
      return opened
    })
    const { Id } = await client.send(new ExecuteStatementCommand({ ...AT, Sql: `INSERT INTO ${table} VALUES (1)` }))
    await atCommit
    await client.send(new CancelStatementCommand({ Id }))
    open()
    expect((await ended(client, Id!)).Status).toBe('ABORTED')
    await expect(client.send(new CancelStatementCommand({ Id }))).rejects.toThrow('already in ABORTED')
    warehouse.redshift.gate()
    expect(await rowsOf(client, `SELECT COUNT(*) FROM ${table}`)).toEqual([[0]])
  })

  it('of one client token run once, for eight hours; other parameters under it are refused', async () => {
    await batch(client, `CREATE TABLE ${table} ("n" INTEGER)`)
    const asked = {
      ...AT,
      Sqls: [`INSERT INTO ${table} VALUES (1)`],
      ClientToken: `once-${table}`,
      StatementName: `named-${table}`,
    }
    const ids: (string | undefined)[] = []
    for (let times = 0; times < 3; times++) ids.push((await client.send(new BatchExecuteStatementCommand(asked))).Id)
    expect(new Set(ids).size).toBe(1)
    await ended(client, ids[0]!)
    await expect(client.send(new BatchExecuteStatementCommand({ ...asked, Sqls: ['SELECT 1'] }))).rejects.toThrow(
      'other parameters',
    )
    const { Statements } = await client.send(
      new ListStatementsCommand({ StatementName: `named-${table}`, Status: 'ALL' }),
    )
    expect(Statements?.map(({ Id }) => Id)).toEqual([ids[0]])
    expect(await rowsOf(client, `SELECT COUNT(*) FROM ${table}`)).toEqual([[1]])
    await warehouse.redshift.advance(8 * 3_600_000)
    expect((await client.send(new BatchExecuteStatementCommand(asked))).Id).not.toBe(ids[0])
  })

  it.each([
    ['no place', { Database: 'dev' }, 'WorkgroupName or ClusterIdentifier'],
    ['two places', { ...AT, ClusterIdentifier: 'lake-cluster' }, 'Only one of'],
    ['another workgroup', { ...AT, WorkgroupName: 'pond' }, "endpoint doesn't exist"],
    ['another cluster', { ClusterIdentifier: 'pond', Database: 'dev' }, 'cluster is not found'],
    ['another database', { ...AT, Database: 'prod' }, 'database "prod" does not exist'],
    ['a secret that is not there', { ...AT, SecretArn: 'arn:aws:secretsmanager:x' }, 'specified secret'],
    ['a token that is too long', { ...AT, ClientToken: 'x'.repeat(65) }, '64 characters'],
    ['text that is too long', { ...AT, Sql: `SELECT '${'x'.repeat(100_000)}'` }, 'at most 100000'],
  ])('are refused at once with %s', async (_, input, said) => {
    const asked = { Sql: 'SELECT 1', ...input }
    await expect(client.send(new ExecuteStatementCommand(asked))).rejects.toThrow(said)
  })

  it('are forty in a batch at most, and need a login', async () => {
    const Sqls = Array.from({ length: 41 }, () => 'SELECT 1')
    await expect(client.send(new BatchExecuteStatementCommand({ ...AT, Sqls }))).rejects.toThrow('41 statements')
    const stranger = vendorClient(warehouse.redshift.url, 'stranger')
    await expect(batch(stranger, 'SELECT 1')).rejects.toThrow('security token')
  })
})

describe('its SQL', () => {
  const fails = async (...sqls: string[]): Promise<string> => {
    const { Status, Error: said = '' } = await batch(client, ...sqls)
    expect(Status).toBe('FAILED')
    return said
  }

  it('counts bytes of VARCHAR, and widens it outside of transactions alone', async () => {
    await batch(client, `CREATE TABLE ${table} ("s" VARCHAR(5))`)
    expect((await batch(client, `INSERT INTO ${table} VALUES ('éé')`)).Status).toBe('FINISHED')
    expect(await fails(`INSERT INTO ${table} VALUES ('ééé')`)).toContain('Value too long for type character varying(5)')
    const widen = `ALTER TABLE ${table} ALTER COLUMN "s" TYPE VARCHAR(6)`
    expect(await fails(widen)).toContain('inside a transaction block')
    const { Id } = await client.send(new ExecuteStatementCommand({ ...AT, Sql: widen }))
    expect((await ended(client, Id!)).Status).toBe('FINISHED')
    expect((await batch(client, `INSERT INTO ${table} VALUES ('ééé')`)).Status).toBe('FINISHED')
    const about =
      'SELECT "data_type", "character_maximum_length" FROM "svv_columns" ' +
      `WHERE "table_name" = '${table.slice(1, -1)}'`
    expect(await rowsOf(client, about)).toEqual([['character varying', 6]])
  })

  it('enforces no keys, but NOT NULL', async () => {
    await batch(client, `CREATE TABLE ${table} ("id" INTEGER PRIMARY KEY)`)
    expect((await batch(client, `INSERT INTO ${table} VALUES (1), (1)`)).Status).toBe('FINISHED')
    expect(await fails(`INSERT INTO ${table} VALUES (NULL)`)).toContain('NULL')
  })

  it('merges duplicates as Redshift does: an error where they match, twice where they do not', async () => {
    const merge =
      `MERGE INTO ${table} USING "m" ON ${table}."id" = "m"."id" WHEN MATCHED THEN UPDATE SET "v" = "m"."v" ` +
      'WHEN NOT MATCHED THEN INSERT ("id", "v") VALUES ("m"."id", "m"."v")'
    const source = ['CREATE TEMP TABLE "m" ("id" INTEGER, "v" INTEGER)', 'INSERT INTO "m" VALUES (7, 1), (7, 2)']
    await batch(client, `CREATE TABLE ${table} ("id" INTEGER, "v" INTEGER)`)
    expect((await batch(client, ...source, merge)).Status).toBe('FINISHED')
    expect(await rowsOf(client, `SELECT COUNT(*) FROM ${table}`)).toEqual([[2]])
    expect(await fails(...source, merge)).toContain('Found multiple matches to update the same tuple.')
    expect(await fails(...source, merge.slice(0, merge.indexOf(' WHEN NOT')))).toContain('one WHEN MATCHED and one')
    expect(await fails(merge.replace('"m" ON', '(SELECT 1 AS "id") ON'))).toContain('must be a table')
  })

  it('isolates by snapshot: two inserts that look first both commit, two updates of a row do not', async () => {
    await batch(client, `CREATE TABLE ${table} ("n" INTEGER)`)
    const together = async (...sqls: string[]): Promise<string[]> => {
      let waiting = 0
      let open = (): void => {}
      const both = new Promise<void>((resolve) => (open = resolve))
      warehouse.redshift.gate((_, at) => {
        if (at !== 1) return undefined
        if (++waiting === 2) open()
        return both
      })
      const ends = await Promise.all([batch(client, ...sqls), batch(client, ...sqls)])
      warehouse.redshift.gate()
      return ends.map((end) => end.Error ?? end.Status ?? '').toSorted((a, b) => a.localeCompare(b))
    }
    const insert = `INSERT INTO ${table} SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM ${table})`
    expect(await together('SELECT 1', insert)).toEqual(['FINISHED', 'FINISHED'])
    expect(await rowsOf(client, `SELECT COUNT(*) FROM ${table}`)).toEqual([[2]])
    const ends = await together('SELECT 1', `UPDATE ${table} SET "n" = "n" + 1`)
    expect(ends).toEqual(['FINISHED', expect.stringContaining('Serializable isolation violation')])
    // A lock takes no snapshot: who waited for it sees what was committed.
    await batch(client, `DELETE FROM ${table}`)
    const locked = await Promise.all([1, 2].map(() => batch(client, `LOCK TABLE ${table}`, insert)))
    expect(locked.map(({ Status }) => Status)).toEqual(['FINISHED', 'FINISHED'])
    expect(await rowsOf(client, `SELECT COUNT(*) FROM ${table}`)).toEqual([[1]])
  })

  it('updates from what is joined by an equality of columns alone', async () => {
    await batch(client, `CREATE TABLE ${table} ("n" INTEGER)`, `INSERT INTO ${table} VALUES (1)`)
    const update = `UPDATE ${table} SET "n" = "f"."m" FROM (SELECT 1 AS "n", 2 AS "m") AS "f" WHERE ${table}."n" = `
    expect(await fails(`${update} 1`)).toContain('equijoin')
    expect((await batch(client, `${update} "f"."n"`)).Status).toBe('FINISHED')
    expect(await rowsOf(client, `SELECT "n" FROM ${table}`)).toEqual([[2]])
  })

  it('folds quoted names, and reads backslashes in literals', async () => {
    await batch(
      client,
      `CREATE TABLE ${table} ("AccountId" VARCHAR(20))`,
      `INSERT INTO ${table} ("ACCOUNTID") VALUES ('a\\'b\\\\c''d')`,
    )
    expect(await rowsOf(client, `SELECT "accountid" FROM ${table}`)).toEqual([["a'b\\c'd"]])
  })

  it.each([
    'TRUNCATE "a"',
    'SELECT * FROM a',
    'SELECT 1; SELECT 2',
    'SELECT 1 -- one',
    'SELECT "x"::integer FROM "a"',
    'INSERT INTO "a" VALUES (1) ON CONFLICT DO NOTHING',
    'INSERT INTO "a" VALUES (1) RETURNING "n"',
    'CREATE TABLE "a" ("n" INTEGER DEFAULT 1)',
    'CREATE TABLE "a" ("n" INTEGER) DISTSTYLE ALL',
    'CREATE TABLE "a" ("n" TEXT)',
    'CREATE TABLE "a" AS SELECT 1',
    'SELECT CAST(1 AS VARCHAR(3))',
    'SELECT "pg_sleep"(1)',
    'SELECT GENERATE_SERIES(1, 3)',
    'UPDATE "a" SET "n" = 1 FROM LATERAL (SELECT 1)',
    `COPY "a" FROM 's3://b/c' IAM_ROLE DEFAULT FORMAT AS CSV`,
    'BEGIN',
  ])('is refused where it is not imitated: %s', async (sql) => {
    expect(await fails(sql)).toContain('does not imitate')
  })
})
