/**
 * COPY, run: the manifest and its files are fetched from S3, read by a Parquet reader that the caller brings, checked
 * against the table, and handed to PostgreSQL. All or nothing: it lives in the transaction of its statement.
 */
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { S3Client } from '@aws-sdk/client-s3'
import { checkFit, type ParquetColumn, type TableColumn } from './parquet-fit.ts'
import { PostgresError, type PostgresConnection } from './postgres-wire.ts'
import type { CopyStatement } from './sql-copy.ts'
import { SqlError } from './sql-errors.ts'
import { literal } from './sql-tokens.ts'

/** Reads a Parquet file that lies on this disk. */
export interface ParquetReader {
  columns(path: string): Promise<ParquetColumn[]>
  /**
   * Writes the rows as CSV without a header, every value in quotes but null, which is `\N`; bytes as `\x…` in hex;
   * instants in UTC.
   */
  toCsv(path: string, csv: string): Promise<void>
  /** Writes rows of text as the `types` of the columns: names of SQL, `DECIMAL(9,2)`; bytes come as `\x…` in hex. */
  write(path: string, columns: { name: string; type: string }[], rows: (string | null)[][]): Promise<void>
}

export interface CopyPlace {
  s3: S3Client
  parquet: ParquetReader
  /** ARNs that may be assumed; the first is the default. */
  roles: string[]
  folder: string
}

/** A row of SYS_LOAD_ERROR_DETAIL. */
export interface LoadProblem {
  file: string
  line: number
  column: string
  type: string
  message: string
}

export class LoadError extends SqlError {
  readonly problem: LoadProblem

  constructor(problem: LoadProblem, table: string) {
    super(`ERROR: Load into table '${table}' failed. Check 'sys_load_error_detail' system table for details.`)
    this.problem = problem
  }
}

interface Entry {
  url: string
  mandatory?: boolean
  meta?: { content_length?: number }
}

/** Rows it loaded. */
export async function runCopy(copy: CopyStatement, connection: PostgresConnection, place: CopyPlace): Promise<number> {
  assume(copy.role, place)
  const entries = manifestOf(copy.from, await bytesAt(copy.from, place.s3))
  const { rows: found } = await connection.query(
    `SELECT column_name, type FROM redshift.columns_of WHERE relation = ${literal(copy.table)}::regclass ` +
      'ORDER BY ordinal_position',
  )
  const columns = found.map(([name, type]): TableColumn => ({ name: name!, type: type! }))
  const folder = await mkdtemp(join(place.folder, 'copy-'))
  try {
    let rows = 0
    for (const [at, { url, mandatory, meta }] of entries.entries()) {
      const bytes = await bytesAt(url, place.s3).catch((error: unknown) => {
        if (mandatory || !(error instanceof SqlError)) throw error
        return null
      })
      if (!bytes) continue
      if (meta?.content_length !== bytes.length) {
        throw new SqlError(
          `ERROR: the manifest says ${meta?.content_length} bytes of ${url}, which has ${bytes.length}`,
        )
      }
      const [path, csv] = [join(folder, `${at}.parquet`), join(folder, `${at}.csv`)]
      await writeFile(path, bytes)
      checkFit(url, await place.parquet.columns(path), columns)
      await place.parquet.toCsv(path, csv)
      rows += await load(copy.table, url, createReadStream(csv), columns, connection)
    }
    return rows
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** `role`: ARNs, chained by commas; null: the default. */
export function assume(role: string | null, { roles }: CopyPlace): void {
  for (const one of role?.split(',') ?? roles.slice(0, 1)) {
    if (roles.includes(one)) continue
    throw new SqlError(
      'ERROR: User arn:aws:redshift:us-east-1:123456789012:dbuser:lake/redshift is not authorized to assume IAM Role ' +
        one,
    )
  }
}

async function load(
  table: string,
  file: string,
  csv: AsyncIterable<Buffer>,
  columns: TableColumn[],
  connection: PostgresConnection,
): Promise<number> {
  try {
    const { affected } = await connection.query(`COPY ${table} FROM STDIN (FORMAT csv, NULL '\\N')`, csv)
    return affected
  } catch (error) {
    const at =
      error instanceof PostgresError
        ? /^COPY .*, line (\d+)(?:, column ("?)(.+?)\2(?::|$))?/s.exec(error.context)
        : null
    if (!at || !(error instanceof PostgresError)) throw error
    const missing = /null value in column "(.+?)"/.exec(error.message)?.[1]
    const column = at[3] ?? missing ?? ''
    const type = columns.find(({ name }) => name === column)?.type ?? ''
    const message = error.code === '23502' ? 'Missing data for not-null field' : 'Value too long for character type'
    throw new LoadError({ file, line: Number(at[1]), column, type, message }, table.replaceAll('"', ''))
  }
}

// https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html
function manifestOf(url: string, bytes: Buffer): Entry[] {
  let entries: unknown
  try {
    entries = (JSON.parse(bytes.toString('utf8')) as { entries?: unknown }).entries
  } catch {
    entries = undefined
  }
  if (!Array.isArray(entries)) throw new SqlError(`ERROR: Invalid manifest file ${url}`)
  for (const { url: file, meta } of entries as Entry[]) {
    if (typeof file !== 'string' || !file.startsWith('s3://')) throw new SqlError(`ERROR: Invalid manifest file ${url}`)
    if (Number.isInteger(meta?.content_length)) continue
    throw new SqlError(`ERROR: Manifest file ${url} lacks meta.content_length, which columnar files need`)
  }
  return entries as Entry[]
}

async function bytesAt(url: string, s3: S3Client): Promise<Buffer> {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3')
  const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(url) ?? []
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
    return Buffer.from(await Body!.transformToByteArray())
  } catch (error) {
    const { name } = error as Error
    throw new SqlError(`ERROR: S3ServiceException: ${name}, key ${Key ?? url}, bucket ${Bucket ?? '?'}`)
  }
}
