/**
 * One history of a lane: some runs among troubles, then runs in peace, and at the end the promise.
 *
 * Everything that happens is decided by `Choices`: the same seed, or the same tape, gives the same history.
 */
import type { ObjectStore } from '../../../connectors/lake/store.ts'
import { isBad, isVisible } from '../../lake/integers.ts'
import type { Work } from '../../lake/integers.ts'
import { MemoryPlace, memoryStore } from '../../lake/memory-store.ts'
import { checkPromise } from '../../lake/promise.ts'
import { LANE } from '../../lake/lane-workflow.ts'
import { Watch } from '../../lake/watched-store.ts'
import { Invariants } from './invariants.ts'
import { Choices, withNoncesOf } from './random.ts'
import { Scheduler, quiet } from './scheduler.ts'
import type { Process } from './scheduler.ts'
import type { Surroundings } from './simulated-store.ts'
import { SlowCompletions } from './slow-completion.ts'
import { SimulatedWorkflow } from './simulated-workflow.ts'
import { climate, fair, troubleAt } from './troubles.ts'
import type { Trouble } from './troubles.ts'

/** What the source holds in the end. */
const LAST = 99

/** More turns than any history needs: whoever takes them is stuck. */
const MOST_TURNS = 30_000

/** Then peace: a step of many calls would never end in a storm that does not. */
const MOST_TROUBLES = 60

export interface History {
  /** null: the promise was kept. */
  problem: string | null
  tape: number[]
  turns: number
  /** Turns at which somebody else could have gone on. */
  interleavings: number
  troubles: number
  log: string[]
}

export interface SimulationOptions {
  tape?: readonly number[] | null
  /** Wraps the store of every process, beneath the troubles: how a test takes a protection out. */
  over?: (place: MemoryPlace) => ObjectStore
  /** Every run looks back this far, and every fifth record comes late; absent: none does. */
  lookback?: number
}

export async function simulate(seed: number, { tape = null, ...options }: SimulationOptions = {}): Promise<History> {
  return withNoncesOf(seed, () => new World(new Choices(seed, tape), options).history())
}

class World implements Surroundings {
  readonly scheduler: Scheduler
  readonly store
  readonly #place = new MemoryPlace()
  readonly #watch = new Watch()
  readonly #invariants = new Invariants(this.#place)
  readonly #completions: SlowCompletions
  readonly #choices: Choices
  readonly #log: string[] = []
  readonly #always: Pick<Work, 'lookback'>
  #climate = fair
  #workflows: SimulatedWorkflow[] = []
  #expired = false
  #troubles = 0

