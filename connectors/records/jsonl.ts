/**
 * JSON lines: one object per record, members in the schema's order, nulls written out.
 *
 * Law: nothing is rounded, whatever reads it. Most readers take every JSON number for a double (DuckDB, JavaScript,
 * jq), so decimals of more than 15 digits are text, column by column and not value by value; others and 64-bit integers
 * are numbers with all their digits. Dates, times and instants are ISO text; bytes are base64; json stands as the
 * source wrote it, on one line.
 */
import type { Field } from '../connector.ts'
import type { Batch, Column } from './batch.ts'
import { ByteWriter } from './byte-writer.ts'
import { cellAt, present, textOf } from './cells.ts'
import { decimalOf } from './field-kind.ts'
import type { Sink } from './sink.ts'
import { textSink } from './text-sink.ts'

/** A double holds every decimal of so many digits. */
export const DOUBLE_DIGITS = 15

type Write = (out: ByteWriter, column: Column, row: number) => void

export function jsonlSink(fields: Field[]): Sink {
  const write = objectWriter(fields)
  return textSink((out, batch, row) => {
    write(out, batch, row)
    out.byte(0x0a)
  })
}

/** A record as JSON text in one line. */
export function jsonText(fields: Field[]): (batch: Batch, row: number) => string {
  const write = objectWriter(fields)
  return (batch, row) => {
    const out = new ByteWriter(512)
    write(out, batch, row)
    return out.bytes.toString('utf8', 0, out.length)
  }
}

function objectWriter(fields: Field[]): (out: ByteWriter, batch: Batch, row: number) => void {
  const names = fields.map(({ name }, i) => Buffer.from(`${i === 0 ? '{' : ','}${JSON.stringify(name)}:`))
  const writers = fields.map(valueWriter)
  return (out, { columns }, row) => {
    for (let i = 0; i < writers.length; i++) {
      out.put(names[i]!)
      const column = columns[i]!
      if (present(column, row)) writers[i]!(out, column, row)
      else out.put(NULL)
    }
    out.byte(0x7d)
  }
}

function valueWriter({ type }: Field): Write {
  if (type === 'string') return writeText
  if (type === 'json') return writeJson
  const text = textOf(type)
  const asText = type === 'date' || type === 'time' || type === 'timestamp' || type === 'binary'
  const quoted = asText || (decimalOf(type)?.precision ?? 0) > DOUBLE_DIGITS
  return (out, column, row) => {
    const value = text(cellAt(column, type, row))
    out.ascii(quoted ? `"${value}"` : value)
  }
}

const writeText: Write = (out, { data }, row) => {
  if (data.kind !== 'bytes') return
  const { bytes } = data
  const end = data.offsets[row + 1]!
  let from = data.offsets[row]!
  // An escape is six bytes at most.
  out.room((end - from) * 6 + 2)
  const target = out.bytes
  let length = out.length
  target[length++] = 0x22
  for (; from < end; from++) {
    const byte = bytes[from]!
    const escape = ESCAPES[byte]
    if (escape === undefined) target[length++] = byte
    else length += target.write(escape, length, 'latin1')
  }
  target[length++] = 0x22
  out.length = length
}

const writeJson: Write = (out, { data }, row) => {
  if (data.kind !== 'bytes') return
  const end = data.offsets[row + 1]!
  out.room(end - data.offsets[row]!)
  // Line breaks of JSON lie between its tokens only.
  for (let i = data.offsets[row]!; i < end; i++) {
    const byte = data.bytes[i]!
    out.bytes[out.length++] = byte === 0x0a || byte === 0x0d ? 0x20 : byte
  }
}

const NULL = Buffer.from('null')
const ESCAPES: (string | undefined)[] = Array.from({ length: 256 }, (_, byte) =>
  byte < 0x20 || byte === 0x22 || byte === 0x5c ? JSON.stringify(String.fromCharCode(byte)).slice(1, -1) : undefined,
)
