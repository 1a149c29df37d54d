/**
 * Completions that take their time: the upload is gone at once, and the object appears later, whether or not its
 * client still waits; but never later than the store's settle time.
 */
import type { ObjectStore, StagedFile } from '../../../connectors/lake/store.ts'
import type { MemoryPlace } from '../../lake/memory-store.ts'
import { bound } from './invariants.ts'
import { Process } from './scheduler.ts'
import type { Scheduler } from './scheduler.ts'

interface Landing {
  due: number
  land: () => void
}

export class SlowCompletions {
  readonly #place: MemoryPlace
  readonly #scheduler: Scheduler
  readonly #server = new Process('the store')
  #now = 0
  #landings: Landing[] = []

  constructor(place: MemoryPlace, scheduler: Scheduler) {
    this.#place = place
    this.#scheduler = scheduler
  }

  /** Time passes: what is due appears. */
  pass(ms: number): void {
    this.#now += ms
    for (const { due, land } of [...this.#landings]) if (due <= this.#now) land()
  }

  /** `slow` is asked for each completion. */
  over(store: ObjectStore, slow: () => boolean): ObjectStore {
    return {
      ...bound(store),
      complete: (file) =>
        store.settleMs > 0 && slow() ? this.#complete(file, store.settleMs, store) : store.complete(file),
    }
  }

  async #complete(file: StagedFile, settleMs: number, store: ObjectStore): Promise<'done' | 'absent' | 'lost'> {
    const { uploads, objects } = this.#place
    const upload = uploads.get(file.upload)
    if (!upload) return store.complete(file)
    uploads.delete(file.upload)
    await new Promise<void>((landed) => {
      const landing: Landing = {
        due: this.#now + settleMs,
        land: () => {
          if (!this.#landings.includes(landing)) return
          this.#landings = this.#landings.filter((other) => other !== landing)
          objects.set(file.key, { body: Buffer.concat(upload.chunks), unit: upload.unit })
          landed()
        },
      }
      this.#landings.push(landing)
      void this.#scheduler.gate(this.#server).then(landing.land)
    })
    return 'done'
  }
}