  constructor(choices: Choices, { over, lookback }: SimulationOptions) {
    this.#always = lookback === undefined ? {} : { lookback }
    this.#choices = choices
    this.scheduler = new Scheduler(choices)
    const settleMs = choices.choose(2) * 900_000
    this.#completions = new SlowCompletions(this.#place, this.scheduler)
    const store = over?.(this.#place) ?? memoryStore(this.#place, settleMs)
    // Half of the slow ones take longer than a settle time.
    const slow = (): number => (this.#climate === fair ? 0 : this.#choices.choose(3, 0.2))
    this.store = this.#invariants.over(this.#watch.over(this.#completions.over(store, slow)))
  }

  async history(): Promise<History> {
    let problem: string | null = null
    try {
      await this.#play()
    } catch (error) {
      problem = told(error)
    }
    const { opened, chosen } = this.scheduler
    const { taken } = this.#choices
    return { problem, tape: taken, turns: opened, interleavings: chosen, troubles: this.#troubles, log: this.#log }
  }

  log(line: string): void {
    this.#log.push(line)
  }

  trouble(process: Process): Trouble {
    const trouble = troubleAt(this.#choices, this.#climate)
    if (trouble === 'none') return trouble
    if (++this.#troubles === MOST_TROUBLES) this.#climate = fair
    const workflow = this.#workflows.find(({ attempt }) => attempt === process)
    if (trouble === 'the heartbeat is late') workflow?.interrupt('late')
    if (trouble === 'the workflow is terminated') workflow?.interrupt('terminated')
    if (trouble === 'the workflow is cancelled') workflow?.interrupt('cancelled')
    if (trouble === 'an upload expires') this.#expire()
    return trouble
  }

  async sleep(process: Process, ms: number): Promise<void> {
    await this.scheduler.gate(process)
    this.#completions.pass(ms)
  }

  #expire(): void {
    const { uploads } = this.#place
    const victim = [...uploads.keys()][this.#choices.choose(Math.max(1, uploads.size))]
    if (victim !== undefined) this.#expired = uploads.delete(victim) || this.#expired
  }

  async #play(): Promise<void> {
    const choices = this.#choices
    const weather = climate(choices)
    const alone = choices.choose(3) < 2
    const runs = 2 + choices.choose(3)
    await this.#toTheEnd(this.#start(1, { clock: 10 + choices.choose(20), unitRows: 12 }))
    this.#climate = weather
    let clock = 35
    for (let start = 2; start < 2 + runs; start++) {
      clock += choices.choose(12)
      const workflow = this.#start(start, this.#work(clock))
      // The workflow id excludes a second run of the lane; the ledger must do without it.
      if (alone || choices.choose(2) === 0) await this.#toTheEnd(workflow)
    }
    await this.#until(() => this.#workflows.every(({ fate }) => fate !== 'running'))
    this.#climate = fair
    // Who woke up from the dead goes on beside the first; what an unfinished plan holds back, the second finishes.
    for (const start of [20, 21]) await this.#inPeace(start)
    await this.#until(() => this.scheduler.waiting === 0 && !this.#completions.release())
    for (const start of [22, 23]) await this.#inPeace(start)
    const { integers } = await checkPromise(
      { store: this.store, lane: LANE, beat: () => {}, sleep: async () => {}, now: () => 1_800_000_000_000 },
      {
        quiet: true,
        voids: this.#expired || this.#completions.late ? 'any' : 0,
        ...(this.#always.lookback === undefined ? {} : { clock: LAST }),
      },
    )
    const due = Array.from({ length: LAST }, (_, i) => i).filter(
      (i) => !isBad(i) && (!this.#always.lookback || isVisible(i, LAST)),
    )
    if (integers.length !== due.length) throw new Error(`${integers.length} records instead of ${due.length}`)
  }

  #work(clock: number): Work {
    const choose = (many: number): number => this.#choices.choose(many)
    const work: Work = { clock, ranges: 1 + choose(3), unitRows: 6 + choose(3) * 6 }
    if (choose(3) === 1) work.stepUnits = 1 + choose(3)
    if (choose(4) === 1) work.ask = { full: true }
    if (choose(3) === 1) work.rangeByRange = true
    return work
  }

  #start(start: number, work: Work): SimulatedWorkflow {
    const workflow = new SimulatedWorkflow(this, start, { ...work, ...this.#always })
    this.#workflows.push(workflow)
    void workflow.live()
    return workflow
  }

  async #inPeace(start: number): Promise<void> {
    const workflow = this.#start(start, { clock: LAST, unitRows: 40 })
    await this.#toTheEnd(workflow)
    if (workflow.fate !== 'done') throw new Error(`run ${start}, in peace, ended as ${workflow.fate}`)
  }

  async #toTheEnd(workflow: SimulatedWorkflow): Promise<void> {
    await this.#until(() => workflow.fate !== 'running')
    if (workflow.problem) throw new Error('a run failed', { cause: workflow.problem })
  }

  async #until(reached: () => boolean): Promise<void> {
    await quiet()
    while (!reached()) {
      if (!(await this.scheduler.turn()) && !this.#completions.release()) {
        throw new Error('everybody waits, and nobody for the store')
      }
      if (this.scheduler.opened > MOST_TURNS) throw new Error(`stuck: ${MOST_TURNS} turns are not enough`)
      const [problem] = [...this.#watch.problems, ...this.#invariants.problems]
      if (problem) throw new Error(problem)
    }
  }
}

function told(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${told(error.cause)}`
}
