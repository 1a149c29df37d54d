/**
 * Thrift's compact protocol, as far as Parquet's headers need it.
 * https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
import { ByteWriter } from './byte-writer.ts'

export type Thrift =
  | { kind: 'bool'; value: boolean }
  | { kind: 'i8' | 'i32' | 'i64'; value: number }
  | { kind: 'binary'; value: Uint8Array }
  | { kind: 'list'; of: Thrift['kind']; items: Thrift[] }
  | { kind: 'struct'; fields: Struct }

/** By field id; absent members are left out. */
export type Struct = Record<number, Thrift | undefined>

export const bool = (value: boolean): Thrift => ({ kind: 'bool', value })
export const i8 = (value: number): Thrift => ({ kind: 'i8', value })
export const i32 = (value: number): Thrift => ({ kind: 'i32', value })
export const i64 = (value: number): Thrift => ({ kind: 'i64', value })
export const binary = (value: Uint8Array): Thrift => ({ kind: 'binary', value })
export const text = (value: string): Thrift => ({ kind: 'binary', value: Buffer.from(value) })
export const list = (of: Thrift['kind'], items: Thrift[]): Thrift => ({ kind: 'list', of, items })
export const struct = (fields: Struct): Thrift => ({ kind: 'struct', fields })

/** In a struct `bool` is 1 or 2, as its value is. */
const CODES: Record<Thrift['kind'], number> = { bool: 1, i8: 3, i32: 5, i64: 6, binary: 8, list: 9, struct: 12 }

export function encodeStruct(fields: Struct): Uint8Array {
  const out = new ByteWriter(256)
  writeStruct(out, fields)
  return out.view
}

function writeStruct(out: ByteWriter, fields: Struct): void {
  let last = 0
  for (const [key, value] of Object.entries(fields)) {
    if (!value) continue
    const id = Number(key)
    const code = value.kind === 'bool' && !value.value ? 2 : CODES[value.kind]
    // Ids ascend in steps of at most 15 in all of Parquet's structs.
    out.byte(((id - last) << 4) | code)
    last = id
    if (value.kind !== 'bool') write(out, value)
  }
  out.byte(0)
}

function write(out: ByteWriter, thrift: Thrift): void {
  switch (thrift.kind) {
    case 'bool':
      out.byte(thrift.value ? 1 : 2)
      break
    case 'i8':
      out.byte(thrift.value & 0xff)
      break
    case 'i32':
    case 'i64':
      varint(out, thrift.value >= 0 ? thrift.value * 2 : -thrift.value * 2 - 1)
      break
    case 'binary':
      varint(out, thrift.value.length)
      out.put(thrift.value)
      break
    case 'list': {
      const { items } = thrift
      const code = CODES[thrift.of]
      if (items.length < 15) out.byte((items.length << 4) | code)
      else {
        out.byte(0xf0 | code)
        varint(out, items.length)
      }
      for (const item of items) write(out, item)
      break
    }
    default:
      writeStruct(out, thrift.fields)
  }
}

/** Not negative, below 2^53. */
export function varint(out: ByteWriter, value: number): void {
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.byte((rest % 128) | 128)
  out.byte(rest)
}
