/**
 * A contestant: DuckDB's COPY of a local file. `node run-duckdb.ts 1` for one thread, `all` for as many as there are.
 */
import { availableParallelism } from 'node:os'
import { DuckDBInstance } from '@duckdb/node-api'
import { act } from './actor.ts'
import { copySql } from './duck-sql.ts'
import type { DuckTask } from './duck-sql.ts'

const threads = process.argv[2] === '1' ? '1' : String(availableParallelism())

await act(async (task: DuckTask) => {
  const database = await DuckDBInstance.create(':memory:', { threads, preserve_insertion_order: String(!task.alike) })
  const connection = await database.connect()
  try {
    const copied = await connection.runAndReadAll(copySql(task))
    return { rows: Number(copied.getRows()[0]?.[0]) }
  } finally {
    connection.closeSync()
    database.closeSync()
  }
})
