/**
 * A lane's workflow in a simulation: its steps are attempts of processes of their own, which may be taken for dead and
 * go on all the same; it may be cancelled or terminated while they do.
 */
import { cancelRun } from '../../../connectors/lake/cancel.ts'
import { LakeError } from '../../../connectors/lake/errors.ts'
import type { LakeLane } from '../../../connectors/lake/protocol.ts'
import type { Work } from '../../lake/integers.ts'
import { LANE, LaneWorkflow, Terminated } from '../../lake/lane-workflow.ts'
import { Crash, Process } from './scheduler.ts'
import { StoreTrouble, simulatedStore } from './simulated-store.ts'
import type { Surroundings } from './simulated-store.ts'

type Interruption = 'late' | 'terminated' | 'cancelled'
export type Fate = 'running' | 'done' | 'terminated' | 'cancelled' | 'failed'

class Cancelled extends Error {}

export class SimulatedWorkflow extends LaneWorkflow {
  fate: Fate = 'running'
  /** What went wrong that nothing allows. */
  problem: unknown = null
  /** The attempt that the workflow waits for. */
  attempt: Process | null = null
  readonly #world: Surroundings
  readonly #name: string
  #interrupt: (how: Interruption) => void = () => {}
  #told: Interruption | null = null
  #attempts = 0

  constructor(world: Surroundings, start: number, work: Work) {
    super({ place: () => world.store, work, start })
    this.#world = world
    this.#name = `run ${start}`
  }

  interrupt(how: Interruption): void {
    if (how !== 'late') this.#told = how
    this.#interrupt(how)
  }

  /** To its end, whichever; never throws. */
  async live(): Promise<void> {
    try {
      await this.sync()
      this.fate = 'done'
    } catch (error) {
      if (error instanceof Terminated) this.fate = 'terminated'
      else await this.#cleanUp(error)
    }
  }

  override async step<T>(name: string, work: (at: LakeLane) => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#told === 'terminated') throw new Terminated(name)
      if (this.#told === 'cancelled' && name !== 'cancel') throw new Cancelled(name)
      const process = new Process(`${this.#name} ${name} ${++this.#attempts}`)
      this.attempt = process
      const interrupted = new Promise<Interruption>((resolve) => (this.#interrupt = resolve))
      const ended = await Promise.race([
        work(this.#at(process)).then(
          (value) => ({ value }),
          (thrown: unknown) => ({ thrown }),
        ),
        interrupted,
      ])
      if (typeof ended === 'string') continue
      if ('value' in ended) return ended.value
      if (!(ended.thrown instanceof Crash || ended.thrown instanceof StoreTrouble)) throw ended.thrown
    }
  }

  async #cleanUp(error: unknown): Promise<void> {
    try {
      await this.step('cancel', (at) => cancelRun(at, this.run, this.opened?.n ?? null))
      this.fate = error instanceof Cancelled ? 'cancelled' : 'failed'
      const conflict = error instanceof LakeError && ['CommitConflict', 'StagedDataLost'].includes(error.type)
      if (this.fate === 'failed' && !conflict) this.problem = error
    } catch (later) {
      this.fate = 'terminated'
      if (!(later instanceof Terminated)) this.problem = later
    }
  }

  #at(process: Process): LakeLane {
    return {
      store: simulatedStore(this.#world, process),
      lane: LANE,
      beat: () => {},
      sleep: (ms) => this.#world.sleep(process, ms),
      now: () => 1_800_000_000_000,
    }
  }
}
