/**
 * Bytes of one staged file into parts of an upload.
 *
 * Laws
 * - Parts have one size but for the last (some stores ask for that), at least the 5 MiB that S3 asks for.
 * - Memory is bounded: one part fills while one is on its way.
 */
import type { StagedFile, StagedWriter } from '../store.ts'

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
export const PART_BYTES = 5 * 1024 * 1024
const MOST_PARTS = 10_000

type Part = NonNullable<StagedFile['parts']>[number]

export interface Upload {
  put(number: number, body: Uint8Array): Promise<Part>
  abort(): Promise<void>
  staged(bytes: number, parts: Part[]): StagedFile
}

export class PartWriter implements StagedWriter {
  readonly #upload: Upload
  readonly #parts: Part[] = []
  #filling: Buffer[] = []
  #held = 0
  #bytes = 0
  #sent = 0
  #onTheWay: Promise<void> = Promise.resolve()

  constructor(upload: Upload) {
    this.#upload = upload
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.byteLength;) {
      const taken = chunk.subarray(at, at + PART_BYTES - this.#held)
      // A copy: the caller may fill its buffer anew.
      this.#filling.push(Buffer.from(taken))
      this.#held += taken.byteLength
      at += taken.byteLength
      if (this.#held === PART_BYTES) await this.#send()
    }
    this.#bytes += chunk.byteLength
  }

  async close(): Promise<StagedFile> {
    if (this.#held > 0 || this.#sent === 0) await this.#send()
    await this.#onTheWay
    return this.#upload.staged(this.#bytes, this.#parts)
  }

  async abort(): Promise<void> {
    // A part that arrives after the abort would stay, and be paid for.
    await this.#onTheWay.catch(() => {})
    await this.#upload.abort()
  }

  async #send(): Promise<void> {
    const body = this.#filling.length === 1 ? (this.#filling[0] as Buffer) : Buffer.concat(this.#filling)
    this.#filling = []
    this.#held = 0
    await this.#onTheWay
    if (this.#sent === MOST_PARTS) {
      throw new RangeError(`a file of an S3 lake has at most ${MOST_PARTS} parts of 5 MiB: choose a smaller fileSize`)
    }
    const number = ++this.#sent
    this.#onTheWay = this.#upload.put(number, body).then((part) => void this.#parts.push(part))
    // It is waited for by whoever comes next; until then its failure is nobody's.
    this.#onTheWay.catch(() => {})
  }
}
