/** Distinct byte strings of a column chunk in the order they came, found again by a hash table. */

/** Beyond them a dictionary costs more than it saves. */
const MOST_ENTRIES = 1 << 15
const MOST_BYTES = 1 << 20
/** From so many values on it is seen whether they repeat. */
const PROBATION = 4096

export class Dictionary {
  /** Entry i is bytes[ends[i], ends[i + 1]). */
  bytes: Uint8Array = Buffer.allocUnsafeSlow(4096)
  ends = new Int32Array(1025)
  count = 0
  /** Entry + 1; 0: free. Its length is a power of two, at least twice the entries. */
  #table = new Int32Array(2048)
  #hashes = new Int32Array(1024)

  /** The entry's number; -1 where the values do not repeat enough: `values` is how many came before. */
  find(source: Uint8Array, start: number, end: number, values: number): number {
    const hash = hashOf(source, start, end)
    const mask = this.#table.length - 1
    let at = hash & mask
    for (let entry = this.#table[at]!; entry !== 0; entry = this.#table[at]!) {
      if (this.#hashes[entry - 1] === hash && this.#equals(entry - 1, source, start, end)) return entry - 1
      at = (at + 1) & mask
    }
    return this.#add(source, start, end, values, hash, at)
  }

  clear(): void {
    this.count = 0
    this.#table.fill(0)
  }

  #add(source: Uint8Array, start: number, end: number, values: number, hash: number, at: number): number {
    const from = this.ends[this.count]!
    const size = from + end - start
    if (this.count === MOST_ENTRIES || size > MOST_BYTES) return -1
    if (values >= PROBATION && this.count * 2 > values) return -1
    if (size > this.bytes.length) this.bytes = grown(this.bytes, Math.max(size, this.bytes.length * 2))
    this.bytes.set(source.subarray(start, end), from)
    this.#hashes[this.count] = hash
    this.ends[++this.count] = size
    this.#table[at] = this.count
    if (this.count === this.#hashes.length) this.#double()
    return this.count - 1
  }

  #equals(entry: number, source: Uint8Array, start: number, end: number): boolean {
    const { bytes } = this
    const from = this.ends[entry]!
    const length = end - start
    if (this.ends[entry + 1]! - from !== length) return false
    for (let i = 0; i < length; i++) if (bytes[from + i] !== source[start + i]) return false
    return true
  }

  #double(): void {
    const size = this.count * 2
    const hashes = new Int32Array(size)
    hashes.set(this.#hashes)
    const ends = new Int32Array(size + 1)
    ends.set(this.ends)
    this.#hashes = hashes
    this.ends = ends
    this.#table = new Int32Array(size * 2)
    const mask = this.#table.length - 1
    for (let entry = 0; entry < this.count; entry++) {
      let at = hashes[entry]! & mask
      while (this.#table[at] !== 0) at = (at + 1) & mask
      this.#table[at] = entry + 1
    }
  }
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start
  // Long texts are told apart by their beginning, or found different when they are compared.
  const until = Math.min(end, start + 64)
  for (let i = start; i < until; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  return hash ^ (hash >>> 13)
}

function grown(bytes: Uint8Array, size: number): Uint8Array {
  const larger = Buffer.allocUnsafeSlow(size)
  larger.set(bytes)
  return larger
}
