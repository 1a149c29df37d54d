/**
 * A payload as workers and clients hand it to a codec, and its bytes: protocol buffers' own, so that a codec in any
 * language can read what this one wrote.
 */
// https://github.com/temporalio/api/blob/master/temporal/api/common/v1/message.proto (message Payload)
import protobuf from 'protobufjs/minimal.js'

export interface Payload {
  metadata?: { [label: string]: Uint8Array } | null
  data?: Uint8Array | null
}

const METADATA = (1 << 3) | 2
const DATA = (2 << 3) | 2
const KEY = (1 << 3) | 2
const VALUE = (2 << 3) | 2

export function payloadBytes({ metadata, data }: Payload): Uint8Array {
  const writer = protobuf.Writer.create()
  for (const [label, value] of Object.entries(metadata ?? {})) {
    writer.uint32(METADATA).fork().uint32(KEY).string(label).uint32(VALUE).bytes(value).ldelim()
  }
  if (data && data.length > 0) writer.uint32(DATA).bytes(data)
  return writer.finish()
}

/** @throws Error where the bytes are no payload */
export function payloadOf(bytes: Uint8Array): Payload {
  const reader = protobuf.Reader.create(bytes)
  const metadata: Record<string, Uint8Array> = {}
  let data: Uint8Array = new Uint8Array()
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === METADATA) {
      const [label, value] = entryOf(reader)
      metadata[label] = value
    } else if (tag === DATA) data = plain(reader.bytes())
    else reader.skipType(tag & 7)
  }
  return { metadata, data }
}

function entryOf(reader: protobuf.Reader): [label: string, value: Uint8Array] {
  const end = reader.uint32() + reader.pos
  let label = ''
  let value: Uint8Array = new Uint8Array()
  while (reader.pos < end) {
    const tag = reader.uint32()
    if (tag === KEY) label = reader.string()
    else if (tag === VALUE) value = plain(reader.bytes())
    else reader.skipType(tag & 7)
  }
  return [label, value]
}

/** Not a view of the reader's buffer, nor Node's own kind of array. */
const plain = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes)
