/** A contestant: Lakeward's records, from the bytes of a local file to a local Parquet file, on one processor. */
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Shape } from '../../connectors/connector.ts'
import { act } from './actor.ts'
import { columnNames, columns } from './columns.ts'

export interface OneCoreTask {
  form: 'csv' | 'json'
  /** The file of `form`, and where its records begin. */
  path: string
  index: string
  /** Bytes before the first record. */
  start: number
  rows: number
  out: string
}

/** As many as come in one answer: of a Bulk result page whatever is asked for, of a REST page 2,000. */
const PAGE = { csv: 20_000, json: 2_000 }

/** Bytes of each record's line, and of its JSON. */
const WORDS = 3

const built = process.argv[2] as string
const load = <T>(path: string): Promise<T> => import(pathToFileURL(join(built, path)).href) as Promise<T>
const { decodePage } = await load<typeof import('../../connectors/records/decode.ts')>('connectors/records/decode.js')
const { RecordBuilder } = await load<typeof import('../../connectors/records/record-builder.ts')>(
  'connectors/records/record-builder.js',
)
const { compileRecipe } =
  await load<typeof import('../../connectors/records/recipe.ts')>('connectors/records/recipe.js')
const { parquetSink } = await load<typeof import('../../connectors/records/parquet.ts')>(
  'connectors/records/parquet.js',
)
const { schemaOf } = await load<typeof import('../../connectors/salesforce/describe.ts')>(
  'connectors/salesforce/describe.js',
)

const described = columns.map(({ name, described: of }) => ({ name, ...of }))
const { fields } = schemaOf({ name: 'Account', fields: described }, { compound: 'parts', numbers: 'decimal' })
const recipe = { where: null, transform: [], onInvalid: 'fail' as const, partitionBy: [], op: false }
const shapes: Record<OneCoreTask['form'], Shape> = {
  csv: { format: 'csv', delimiter: ',', header: false, nullText: '', noEmpty: true, columns: columnNames },
  json: { format: 'json', path: ['records'], ignore: ['attributes'] },
}

await act(async (task: OneCoreTask) => {
  const nothingKeyed = (): never => {
    throw new Error('nothing of the bench is keyed')
  }
  const pipeline = compileRecipe(recipe, fields, fields, nothingKeyed)
  const sink = parquetSink(fields)
  // As a unit has it (`activities/unit-pages.ts`): its memory is used again from page to page.
  const records = new RecordBuilder(fields, undefined, true)
  const out = openSync(task.out, 'w')
  let read = 0
  for (const body of pages(task)) {
    for (const decoded of decodePage({ body, shape: shapes[task.form] }, fields, records)) {
      const { batch, rejects } = pipeline.run(decoded)
      read += batch.rows + rejects.length
      sink.append(batch)
      for (const chunk of sink.drain()) writeSync(out, chunk)
    }
  }
  for (const chunk of sink.finish()) writeSync(out, chunk)
  closeSync(out)
  return { rows: read }
})

/** Bodies of answers, from slices of the file; each is there until the next one is asked for. */
function* pages({ form, path, index, start, rows }: OneCoreTask): Generator<Uint8Array> {
  const lengths = new Uint32Array(readFileSync(index).buffer)
  const file = openSync(path, 'r')
  let room = Buffer.alloc(0)
  let at = start
  for (let from = 0; from < rows; from += PAGE[form]) {
    let bytes = 0
    for (let row = from; row < Math.min(rows, from + PAGE[form]); row++) {
      bytes += lengths[row * WORDS + (form === 'csv' ? 0 : 1)]!
    }
    // The comma before a page's first record is not the page's.
    const skip = form === 'json' && from > 0 ? 1 : 0
    const before = form === 'json' ? '{"totalSize":1,"done":true,"records":[' : ''
    const length = before.length + bytes - skip + (form === 'json' ? 2 : 0)
    if (room.length < length) room = Buffer.allocUnsafe(length + (length >> 3))
    const body = room.subarray(0, length)
    body.write(before, 'latin1')
    readSync(file, body, before.length, bytes - skip, at + skip)
    if (form === 'json') body.write(']}', body.length - 2, 'latin1')
    at += bytes
    yield body
  }
  closeSync(file)
}
