/**
 * Watches a store while everybody works on it, for what must hold at every moment and not only in the end: nothing
 * becomes visible that is not committed, nothing is called done that is not visible, nothing is deleted that still
 * counts.
 */
import type { CommitEntry, Entry, Outcome } from '../../connectors/lake/protocol.ts'
import type { ObjectStore } from '../../connectors/lake/store.ts'

export class Watch {
  readonly problems: string[] = []
  readonly #entries = new Map<string, CommitEntry>()
  readonly #outcomes = new Map<string, Outcome>()

  /** The same store, watched. */
  over(store: ObjectStore): ObjectStore {
    return {
      name: store.name,
      settleMs: store.settleMs,
      list: (prefix, options) => store.list(prefix, options),
      get: (key) => store.get(key),
      head: (key) => store.head(key),
      put: (key, body) => store.put(key, body),
      stage: (file) => store.stage(file),
      abort: (file) => store.abort(file),
      staged: (area, prefix) => store.staged(area, prefix),
      settle: (keys) => store.settle(keys),
      create: async (key, body) => {
        await this.#creating(store, key, body)
        const answer = await store.create(key, body)
        if (answer === 'created') this.#created(key, body)
        return answer
      },
      complete: async (file) => {
        const entry = this.#entryOf(file.key)
        if (!entry) this.problems.push(`${file.key} was completed and is in no entry`)
        return store.complete(file)
      },
      delete: async (key) => {
        if (key.startsWith('_lakeward/') && !key.startsWith('_lakeward/_quarantine/')) {
          if (key.includes('/commits/')) this.problems.push(`${key} was deleted`)
        } else this.#deleting(key)
        return store.delete(key)
      },
    }
  }

  async #creating(store: ObjectStore, key: string, body: Uint8Array): Promise<void> {
    if (!key.endsWith('.outcome')) return
    const outcome = parse(body) as Outcome
    if (outcome.outcome !== 'done' || (await store.get(key))) return
    for (const file of outcome.manifest ?? []) {
      const found = await store.head(file.key)
      // Between the look and here somebody else may have decided otherwise, and cleaned up.
      if (found?.bytes !== file.bytes && !(await store.get(key)))
        this.problems.push(`${key} says done without ${file.key}`)
    }
  }

  #created(key: string, body: Uint8Array): void {
    if (!key.includes('/commits/')) return
    if (key.endsWith('.outcome')) this.#outcomes.set(entryKey(key), parse(body) as Outcome)
    else {
      const entry = parse(body) as Entry
      if (entry.kind === 'commit') this.#entries.set(key, entry)
    }
  }

  #deleting(key: string): void {
    const entry = this.#entryOf(key)
    if (!entry) return void this.problems.push(`${key} was deleted and is in no entry`)
    const [own, lane] = entry
    if (this.#outcomes.get(own)?.outcome === 'void') return
    const replaced = [...this.#entries].some(([other, { replaces }]) => {
      if (!replaces || laneOf(other) !== laneOf(own)) return false
      return this.#outcomes.get(other)?.outcome === 'done' && replaces.from <= lane.n && lane.n < replaces.to
    })
    if (!replaced) this.problems.push(`${key} was deleted and still counts`)
  }

  #entryOf(file: string): [string, CommitEntry] | undefined {
    return [...this.#entries].find(([, { files }]) => files.some(({ key }) => key === file))
  }
}

const parse = (body: Uint8Array): unknown => JSON.parse(Buffer.from(body).toString())
const entryKey = (outcomeKey: string): string => outcomeKey.replace(/outcome$/, 'json')
const laneOf = (key: string): string => key.slice(0, key.indexOf('/commits/'))
