/** Files read back by a reader that is not ours. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { Sink } from '../../connectors/records/sink.ts'

export interface Reader {
  /** Writes what a sink gives, and the path in quotes for SQL. */
  write(name: string, pieces: Uint8Array[]): string
  /** Rows as text values; null stays null. */
  rows(sql: string): Promise<(string | null)[][]>
  close(): void
}

export async function duckdb(): Promise<Reader> {
  const folder = mkdtempSync(join(tmpdir(), 'lakeward-records-'))
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run("set timezone = 'UTC'")
  return {
    write(name, pieces) {
      const path = join(folder, name)
      writeFileSync(path, Buffer.concat(pieces))
      return `'${path}'`
    },
    async rows(sql) {
      const reader = await connection.runAndReadAll(sql)
      return reader
        .getRowsJson()
        .map((row) =>
          row.map((value) => (value === null ? null : typeof value === 'string' ? value : JSON.stringify(value))),
        )
    },
    close() {
      connection.closeSync()
      instance.closeSync()
      rmSync(folder, { recursive: true })
    },
  }
}

export function fileOf(sink: Sink): Uint8Array[] {
  const early = sink.drain()
  return [...early, ...sink.finish()]
}
