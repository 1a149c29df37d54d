/**
 * What was read of objects that never change, kept in memory: the steps of one batch, and the batches after it, read
 * the same ones again.
 */
import type { ObjectStore } from './store.ts'

interface Kept<T> {
  value: T
  bytes: number
}

/** Up to `most` bytes of the objects' own; the ones used longest ago go first. */
export class Unchanging<T> {
  readonly #most: number
  readonly #read: (bytes: Uint8Array, where: string) => T
  readonly #kept = new Map<string, Kept<T>>()
  #bytes = 0

  constructor(most: number, read: (bytes: Uint8Array, where: string) => T) {
    this.#most = most
    this.#read = read
  }

  /** null: there is no such object, now. */
  async get(store: ObjectStore, key: string): Promise<T | null> {
    const where = `${store.name}/${key}`
    const known = this.#kept.get(where)
    if (known) {
      this.#kept.delete(where)
      this.#kept.set(where, known)
      return known.value
    }
    const bytes = await store.get(key)
    if (bytes === null) return null
    const value = this.#read(bytes, where)
    if (!this.#kept.has(where)) this.#bytes += bytes.length
    this.#kept.set(where, { value, bytes: bytes.length })
    for (const [oldest, { bytes: freed }] of this.#kept) {
      if (this.#bytes <= this.#most) break
      this.#kept.delete(oldest)
      this.#bytes -= freed
    }
    return value
  }

  forget(store: ObjectStore, key: string): void {
    const where = `${store.name}/${key}`
    this.#bytes -= this.#kept.get(where)?.bytes ?? 0
    this.#kept.delete(where)
  }
}
