/**
 * A store that counts every call and can break one: the process dies before the call or just after it (its answer is
 * lost), or freezes there until somebody thaws it. It also watches the promise: what becomes visible must have been
 * committed.
 */
import type { ObjectStore, StagedWriter } from '../../connectors/lake/store.ts'

export class Crash extends Error {
  override readonly name = 'Crash'
}

export interface Trouble {
  /** Number of the call, 1 first; or the first call whose name (`complete data/x`) fits. */
  at?: number
  call?: RegExp
  how: 'dies before' | 'dies after' | 'freezes before' | 'freezes after'
}

/** A named call is met once. */
const NEVER = /(?!)/

export class TroubledStore implements ObjectStore {
  readonly name: string
  readonly settleMs: number
  readonly #store: ObjectStore
  calls = 0
  trouble: Trouble | null
  /** Resolves when a frozen call is reached. */
  readonly frozen: Promise<void>
  /** What was called, for messages. */
  readonly log: string[] = []
  #dead = false
  #reachedFreeze: () => void = () => {}
  #thaw: () => void = () => {}
  readonly #thawed: Promise<void>

  constructor(store: ObjectStore, trouble: Trouble | null = null) {
    this.#store = store
    this.name = store.name
    this.settleMs = store.settleMs
    this.trouble = trouble
    this.frozen = new Promise((resolve) => (this.#reachedFreeze = resolve))
    this.#thawed = new Promise((resolve) => (this.#thaw = resolve))
  }

  thaw(): void {
    this.#thaw()
  }

  list(prefix: string, options?: { startAt?: string }) {
    return this.#each(`list ${prefix}`, () => this.#store.list(prefix, options))
  }
  get(key: string) {
    return this.#call(`get ${key}`, () => this.#store.get(key))
  }
  head(key: string) {
    return this.#call(`head ${key}`, () => this.#store.head(key))
  }
  create(key: string, body: Uint8Array) {
    return this.#call(`create ${key}`, () => this.#store.create(key, body))
  }
  put(key: string, body: Uint8Array) {
    return this.#call(`put ${key}`, () => this.#store.put(key, body))
  }
  delete(key: string) {
    return this.#call(`delete ${key}`, () => this.#store.delete(key))
  }
  complete(file: Parameters<ObjectStore['complete']>[0]) {
    return this.#call(`complete ${file.key}`, () => this.#store.complete(file))
  }
  abort(file: Parameters<ObjectStore['abort']>[0]) {
    return this.#call(`abort ${file.key}`, () => this.#store.abort(file))
  }
  settle(keys: string[]) {
    return this.#call('settle', () => this.#store.settle(keys))
  }
  staged(area: string, prefix: string) {
    return this.#each(`staged ${prefix}`, () => this.#store.staged(area, prefix))
  }
  async stage(file: Parameters<ObjectStore['stage']>[0]): Promise<StagedWriter> {
    const writer = await this.#call(`stage ${file.key}`, () => this.#store.stage(file))
    return {
      write: (chunk) => this.#call(`write ${file.key}`, () => writer.write(chunk)),
      close: () => this.#call(`close ${file.key}`, () => writer.close()),
      abort: () => this.#call(`drop ${file.key}`, () => writer.abort()),
    }
  }

  async #call<T>(name: string, effect: () => Promise<T>): Promise<T> {
    // A dead process does nothing more, not even in its catch blocks.
    if (this.#dead) throw new Crash('dead')
    const number = ++this.calls
    this.log.push(name)
    const how = this.#isMet(number, name) ? (this.trouble as Trouble).how : null
    if (how === 'dies before') throw this.#die(name)
    if (how === 'freezes before') await this.#freeze()
    const result = await effect()
    if (how === 'dies after') throw this.#die(name)
    if (how === 'freezes after') await this.#freeze()
    if (this.#dead) throw new Crash('dead')
    return result
  }

  #isMet(number: number, name: string): boolean {
    if (!this.trouble) return false
    const { at, call } = this.trouble
    if (call === undefined) return at === number
    if (!call.test(name)) return false
    this.trouble = { ...this.trouble, at: number, call: NEVER }
    return true
  }

  async *#each<T>(name: string, items: () => AsyncIterable<T>): AsyncGenerator<T> {
    const all = await this.#call(name, async () => {
      const found: T[] = []
      for await (const item of items()) found.push(item)
      return found
    })
    yield* all
  }

  async #freeze(): Promise<void> {
    this.#reachedFreeze()
    await this.#thawed
  }

  #die(name: string): Crash {
    this.#dead = true
    return new Crash(`at call ${this.calls}: ${name}`)
  }
}
