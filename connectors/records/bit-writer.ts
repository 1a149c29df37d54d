/** Bits that grow, least significant first; those behind the last one are 0. */
export class BitWriter {
  bytes = new Uint8Array(256)
  length = 0

  /** Bytes that hold a bit. */
  get size(): number {
    return (this.length + 7) >> 3
  }

  ones(count: number): void {
    this.#room(count)
    let at = this.length
    const end = at + count
    const { bytes } = this
    for (; at < end && (at & 7) !== 0; at++) bytes[at >> 3]! |= 1 << (at & 7)
    bytes.fill(0xff, at >> 3, Math.max(at, end) >> 3)
    for (at = Math.max(at, end & ~7); at < end; at++) bytes[at >> 3]! |= 1 << (at & 7)
    this.length = end
  }

  /** The first `count` bits of `source`. */
  append(source: Uint8Array, count: number): void {
    this.#room(count)
    const { bytes } = this
    const shift = this.length & 7
    const whole = count >> 3
    let at = this.length >> 3
    if (shift === 0) {
      bytes.set(source.subarray(0, whole), at)
      at += whole
    } else {
      for (let i = 0; i < whole; i++) {
        const byte = source[i]!
        bytes[at++]! |= byte << shift
        bytes[at] = byte >> (8 - shift)
      }
    }
    if (count & 7) {
      const rest = source[whole]! & ((1 << (count & 7)) - 1)
      bytes[at]! |= rest << shift
      bytes[at + 1]! |= rest >> (8 - shift)
    }
    this.length += count
  }

  /** The bits of the first `count` of `rows`. */
  appendRows(source: Uint8Array, rows: Uint32Array, count: number): void {
    this.#room(count)
    const { bytes } = this
    let at = this.length
    for (let i = 0; i < count; i++, at++) {
      const row = rows[i]!
      bytes[at >> 3]! |= ((source[row >> 3]! >> (row & 7)) & 1) << (at & 7)
    }
    this.length = at
  }

  clear(): void {
    this.bytes.fill(0, 0, this.size)
    this.length = 0
  }

  #room(more: number): void {
    // One byte more than is needed: a shifted byte reaches into the next one.
    if ((this.length + more) >> 3 < this.bytes.length - 1) return
    const larger = new Uint8Array(((this.length + more) >> 2) + 256)
    larger.set(this.bytes)
    this.bytes = larger
  }
}
