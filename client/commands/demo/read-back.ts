/**
 * The files of the demo read by a reader that is not ours, DuckDB, and compared with the records that the org has.
 * It comes with a clone of Lakeward and not with its package; without it this step is left out, and that is said.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface ReadBack {
  object: string
  rows: number
  deletes: number
  /** Different records. */
  ids: number
  /** Rows that are there twice: same record, same stamp. */
  doubled: number
  /** Records whose newest row is not what the org has now. */
  differing: number
  columns: number
}

interface Connection {
  runAndReadAll(sql: string): Promise<{ getRowObjectsJson(): Record<string, unknown>[] }>
  closeSync(): void
}
interface DuckDb {
  DuckDBInstance: { create(): Promise<{ connect(): Promise<Connection> }> }
}

/** null: DuckDB is not installed. */
export async function openDuckDb(): Promise<Connection | null> {
  // Not a literal: the package does not depend on it.
  const name: string = '@duckdb/node-api'
  let loaded: DuckDb
  try {
    loaded = (await import(name)) as DuckDb
  } catch {
    return null
  }
  return (await loaded.DuckDBInstance.create()).connect()
}

/** `raw`: the folder that has the objects' folders. */
export async function readBack(duck: Connection, raw: string, object: string, truth: string): Promise<ReadBack> {
  const files = parquetOf(join(raw, object === 'Account' ? 'accounts' : 'opportunities'))
  const [found] = await rows(
    duck,
    `WITH files AS (SELECT * FROM ${files}),
      newest AS (
        SELECT *, row_number() OVER (PARTITION BY Id ORDER BY SystemModstamp DESC) AS nth FROM files QUALIFY nth = 1),
      org AS (
        SELECT Id, Name, SystemModstamp::TIMESTAMPTZ AS stamp, IsDeleted = 'true' AS deleted
        FROM read_json('${quoted(truth)}', format = 'newline_delimited',
          columns = { Id: 'VARCHAR', Name: 'VARCHAR', SystemModstamp: 'VARCHAR', IsDeleted: 'VARCHAR' })),
      differing AS (
        SELECT count(*) AS n FROM newest FULL OUTER JOIN org USING (Id)
        WHERE newest.SystemModstamp::TIMESTAMPTZ IS DISTINCT FROM org.stamp
          OR newest.Name IS DISTINCT FROM org.Name
          OR (newest._lakeward_op = 'delete') IS DISTINCT FROM org.deleted),
      doubled AS (
        SELECT coalesce(sum(n - 1), 0) AS n FROM (SELECT count(*) AS n FROM files GROUP BY Id, SystemModstamp))
    SELECT count(*)::INTEGER AS "rows", count(DISTINCT Id)::INTEGER AS ids,
      (count(*) FILTER (_lakeward_op = 'delete'))::INTEGER AS deletes,
      (SELECT n FROM doubled)::INTEGER AS doubled, (SELECT n FROM differing)::INTEGER AS differing
    FROM files`,
  )
  const columns = await rows(duck, `DESCRIBE SELECT * FROM ${files}`)
  const number = (name: string): number => Number(found?.[name])
  return {
    object,
    rows: number('rows'),
    ids: number('ids'),
    deletes: number('deletes'),
    doubled: number('doubled'),
    differing: number('differing'),
    columns: columns.length,
  }
}

function parquetOf(folder: string): string {
  return `read_parquet('${quoted(folder)}/**/*.parquet', union_by_name = true)`
}

/** What the org has now, deleted records included, as JSON lines of text. */
export async function saveTruth(sandboxUrl: string, object: string, path: string): Promise<void> {
  const answer = await fetch(new URL(`/__control/truth/${object}?deleted=true`, sandboxUrl))
  if (!answer.ok || !answer.body) throw new Error(`the sandbox does not tell its ${object}s: ${answer.status}`)
  await writeFile(path, answer.body)
}

async function rows(duck: Connection, sql: string): Promise<Record<string, unknown>[]> {
  return (await duck.runAndReadAll(sql)).getRowObjectsJson()
}

function quoted(path: string): string {
  return path.replaceAll('\\', '/').replaceAll("'", "''")
}
