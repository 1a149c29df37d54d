/** Small tables for tests: fields from `name: type`, batches from objects, and batches back as rows of text. */
import type { Field, FieldType, Page, Row } from '../../connectors/connector.ts'
import type { Batch } from '../../connectors/records/batch.ts'
import { textReader } from '../../connectors/records/cells.ts'
import { decodePage } from '../../connectors/records/decode.ts'
import type { Decoded } from '../../connectors/records/decode.ts'

export function fieldsOf(types: Record<string, FieldType>): Field[] {
  return Object.entries(types).map(([name, type]) => ({ name, type, nullable: true }))
}

export function decodedRows(fields: Field[], rows: Row[], op?: Page['op']): Decoded[] {
  return [...decodePage({ body: rows, shape: { format: 'rows' }, op }, fields)]
}

/** One batch; every row must fit. */
export function batchOf(fields: Field[], rows: Row[]): Batch {
  const [decoded] = decodedRows(fields, rows)
  if (!decoded || decoded.rejects.length > 0)
    throw new Error(`not one clean batch: ${JSON.stringify(decoded?.rejects)}`)
  return decoded.batch
}

export function textRows(batch: Batch): Record<string, string | null>[] {
  const readers = batch.fields.map(({ type }) => textReader(type))
  return Array.from({ length: batch.rows }, (_, row) =>
    Object.fromEntries(batch.fields.map(({ name }, i) => [name, readers[i]!(batch.columns[i]!, row)])),
  )
}

/** Numbers of one sequence, always the same. */
export function randoms(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
