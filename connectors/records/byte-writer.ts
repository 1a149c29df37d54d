/** A released writer keeps so much, unless it is told otherwise. */
const KEPT = 1 << 16

/** Bytes that grow. */
export class ByteWriter {
  bytes!: Buffer
  /** Of the same memory. */
  data!: DataView
  length = 0

  constructor(capacity = 4096) {
    this.#begin(capacity)
  }

  /** Room for so many more bytes. */
  room(more: number): void {
    if (this.length + more <= this.bytes.length) return
    const { bytes } = this
    this.#begin(Math.max(bytes.length * 2, this.length + more))
    bytes.copy(this.bytes, 0, 0, this.length)
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.room(1)
    this.bytes[this.length++] = value
  }

  put(source: Uint8Array, start = 0, end = source.length): void {
    const size = end - start
    this.room(size)
    const { bytes, length } = this
    if (size > 48) bytes.set(source.subarray(start, end), length)
    else for (let i = 0; i < size; i++) bytes[length + i] = source[start + i]!
    this.length += size
  }

  /** Text of ASCII characters alone. */
  ascii(text: string): void {
    this.room(text.length)
    const { bytes, length } = this
    // For short texts, a loop is cheaper than the call.
    if (text.length > 64) bytes.write(text, length, 'latin1')
    else for (let i = 0; i < text.length; i++) bytes[length + i] = text.charCodeAt(i)
    this.length += text.length
  }

  /** What was written; the writer begins anew with memory of its own. */
  take(): Uint8Array {
    const taken = this.bytes.subarray(0, this.length)
    this.#begin(Math.max(4096, Math.min(this.length + (this.length >> 3), 1 << 22)))
    this.length = 0
    return taken
  }

  /** Empty, and without the memory that much was written into. */
  release(kept = KEPT): void {
    this.length = 0
    if (this.bytes.length > kept) this.#begin(4096)
  }

  get view(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }

  #begin(capacity: number): void {
    this.bytes = Buffer.allocUnsafeSlow(capacity)
    this.data = new DataView(this.bytes.buffer)
  }
}
