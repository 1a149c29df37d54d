/** The part that text formats share: rows appended to bytes, given away in pieces. */
import type { Batch } from './batch.ts'
import { ByteWriter } from './byte-writer.ts'
import type { Sink } from './sink.ts'

/** Bytes are ready in pieces of this size. */
const PIECE = 1 << 20

/** `head` is the file's beginning. */
export function textSink(write: (out: ByteWriter, batch: Batch, row: number) => void, head?: Uint8Array): Sink {
  const out = new ByteWriter()
  let ready: Uint8Array[] = []
  let given = 0
  let waiting = 0
  let rows = 0
  if (head) out.put(head)

  function flush(): void {
    if (out.length === 0) return
    waiting += out.length
    ready.push(out.take())
  }
  function drain(): Uint8Array[] {
    const pieces = ready
    ready = []
    given += waiting
    waiting = 0
    return pieces
  }
  return {
    append(batch, chosen) {
      const count = chosen?.length ?? batch.rows
      for (let i = 0; i < count; i++) {
        write(out, batch, chosen ? chosen[i]! : i)
        if (out.length >= PIECE) flush()
      }
      rows += count
    },
    drain,
    flush,
    finish() {
      flush()
      return drain()
    },
    get bytes() {
      return given + waiting + out.length
    },
    get buffered() {
      return out.length
    },
    get rows() {
      return rows
    },
  }
}
