/**
 * A page of a source as batches of columns.
 *
 * Laws
 * - A page is taken whole or not at all: a `PageError` may come after some batches, and then none of them counts.
 * - A value that does not fit its field's type rejects its record and no other; nothing is bent to fit.
 * - read = rows of the batches + rejects + dropped.
 */
import { isUtf8 } from 'node:buffer'
import type { Field, Page } from '../connector.ts'
import type { Batch } from './batch.ts'
import { decodeCsv } from './csv-records.ts'
import { decodeJson, decodeJsonLines } from './json-records.ts'
import { PageError } from './page-error.ts'
import type { Reject } from './quarantine.ts'
import { RecordBuilder } from './record-builder.ts'
import { decodeRows } from './row-records.ts'

export interface Decoded {
  batch: Batch
  /** One per row, `UPSERT` or `DELETE`; absent: upserts all. */
  ops?: Uint8Array
  /** Records that no batch can hold. */
  rejects: Reject[]
  /** Records that the page's `op` says are none of the lane's. */
  dropped: number
}

/**
 * Batches of at most `BATCH_ROWS` rows with exactly these fields; a member that is missing from a record is null.
 *
 * With `records` of one's own, made for the page's `op`, memory goes from batch to batch and from page to page: a batch
 * is good until the next one is asked for.
 */
export function* decodePage(
  page: Paged,
  fields: Field[],
  records = new RecordBuilder(fields, page.op),
): Generator<Decoded> {
  let found = 0
  for (const decoded of decode(page, records)) {
    found += decoded.batch.rows + decoded.rejects.length + decoded.dropped
    yield decoded
  }
  const { records: promised = found } = page
  if (found !== promised) throw new PageError(`the page has ${found} records, and the source says ${promised}`)
}

type Paged = Pick<Page, 'body' | 'shape' | 'op' | 'records'>

function* decode({ body, shape }: Paged, records: RecordBuilder): Generator<Decoded> {
  if (shape.format === 'rows') {
    if (!Array.isArray(body)) throw new PageError('a page of rows has bytes for a body')
    yield* decodeRows(body, records)
    return
  }
  if (Array.isArray(body)) throw new PageError(`a page of ${shape.format} has rows for a body`)
  if (!isUtf8(body)) throw new PageError('the page is not valid UTF-8')
  if (shape.format === 'json') yield* decodeJson(body, shape.path, records)
  else if (shape.format === 'jsonl') yield* decodeJsonLines(body, records, shape.badLines === 'reject')
  else if (shape.format === 'csv') yield* decodeCsv(body, shape, records)
  else throw new PageError(`pages of ${shape.format} cannot be read yet`)
}
