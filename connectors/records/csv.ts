/**
 * CSV by RFC 4180, with a header and LF line ends. Null is empty, empty text is `""`; other types are written as
 * `textOf` says, json as the source wrote it.
 */
import type { Field } from '../connector.ts'
import { present } from './cells.ts'
import { kindOf } from './field-kind.ts'
import type { Sink } from './sink.ts'
import { valueText } from './text-bytes.ts'
import type { PutValue } from './text-bytes.ts'
import { textSink } from './text-sink.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

export function csvSink(fields: Field[]): Sink {
  const writers = fields.map(valueWriter)
  const head = Buffer.from(`${fields.map(({ name }) => quotedName(name)).join(',')}\n`)
  return textSink((out, { columns }, row) => {
    for (let i = 0; i < writers.length; i++) {
      if (i > 0) out.byte(COMMA)
      const column = columns[i]!
      if (present(column, row)) writers[i]!(out, column, row)
    }
    out.byte(LINE_FEED)
  }, head)
}

function quotedName(name: string): string {
  return /[",\r\n]/.test(name) || name === '' ? `"${name.replaceAll('"', '""')}"` : name
}

function valueWriter({ type }: Field): PutValue {
  if (kindOf(type) === 'bytes' && type !== 'binary') return textWriter()
  const put = valueText(type)
  // None of the other types has a comma, quote or line break in its text; only bytes may be empty.
  if (type !== 'binary') return put
  return (out, column, row) => {
    const before = out.length
    put(out, column, row)
    if (out.length === before) out.ascii('""')
  }
}

/** Copies in steps of four bytes; a text that needs quotes is written anew. */
function textWriter(): PutValue {
  let known: Uint8Array | undefined
  let source: DataView
  return (out, { data }, row) => {
    if (data.kind !== 'bytes') return
    const { bytes } = data
    if (bytes !== known) {
      known = bytes
      source = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    }
    const start = data.offsets[row]!
    const end = data.offsets[row + 1]!
    out.room((end - start) * 2 + 2)
    const target = out.data
    let from = start
    let at = out.length
    for (; from + 4 <= end; from += 4, at += 4) {
      const four = source.getInt32(from, true)
      if (special(four)) break
      target.setInt32(at, four, true)
    }
    for (; from < end; from++, at++) {
      const byte = source.getUint8(from)
      if (byte === QUOTE || byte === COMMA || byte === LINE_FEED || byte === CARRIAGE_RETURN) break
      target.setUint8(at, byte)
    }
    out.length = from === end && start !== end ? at : quote(target, out.length, source, start, end)
  }
}

/** Whether one of four bytes may be a mark of CSV; never false where one is. */
function special(four: number): boolean {
  const mark = four ^ 0x22222222
  const comma = four ^ 0x2c2c2c2c
  // Line ends are below 16, as few other bytes are.
  const found = ((four - 0x10101010) & ~four) | ((mark - 0x01010101) & ~mark) | ((comma - 0x01010101) & ~comma)
  return (found & 0x80808080) !== 0
}

/** Bytes [start, end) in quotes at `from`; says where they end. */
function quote(target: DataView, from: number, source: DataView, start: number, end: number): number {
  let at = from
  target.setUint8(at++, QUOTE)
  for (let i = start; i < end; i++) {
    const byte = source.getUint8(i)
    if (byte === QUOTE) target.setUint8(at++, QUOTE)
    target.setUint8(at++, byte)
  }
  target.setUint8(at++, QUOTE)
  return at
}
