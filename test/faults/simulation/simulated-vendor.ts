/**
 * A vendor's token endpoint and its interface, as a process sees them: each call waits for its turn and may meet a
 * trouble. Refresh tokens rotate: each is good once, and the answer has the next.
 *
 * What must hold at every call: a refresh token goes out again only where the answer to it did not arrive, or where one
 * of the two that sent it had its marker set for so long that it could be taken for dead; and two requests are under
 * way at once only then.
 */
import type { Dispatcher } from 'undici'
import type { Wire } from '../../../connectors/exchange.ts'
import type { Process } from './scheduler.ts'
import { Crash } from './scheduler.ts'
import type { Trouble } from './troubles.ts'
import type { VirtualTime } from './virtual-time.ts'

/** A marker that has stood for so long may be taken for that of a dead process by other machines. */
const FORSAKEN_MS = 60_000

interface Grant {
  process: Process
  /** The refresh token it was given for, and the one it brought. */
  used: string
  brought: string
  arrived: boolean
}

export interface VendorSurroundings {
  time: VirtualTime
  gate(process: Process): Promise<void>
  trouble(process: Process): Trouble
  die(process: Process): Crash
  log(line: string): void
  /** When the process set its marker last. */
  markedMs(process: Process): number
}

export class SimulatedVendor {
  readonly problems: string[] = []
  /** The refresh token it takes, and the access token it lets in. */
  valid = 'canary-refresh-0'
  access = 'none'
  requests = 0
  readonly #world: VendorSurroundings
  readonly #grants: Grant[] = []
  readonly #underWay = new Set<Process>()

  constructor(world: VendorSurroundings) {
    this.#world = world
  }

  /** The grant that brought the token that is good now; undefined: none did. */
  get newest(): Grant | undefined {
    return this.#grants.find(({ brought }) => brought === this.valid)
  }

  expire(): void {
    this.access = 'expired'
  }

  /** Whether a call with this access token is let in. */
  async call(process: Process, access: string): Promise<boolean> {
    await this.#world.gate(process)
    this.#world.trouble(process)
    this.#world.log(`${process.name}: calls with ${access}: ${access === this.access ? 'in' : 'expired'}`)
    return access === this.access
  }

  /** All that `exchange` asks of a wire. */
  wire(process: Process): Wire {
    const dispatch = ({ body }: Dispatcher.DispatchOptions, told: Dispatcher.DispatchHandler): boolean => {
      const control = { abort: () => {} } as unknown as Dispatcher.DispatchController
      told.onRequestStart?.(control, {})
      this.#token(process, new URLSearchParams(body as string).get('refresh_token') ?? '')
        .then((answer) => {
          told.onResponseStart?.(control, answer.status, {})
          told.onResponseData?.(control, Buffer.from(JSON.stringify(answer.body)))
          told.onResponseEnd?.(control, {})
        })
        .catch((error: Error) => told.onResponseError?.(control, error))
      return true
    }
    return { agent: { dispatch }, see: () => {}, now: () => undefined, mostBytes: 1_000_000 } as unknown as Wire
  }

  async #token(process: Process, sent: string): Promise<{ status: number; body: object }> {
    const [other] = [...this.#underWay].filter((one) => !one.dead && !this.#isForsaken(one))
    if (other && !this.#isForsaken(process)) {
      this.problems.push(`${process.name} and ${other.name} ask for a token at once`)
    }
    this.#underWay.add(process)
    try {
      await this.#world.gate(process)
      const trouble = this.#world.trouble(process)
      this.#world.log(`${process.name}: sends ${sent}${trouble === 'none' ? '' : `: ${trouble}`}`)
      if (trouble === 'the process dies before the call') throw this.#world.die(process)
      if (trouble === 'the call fails') throw Object.assign(new Error('reset'), { code: 'ECONNRESET' })
      const grant = this.#grant(process, sent)
      if (trouble === 'the process dies behind the call') throw this.#world.die(process)
      if (trouble === 'the answer is lost') throw Object.assign(new Error('reset'), { code: 'UND_ERR_SOCKET' })
      if (process.dead) throw new Crash(process.name)
      if (!grant) return { status: 400, body: { error: 'invalid_grant', error_description: 'expired refresh token' } }
      grant.arrived = true
      const login = { instance_url: 'https://vendor.test', id: 'https://vendor.test/id/00D1/0051' }
      return { status: 200, body: { access_token: this.access, refresh_token: this.valid, ...login } }
    } finally {
      this.#underWay.delete(process)
    }
  }

  #grant(process: Process, used: string): Grant | null {
    this.requests++
    if (used !== this.valid) {
      const earlier = this.#grants.find((grant) => grant.used === used)
      if (!earlier) this.problems.push(`${process.name} sent a refresh token that never was: ${used}`)
      else if (!this.#excuses(earlier) && !this.#isForsaken(process)) {
        this.problems.push(`${process.name} sent ${used} again, for no reason`)
      }
      return null
    }
    this.valid = `canary-refresh-${this.requests}`
    this.access = `canary-access-${this.requests}`
    const grant = { process, used, brought: this.valid, arrived: false }
    this.#grants.push(grant)
    return grant
  }

  /** Its answer did not arrive, or whoever got it died with it, or was taken for dead. */
  #excuses({ arrived, process }: Grant): boolean {
    return !arrived || process.dead || this.#isForsaken(process)
  }

  #isForsaken(process: Process): boolean {
    return this.#world.time.now - this.#world.markedMs(process) >= FORSAKEN_MS
  }
}
