/**
 * Pages of a source, the next one asked for while the last one is worked on.
 *
 * Laws
 * - A page that was asked for and is not taken counts nowhere: the next unit reads it again from the cursor.
 * - An error of a page is told to whoever takes the page, never before.
 * - Nothing is asked for behind the range's end.
 */
import type { Page } from '../connectors/connector.ts'

export class ReadAhead {
  readonly #pages: AsyncIterator<Page>
  readonly #giveUp: () => void
  #coming: Promise<IteratorResult<Page>> | null = null

  /** `giveUp` breaks off what is under way. */
  constructor(pages: AsyncIterable<Page>, giveUp: () => void) {
    this.#pages = pages[Symbol.asyncIterator]()
    this.#giveUp = giveUp
  }

  /** The next page, from now on. */
  ask(): void {
    if (this.#coming) return
    this.#coming = this.#pages.next()
    this.#coming.catch(() => {})
  }

  /** undefined: there is none. */
  async take(): Promise<Page | undefined> {
    this.ask()
    const { done, value } = await this.#coming!
    this.#coming = null
    return done ? undefined : value
  }

  /** Nothing is read any more; any number of times, never throws. */
  async end(): Promise<void> {
    if (this.#coming) this.#giveUp()
    await this.#pages.return?.().catch(() => {})
  }
}
