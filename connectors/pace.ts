/**
 * How many requests to one system are in flight from this process: at most what its limits allow, fewer for as long as
 * it says that this is too much.
 *
 * Laws
 * - A refusal halves the number, and it grows again by one for every few rounds that go well: those who share a limit
 *   come to share it evenly (https://www.rfc-editor.org/rfc/rfc5681 does so with packets).
 * - Refusals of what was sent before the last halving say nothing new. One request may always go.
 */

/** Refusals that come so soon after a halving are of what was in flight by then. */
const DEAF_MS = 1_000
/** Rounds of the present number that go well, until it is one more. */
const ROUNDS = 4

export class Pace {
  readonly most: number
  readonly #now: () => number
  #allowed: number
  #inFlight = 0
  #deafUntil = Number.NEGATIVE_INFINITY
  readonly #waiting: (() => void)[] = []

  constructor(most: number, now = () => performance.now()) {
    this.most = most
    this.#allowed = most
    this.#now = now
  }

  /** Requests that may be in flight now. */
  get allowed(): number {
    return Math.floor(this.#allowed)
  }

  /** Waits for its turn, in order. @throws the signal's reason */
  async enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#inFlight < this.allowed && this.#waiting.length === 0) {
      this.#inFlight++
      return
    }
    await new Promise<void>((resolve, reject) => {
      const go = (): void => {
        signal.removeEventListener('abort', stop)
        resolve()
      }
      const stop = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(go), 1)
        reject(signal.reason as Error)
      }
      signal.addEventListener('abort', stop, { once: true })
      this.#waiting.push(go)
    })
  }

  /** Of each that entered. */
  leave(): void {
    this.#inFlight--
    while (this.#inFlight < this.allowed) {
      const next = this.#waiting.shift()
      if (!next) return
      this.#inFlight++
      next()
    }
  }

  /** An answer came that is no refusal. */
  went(): void {
    if (this.#allowed < this.most) this.#allowed = Math.min(this.most, this.#allowed + 1 / (ROUNDS * this.#allowed))
  }

  /** It was too much. Answers whether fewer go now. */
  refused(): boolean {
    const now = this.#now()
    if (now < this.#deafUntil) return false
    this.#deafUntil = now + DEAF_MS
    const before = this.allowed
    this.#allowed = Math.max(1, this.#allowed / 2)
    return this.allowed < before
  }
}
