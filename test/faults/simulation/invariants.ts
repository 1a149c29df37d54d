/**
 * What must hold after every call of the store, whoever makes it: see `Watch`, and
 * - a record is in the manifests of the `done` entries of one generation at most once;
 * - a staged file is not dropped while an entry counts on it, nor by others while its run can still commit it;
 * - no completion that begins behind the delete of its object brings that back.
 */
import { laneKeys } from '../../../connectors/lake/keys.ts'
import type { CommitEntry, Entry, Outcome } from '../../../connectors/lake/protocol.ts'
import type { ObjectStore } from '../../../connectors/lake/store.ts'
import { LANE } from '../../lake/lane-workflow.ts'
import type { MemoryPlace } from '../../lake/memory-store.ts'

export class Invariants {
  readonly problems: string[] = []
  readonly #place: MemoryPlace
  readonly #entries = new Map<number, CommitEntry>()
  readonly #outcomes = new Map<number, Outcome>()
  readonly #counted = new Map<number, Set<number>>()
  readonly #deleted = new Set<string>()

  constructor(place: MemoryPlace) {
    this.#place = place
  }

  /** The same store, watched. */
  over(store: ObjectStore): ObjectStore {
    return {
      ...bound(store),
      create: async (key, body) => {
        const answer = await store.create(key, body)
        if (answer === 'created') this.#created(key, body)
        return answer
      },
      complete: async (file) => {
        const revived = this.#deleted.has(file.key) && this.#place.uploads.has(file.upload)
        if (revived) this.problems.push(`${file.key} was deleted, and is completed again`)
        return store.complete(file)
      },
      delete: async (key) => {
        await store.delete(key)
        this.#deleted.add(key)
      },
      abort: async (file) => {
        this.#aborting(file.upload)
        await store.abort(file)
      },
    }
  }

  #created(key: string, body: Uint8Array): void {
    const { commits } = laneKeys(LANE)
    if (!key.startsWith(commits)) return
    const n = Number(key.slice(commits.length, commits.length + 8))
    if (key.endsWith('.outcome')) this.#decided(n, parse(body) as Outcome)
    else if (key.endsWith('.json')) {
      const entry = parse(body) as Entry
      if (entry.kind === 'commit') this.#entries.set(n, entry)
    }
  }

  #decided(n: number, outcome: Outcome): void {
    this.#outcomes.set(n, outcome)
    if (outcome.outcome !== 'done') return
    const { generation } = this.#entries.get(n)!
    const counted = this.#counted.get(generation) ?? new Set()
    this.#counted.set(generation, counted)
    for (const { key } of outcome.manifest ?? []) {
      const body = this.#place.objects.get(key)?.body
      if (!body) return void this.problems.push(`entry ${n} is done without ${key}`)
      for (const line of Buffer.from(body).toString().trimEnd().split('\n')) {
        if (counted.has(Number(line))) this.problems.push(`record ${line} counts twice, again by entry ${n}`)
        counted.add(Number(line))
      }
    }
  }

  #aborting(upload: string): void {
    if (!this.#place.uploads.has(upload)) return
    for (const [n, { files }] of this.#entries) {
      const counts = this.#outcomes.get(n)?.outcome !== 'void' && files.some((file) => file.upload === upload)
      if (counts) this.problems.push(`a staged file of entry ${n} was dropped`)
    }
  }
}

/** Its members, callable apart from it. */
export function bound(store: ObjectStore): ObjectStore {
  return {
    name: store.name,
    settleMs: store.settleMs,
    list: (prefix, options) => store.list(prefix, options),
    get: (key) => store.get(key),
    head: (key) => store.head(key),
    create: (key, body) => store.create(key, body),
    put: (key, body) => store.put(key, body),
    delete: (key) => store.delete(key),
    stage: (file) => store.stage(file),
    complete: (file) => store.complete(file),
    abort: (file) => store.abort(file),
    staged: (areas, prefix) => store.staged(areas, prefix),
    settle: (keys) => store.settle(keys),
  }
}

const parse = (body: Uint8Array): unknown => JSON.parse(Buffer.from(body).toString())
