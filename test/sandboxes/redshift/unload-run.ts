/**
 * UNLOAD, run: the rows of a query as Parquet files on S3, one for each of some slices, and the manifest after them.
 * What a statement wrote before it failed or was cancelled stays, as the vendor's does.
 * https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { assume, type CopyPlace } from './copy-run.ts'
import type { PostgresColumn, PostgresResult } from './postgres-wire.ts'
import { SqlError } from './sql-errors.ts'
import type { UnloadStatement } from './sql-copy.ts'

const SLICES = 3

const TYPES: Record<number, string> = {
  16: 'BOOLEAN',
  17: 'BLOB',
  20: 'BIGINT',
  21: 'SMALLINT',
  23: 'INTEGER',
  25: 'VARCHAR',
  700: 'FLOAT',
  701: 'DOUBLE',
  1042: 'VARCHAR',
  1043: 'VARCHAR',
  1082: 'DATE',
  1114: 'TIMESTAMP',
}

/** Rows it unloaded. */
export async function runUnload(
  { to, role }: UnloadStatement,
  found: PostgresResult,
  place: CopyPlace,
): Promise<number> {
  assume(role, place)
  const [, Bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/(.*)$/.exec(to) ?? []
  const { ListObjectsV2Command, PutObjectCommand } = await import('@aws-sdk/client-s3')
  const send = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw new SqlError(`ERROR: S3ServiceException: ${(error as Error).name}, bucket ${Bucket}`)
    }
  }
  const there = await send(() => place.s3.send(new ListObjectsV2Command({ Bucket, Prefix: prefix, MaxKeys: 1 })))
  if ((there.Contents ?? []).length > 0) {
    throw new SqlError(
      'ERROR: Specified unload destination on S3 is not empty. Consider using a different bucket / prefix, manually ' +
        'removing the target files in S3, or using the ALLOWOVERWRITE option.',
    )
  }
  const columns = found.columns.map((column) => ({ name: column.name, type: typeOf(column) }))
  const put = (Key: string, Body: Buffer | string) =>
    send(() => place.s3.send(new PutObjectCommand({ Bucket, Key, Body })))
  const entries: object[] = []
  const folder = await mkdtemp(join(place.folder, 'unload-'))
  try {
    for (let slice = 0; slice < SLICES; slice++) {
      const rows = found.rows.filter((_, at) => at % SLICES === slice)
      if (rows.length === 0) continue
      const path = join(folder, `${slice}.parquet`)
      await place.parquet.write(path, columns, rows)
      const bytes = await readFile(path)
      const key = `${prefix}${String(slice).padStart(4, '0')}_part_00.parquet`
      await put(key, bytes)
      entries.push({ url: `s3://${Bucket}/${key}`, meta: { content_length: bytes.length, record_count: rows.length } })
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  const meta = { record_count: found.rows.length }
  await put(`${prefix}manifest`, JSON.stringify({ entries, meta }))
  return found.rows.length
}

function typeOf({ name, type, modifier }: PostgresColumn): string {
  if (type === 1700 && modifier >= 4) return `DECIMAL(${(modifier - 4) >> 16},${(modifier - 4) & 0xffff})`
  const known = TYPES[type]
  if (known) return known
  throw new SqlError(`ERROR: the stand-in does not unload the type of ${name} (${type})`)
}
