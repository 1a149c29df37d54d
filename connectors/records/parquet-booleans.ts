/** Booleans of a column chunk: one bit per value, least significant first. */
import type { ColumnData } from './batch.ts'
import { BitWriter } from './bit-writer.ts'
import type { ByteWriter } from './byte-writer.ts'
import type { Bounds } from './parquet-range.ts'
import { PLAIN } from './parquet-values.ts'
import type { Values } from './parquet-values.ts'
import type { Rows } from './present-rows.ts'

export class BooleanValues implements Values {
  readonly #bits = new BitWriter()
  #no = false
  #yes = false
  readonly shared = 0

  append(data: ColumnData, { at, count, dense }: Rows): void {
    if (data.kind !== 'bits') return
    if (dense) this.#bits.append(data.bits, count)
    else this.#bits.appendRows(data.bits, at, count)
  }

  get size(): number {
    return this.#bits.size
  }

  takePage(out: ByteWriter): number {
    const { bytes, length, size } = this.#bits
    const last = size - 1
    for (let i = 0; i < size && !(this.#no && this.#yes); i++) {
      const whole = i < last || (length & 7) === 0 ? 0xff : (1 << (length & 7)) - 1
      if (bytes[i] !== 0) this.#yes = true
      if (bytes[i] !== whole) this.#no = true
    }
    out.put(bytes, 0, size)
    this.#bits.clear()
    return PLAIN
  }

  takeDictionary(): number {
    return 0
  }

  bounds(): Bounds | null {
    const [no, yes] = [this.#no, this.#yes]
    return no || yes ? { least: Uint8Array.of(no ? 0 : 1), greatest: Uint8Array.of(yes ? 1 : 0) } : null
  }

  reset(): void {
    this.#no = this.#yes = false
  }
}
