/**
 * What a connection may still ask of its vendor today: `limits.dailyCalls` of lakeward.yaml.
 *
 * Laws
 * - A number counts our own calls, of all workers, in any 24 hours. A share looks at what everybody has used of the
 *   vendor's limit, as its answers tell: the rest stays for others.
 * - It is asked between pieces of work and never within one: what has begun is finished, and not paid for twice.
 * - Only answers tell how the vendor's count goes on. Who has waited long enough asks once, and all others after that.
 */
import type { Connector } from './connector.ts'
import { ConnectorError } from './errors.ts'

/** `calls`: of our own; `share`: of the vendor's limit, 0 to 1. */
export type DailyCalls = { calls: number } | { share: number }

/** Calls of all workers by hour of the epoch, kept where all of them see it. */
export interface SharedTally {
  /** Adds to this hour; answers all hours that are kept. */
  add(hour: number, calls: number): Promise<Record<string, number>>
}

export interface BudgetSetup {
  connection: string
  connector: Pick<Connector, 'name' | 'limits'>
  dailyCalls: DailyCalls | null
  tally: SharedTally
  now?: () => number
}

const HOUR_MS = 3_600_000
/** How long an answer's word about the vendor's count is taken for the truth. */
const TOLD_MS = 15 * 60_000
/** Somebody who asks for it has an answer within this. */
const ASKING_MS = 60_000
const LONGEST_MS = HOUR_MS
/** What other workers asked is looked up after this, or this many calls of ours. */
const SHARED_MS = 30_000
const SHARED_CALLS = 25

export interface Spent {
  reason: string
  waitMs: number
}

export class Budget {
  readonly #setup: BudgetSetup
  readonly #now: () => number
  #told: { used: number; max: number; at: number } | null = null
  #askedAt = Number.NEGATIVE_INFINITY
  /** Of all workers, as it was when last looked up; and ours since. */
  #hours: Record<string, number> = {}
  #since = 0
  #sharedAt = Number.NEGATIVE_INFINITY

  constructor(setup: BudgetSetup) {
    this.#setup = setup
    this.#now = setup.now ?? Date.now
  }

  /** A request goes out. */
  sent(): void {
    this.#since++
  }

  /** What an answer says of the vendor's limit of a day. */
  told({ used, max }: { used: number; max: number }): void {
    this.#told = { used, max, at: this.#now() }
  }

  /** null: there is something left. */
  async spent(): Promise<Spent | null> {
    const { dailyCalls } = this.#setup
    if (dailyCalls === null) return null
    return 'share' in dailyCalls ? this.#shareSpent(dailyCalls.share) : this.#callsSpent(dailyCalls.calls)
  }

  /** Before a piece of work. @throws ConnectorError of kind `quota`, with the time to wait */
  async admit(doing: string): Promise<void> {
    const spent = await this.spent()
    if (!spent) return
    const { connector, connection } = this.#setup
    throw new ConnectorError({
      connector: connector.name,
      doing: `${doing} on ${connection}`,
      kind: 'quota',
      reason: spent.reason,
      waitMs: spent.waitMs,
      advice: `The run goes on by itself; more is allowed by limits.dailyCalls of ${connection} in lakeward.yaml.`,
    })
  }

  #shareSpent(share: number): Spent | null {
    const told = this.#told
    if (!told || told.used < share * told.max) return null
    const now = this.#now()
    const { name } = this.#setup.connector.limits.find(({ daily }) => daily) ?? { name: 'calls' }
    const left = share < 1 ? `; ${Math.round((1 - share) * 100)}% stay for others` : ''
    const reason = `${show(told.used)} of ${show(told.max)} ${name} are used${left}`
    const waitMs = Math.max(told.at + TOLD_MS, this.#askedAt + ASKING_MS) - now
    if (waitMs > 0) return { reason, waitMs }
    this.#askedAt = now
    return null
  }

  async #callsSpent(most: number): Promise<Spent | null> {
    const now = this.#now()
    const hour = Math.floor(now / HOUR_MS)
    if (this.#since >= SHARED_CALLS || now - this.#sharedAt > SHARED_MS) {
      const since = this.#since
      this.#hours = await this.#setup.tally.add(hour, since)
      this.#since -= since
      this.#sharedAt = now
    }
    // An hour is of the day until its last call is a day old.
    const kept = Object.entries(this.#hours).filter(([one]) => Number(one) + 25 > hour)
    const calls = kept.reduce((sum, [, count]) => sum + count, this.#since)
    if (calls < most) return null
    const reason = `${show(calls)} calls were made in 24 hours, and dailyCalls allows ${show(most)}`
    let left = calls
    const free = kept.toSorted(([a], [b]) => Number(a) - Number(b)).find(([, count]) => (left -= count) < most)
    const atMs = (Number(free?.[0] ?? hour) + 25) * HOUR_MS
    return { reason, waitMs: Math.min(Math.max(atMs - now, ASKING_MS), LONGEST_MS) }
  }
}

const show = (count: number): string => count.toLocaleString('en')
