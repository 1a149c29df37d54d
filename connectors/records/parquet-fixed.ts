/**
 * Plain encoding of values of fixed width, with their exact least and greatest.
 *
 * Every loop looks at presence, copies and compares at once: this is the path of each number of each record.
 */
import type { Field } from '../connector.ts'
import type { Column } from './batch.ts'
import { ByteWriter } from './byte-writer.ts'
import { present } from './cells.ts'
import { decimalBytes, decimalOf, kindOf } from './field-kind.ts'
import { PLAIN } from './parquet-values.ts'
import type { ValueEncoder } from './parquet-values.ts'
import { int128At, wordsOf } from './words.ts'

export function fixedEncoder({ type }: Field): ValueEncoder {
  switch (kindOf(type)) {
    case 'bits':
      return new BitsEncoder()
    case 'int32':
      return new Int32Encoder()
    case 'float64':
      return new Float64Encoder()
    case 'int128':
      return new Int128Encoder(decimalBytes(decimalOf(type)!.precision))
    default:
      return new Int64Encoder()
  }
}

interface Range {
  least: Uint8Array
  greatest: Uint8Array
}

abstract class FixedEncoder implements ValueEncoder {
  protected readonly out = new ByteWriter()
  /** The chunk has a value. */
  protected any = false
  /** Bytes of a value. */
  protected abstract readonly width: number

  /** Writes the present values from the end of `out`; says how many. There is room for `count`. */
  protected abstract copy(column: Column, rows: Uint32Array | undefined, count: number): number
  protected abstract extremes(): Range

  append(column: Column, rows: Uint32Array | undefined): void {
    const count = rows?.length ?? column.length
    this.out.room(count * this.width)
    this.out.length += this.copy(column, rows, count) * this.width
  }

  get size(): number {
    return this.out.length
  }

  takePage(): { values: Uint8Array; encoding: number } {
    const values = this.out.view
    this.out.length = 0
    return { values, encoding: PLAIN }
  }

  dictionary(): null {
    return null
  }

  range(): Range | null {
    return this.any ? this.extremes() : null
  }

  reset(): void {
    this.out.release()
    this.any = false
  }
}

class Int32Encoder extends FixedEncoder {
  protected readonly width = 4
  #least = 0
  #greatest = 0

  protected copy(column: Column, rows: Uint32Array | undefined, count: number): number {
    if (column.data.kind !== 'int32') return 0
    const { values } = column.data
    const { bytes, length } = this.out
    const target = new Int32Array(bytes.buffer, bytes.byteOffset + length, count)
    let least = this.any ? this.#least : Infinity
    let greatest = this.any ? this.#greatest : -Infinity
    let put = 0
    for (let i = 0; i < count; i++) {
      const row = rows ? rows[i]! : i
      if (!present(column, row)) continue
      const value = values[row]!
      target[put++] = value
      if (value < least) least = value
      if (value > greatest) greatest = value
    }
    if (put > 0) this.any = true
    this.#least = least
    this.#greatest = greatest
    return put
  }

