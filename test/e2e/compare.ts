/**
 * The lake's files against the source's truth, value by value, read by DuckDB and not by us.
 *
 * Law: a comparison is a full outer one of every column; both sides are brought to the types of `types`, which a test
 * asserts for themselves.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { DuckDBConnection } from '@duckdb/node-api'

export type Format = 'parquet' | 'jsonl' | 'csv'
export type TruthRow = Record<string, string | null>

export interface Difference {
  /** Rows that only the files have, or only the source; at most a hundred of each. */
  onlyFiles: Record<string, unknown>[]
  onlySource: Record<string, unknown>[]
  files: number
  source: number
}

/** Column types as DuckDB reads them from Parquet. */
export async function parquetTypes(folder: string): Promise<Record<string, string>> {
  return withDuck(async (duck) => {
    const found = await duck.runAndReadAll(`DESCRIBE SELECT * FROM ${reader(folder, 'parquet')}`)
    return Object.fromEntries(
      found.getRowObjects().map((row) => [String(row['column_name']), String(row['column_type'])]),
    )
  })
}

/** `rows` of any query over the files, which stand in it as `files`. */
export async function queryFiles(folder: string, sql: string, format: Format = 'parquet') {
  return withDuck(async (duck) => {
    await duck.run(`CREATE VIEW files AS SELECT * FROM ${reader(folder, format)}`)
    return (await duck.runAndReadAll(sql)).getRowObjectsJson()
  })
}

/**
 * Compares the columns that `types` names. `truth` has the source's values as exact text; `where` picks rows of the
 * files (their columns in the types of `types`).
 */
export async function compare(
  folder: string,
  format: Format,
  types: Record<string, string>,
  truth: Iterable<TruthRow>,
  where = 'true',
): Promise<Difference> {
  const work = mkdtempSync(join(tmpdir(), 'lakeward-compare-'))
  try {
    const path = join(work, 'truth.jsonl')
    writeFileSync(path, [...truth].map((row) => JSON.stringify(row)).join('\n'))
    return await withDuck(async (duck) => {
      const names = Object.keys(types)
      const texts = names.map((name) => `${quoted(name)}: 'VARCHAR'`).join(', ')
      await duck.run(
        `CREATE TABLE truth AS SELECT ${casts(types)} FROM read_json('${path}', format = 'newline_delimited', columns = {${texts}}, maximum_object_size = 10000000)`,
      )
      const columns = format === 'parquet' ? names.map(quoted).join(', ') : casts(types)
      await duck.run(
        `CREATE TABLE files AS SELECT * FROM (SELECT ${columns} FROM ${reader(folder, format, names)}) WHERE ${where}`,
      )
      const missing = async (from: string, of: string) =>
        (
          await duck.runAndReadAll(`SELECT * FROM (SELECT * FROM ${from} EXCEPT ALL SELECT * FROM ${of}) LIMIT 100`)
        ).getRowObjectsJson()
      const count = async (table: string) =>
        Number((await duck.runAndReadAll(`SELECT count(*) AS n FROM ${table}`)).getRowObjects()[0]?.['n'])
      return {
        onlyFiles: await missing('files', 'truth'),
        onlySource: await missing('truth', 'files'),
        files: await count('files'),
        source: await count('truth'),
      }
    })
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

async function withDuck<T>(work: (duck: DuckDBConnection) => Promise<T>): Promise<T> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const duck = await instance.connect()
  try {
    await duck.run("SET TimeZone = 'UTC'")
    return await work(duck)
  } finally {
    duck.closeSync()
    instance.closeSync()
  }
}

/** Text of the source, or of a text file, as the column's type. Salesforce writes +0000 where ISO has Z. */
function casts(types: Record<string, string>): string {
  return Object.entries(types)
    .map(([name, type]) => {
      const text = type.startsWith('TIMESTAMP') ? `replace(${quoted(name)}, '+0000', 'Z')` : quoted(name)
      const plain = type === 'TIME' ? `replace(${text}, 'Z', '')` : text
      return `CAST(${plain} AS ${type}) AS ${quoted(name)}`
    })
    .join(', ')
}

function reader(folder: string, format: Format, names: string[] = []): string {
  const files = `'${folder}/**/*.${format}'`
  if (format === 'parquet') return `read_parquet(${files}, union_by_name = true, hive_partitioning = false)`
  if (format === 'csv') {
    return `read_csv(${files}, header = true, all_varchar = true, union_by_name = true, quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false, strict_mode = true, hive_partitioning = false)`
  }
  const texts = names.map((name) => `${quoted(name)}: 'VARCHAR'`).join(', ')
  const columns = names.length > 0 ? `, columns = {${texts}}` : ''
  return `read_json(${files}, format = 'newline_delimited'${columns}, maximum_object_size = 10000000, hive_partitioning = false)`
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
