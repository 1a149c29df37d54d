/**
 * Bytes of one staged file into parts of an upload.
 *
 * Laws
 * - Parts have one size but for the last (some stores ask for that), at least the 5 MiB that S3 asks for.
 * - Memory is bounded: one part of a file fills, and what is on its way has passed the gate of all files of the bucket.
 * - A part that failed fails whatever is done with the file next.
 */
import type { StagedFile, StagedWriter } from '../store.ts'

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
export const PART_BYTES = 8 * 1024 * 1024
const MOST_PARTS = 10_000

type Part = NonNullable<StagedFile['parts']>[number]

export interface Upload {
  put(number: number, body: Uint8Array): Promise<Part>
  abort(): Promise<void>
  staged(bytes: number, parts: Part[]): StagedFile
}

/** Lets so many through at once; the others wait in line. */
export class Gate {
  #free: number
  readonly #line: (() => void)[] = []

  constructor(places: number) {
    this.#free = places
  }

  async enter(): Promise<void> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#line.push(resolve))
  }

  leave(): void {
    const next = this.#line.shift()
    if (next) next()
    else this.#free++
  }
}

export class PartWriter implements StagedWriter {
  readonly #upload: Upload
  readonly #gate: Gate
  readonly #parts: Part[] = []
  readonly #onTheWay = new Set<Promise<void>>()
  #filling: Uint8Array[] = []
  #held = 0
  #bytes = 0
  #sent = 0
  #failure: { error: unknown } | null = null

  constructor(upload: Upload, gate: Gate) {
    this.#upload = upload
    this.#gate = gate
  }

  get held(): number {
    return this.#held
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.byteLength;) {
      const taken = chunk.subarray(at, at + PART_BYTES - this.#held)
      this.#filling.push(taken)
      this.#held += taken.byteLength
      at += taken.byteLength
      if (this.#held === PART_BYTES) await this.#send()
    }
    this.#bytes += chunk.byteLength
  }

  async close(): Promise<StagedFile> {
    if (this.#held > 0 || this.#sent === 0) await this.#send()
    await Promise.all(this.#onTheWay)
    if (this.#failure) throw this.#failure.error
    return this.#upload.staged(
      this.#bytes,
      this.#parts.toSorted((a, b) => a.number - b.number),
    )
  }

  async abort(): Promise<void> {
    // A part that arrives after the abort would stay, and be paid for.
    await Promise.all(this.#onTheWay)
    await this.#upload.abort()
  }

  /** Resolves when the part is on its way. */
  async #send(): Promise<void> {
    const body = this.#filling.length === 1 ? this.#filling[0]! : Buffer.concat(this.#filling)
    this.#filling = []
    this.#held = 0
    if (this.#sent === MOST_PARTS) {
      throw new RangeError(`a file of an S3 lake has at most ${MOST_PARTS} parts of 8 MiB: choose a smaller fileSize`)
    }
    const number = ++this.#sent
    await this.#gate.enter()
    if (this.#failure) {
      this.#gate.leave()
      throw this.#failure.error
    }
    const sending = this.#upload
      .put(number, body)
      .then((part) => void this.#parts.push(part))
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => {
        this.#gate.leave()
        this.#onTheWay.delete(sending)
      })
    this.#onTheWay.add(sending)
  }
}