  protected extremes(): Range {
    return { least: bytesOf(Int32Array.of(this.#least)), greatest: bytesOf(Int32Array.of(this.#greatest)) }
  }
}

class Float64Encoder extends FixedEncoder {
  protected readonly width = 8
  #least = 0
  #greatest = 0

  protected copy(column: Column, rows: Uint32Array | undefined, count: number): number {
    if (column.data.kind !== 'float64') return 0
    const { values } = column.data
    const { bytes, length } = this.out
    const target = new Float64Array(bytes.buffer, bytes.byteOffset + length, count)
    let least = this.any ? this.#least : Infinity
    let greatest = this.any ? this.#greatest : -Infinity
    let put = 0
    for (let i = 0; i < count; i++) {
      const row = rows ? rows[i]! : i
      if (!present(column, row)) continue
      const value = values[row]!
      target[put++] = value
      if (value < least) least = value
      if (value > greatest) greatest = value
    }
    if (put > 0) this.any = true
    this.#least = least
    this.#greatest = greatest
    return put
  }

  protected extremes(): Range {
    // Readers may tell the two zeros apart, so each bound takes the outer one.
    const least = this.#least === 0 ? -0 : this.#least
    const greatest = this.#greatest === 0 ? 0 : this.#greatest
    return { least: bytesOf(Float64Array.of(least)), greatest: bytesOf(Float64Array.of(greatest)) }
  }
}

/** By words: a bigint per value would double the time. */
class Int64Encoder extends FixedEncoder {
  protected readonly width = 8
  readonly #least = new Int32Array(2)
  readonly #greatest = new Int32Array(2)

  protected copy(column: Column, rows: Uint32Array | undefined, count: number): number {
    if (column.data.kind !== 'int64') return 0
    const words = wordsOf(column.data.values)
    const { bytes, length } = this.out
    const target = new Int32Array(bytes.buffer, bytes.byteOffset + length, count * 2)
    let put = 0
    let [leastLow, leastHigh] = this.#least as unknown as [number, number]
    let [greatestLow, greatestHigh] = this.#greatest as unknown as [number, number]
    for (let i = 0; i < count; i++) {
      const row = rows ? rows[i]! : i
      if (!present(column, row)) continue
      const low = words[row * 2]!
      const high = words[row * 2 + 1]!
      target[put * 2] = low
      target[put * 2 + 1] = high
      put++
      if (!this.any) {
        this.any = true
        leastLow = greatestLow = low
        leastHigh = greatestHigh = high
      } else if (high < leastHigh || (high === leastHigh && low >>> 0 < leastLow >>> 0)) {
        leastLow = low
        leastHigh = high
      } else if (high > greatestHigh || (high === greatestHigh && low >>> 0 > greatestLow >>> 0)) {
        greatestLow = low
        greatestHigh = high
      }
    }
    this.#least.set([leastLow, leastHigh])
    this.#greatest.set([greatestLow, greatestHigh])
    return put
  }

  protected extremes(): Range {
    return { least: bytesOf(this.#least.slice()), greatest: bytesOf(this.#greatest.slice()) }
  }
}

/** Nine to sixteen bytes, two's complement, high byte first. */
class Int128Encoder extends FixedEncoder {
  protected readonly width: number
  #least = 0n
  #greatest = 0n

  constructor(width: number) {
    super()
    this.width = width
  }

  protected copy(column: Column, rows: Uint32Array | undefined, count: number): number {
    if (column.data.kind !== 'int128') return 0
    const { width } = this
    const high = width - 8
    const shift = BigInt((16 - width) * 8)
    const { words } = column.data
    const { bytes, length } = this.out
    const target = new DataView(bytes.buffer, bytes.byteOffset + length)
    let put = 0
    for (let i = 0; i < count; i++) {
      const row = rows ? rows[i]! : i
      if (!present(column, row)) continue
      // The high word first, without its bytes that say nothing; the low word is written over its end.
      target.setBigInt64(put * width, words[row * 2 + 1]! << shift)
      target.setBigInt64(put * width + high, words[row * 2]!)
      put++
      const value = int128At(words, row)
      if (!this.any || value < this.#least) this.#least = value
      if (!this.any || value > this.#greatest) this.#greatest = value
      this.any = true
    }
    return put
  }

  protected extremes(): Range {
    const cut = 16 - this.width
    return { least: highFirst(this.#least).subarray(cut), greatest: highFirst(this.#greatest).subarray(cut) }
  }
}

/** One bit per value, least significant first. */
class BitsEncoder implements ValueEncoder {
  #bits = new Uint8Array(1024)
  #count = 0
  #seen = [false, false]

  append(column: Column, rows: Uint32Array | undefined): void {
    if (column.data.kind !== 'bits') return
    const { bits } = column.data
    const count = rows?.length ?? column.length
    if ((this.#count + count) >> 3 >= this.#bits.length) {
      const larger = new Uint8Array((this.#bits.length + count) * 2)
      larger.set(this.#bits)
      this.#bits = larger
    }
    for (let i = 0; i < count; i++) {
      const row = rows ? rows[i]! : i
      if (!present(column, row)) continue
      const bit = (bits[row >> 3]! >> (row & 7)) & 1
      this.#bits[this.#count >> 3]! |= bit << (this.#count & 7)
      this.#count++
      this.#seen[bit] = true
    }
  }

  get size(): number {
    return (this.#count + 7) >> 3
  }

  takePage(): { values: Uint8Array; encoding: number } {
    const values = this.#bits.slice(0, this.size)
    this.#bits.fill(0, 0, this.size)
    this.#count = 0
    return { values, encoding: PLAIN }
  }

  dictionary(): null {
    return null
  }

  range(): Range | null {
    const [no, yes] = this.#seen
    return no || yes ? { least: Uint8Array.of(no ? 0 : 1), greatest: Uint8Array.of(yes ? 1 : 0) } : null
  }

  reset(): void {
    this.#seen = [false, false]
  }
}

function bytesOf(value: Int32Array | Float64Array): Uint8Array {
  return new Uint8Array(value.buffer)
}

function highFirst(value: bigint): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(16))
  bytes.setBigInt64(0, value >> 64n)
  bytes.setBigUint64(8, BigInt.asUintN(64, value))
  return new Uint8Array(bytes.buffer)
}
