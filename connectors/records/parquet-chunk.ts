/**
 * One column of one row group: its pages, compressed as soon as they are full, and what the footer says of them.
 * https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
 */
import zlib from 'node:zlib'
import type { Field } from '../connector.ts'
import type { Column } from './batch.ts'
import { BitWriter } from './bit-writer.ts'
import { ByteWriter } from './byte-writer.ts'
import type { Codec } from './compression.ts'
import { kindOf } from './field-kind.ts'
import { BooleanValues } from './parquet-booleans.ts'
import { PHYSICAL } from './parquet-schema.ts'
import { ColumnValues, PLAIN, RLE } from './parquet-values.ts'
import type { Values } from './parquet-values.ts'
import { presentRows } from './present-rows.ts'
import { binary, bool, encodeStruct, i32, i64, list, struct, text, varint } from './thrift.ts'
import type { Struct, Thrift } from './thrift.ts'

const PAGE_KEPT = 1 << 21
const DATA_PAGE = 0
const DICTIONARY_PAGE = 2

/** Where a page is put together; its memory serves all columns of all files. */
const page = new ByteWriter(1 << 16)

/** A page is full when it has either. */
export interface PageLimits {
  pageBytes: number
  pageRows: number
}

export interface Chunk {
  pieces: Uint8Array[]
  bytes: number
  rawBytes: number
  /** ColumnChunk of the footer. */
  footer: Thrift
}

export class ChunkWriter {
  readonly #field: Field
  readonly #codec: Codec
  readonly #limits: PageLimits
  readonly #values: Values
  /** One bit per row of the page at hand, 1 = present. */
  readonly #levels = new BitWriter()
  #nulls = 0
  #chunkRows = 0
  #chunkNulls = 0
  #pages: Uint8Array[] = []
  #bytes = 0
  #rawBytes = 0
  #encodings = new Set<number>()

  constructor(field: Field, codec: Codec, dictionary: boolean, limits: PageLimits) {
    this.#field = field
    this.#codec = codec
    this.#limits = limits
    this.#values = kindOf(field.type) === 'bits' ? new BooleanValues() : new ColumnValues(field, dictionary)
  }

  append(column: Column, chosen: Uint32Array | undefined): void {
    const count = chosen?.length ?? column.length
    const { valid, data } = column
    if (!valid) this.#levels.ones(count)
    else if (chosen) this.#levels.appendRows(valid, chosen, count)
    else this.#levels.append(valid, count)
    const present = presentRows(column, chosen)
    this.#nulls += count - present.count
    this.#values.append(data, present)
    if (this.#values.size >= this.#limits.pageBytes || this.#levels.length >= this.#limits.pageRows) this.#endPage()
  }

  /** Bytes of finished pages, and of what is not compressed yet. */
  get encoded(): number {
    return this.#bytes
  }
  get open(): number {
    return this.#values.size + this.#values.shared + this.#levels.size
  }

  /** The chunk, if it is written at `offset` of the file; the next one begins. */
  finish(offset: number): Chunk {
    if (this.#levels.length > 0) this.#endPage()
    const pieces = this.#pages
    const dictionary = this.#dictionaryPage()
    if (dictionary) pieces.unshift(dictionary)
    const footer = this.#footer(offset, dictionary && offset + dictionary.length)
    const chunk = { pieces, bytes: this.#bytes, rawBytes: this.#rawBytes, footer }
    this.#values.reset()
    this.#pages = []
    this.#bytes = this.#rawBytes = this.#chunkRows = this.#chunkNulls = 0
    this.#encodings = new Set()
    return chunk
  }

  #endPage(): void {
    const rows = this.#levels.length
    this.#putLevels()
    const encoding = this.#values.takePage(page)
    this.#encodings.add(encoding)
    const header = struct({ 1: i32(rows), 2: i32(encoding), 3: i32(RLE), 4: i32(RLE) })
    this.#pages.push(this.#takePage(DATA_PAGE, { 5: header }))
    this.#chunkRows += rows
    this.#chunkNulls += this.#nulls
    this.#levels.clear()
    this.#nulls = 0
  }

  /** Definition levels of at most 1, behind their length: one run where all are alike, else packed bits. */
  #putLevels(): void {
    const { bytes, length, size } = this.#levels
    page.room(4)
    page.length = 4
    if (this.#nulls === 0 || this.#nulls === length) {
      varint(page, length * 2)
      page.byte(this.#nulls === 0 ? 1 : 0)
    } else {
      varint(page, size * 2 + 1)
      page.put(bytes, 0, size)
    }
    page.bytes.writeUInt32LE(page.length - 4, 0)
  }

  #dictionaryPage(): Uint8Array | undefined {
    page.length = 0
    const count = this.#values.takeDictionary(page)
    if (count === 0) return undefined
    return this.#takePage(DICTIONARY_PAGE, { 7: struct({ 1: i32(count), 2: i32(PLAIN) }) })
  }

  /** What `page` has, behind its header. */
  #takePage(type: number, header: Struct): Uint8Array {
    const raw = page.view
    const body = this.#codec.compress(raw)
    const head = encodeStruct({
      1: i32(type),
      2: i32(raw.length),
      3: i32(body.length),
      4: checksum(body),
      ...header,
    })
    const whole = Buffer.allocUnsafeSlow(head.length + body.length)
    whole.set(head)
    whole.set(body, head.length)
    this.#bytes += whole.length
    this.#rawBytes += head.length + raw.length
    page.release(PAGE_KEPT)
    return whole
  }

  #footer(offset: number, afterDictionary: number | undefined): Thrift {
    const range = this.#values.bounds()
    const encodings = [RLE, ...(afterDictionary ? [PLAIN] : []), ...this.#encodings]
    const statistics: Struct = { 3: i64(this.#chunkNulls) }
    if (range) {
      statistics[5] = binary(range.greatest)
      statistics[6] = binary(range.least)
      statistics[7] = bool(true)
      statistics[8] = bool(true)
    }
    return struct({
      2: i64(offset),
      3: struct({
        1: i32(PHYSICAL[kindOf(this.#field.type)]),
        2: list('i32', [...new Set(encodings)].map(i32)),
        3: list('binary', [text(this.#field.name)]),
        4: i32(this.#codec.id),
        5: i64(this.#chunkRows),
        6: i64(this.#rawBytes),
        7: i64(this.#bytes),
        9: i64(afterDictionary ?? offset),
        11: afterDictionary === undefined ? undefined : i64(offset),
        12: struct(statistics),
      }),
    })
  }
}

function checksum(body: Uint8Array): Thrift | undefined {
  // `crc32` is in Node from 20.15 on; readers do not need it.
  return typeof zlib.crc32 === 'function' ? i32(zlib.crc32(body) | 0) : undefined
}
