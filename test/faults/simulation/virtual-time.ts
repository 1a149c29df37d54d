/**
 * Time that passes when somebody sleeps: `setTimeout` of `node:timers/promises` and `performance.now` as the code of a
 * simulated process calls them. Who slept may wake up later than asked, and never earlier.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'
import type { Process, Scheduler } from './scheduler.ts'

const processes = new AsyncLocalStorage<Process>()
let time: VirtualTime | null = null

export class VirtualTime {
  now = 0
  readonly #scheduler: Scheduler

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  /** What is called within `work` is done by the process. */
  by<T>(process: Process, work: () => Promise<T>): Promise<T> {
    return processes.run(process, work)
  }

  async sleep(process: Process, ms: number): Promise<void> {
    const due = this.now + ms
    await this.#scheduler.gate(process)
    this.now = Math.max(this.now, due)
  }
}

/** While `work` goes on, all sleep by this time. */
export async function during<T>(virtual: VirtualTime, work: () => Promise<T>): Promise<T> {
  time = virtual
  try {
    return await work()
  } finally {
    time = null
    processes.disable()
  }
}

const { setTimeout: really } = timers
const clock = performance.now.bind(performance)
Object.assign(timers, {
  setTimeout: (ms?: number, value?: unknown, options?: object) => {
    const process = processes.getStore()
    return time && process ? time.sleep(process, ms ?? 0).then(() => value) : really(ms, value, options)
  },
})
syncBuiltinESMExports()
performance.now = () => (time && processes.getStore() ? time.now : clock())
