/**
 * Events of one lane, put together: those that come within some milliseconds share one object in the lake, and all who
 * sent them are answered when it is durable.
 */
import type { KeptEvent } from '../../connectors/events.ts'

const GATHER_MS = 15
/** Of one object. */
const MOST_EVENTS = 1_000
const MOST_BYTES = 4 * 1024 * 1024
/** Objects that are being written at once; more events wait, and go together. */
const AT_ONCE = 4

interface Waiting {
  event: KeptEvent
  done: () => void
  failed: (error: unknown) => void
}

export class GroupCommit {
  readonly #keep: (events: KeptEvent[]) => Promise<void>
  #waiting: Waiting[] = []
  #writing = 0
  #timer: NodeJS.Timeout | undefined

  constructor(keep: (events: KeptEvent[]) => Promise<void>) {
    this.#keep = keep
  }

  /** Resolves when the event is durable. */
  add(event: KeptEvent): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting.push({ event, done, failed })
      if (this.#waiting.length >= MOST_EVENTS) this.#write()
      else this.#timer ??= setTimeout(() => this.#write(), GATHER_MS)
    })
  }

  #write(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#writing >= AT_ONCE || this.#waiting.length === 0) return
    const part = this.#take()
    this.#writing++
    void this.#keep(part.map(({ event }) => event))
      .then(
        () => part.forEach(({ done }) => done()),
        (error: unknown) => part.forEach(({ failed }) => failed(error)),
      )
      .finally(() => {
        this.#writing--
        this.#write()
      })
    if (this.#waiting.length > 0) this.#write()
  }

  #take(): Waiting[] {
    let room = MOST_BYTES
    let events = 0
    for (const { event } of this.#waiting) {
      room -= event.body.length
      if (events > 0 && (room < 0 || events >= MOST_EVENTS)) break
      events++
    }
    return this.#waiting.splice(0, events)
  }
}
