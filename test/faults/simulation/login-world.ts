/**
 * One history of a login that many workers share: they call a vendor, whose access tokens expire, and renew them by the
 * real code over a store in memory, each with its own troubles; then peace, and at the end the promise.
 *
 * The promise: nobody asks the vendor while another does, nobody sends a used refresh token but for an answer that did
 * not arrive, the newest one is stored if anybody lives who got it, and in peace everybody works again.
 */
import { LoginLost } from '../../../connectors/errors.ts'
import { createCredentials } from '../../../worker/credentials.ts'
import type { Credentials } from '../../../worker/credentials.ts'
import type { StoredConnection } from '../../../worker/stored-login.ts'
import { keySealer } from '../../../worker/state-seal.ts'
import { openState } from '../../../worker/state.ts'
import type { StateStore } from '../../../worker/state.ts'
import { MemoryPlace, memoryStore } from '../../lake/memory-store.ts'
import { loginOf } from '../../worker-credentials/login-of.ts'
import { markersSeenFrom } from './markers-seen-from.ts'
import type { Machine } from './markers-seen-from.ts'
import { Choices, withNoncesOf } from './random.ts'
import { Crash, Process, Scheduler, quiet } from './scheduler.ts'
import { StoreTrouble, simulatedStore } from './simulated-store.ts'
import type { Surroundings } from './simulated-store.ts'
import { SimulatedVendor } from './simulated-vendor.ts'
import { climate, fair, troubleAt } from './troubles.ts'
import type { Trouble } from './troubles.ts'
import { VirtualTime, during } from './virtual-time.ts'
import type { History } from './world.ts'

const MOST_TURNS = 20_000
const MOST_TROUBLES = 40
const OWNER = 'ns-uuid-1'
const DOCUMENT = 'connection/crm'
const env = { CLIENT_SECRET: 'canary-client-secret', REFRESH_TOKEN: 'canary-refresh-0' }
const sealer = keySealer(Buffer.alloc(32, 3))

export async function simulateLogin(
  seed: number,
  { tape = null }: { tape?: readonly number[] | null } = {},
): Promise<History> {
  return withNoncesOf(seed, () => new LoginWorld(new Choices(seed, tape)).history())
}

interface Worker extends Machine {
  /** An attempt that was taken for dead goes on beside the next, in the same process. */
  attempts: number
  running: number
}

class LoginWorld implements Surroundings {
  readonly scheduler: Scheduler
  readonly store
  readonly time: VirtualTime
  readonly #vendor: SimulatedVendor
  readonly #choices: Choices
  readonly #workers: Worker[] = []
  readonly #opened = new Map<Worker, Credentials>()
  readonly #log: string[] = []
  #climate = fair
  #troubles = 0
  #problem: unknown = null

