/**
 * Distinct values of a column chunk in the order they came, found again by a hash table.
 *
 * Law: the same values in the same batches give the same entries.
 */
import type { ColumnData } from './batch.ts'
import type { Rows } from './present-rows.ts'

/** Beyond them a dictionary costs more than it saves. */
const MOST_ENTRIES = 1 << 15
const MOST_BYTES = 1 << 20

export abstract class Dictionary {
  /** Values that it stands for. */
  values = 0
  count = 0
  /** Entry + 1; 0: free. Its length is a power of two, at least twice the entries. */
  protected table = new Int32Array(2048)
  protected hashes = new Int32Array(1024)

  /** The entries as a column. */
  abstract readonly entries: ColumnData
  /** Bytes that the entries take up. */
  abstract readonly size: number
  /**
   * Finds or adds the values of `rows`, and writes their entries to `indices` from `from` on. Answers how many it took:
   * fewer than there are when it is full.
   */
  protected abstract find(data: ColumnData, rows: Rows, indices: Uint32Array, from: number): number

  /** As `find`; none when the values so far do not repeat enough. */
  take(data: ColumnData, rows: Rows, indices: Uint32Array, from: number): number {
    if (!this.#pays) return 0
    const taken = this.find(data, rows, indices, from)
    this.values += taken
    return taken
  }

  clear(): void {
    this.count = this.values = 0
    this.table.fill(0)
  }

  /** The more values it has seen, the more of them must repeat: few of many thousand kinds do so early. */
  get #pays(): boolean {
    const { values, count } = this
    if (values < 1024) return true
    return count < values * (values < 4096 ? 0.9 : values < 16_384 ? 0.75 : 0.5)
  }

  protected fits(size: number): boolean {
    return this.count < MOST_ENTRIES && size <= MOST_BYTES
  }

  /** Enters what was added last under its hash. */
  protected enter(hash: number, at: number): void {
    this.hashes[this.count] = hash
    this.table[at] = ++this.count
    if (this.count === this.hashes.length) this.double()
  }

  protected double(): void {
    const { count, hashes } = this
    this.hashes = new Int32Array(count * 2)
    this.hashes.set(hashes)
    this.table = new Int32Array(count * 4)
    const mask = this.table.length - 1
    for (let entry = 0; entry < count; entry++) {
      let at = hashes[entry]! & mask
      while (this.table[at] !== 0) at = (at + 1) & mask
      this.table[at] = entry + 1
    }
  }
}
