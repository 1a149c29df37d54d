/**
 * Completions that take their time: the upload is gone at once, and the object appears later, whether or not its
 * client still waits; mostly within the store's settle time. One that takes longer may void an entry, and its object
 * appears when that is long decided: nothing may be lost or seen twice by that either.
 */
import type { ObjectStore, StagedFile } from '../../../connectors/lake/store.ts'
import type { MemoryPlace } from '../../lake/memory-store.ts'
import { bound } from './invariants.ts'
import { Process } from './scheduler.ts'
import type { Scheduler } from './scheduler.ts'

interface Landing {
  due: number
  land: () => void
  /** Not even the order of turns brings it before it is due. */
  late: boolean
}

export class SlowCompletions {
  readonly #place: MemoryPlace
  readonly #scheduler: Scheduler
  readonly #server = new Process('the store')
  #now = 0
  /** An object appeared, or will, later than the settle time allows. */
  late = false
  #landings: Landing[] = []

  constructor(place: MemoryPlace, scheduler: Scheduler) {
    this.#place = place
    this.#scheduler = scheduler
  }

  /** Time passes: what is due appears. */
  pass(ms: number): void {
    this.#now += ms
    for (const landing of [...this.#landings].filter(({ due }) => due <= this.#now)) this.#arrive(landing)
  }

  /** Everybody waits: what is late appears now. false: nothing is. */
  release(): boolean {
    const late = this.#landings.filter((landing) => landing.late)
    for (const landing of late) this.#arrive(landing)
    return late.length > 0
  }

  /** `slow` is asked for each completion: how slow, in settle times; 0: not at all. */
  over(store: ObjectStore, slow: () => number): ObjectStore {
    return {
      ...bound(store),
      complete: async (file) => {
        const times = store.settleMs > 0 ? slow() : 0
        return times > 0 ? this.#complete(file, times * store.settleMs, store) : store.complete(file)
      },
    }
  }

  #arrive(landing: Landing): void {
    if (!landing.late) return landing.land()
    landing.late = false
    void this.#scheduler.gate(this.#server).then(landing.land)
  }

  async #complete(file: StagedFile, lastsMs: number, store: ObjectStore): Promise<'done' | 'absent' | 'lost'> {
    const { uploads, objects } = this.#place
    const upload = uploads.get(file.upload)
    if (!upload) return store.complete(file)
    uploads.delete(file.upload)
    await new Promise<void>((landed) => {
      const landing: Landing = {
        due: this.#now + lastsMs,
        late: lastsMs > store.settleMs,
        land: () => {
          if (!this.#landings.includes(landing)) return
          this.#landings = this.#landings.filter((other) => other !== landing)
          objects.set(file.key, { body: Buffer.concat(upload.chunks), unit: upload.unit })
          landed()
        },
      }
      this.#landings.push(landing)
      this.late ||= landing.late
      if (!landing.late) void this.#scheduler.gate(this.#server).then(landing.land)
    })
    return 'done'
  }
}
