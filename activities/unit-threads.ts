/**
 * The threads that units' records are worked on in, so that heartbeats and workflows go on beside them.
 *
 * Laws
 * - A unit stays on one thread; several may share one, since most units wait for their vendor most of the time. Threads
 *   start when all that run are busy, and stay: warm code is three times as fast.
 * - A thread that dies fails its units with an error that is worth another attempt; none hangs.
 * - What all units of this process hold is bounded, however many there are: the sinks' memory is shared out among them,
 *   and a page is read ahead only while the pages in hand are few.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { MessageChannel } from 'node:worker_threads'
import type { MessagePort, Transferable } from 'node:worker_threads'
import { Piscina } from 'piscina'
import type { UnitAnswer, UnitOrder, UnitTask } from './unit-thread.ts'
import type { UnitWork } from './unit-pages.ts'

/** What the sinks of all units may hold back, and what the pages may take that are read ahead. */
const MOST_HELD = 64 * 1024 * 1024
const MOST_PAGES = 48 * 1024 * 1024
/** What files may keep in memory until a part of them is whole: of all units, and of a unit with few files. */
const MOST_UNSENT = 96 * 1024 * 1024
const LEAST_UNSENT = 16 * 1024 * 1024
/** More than a worker has slots: a unit never waits for another one to end. */
const UNITS_OF_THREAD = 1_000
const HEAP_MB = 512
const YOUNG_MB = 16

export interface UnitThreadsOptions {
  /** Most threads; default: as many as run at once on this machine. */
  threads?: number
  /** What a thread's JavaScript objects may take; pages and files lie outside. Default: 512. */
  heapMb?: number
}

/** The thread's end of a unit: orders go in, answers come in order. */
export interface UnitLine {
  send(order: UnitOrder, transfer?: Transferable[]): void
  /** No answer comes any more, and the thread forgets the unit; any number of times. */
  close(): void
}

export class UnitThreads {
  readonly #most: number
  readonly #heapMb: number
  #pool: Piscina | undefined
  #loop: ReturnType<typeof monitorEventLoopDelay> | undefined
  /** How each unit that is open is told that its thread is gone. */
  readonly #lost = new Set<(error: Error) => void>()
  #pageBytes = 0

  constructor({ threads = availableParallelism(), heapMb = HEAP_MB }: UnitThreadsOptions = {}) {
    this.#most = threads
    this.#heapMb = heapMb
  }

  /** `lost`: the thread is gone, and with it the unit. */
  open(work: UnitWork, hear: (answer: UnitAnswer) => void, lost: (error: Error) => void): UnitLine {
    this.#watch()
    const { port1: port, port2: theirs } = new MessageChannel()
    const fail = (error: Error): void => {
      close()
      lost(error)
    }
    const close = (): void => {
      this.#lost.delete(fail)
      port.close()
    }
    this.#lost.add(fail)
    port.on('message', hear)
    const task: UnitTask = { port: theirs, work }
    this.#started()
      .run(task, { transferList: [theirs] as never })
      .catch((error: Error) => {
        if (this.#lost.has(fail)) fail(error)
      })
    return {
      send: (order, transfer) => post(port, order, transfer),
      close,
    }
  }

  /** What the sinks of one unit may hold back, as many units as there are now. */
  get mostHeld(): number {
    return Math.floor(MOST_HELD / Math.max(1, this.#lost.size))
  }

  /** Bytes that the open files of one unit may keep in memory until they are sent, at the end of a page. */
  get mostUnsent(): number {
    return Math.max(LEAST_UNSENT, Math.floor(MOST_UNSENT / Math.max(1, this.#lost.size)))
  }

  /** Room for a page of about so many bytes beside the one in hand; null: there is none. Give it back by a call. */
  room(bytes: number): (() => void) | null {
    if (this.#pageBytes + bytes > MOST_PAGES) return null
    this.#pageBytes += bytes
    return () => {
      this.#pageBytes -= bytes
      bytes = 0
    }
  }

  /** The longest the event loop of this process stood still since it was asked last, milliseconds. */
  longestBlockMs(): number {
    const longest = this.#loop ? this.#loop.max / 1e6 : 0
    this.#loop?.reset()
    return longest
  }

  /** Units that are open fail. */
  async close(): Promise<void> {
    this.#loop?.disable()
    await this.#pool?.destroy()
  }

  #watch(): void {
    if (this.#loop) return
    this.#loop = monitorEventLoopDelay({ resolution: 5 })
    this.#loop.enable()
  }

  #started(): Piscina {
    if (this.#pool) return this.#pool
    const source = import.meta.url.endsWith('.ts')
    const loader = source ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href] : []
    this.#pool = new Piscina({
      filename: fileURLToPath(new URL(`unit-thread${source ? '.ts' : '.js'}`, import.meta.url)),
      minThreads: 0,
      maxThreads: this.#most,
      idleTimeout: Number.POSITIVE_INFINITY,
      concurrentTasksPerWorker: UNITS_OF_THREAD,
      // A thread that is blocked while it has no unit would not free what the last one left.
      atomics: 'disabled',
      recordTiming: false,
      execArgv: loader,
      resourceLimits: { maxOldGenerationSizeMb: this.#heapMb, maxYoungGenerationSizeMb: YOUNG_MB },
      // A thread of its own first, then the one with the fewest units.
      loadBalancer: (_task, threads) => {
        const least = threads.reduce<(typeof threads)[number] | null>(
          (found, thread) => (found && found.currentUsage <= thread.currentUsage ? found : thread),
          null,
        )
        return least && (least.currentUsage === 0 || threads.length >= this.#most) ? least : null
      },
    })
    // A thread that cannot even start has no units yet: those that wait for one would wait for ever.
    this.#pool.on('error', (error: Error) => {
      for (const fail of [...this.#lost]) fail(error)
    })
    return this.#pool
  }
}

function post(port: MessagePort, order: UnitOrder, transfer: Transferable[] = []): void {
  port.postMessage(order, transfer)
}
