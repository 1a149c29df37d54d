/**
 * Values in Parquet's plain encoding, written behind what `out` has.
 * https://github.com/apache/parquet-format/blob/master/Encodings.md#plain-plain--0
 *
 * Every loop is of one kind of column and asks nothing of its values: this is the path of each value of each record.
 */
import type { Field } from '../connector.ts'
import type { ColumnData } from './batch.ts'
import type { ByteWriter } from './byte-writer.ts'
import { decimalBytes, decimalOf, kindOf } from './field-kind.ts'
import type { Rows } from './present-rows.ts'
import { wordsOf } from './words.ts'

export type Plain = (out: ByteWriter, data: ColumnData, rows: Rows) => void

/** From so many bytes on, the native copy is worth its call. */
const LONG = 128

export function plainOf({ type }: Field): Plain {
  const kind = kindOf(type)
  if (kind === 'bytes') return putBytes
  if (kind !== 'int128') return putWords
  const width = decimalBytes(decimalOf(type)!.precision)
  return (out, data, rows) => putInt128(out, data, rows, width)
}

/** Length, then the bytes. Short values are copied in steps of four, the last of which may reach beyond their end. */
function putBytes(out: ByteWriter, data: ColumnData, { at, count }: Rows): void {
  if (data.kind !== 'bytes') return
  const { bytes, offsets } = data
  const source = viewToEnd(bytes)
  const safe = source.byteLength - 3
  let target = out.data
  let limit = out.bytes.length
  let to = out.length
  for (let i = 0; i < count; i++) {
    const row = at[i]!
    const start = offsets[row]!
    const end = offsets[row + 1]!
    const size = end - start
    if (to + size + 8 > limit) {
      out.length = to
      out.room(size + 8)
      target = out.data
      limit = out.bytes.length
    }
    target.setInt32(to, size, true)
    to += 4
    if (size >= LONG || end > safe) out.bytes.set(bytes.subarray(start, end), to)
    else
      for (let from = start, t = to; from < end; from += 4, t += 4)
        target.setInt32(t, source.getInt32(from, true), true)
    to += size
  }
  out.length = to
}

/** Numbers of four or eight bytes, as they lie in memory. */
function putWords(out: ByteWriter, data: ColumnData, { at, count, dense }: Rows): void {
  if (data.kind === 'bytes' || data.kind === 'bits' || data.kind === 'int128') return
  const wide = data.kind !== 'int32'
  const words = data.kind === 'int32' ? data.values : wordsOf(data.values)
  const length = wide ? count * 2 : count
  out.room(length * 4)
  const target = new Int32Array(out.bytes.buffer, out.bytes.byteOffset + out.length, length)
  if (dense) target.set(words.subarray(0, length))
  else if (wide) {
    for (let i = 0; i < count; i++) {
      const row = at[i]!
      target[i * 2] = words[row * 2]!
      target[i * 2 + 1] = words[row * 2 + 1]!
    }
  } else for (let i = 0; i < count; i++) target[i] = words[at[i]!]!
  out.length += length * 4
}

/** Nine to sixteen bytes, two's complement, high byte first. */
function putInt128(out: ByteWriter, data: ColumnData, { at, count }: Rows, width: number): void {
  if (data.kind !== 'int128') return
  const words = wordsOf(data.words)
  out.room(count * width)
  const target = out.data
  let to = out.length
  for (let i = 0; i < count; i++) {
    const from = at[i]! * 4
    for (let byte = width - 9; byte >= 0; byte--)
      target.setUint8(to++, words[from + 2 + (byte >> 2)]! >> ((byte & 3) * 8))
    target.setInt32(to, words[from + 1]!)
    target.setInt32(to + 4, words[from]!)
    to += 8
  }
  out.length = to
}

/** Of the bytes, and of what lies behind them in their memory. */
export function viewToEnd(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset)
}
