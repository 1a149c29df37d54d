/**
 * Whether what a contestant wrote is what the source had: every value of every column, and every record as a whole.
 *
 * Compared are the number of rows and, per column and per whole row, sums of 64-bit hashes, which know no order. Types
 * are compared as values: a double is the decimal it is written as, an instant is an instant with or without a zone.
 */
import { DuckDBInstance } from '@duckdb/node-api'
import type { DuckDBConnection } from '@duckdb/node-api'
import { columns } from './columns.ts'
import type { Column } from './columns.ts'
import { source } from './duck-sql.ts'

export interface Summary {
  rows: string
  /** By column, and `*` for whole rows. */
  hashes: Record<string, string>
}

export class Checker {
  readonly #duck: DuckDBConnection
  readonly #close: () => void
  readonly #truths = new Map<string, Promise<Summary>>()

  private constructor(duck: DuckDBConnection, close: () => void) {
    this.#duck = duck
    this.#close = close
  }

  static async open(): Promise<Checker> {
    const database = await DuckDBInstance.create(':memory:')
    const duck = await database.connect()
    await duck.run("SET TimeZone = 'UTC'")
    return new Checker(duck, () => {
      duck.closeSync()
      database.closeSync()
    })
  }

  close(): void {
    this.#close()
  }

  /** The first `rows` of the source's file, whose last Id is `last`. */
  truth(csv: string, rows: number, last: string): Promise<Summary> {
    const key = `${csv} ${rows}`
    let known = this.#truths.get(key)
    if (!known) {
      const texts = columns.map((column) => `${ofText(column)} AS "${column.name}"`)
      const first = `(SELECT ${texts.join(', ')} FROM ${source('csv', csv, true)} WHERE Id <= '${last}')`
      this.#truths.set(key, (known = this.summary(first, ({ name }) => `"${name}"`)))
    }
    return known
  }

  /** What Parquet files hold; `named` gives the file's name of a column, where it is another. */
  written(glob: string, named: (name: string) => string = (name) => name): Promise<Summary> {
    return this.summary(`read_parquet('${glob}', union_by_name = true)`, (column) => ofFile(column, named(column.name)))
  }

  /** How many different values a column of Parquet files has. */
  async distinct(glob: string, name: string): Promise<number> {
    const found = await this.#duck.runAndReadAll(`SELECT count(DISTINCT "${name}") FROM read_parquet('${glob}')`)
    return Number(found.getRows()[0]?.[0])
  }

  async summary(from: string, expression: (column: Column) => string): Promise<Summary> {
    const values = columns.map((column) => `${expression(column)} AS "${column.name}"`)
    const sums = columns.map(({ name }) => `sum(hash("${name}")::HUGEINT)::VARCHAR AS "${name}"`)
    const whole = `sum(hash(${columns.map(({ name }) => `"${name}"`).join(', ')})::HUGEINT)::VARCHAR AS "*"`
    const found = await this.#duck.runAndReadAll(
      `SELECT count(*)::VARCHAR AS "rows", ${sums.join(', ')}, ${whole} FROM (SELECT ${values.join(', ')} FROM ${from})`,
    )
    const { rows, ...hashes } = found.getRowObjects()[0] as Record<string, string>
    return { rows: rows as string, hashes }
  }
}

/** What differs, in words; null: nothing. */
export function differences(found: Summary, truth: Summary): string | null {
  const wrong = Object.keys(truth.hashes).filter((name) => found.hashes[name] !== truth.hashes[name])
  if (found.rows !== truth.rows) return `${found.rows} rows, and the source has ${truth.rows}`
  if (wrong.length === 0) return null
  return wrong.length === 1 && wrong[0] === '*'
    ? 'values of different records are exchanged'
    : `other values: ${wrong.join(',')}`
}

/** The source's text as the type that the description tells. */
function ofText({ name, duck }: Column): string {
  if (duck === 'VARCHAR') return `"${name}"`
  if (duck === 'TIMESTAMPTZ') return `epoch_us(CAST("${name}" AS TIMESTAMPTZ))`
  return `CAST("${name}" AS ${duck})`
}

function ofFile({ duck }: Column, name: string): string {
  const column = `"${name}"`
  if (duck === 'VARCHAR') return `CAST(${column} AS VARCHAR)`
  // A double's text is the shortest that means it.
  if (duck.startsWith('DECIMAL')) return `CAST(CAST(${column} AS VARCHAR) AS ${duck})`
  if (duck === 'TIMESTAMPTZ') return `epoch_us(CAST(${column} AS TIMESTAMPTZ))`
  return `CAST(${column} AS ${duck})`
}
