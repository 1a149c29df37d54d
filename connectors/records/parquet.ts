/**
 * Parquet, written by an encoder of our own: flat nullable columns, data pages of version 1, PLAIN and RLE_DICTIONARY,
 * statistics, compressed by zstd or snappy.
 * https://github.com/apache/parquet-format
 *
 * Laws
 * - Memory is bounded by a row group: pages are compressed as they fill, and leave when the group is complete; a group
 *   is complete before it takes up more than 24 MB and a batch.
 * - The same rows in the same batches give the same bytes, with the same codec.
 */
import type { Field } from '../connector.ts'
import { version } from '../version.ts'
import { pageCodec } from './compression.ts'
import type { Codec } from './compression.ts'
import { ChunkWriter } from './parquet-chunk.ts'
import type { PageLimits } from './parquet-chunk.ts'
import { schemaElement, schemaRoot } from './parquet-schema.ts'
import type { Sink } from './sink.ts'
import { encodeStruct, i32, i64, list, struct, text } from './thrift.ts'
import type { Thrift } from './thrift.ts'

export interface ParquetOptions extends Partial<PageLimits> {
  rowGroupRows?: number
  /** Of a row group before compression. */
  rowGroupBytes?: number
  dictionary?: boolean
  codec?: Codec
}

const MAGIC = Buffer.from('PAR1')
const PAGE_BYTES = 1 << 19
const PAGE_ROWS = 1 << 15
const ROW_GROUP_ROWS = 122_880
const ROW_GROUP_BYTES = 64 << 20
/** A row group that takes up so much memory is complete, however few rows it has. */
const MOST_HELD = 24 << 20

export function parquetSink(fields: Field[], options: ParquetOptions = {}): Sink {
  const { rowGroupRows = ROW_GROUP_ROWS, rowGroupBytes = ROW_GROUP_BYTES, dictionary = true } = options
  const { pageBytes = PAGE_BYTES, pageRows = PAGE_ROWS, codec = pageCodec() } = options
  const columns = fields.map((field) => new ChunkWriter(field, codec, dictionary, { pageBytes, pageRows }))
  const groups: Thrift[] = []
  let ready: Uint8Array[] = [MAGIC]
  /** Bytes of the file that are encoded. */
  let offset = MAGIC.length
  let rows = 0
  let groupRows = 0
  /** What a byte becomes by compression, as the groups so far show. */
  let ratio = 0.5

  const sum = (of: (column: ChunkWriter) => number): number => columns.reduce((total, column) => total + of(column), 0)
  const open = () => sum((column) => column.open)
  const encoded = () => sum((column) => column.encoded)

  function flush(): void {
    if (groupRows === 0) return
    const start = offset
    let raw = 0
    const footers = columns.map((column) => {
      const chunk = column.finish(offset)
      offset += chunk.bytes
      raw += chunk.rawBytes
      for (const piece of chunk.pieces) ready.push(piece)
      return chunk.footer
    })
    if (raw > 0) ratio = (offset - start) / raw
    groups.push(
      struct({
        1: list('struct', footers),
        2: i64(raw),
        3: i64(groupRows),
        5: i64(start),
        6: i64(offset - start),
      }),
    )
    groupRows = 0
  }
  function drain(): Uint8Array[] {
    const pieces = ready
    ready = []
    return pieces
  }
  return {
    append({ columns: from, rows: all }, chosen) {
      columns.forEach((column, i) => column.append(from[i]!, chosen))
      const count = chosen?.length ?? all
      rows += count
      groupRows += count
      const [pages, rest] = [encoded(), open()]
      if (groupRows >= rowGroupRows || rest + pages / ratio >= rowGroupBytes || pages + rest >= MOST_HELD) flush()
    },
    drain,
    flush,
    finish() {
      flush()
      const footer = encodeStruct({
        1: i32(1),
        2: list('struct', [schemaRoot(fields.length), ...fields.map(schemaElement)]),
        3: i64(rows),
        4: list('struct', groups),
        6: text(`lakeward version ${version()}`),
        // Least and greatest are in the order that each type defines.
        7: list(
          'struct',
          fields.map(() => struct({ 1: struct({}) })),
        ),
      })
      const tail = Buffer.alloc(8)
      tail.writeUInt32LE(footer.length, 0)
      MAGIC.copy(tail, 4)
      ready.push(footer, tail)
      offset += footer.length + tail.length
      return drain()
    },
    get bytes() {
      return Math.round(offset + encoded() + open() * ratio)
    },
    get buffered() {
      return encoded() + open()
    },
    get rows() {
      return rows
    },
  }
}
