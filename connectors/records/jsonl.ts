/**
 * JSON lines: one object per record, members in the schema's order, nulls written out.
 *
 * Law: nothing is rounded, whatever reads it. Most readers take every JSON number for a double (DuckDB, JavaScript,
 * jq), so decimals of more than 15 digits are text, column by column and not value by value; others and 64-bit integers
 * are numbers with all their digits. Dates, times and instants are ISO text; bytes are base64; json stands as the
 * source wrote it, on one line.
 */
import type { Field } from '../connector.ts'
import type { Batch } from './batch.ts'
import { ByteWriter } from './byte-writer.ts'
import { present } from './cells.ts'
import { decimalOf } from './field-kind.ts'
import type { Sink } from './sink.ts'
import { valueText } from './text-bytes.ts'
import type { PutValue } from './text-bytes.ts'
import { textSink } from './text-sink.ts'

/** A double holds every decimal of so many digits. */
export const DOUBLE_DIGITS = 15

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
  const names = fields.map(({ name }, i) => `${i === 0 ? '{' : ','}${JSON.stringify(name)}:`)
  const heads = names.map((name) => new Constant(name))
  const nulls = names.map((name) => new Constant(`${name}null`))
  const writers = fields.map(valueWriter)
  return (out, { columns }, row) => {
    for (let i = 0; i < writers.length; i++) {
      const column = columns[i]!
      if (present(column, row)) {
        heads[i]!.put(out)
        writers[i]!(out, column, row)
      } else nulls[i]!.put(out)
    }
    out.byte(0x7d)
  }
}

/** Bytes that are written often, in steps of four. */
class Constant {
  readonly #words: Int32Array
  readonly #size: number

  constructor(text: string) {
    const bytes = Buffer.from(text)
    const padded = new Uint8Array((bytes.length + 3) & ~3)
    padded.set(bytes)
    const view = new DataView(padded.buffer)
    this.#words = Int32Array.from({ length: padded.length / 4 }, (_, i) => view.getInt32(i * 4, true))
    this.#size = bytes.length
  }

  put(out: ByteWriter): void {
    const words = this.#words
    out.room(words.length * 4)
    const { data, length } = out
    for (let i = 0; i < words.length; i++) data.setInt32(length + i * 4, words[i]!, true)
    out.length = length + this.#size
  }
}

function valueWriter({ type }: Field): PutValue {
  if (type === 'string') return textWriter()
  if (type === 'json') return writeJson
  const put = valueText(type)
  const asText = type === 'date' || type === 'time' || type === 'timestamp' || type === 'binary'
  if (!asText && (decimalOf(type)?.precision ?? 0) <= DOUBLE_DIGITS) return put
  return (out, column, row) => {
    out.byte(QUOTE)
    put(out, column, row)
    out.byte(QUOTE)
  }
}

/** Copies in steps of four bytes up to one that is escaped, which every other is looked at from then on. */
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
    const end = data.offsets[row + 1]!
    let from = data.offsets[row]!
    // An escape is six bytes at most.
    out.room((end - from) * 6 + 2)
    const target = out.data
    let at = out.length
    target.setUint8(at++, QUOTE)
    for (; from + 4 <= end; from += 4, at += 4) {
      const four = source.getInt32(from, true)
      if (special(four)) break
      target.setInt32(at, four, true)
    }
    for (; from < end; from++) {
      const byte = source.getUint8(from)
      if (ESCAPED[byte] === 0) target.setUint8(at++, byte)
      else at += out.bytes.write(ESCAPES[byte]!, at, 'latin1')
    }
    target.setUint8(at++, QUOTE)
    out.length = at
  }
}

/** Whether one of four bytes may be a quote, a backslash or below a space; never false where one is. */
function special(four: number): boolean {
  const quote = four ^ 0x22222222
  const slash = four ^ 0x5c5c5c5c
  const found = ((four - 0x20202020) & ~four) | ((quote - 0x01010101) & ~quote) | ((slash - 0x01010101) & ~slash)
  return (found & 0x80808080) !== 0
}

const writeJson: PutValue = (out, { data }, row) => {
  if (data.kind !== 'bytes') return
  const end = data.offsets[row + 1]!
  out.room(end - data.offsets[row]!)
  // Line breaks of JSON lie between its tokens only.
  for (let i = data.offsets[row]!; i < end; i++) {
    const byte = data.bytes[i]!
    out.bytes[out.length++] = byte === 0x0a || byte === 0x0d ? 0x20 : byte
  }
}

const QUOTE = 0x22
const ESCAPES: (string | undefined)[] = Array.from({ length: 256 }, (_, byte) =>
  byte < 0x20 || byte === 0x22 || byte === 0x5c ? JSON.stringify(String.fromCharCode(byte)).slice(1, -1) : undefined,
)
/** 1: the byte is escaped. */
const ESCAPED = Uint8Array.from(ESCAPES, (escape) => (escape === undefined ? 0 : 1))
