/**
 * CSV by RFC 4180, with a header and LF line ends. Null is empty, empty text is `""`; other types are written as
 * `textOf` says, json as the source wrote it.
 */
import type { Field } from '../connector.ts'
import type { Column } from './batch.ts'
import type { ByteWriter } from './byte-writer.ts'
import { cellAt, present, textOf } from './cells.ts'
import { kindOf } from './field-kind.ts'
import type { Sink } from './sink.ts'
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

function valueWriter({ type }: Field): (out: ByteWriter, column: Column, row: number) => void {
  if (kindOf(type) === 'bytes' && type !== 'binary') return writeText
  const text = textOf(type)
  // None of the other types has a comma, quote or line break in its text.
  return (out, column, row) => out.ascii(text(cellAt(column, type, row)) || '""')
}

function writeText(out: ByteWriter, { data }: Column, row: number): void {
  if (data.kind !== 'bytes') return
  const { bytes } = data
  const start = data.offsets[row]!
  const end = data.offsets[row + 1]!
  let quoted = start === end
  for (let i = start; i < end && !quoted; i++) {
    const byte = bytes[i]
    quoted = byte === QUOTE || byte === COMMA || byte === LINE_FEED || byte === CARRIAGE_RETURN
  }
  if (!quoted) {
    out.put(bytes, start, end)
    return
  }
  out.room((end - start) * 2 + 2)
  out.bytes[out.length++] = QUOTE
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if (byte === QUOTE) out.bytes[out.length++] = QUOTE
    out.bytes[out.length++] = byte
  }
  out.bytes[out.length++] = QUOTE
}