  constructor(choices: Choices) {
    this.#choices = choices
    this.scheduler = new Scheduler(choices)
    this.time = new VirtualTime(this.scheduler)
    this.store = memoryStore(new MemoryPlace())
    const die = (process: Process): Crash => {
      this.scheduler.kill(process)
      return new Crash(process.name)
    }
    this.#vendor = new SimulatedVendor({
      time: this.time,
      gate: (process) => this.scheduler.gate(process),
      trouble: (process) => this.trouble(process),
      die,
      log: (line) => this.log(line),
      markedMs: (process) => this.#workers.find((one) => one.process === process)?.markedMs ?? 0,
    })
  }

  async history(): Promise<History> {
    let problem: string | null = null
    try {
      await during(this.time, () => this.#play())
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error)
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
    const worker = this.#workers.find((one) => one.process === process)
    if (trouble === 'the heartbeat is late' && worker) this.#attempt(worker, 1)
    if (trouble === 'an upload expires') this.#vendor.expire()
    return trouble
  }

  sleep(process: Process, ms: number): Promise<void> {
    return this.time.sleep(process, ms)
  }

  async #play(): Promise<void> {
    const choices = this.#choices
    const weather = climate(choices)
    await this.#work(1, 1)
    this.#climate = weather
    for (let wave = 1 + choices.choose(3); wave > 0; wave--) {
      this.#vendor.expire()
      await this.#work(2 + choices.choose(4), 1 + choices.choose(3))
    }
    this.#climate = fair
    await this.#checkStored()
    this.#vendor.expire()
    const lost = await this.#isLost()
    await this.#work(3, 2, lost)
    await this.#checkStored()
  }

  /** So many workers more, each with so many calls, until all that lives has done its own. */
  async #work(workers: number, calls: number, mayBeLost = true): Promise<void> {
    for (let count = 0; count < workers; count++) {
      const process = new Process(`worker ${this.#workers.length + 1}`)
      const worker = { process, machine: this.#choices.choose(3), markedMs: 0, attempts: 0, running: 0 }
      this.#workers.push(worker)
      this.#attempt(worker, calls, mayBeLost)
    }
    await quiet()
    while (this.#workers.some(({ running }) => running > 0)) {
      if (!(await this.scheduler.turn())) throw new Error('everybody waits, and nobody for anything')
      if (this.scheduler.opened > MOST_TURNS) throw new Error(`stuck: ${MOST_TURNS} turns are not enough`)
      const [problem] = this.#vendor.problems
      if (problem) throw new Error(problem)
      if (this.#problem) throw this.#problem
    }
  }

  #attempt(worker: Worker, calls: number, mayBeLost = true): void {
    worker.running++
    worker.attempts++
    const { process } = worker
    void this.time
      .by(process, () => this.#call(process, this.#credentialsOf(worker), calls))
      .catch((error: unknown) => {
        if (error instanceof Crash || process.dead) return
        if (error instanceof LoginLost && mayBeLost) return
        this.#problem ??= error
      })
      .finally(() => worker.running--)
  }

  /** What a step does: it asks with what it has, and renews that when it is told to; errors end an attempt. */
  async #call(process: Process, credentials: Credentials, calls: number): Promise<void> {
    for (let done = 0; done < calls;) {
      try {
        const token = await credentials.current('crm')
        if (token && (await this.#vendor.call(process, token.accessToken))) done++
        else await credentials.refresh('crm', token?.version ?? 0, OWNER)
      } catch (error) {
        // A step that failed for now comes again, as activities do.
        const forNow = error instanceof StoreTrouble || (error as { kind?: string }).kind === 'transient'
        if (process.dead || !forNow) throw error
        await this.sleep(process, 5_000)
        credentials.forget('crm')
      }
    }
  }

  #credentialsOf(worker: Worker): Credentials {
    const { process } = worker
    const wire = this.#vendor.wire(process)
    const made = (): Credentials =>
      createCredentials({
        state: () =>
          Promise.resolve(markersSeenFrom(worker, this.#workers, this.#stateOf(process), () => this.time.now)),
        login: () => Promise.resolve(loginOf('https://vendor.test', 'refresh_token')),
        wires: { of: () => wire, close: () => Promise.resolve() },
        env,
      })
    const found = this.#opened.get(worker) ?? made()
    this.#opened.set(worker, found)
    return found
  }

  #stateOf(process: Process): StateStore {
    return openState(simulatedStore(this, process), sealer)
  }

  async #stored(): Promise<{ refreshToken: string | null; lost: boolean }> {
    const { value } = await openState(this.store, sealer).read(DOCUMENT)
    const [login] = Object.values((value as unknown as StoredConnection | null)?.logins ?? {})
    return { refreshToken: login?.refreshToken ?? null, lost: (login?.lost ?? null) !== null }
  }

  async #isLost(): Promise<boolean> {
    return ((await this.#stored()).refreshToken ?? env.REFRESH_TOKEN) !== this.#vendor.valid
  }

  async #checkStored(): Promise<void> {
    const { newest, valid } = this.#vendor
    const { lost } = await this.#stored()
    const gone = await this.#isLost()
    if (gone && newest?.arrived && !newest.process.dead) throw new Error(`${valid} arrived, and is not stored`)
    if (!gone && lost) throw new Error(`${valid} is good and stored, and marked as lost`)
  }
}
