/**
 * What is done with a request that came whole: proven, matched with flows, kept, told.
 *
 * Law: `kept` is answered when every flow that takes the event has it in its lake, and not before. Whoever is told
 * anything else sends it again, and flows that have it already know its id.
 */
import { inboxOf, takersOf } from '../../activities/event-lanes.ts'
import type { Places } from '../../activities/place.ts'
import type { Events, RawRequest, Verdict } from '../../connectors/events.ts'
import type { FlowObject } from '../../connectors/flow.ts'
import type { Connection } from '../../connectors/installation.ts'
import { keepEvents, waitingEvents } from '../../connectors/lake/inbox.ts'
import { Bucket } from './bucket.ts'
import type { ListeningFlow } from './event-flows.ts'
import { GroupCommit } from './group-commit.ts'
import { ListenerLine } from './listener-line.ts'
import type { Client } from '@temporalio/client'

export interface HookConnection {
  connection: Connection
  verify: (...given: Parameters<NonNullable<Events['verify']>>) => Verdict
  secrets(): Promise<string[]>
}

export interface Limits {
  /** Events a second and connection. */
  rate: number
  /** Events that may wait in a flow. */
  waiting: number
}

export type Answer =
  | { status: 200; text: string }
  | { status: 200; kept: number }
  | { status: 400 | 401 | 404; error: string }
  | { status: 429 | 503; error: string; retryAfter: number }

export class Hooks {
  readonly #client: Client
  readonly #places: Places
  readonly #limits: Limits
  readonly #say: (line: string) => void
  readonly #lines = new Map<string, ListenerLine>()
  readonly #commits = new Map<string, GroupCommit>()
  readonly #buckets = new Map<string, Bucket>()

  constructor(client: Client, places: Places, limits: Limits, say: (line: string) => void) {
    this.#client = client
    this.#places = places
    this.#limits = limits
    this.#say = say
  }

  /** The flows as they are now. Of a new one, what lies in its lake untold is told. */
  follow(flows: ListeningFlow[]): void {
    const names = new Set(flows.map(({ flow }) => flow.name))
    for (const name of this.#lines.keys())
      if (!names.has(name) && this.#lines.delete(name)) this.#say(`${name} is gone`)
    for (const listening of flows) {
      const { name, source } = listening.flow
      const line = this.#lines.get(name)
      if (line && JSON.stringify(line.listening.document) === JSON.stringify(listening.document)) continue
      const fresh = line ?? new ListenerLine(this.#client, listening)
      fresh.listening = listening
      this.#lines.set(name, fresh)
      // Where its events go may have changed with it.
      for (const key of this.#commits.keys()) if (key.startsWith(`${name}/`)) this.#commits.delete(key)
      this.#say(`${name} takes events of ${source.connection}`)
      void this.#lookFor(fresh)
    }
  }

  takesEventsOf(connection: string): boolean {
    return this.#linesOf(connection).length > 0
  }

  async take(from: HookConnection, request: RawRequest): Promise<Answer> {
    const { connection } = from
    const by = { settings: connection.settings, secrets: await from.secrets(), nowMs: Date.now() }
    const verdict = from.verify(request, by)
    if ('reject' in verdict) return { status: verdict.status, error: verdict.reject }
    if (verdict.answer !== undefined) return { status: 200, text: verdict.answer }
    const lines = this.#linesOf(connection.name)
    const wait = this.#bucket(connection.name, by.nowMs).take(verdict.accept.length, by.nowMs)
    if (wait > 0) return { status: 429, error: `more than ${this.#limits.rate} events a second`, retryAfter: wait }
    const full = lines.find((line) => line.waiting() > this.#limits.waiting)
    if (full) {
      const error = `more than ${this.#limits.waiting} events wait in ${full.listening.flow.name}`
      return { status: 503, error, retryAfter: 30 }
    }
    const kept = verdict.accept.flatMap(({ id, kind, body }) =>
      lines.flatMap((line) =>
        takersOf(line.listening.flow, kind).map((object) =>
          this.#commit(line, object).add({ id, kind, atMs: by.nowMs, body }),
        ),
      ),
    )
    await Promise.all(kept)
    return { status: 200, kept: kept.length }
  }

  /** What is wrong with telling listeners, if it is so for long. */
  problem(): string | null {
    const LONG_MS = 30_000
    const line = [...this.#lines.values()].find(
      ({ failingSinceMs }) => Date.now() - (failingSinceMs ?? Date.now()) > LONG_MS,
    )
    return line ? `the listener of ${line.listening.flow.name} cannot be told` : null
  }

  async settled(): Promise<void> {
    await Promise.all([...this.#lines.values()].map((line) => line.settled()))
  }

  #linesOf(connection: string): ListenerLine[] {
    return [...this.#lines.values()].filter(({ listening }) => listening.flow.source.connection === connection)
  }

  #bucket(connection: string, nowMs: number): Bucket {
    const known = this.#buckets.get(connection) ?? new Bucket(this.#limits.rate, nowMs)
    this.#buckets.set(connection, known)
    return known
  }

  #commit(line: ListenerLine, object: FlowObject): GroupCommit {
    const { flow } = line.listening
    const key = `${flow.name}/${object.id}`
    const known = this.#commits.get(key)
    if (known) return known
    const commit = new GroupCommit(async (events) => {
      try {
        const { store, lane } = await inboxOf(this.#places, flow, object)
        await keepEvents(store, lane, events)
      } catch (error) {
        this.#say(`${key}: events could not be kept: ${error instanceof Error ? error.message : String(error)}`)
        throw error
      }
      line.tell(object.id, events.length)
    })
    this.#commits.set(key, commit)
    return commit
  }

  async #lookFor(line: ListenerLine): Promise<void> {
    const { flow } = line.listening
    for (const object of flow.source.objects) {
      try {
        const { store, lane } = await inboxOf(this.#places, flow, object)
        const waiting = await waitingEvents(store, lane)
        if (waiting > 0) line.tell(object.id, waiting)
      } catch (error) {
        this.#say(`${flow.name}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }
}
