/** Parts of an upload: several on their way, in memory that is bounded, and told in order. */
import { describe, expect, it } from 'vitest'
import type { StagedFile } from '../../connectors/lake/store.ts'
import { Gate, PART_BYTES, PartWriter } from '../../connectors/lake/s3/s3-writer.ts'

type Part = NonNullable<StagedFile['parts']>[number]

/** A place that takes parts when it is told to; `fail` names one that it refuses. */
function place(fail = 0) {
  const waiting = new Map<number, () => void>()
  const bodies: Uint8Array[] = []
  let aborted = false
  const put = async (number: number, body: Uint8Array): Promise<Part> => {
    bodies[number - 1] = Uint8Array.from(body)
    await new Promise<void>((resolve) => waiting.set(number, resolve))
    waiting.delete(number)
    if (number === fail) throw new Error('the bucket is away')
    return { number, etag: `e${number}` }
  }
  const abort = async (): Promise<void> => void (aborted = true)
  const staged = (bytes: number, parts: Part[]): StagedFile => ({ key: 'k', upload: 'u', unit: 'n', bytes, parts })
  const upload = { put, abort, staged }
  return { upload, waiting, bodies, isAborted: () => aborted }
}
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5))

describe('parts of an upload', () => {
  it('go several at once, have one size but the last, and are told in order', async () => {
    const { upload, waiting, bodies } = place()
    const writer = new PartWriter(upload, new Gate(4))
    const bytes = Buffer.alloc(PART_BYTES * 2 + 777)
    for (let at = 0; at < bytes.length; at += 4096) bytes.writeUInt32LE(at, Math.min(at, bytes.length - 4))
    await writer.write(bytes.subarray(0, 100))
    await writer.write(bytes.subarray(100, PART_BYTES + 3))
    expect(writer.held).toBe(3)
    await writer.write(bytes.subarray(PART_BYTES + 3))
    const closing = writer.close()
    await settled()
    expect([...waiting.keys()]).toEqual([1, 2, 3])
    for (const number of [3, 1, 2]) waiting.get(number)!()
    const { parts, bytes: told } = await closing
    expect(parts!.map(({ number }) => number)).toEqual([1, 2, 3])
    expect(bodies.map(({ length }) => length)).toEqual([PART_BYTES, PART_BYTES, 777])
    expect(Buffer.concat(bodies).equals(bytes)).toBe(true)
    expect(told).toBe(bytes.length)
  })

  it('of all files pass one gate, and who is behind it waits with what it writes', async () => {
    const gate = new Gate(2)
    const [one, other] = [place(), place()]
    const [first, second] = [new PartWriter(one.upload, gate), new PartWriter(other.upload, gate)]
    let written = 0
    const writing = [first, second, first].map((writer) => writer.write(Buffer.alloc(PART_BYTES)).then(() => written++))
    await settled()
    expect([written, one.waiting.size + other.waiting.size]).toEqual([2, 2])
    one.waiting.get(1)!()
    await Promise.all(writing)
    await settled()
    expect(one.waiting.size + other.waiting.size).toBe(2)
  })

  it('that fail, fail what is done with the file next; an abort waits for what is on its way', async () => {
    const { upload, waiting, isAborted } = place(1)
    const writer = new PartWriter(upload, new Gate(2))
    await writer.write(Buffer.alloc(PART_BYTES * 2))
    waiting.get(1)!()
    await settled()
    await expect(writer.write(Buffer.alloc(PART_BYTES))).rejects.toThrow('the bucket is away')
    const aborting = writer.abort()
    await settled()
    expect(isAborted()).toBe(false)
    waiting.get(2)!()
    await aborting
    expect(isAborted()).toBe(true)
  })
})
