/**
 * The ledger of a lane: one row in a table of its own, beside the others.
 *
 * Laws
 * - A table per lane: writers of one table wait for one another until they commit, whatever rows they write, and a load
 *   holds its ledger all along.
 * - Keys are not enforced and isolation is snapshot: two inserts would both commit. So the row is made once, under a
 *   lock that takes no snapshot, and from then on only moved; movers of one row conflict.
 * - A committed row has its counts. A row without them exists only inside the transaction that moved it: that is how
 *   the transaction proves that it was the mover, and not one before it.
 * https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
 */
import { createHash } from 'node:crypto'
import type { Load, TableEntry } from '../connector.ts'
import { InputError } from '../errors.ts'
import { literal, name, qualified, type TableName } from './sql.ts'

const COUNTS = name('lakeward_counts')
const NAME = /^lakeward_ledger_[0-9a-f]{16}$/
const RESULT = ['inserted', 'updated', 'deleted']

/** A load that knows which number the row has. */
export type Moved = Load & { after: number }

export class Ledger {
  readonly name: TableName
  /** Quoted, with its schema. */
  readonly table: string
  readonly lane: string

  constructor(schema: string, lane: string) {
    const hash = createHash('sha256').update(lane).digest('hex').slice(0, 16)
    this.name = { schema: schema.toLowerCase(), table: `lakeward_ledger_${hash}` }
    this.table = qualified(this.name)
    this.lane = lane
  }

  create(): string {
    const columns =
      '"lane" VARCHAR(1024) NOT NULL, "n" BIGINT NOT NULL, "run" VARCHAR(1024), "watermark" VARCHAR(64), ' +
      '"inserted" BIGINT, "updated" BIGINT, "deleted" BIGINT, "moved_at" TIMESTAMP'
    return `CREATE TABLE IF NOT EXISTS ${this.table} (${columns})`
  }

  /** One transaction; makes the row where there is none. */
  begin(): string[] {
    return [
      `LOCK TABLE ${this.table}`,
      `INSERT INTO ${this.table} ("lane", "n", "inserted", "updated", "deleted") ` +
        `SELECT ${literal(this.lane)}, 0, 0, 0, 0 ` +
        `WHERE NOT EXISTS (SELECT 1 FROM ${this.table})`,
    ]
  }

  newest(): string {
    return `SELECT "n", "run", "watermark", "inserted", "updated", "deleted" FROM ${this.table}`
  }

  /** The first statements of a load: they move the row, and fail where they did not. */
  move({ n, after, run, watermark }: Moved): string[] {
    return [
      `UPDATE ${this.table} SET "n" = ${n}, "run" = ${literal(run)}, "watermark" = ${literal(watermark)}, ` +
        `"inserted" = NULL, "updated" = NULL, "deleted" = NULL, "moved_at" = GETDATE() ` +
        `WHERE "n" = ${after}`,
      `SELECT ${proof('COUNT(*) = 1')} AS "moved" FROM ${this.table} WHERE "n" = ${n} AND "inserted" IS NULL`,
    ]
  }

  /**
   * Sets the counts, from the one row of a query with columns of their names. They pass through a table, since an
   * UPDATE takes what is joined to its target by an equality of columns alone.
   */
  count({ n }: Load, query: string): string[] {
    const set = RESULT.map((column) => `"${column}" = ${COUNTS}."${column}"`)
    const taken = RESULT.map((column) => `"counted"."${column}"`)
    return [
      `CREATE TEMP TABLE ${COUNTS} AS SELECT ${n} AS "n", ${taken.join(', ')} FROM (${query}) AS "counted"`,
      `UPDATE ${this.table} SET ${set.join(', ')} FROM ${COUNTS} WHERE ${this.table}."n" = ${COUNTS}."n"`,
    ]
  }
}

export const isLedger = (table: string): boolean => NAME.test(table)

/** A number where a condition holds, and an error where it does not: division by zero, which nothing else here does. */
export const proof = (condition: string): string => `1 / CASE WHEN ${condition} THEN 1 ELSE 0 END`

/** Rows of `newest`. */
export function entryOf(rows: (string | null)[][], lane: string): TableEntry | null {
  const [row] = rows
  if (rows.length > 1) {
    const advice = 'Keep the row with the highest n and delete the others, by hand: somebody else wrote here.'
    throw new InputError([{ what: `the ledger has ${rows.length} rows of one lane`, where: lane, advice }])
  }
  if (!row || row[0] === '0') return null
  const [n, run, watermark, inserted, updated, deleted] = row
  const result = { inserted: Number(inserted), updated: Number(updated), deleted: Number(deleted) }
  return { n: Number(n), run: run ?? '', watermark: watermark ?? null, result }
}
