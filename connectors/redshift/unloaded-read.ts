/**
 * Unloaded files, read one after the other by the reader of Parquet that files as a source have.
 *
 * Laws
 * - A cursor is a file of the range and a row in it.
 * - Memory: the file that is read, as it lies on S3, and one row group of it.
 */
import type { Json, Page, Plan, Range, Row, Session } from '../connector.ts'
import { ConnectorError } from '../errors.ts'
import { plainCsv } from '../files/file-keys.ts'
import { parquetPages } from '../files/parquet-pages.ts'
import { storedFile } from '../files/stored-file.ts'
import { valueOf } from './source-columns.ts'
import { type ReadRequest, requestOf } from './source-plan.ts'
import { type FileSpan, stagingOf } from './unload.ts'

interface Cursor {
  file: number
  /** Of the file's reader; null: its beginning. */
  at: Json | null
}

export async function* readUnloaded(
  session: Session,
  plan: Plan,
  { spec }: Range,
  from: Json | null,
): AsyncGenerator<Page> {
  const request = requestOf(plan)
  const { files } = spec as unknown as FileSpan
  const { store } = await stagingOf(session)
  const start = (from ?? { file: 0, at: null }) as unknown as Cursor
  const keys = {
    format: 'parquet' as const,
    csv: plainCsv,
    schema: Object.fromEntries(request.fields.map(({ name, type }) => [name, type])),
  }
  if (files.length === 0) yield { body: [], shape: { format: 'rows' }, next: null, position: 'no row' }
  for (let index = start.file; index < files.length; index++) {
    const [key, bytes] = files[index]!
    const stored = await store.get(key)
    if (stored?.length !== bytes) throw gone(request, `${store.name}/${key} is gone, or has changed`)
    const { tree, file } = storedFile('redshift', store.name, key, stored)
    const at = index === start.file ? start.at : null
    for await (const page of parquetPages({ tree, file, keys, from: at, note: (text) => session.note(text) })) {
      session.signal.throwIfAborted()
      const last = page.next === null && index + 1 === files.length
      const cursor: Cursor = page.next === null ? { file: index + 1, at: null } : { file: index, at: page.next }
      yield {
        body: (page.body as Row[]).map((row) => rowOf(request, row)),
        shape: page.shape,
        next: last ? null : (cursor as unknown as Json),
        position: `file ${index + 1} of ${files.length}, ${page.position}`,
      }
    }
  }
}

function rowOf({ fields }: ReadRequest, row: Row): Row {
  for (const { name, type } of fields) {
    const value = row[name]
    if (typeof value === 'string') row[name] = valueOf(type, value, 'files')
  }
  return row
}

function gone({ object }: ReadRequest, reason: string): ConnectorError {
  return new ConnectorError({ connector: 'redshift', doing: `read ${object}`, kind: 'cursor-expired', reason })
}
