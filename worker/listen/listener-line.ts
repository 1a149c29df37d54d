/**
 * The way to one flow's listener: it is told how many events lie in the lake, and asked how many wait.
 *
 * Laws
 * - Told is what is durable already: a signal that fails is sent again, one that is lost delays a batch and no more.
 * - Some signals a second at most, whatever comes: a workflow has room for ten thousand.
 */
import type { Client } from '@temporalio/client'
import type { ListenProgress } from '../../workflows/listen-messages.ts'
import type { ListeningFlow } from './event-flows.ts'

const EVERY_MS = 200
const RETRY_MS = { first: 500, most: 15_000 }
const ASK_EVERY_MS = 2_000
const ANSWER_MS = 3_000

export class ListenerLine {
  listening: ListeningFlow
  readonly #client: Client
  #untold: { [object: string]: number } = {}
  #telling: Promise<void> | undefined
  #waiting = 0
  #askedMs = 0
  /** Since when it cannot be told, epoch milliseconds. */
  failingSinceMs: number | null = null

  constructor(client: Client, listening: ListeningFlow) {
    this.#client = client
    this.listening = listening
  }

  /** Events lie in the lake. */
  tell(object: string, events: number): void {
    this.#untold[object] = (this.#untold[object] ?? 0) + events
    this.#waiting += events
    this.#telling ??= this.#tell().finally(() => (this.#telling = undefined))
  }

  /** What was to be told is told. */
  async settled(): Promise<void> {
    await this.#telling
  }

  /** Events that wait, about: as the listener said last, and what came since. */
  waiting(): number {
    if (Date.now() - this.#askedMs > ASK_EVERY_MS) void this.#ask()
    return this.#waiting
  }

  async #tell(): Promise<void> {
    let pause = RETRY_MS.first
    while (Object.keys(this.#untold).length > 0) {
      const objects = this.#untold
      this.#untold = {}
      try {
        await this.#signal(objects)
        this.failingSinceMs = null
        pause = RETRY_MS.first
        await sleep(EVERY_MS)
      } catch {
        for (const [object, events] of Object.entries(objects)) {
          this.#untold[object] = (this.#untold[object] ?? 0) + events
        }
        this.failingSinceMs ??= Date.now()
        await sleep(pause)
        pause = Math.min(pause * 2, RETRY_MS.most)
      }
    }
  }

  async #signal(objects: { [object: string]: number }): Promise<void> {
    const { flow, document, taskQueue } = this.listening
    await this.#client.withDeadline(Date.now() + 10_000, () =>
      this.#client.workflow.signalWithStart('listenFlow', {
        workflowId: `flow/${flow.name}/listen`,
        taskQueue,
        args: [document],
        signal: 'received',
        signalArgs: [{ objects }],
        staticSummary: `Events of flow ${flow.name}`.slice(0, 90),
      }),
    )
  }

  async #ask(): Promise<void> {
    this.#askedMs = Date.now()
    const handle = this.#client.workflow.getHandle(`flow/${this.listening.flow.name}/listen`)
    const before = this.#waiting
    try {
      const asked = () => handle.query<ListenProgress>('progress')
      const { objects } = await this.#client.withDeadline(Date.now() + ANSWER_MS, asked)
      const told = objects.reduce((sum, { waiting }) => sum + waiting, 0)
      this.#waiting = told + (this.#waiting - before)
    } catch {
      // No worker answers: what came since is added to what was known.
    }
  }
}

const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
