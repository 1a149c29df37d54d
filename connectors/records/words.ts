/**
 * 64-bit integers as pairs of 32-bit words: much cheaper than bigints where a value passes through a hot loop. Little
 * endian.
 */

const WORD = 4_294_967_296

/** Both views are of one buffer. */
export interface Int64Store {
  values: BigInt64Array
  words: Int32Array
}

export function int64Store(rows: number): Int64Store {
  const values = new BigInt64Array(rows)
  return { values, words: wordsOf(values) }
}

export function wordsOf(values: BigInt64Array | Float64Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length * 2)
}

/** A number must be a safe integer. */
export function putInt64({ values, words }: Int64Store, row: number, value: number | bigint): void {
  if (typeof value === 'bigint') {
    values[row] = value
    return
  }
  const high = Math.floor(value / WORD)
  words[row * 2] = value - high * WORD
  words[row * 2 + 1] = high
}

/** The value as a double; exact within 2^53. */
export function int64AsNumber(words: Int32Array, row: number): number {
  return words[row * 2 + 1]! * WORD + (words[row * 2]! >>> 0)
}

export function putInt128(words: BigInt64Array, row: number, value: bigint): void {
  words[row * 2] = BigInt.asIntN(64, value)
  words[row * 2 + 1] = value >> 64n
}

export function int128At(words: BigInt64Array, row: number): bigint {
  return (words[row * 2 + 1]! << 64n) | BigInt.asUintN(64, words[row * 2]!)
}
