/** Dictionary entries as Parquet packs them: their width in bits, then a run or groups of eight. */
import type { ByteWriter } from './byte-writer.ts'
import { varint } from './thrift.ts'

/** The first `count` of `indices`, all below `entries`. */
export function packIndices(out: ByteWriter, indices: Uint32Array, count: number, entries: number): void {
  const width = Math.max(1, 32 - Math.clz32(entries - 1))
  out.byte(width)
  if (entries === 1) {
    varint(out, count * 2)
    out.byte(0)
    return
  }
  const groups = (count + 7) >> 3
  varint(out, groups * 2 + 1)
  out.room(groups * width + 2)
  // The last group is filled up with zeros.
  const whole = count & ~7
  pack(out, indices, 0, whole, width)
  if (whole === count) return
  const last = new Uint32Array(8)
  last.set(indices.subarray(whole, count))
  pack(out, last, 0, 8, width)
}

/** `width` is at most 16, and `end - from` a multiple of eight. */
function pack(out: ByteWriter, indices: Uint32Array, from: number, end: number, width: number): void {
  const { data } = out
  let at = out.length
  let held = 0
  let bits = 0
  for (let i = from; i < end; i++) {
    held |= indices[i]! << bits
    bits += width
    if (bits < 16) continue
    data.setUint16(at, held, true)
    at += 2
    held >>>= 16
    bits -= 16
  }
  // Eight values are whole bytes, so at most one byte is left.
  if (bits > 0) data.setUint8(at++, held)
  out.length = at
}
