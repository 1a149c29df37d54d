/**
 * One column of one row group: its pages, compressed as soon as they are full, and what the footer says of them.
 * https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
 */
import zlib from 'node:zlib'
import type { Field } from '../connector.ts'
import type { Column } from './batch.ts'
import { ByteWriter } from './byte-writer.ts'
import { present } from './cells.ts'
import type { Codec } from './compression.ts'
import { kindOf } from './field-kind.ts'
import { BytesEncoder } from './parquet-bytes.ts'
import { fixedEncoder } from './parquet-fixed.ts'
import { PHYSICAL } from './parquet-schema.ts'
import { PLAIN, RLE } from './parquet-values.ts'
import type { ValueEncoder } from './parquet-values.ts'
import { binary, bool, encodeStruct, i32, i64, list, struct, text, varint } from './thrift.ts'
import type { Struct, Thrift } from './thrift.ts'

const PAGE_BYTES = 1 << 20
const PAGE_ROWS = 1 << 15
const DATA_PAGE = 0
const DICTIONARY_PAGE = 2

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
  readonly #values: ValueEncoder
  /** One bit per row of the page at hand, 1 = present. */
  #levels = new Uint8Array(256)
  #rows = 0
  #nulls = 0
  #chunkRows = 0
  #chunkNulls = 0
  #pages: Uint8Array[] = []
  #bytes = 0
  #rawBytes = 0
  #encodings = new Set<number>()

  constructor(field: Field, codec: Codec, dictionary: boolean) {
    this.#field = field
    this.#codec = codec
    this.#values = kindOf(field.type) === 'bytes' ? new BytesEncoder(field, dictionary) : fixedEncoder(field)
  }

  append(column: Column, rows: Uint32Array | undefined): void {
    this.#appendLevels(column, rows)
    this.#values.append(column, rows)
    if (this.#values.size >= PAGE_BYTES || this.#rows >= PAGE_ROWS) this.#endPage()
  }

  /** Bytes of finished pages, and of the page at hand before compression. */
  get encoded(): number {
    return this.#bytes
  }
  get open(): number {
    return this.#values.size + (this.#rows >> 3)
  }

  /** The chunk, if it is written at `offset` of the file; the next one begins. */
  finish(offset: number): Chunk {
    if (this.#rows > 0) this.#endPage()
    const pages = this.#pages
    const dictionary = this.#values.dictionary()
    const pieces = dictionary ? [...this.#dictionaryPage(dictionary), ...pages] : pages
    const dictionaryBytes = dictionary ? pieces[0]!.length + pieces[1]!.length : 0
    const footer = this.#footer(offset, dictionary ? offset + dictionaryBytes : undefined)
    const chunk = { pieces, bytes: this.#bytes, rawBytes: this.#rawBytes, footer }
    this.#values.reset()
    this.#pages = []
    this.#bytes = this.#rawBytes = this.#chunkRows = this.#chunkNulls = 0
    this.#encodings = new Set()
    return chunk
  }

  #appendLevels(column: Column, rows: Uint32Array | undefined): void {
    const count = rows?.length ?? column.length
    if ((this.#rows + count) >> 3 >= this.#levels.length) {
      const larger = new Uint8Array((this.#levels.length + count) * 2)
      larger.set(this.#levels)
      this.#levels = larger
    }
    if (column.valid) {
      const levels = this.#levels
      for (let i = 0, at = this.#rows; i < count; i++, at++) {
        if (present(column, rows ? rows[i]! : i)) levels[at >> 3]! |= 1 << (at & 7)
        else this.#nulls++
      }
    } else fillBits(this.#levels, this.#rows, count)
    this.#rows += count
  }

  #endPage(): void {
    const { values, encoding } = this.#values.takePage()
    const raw = new ByteWriter(values.length + (this.#rows >> 3) + 32)
    this.#putLevels(raw)
    raw.put(values)
    this.#encodings.add(encoding)
    const header = struct({ 1: i32(this.#rows), 2: i32(encoding), 3: i32(RLE), 4: i32(RLE) })
    this.#pages.push(...this.#page(DATA_PAGE, raw.view, { 5: header }))
    this.#chunkRows += this.#rows
    this.#chunkNulls += this.#nulls
    this.#levels.fill(0)
    this.#rows = this.#nulls = 0
  }

  /** Definition levels of at most 1, behind their length: one run where all are alike, else packed bits. */
  #putLevels(out: ByteWriter): void {
    out.length = 4
    const groups = (this.#rows + 7) >> 3
    if (this.#nulls === 0 || this.#nulls === this.#rows) {
      varint(out, this.#rows * 2)
      out.byte(this.#nulls === 0 ? 1 : 0)
    } else {
      varint(out, groups * 2 + 1)
      out.put(this.#levels, 0, groups)
    }
    out.bytes.writeUInt32LE(out.length - 4, 0)
  }

  #dictionaryPage({ values, count }: { values: Uint8Array; count: number }): Uint8Array[] {
    return this.#page(DICTIONARY_PAGE, values, { 7: struct({ 1: i32(count), 2: i32(PLAIN) }) })
  }

  #page(type: number, raw: Uint8Array, header: Struct): Uint8Array[] {
    const body = this.#codec.compress(raw)
    const head = encodeStruct({
      1: i32(type),
      2: i32(raw.length),
      3: i32(body.length),
      4: checksum(body),
      ...header,
    })
    this.#bytes += head.length + body.length
    this.#rawBytes += head.length + raw.length
    return [head, body]
  }

  #footer(offset: number, afterDictionary: number | undefined): Thrift {
    const range = this.#values.range()
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

function fillBits(bits: Uint8Array, from: number, count: number): void {
  let at = from
  const end = from + count
  while (at < end && (at & 7) !== 0) {
    bits[at >> 3]! |= 1 << (at & 7)
    at++
  }
  const bytes = (end - at) >> 3
  if (bytes > 0) bits.fill(0xff, at >> 3, (at >> 3) + bytes)
  for (at += Math.max(0, bytes) * 8; at < end; at++) bits[at >> 3]! |= 1 << (at & 7)
}

function checksum(body: Uint8Array): Thrift | undefined {
  // `crc32` is in Node from 20.15 on; readers do not need it.
  return typeof zlib.crc32 === 'function' ? i32(zlib.crc32(body) | 0) : undefined
}
