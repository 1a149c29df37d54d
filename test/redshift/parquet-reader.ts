/** Parquet as DuckDB reads it, for the COPY of the stand-in: a reader that is not ours. */
import { writeFile } from 'node:fs/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import type { ParquetColumn, ParquetReader } from '../sandboxes/redshift/redshift.ts'

export interface DuckDBReader extends ParquetReader {
  close(): void
}

export async function duckdbReader(): Promise<DuckDBReader> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  await connection.run("set timezone = 'UTC'")
  const rows = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJson()
  const text = (value: string): string => `'${value.replaceAll("'", "''")}'`
  const columns = async (path: string): Promise<ParquetColumn[]> => {
    const found = await rows(`SELECT * FROM parquet_schema(${text(path)})`)
    // The first is the root of the schema.
    return found.slice(1).map((one) => ({
      name: one['name'] as string,
      physical: one['type'] as string,
      length: numberOf(one['type_length']),
      converted: one['converted_type'] as string | null,
      precision: numberOf(one['precision']),
      scale: numberOf(one['scale']),
    }))
  }
  return {
    columns,
    async toCsv(path, csv) {
      const values = (await columns(path)).map(({ name, physical, converted }) => {
        const quoted = `"${name.replaceAll('"', '""')}"`
        if (physical === 'BYTE_ARRAY' && converted === null) return `'\\x' || lower(hex(${quoted}))`
        return `CAST(${quoted} AS VARCHAR)`
      })
      const source = `SELECT ${values.join(', ')} FROM read_parquet(${text(path)})`
      await connection.run(
        `COPY (${source}) TO ${text(csv)} ` +
          `(FORMAT csv, HEADER false, QUOTE '"', ESCAPE '"', FORCE_QUOTE *, NULLSTR '\\N')`,
      )
    },
    async write(path, fields, values) {
      const csv = `${path}.csv`
      const quoted = (one: string): string => `"${one.replaceAll('"', '""')}"`
      const cell = (value: string | null): string => (value === null ? '\\N' : quoted(value))
      await writeFile(csv, values.map((row) => `${row.map(cell).join(',')}\n`).join(''))
      const names = fields.map((_, at) => `c${at}`)
      const read = fields.map(({ name, type }, at) => {
        const value = type === 'BLOB' ? `unhex(substr(c${at}, 3))` : `CAST(c${at} AS ${type})`
        return `${value} AS ${quoted(name)}`
      })
      const source =
        `read_csv(${text(csv)}, header = false, all_varchar = true, nullstr = '\\N', delim = ',', quote = '"', ` +
        `escape = '"', allow_quoted_nulls = false, auto_detect = false, columns = {${names.map((one) => `${one}: 'VARCHAR'`).join(', ')}})`
      await connection.run(`COPY (SELECT ${read.join(', ')} FROM ${source}) TO ${text(path)} (FORMAT parquet)`)
    },
    close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

const numberOf = (value: unknown): number | null => (value === null ? null : Number(value))
