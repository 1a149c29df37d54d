/**
 * A made-up system with everything a source can trip over, in this process: records in pages behind tokens, bytes that
 * can break, and an HTTP session that behaves as the contract says. It is there to try the conformance suite.
 */
import type { Http, HttpResponse, Session } from '../../connectors/connector.ts'
import { ConnectorError } from '../../connectors/errors.ts'
import type { SourceHarness, Trouble } from '../conformance/index.ts'

export interface Thing {
  id: string
  stamp: number
  name: string | null
  amount: string | null
  deleted: boolean
  hidden: boolean
}

export interface Question {
  /** Milliseconds; from ≤ stamp < to. */
  from: number | null
  to: number
  deleted: boolean
  /** Behind this one, in the order (stamp, id). */
  after: { stamp: number; id: string } | null
  nameNot?: string
}

export interface Reply {
  things: Omit<Thing, 'hidden'>[]
  more: boolean
  /** Tells the reply from others: a reader that gets the same one twice goes in a circle. */
  cursor: string
}

/** What a session gets wrong, for variants of the suite's own test. */
export interface SessionFlaws {
  showsExpired?: boolean
  hidesWait?: boolean
  ignoresRetryAfter?: boolean
  emptyWhenUnavailable?: boolean
  acceptsCut?: boolean
  givesUpAtOnce?: boolean
  ignoresAbort?: boolean
}

export const PAGE = 25
const TIED = Date.UTC(2024, 5, 1)
const FIRST = Date.UTC(2024, 0, 1)
const NAMES = [null, '', 'N/A', `O'x`, 'Zoë', 'zoë', '01234', '株式会社', 'a\r\nb']

export class ScriptedSystem {
  things: Thing[] = []
  offset = 0
  struck: { trouble: Trouble; skip: number; left: number } | null = null
  private held: (() => void)[] = []
  private count = 0

  constructor(size: number) {
    for (let at = 0; at < size; at++) {
      const stamp = at % 3 === 0 ? TIED : FIRST + ((at * 7919) % 5000) * 60_000
      this.add(stamp, at % 17 === 4)
    }
  }

  now(): number {
    return Date.now() + this.offset
  }

  add(stamp: number, deleted = false, hidden = false): string {
    const at = this.things.length
    const id = `t${String(at).padStart(5, '0')}`
    const amount = at % 6 === 1 ? null : `${BigInt(at) * 1_000_000_000_000_001n}.${at % 10}5`
    this.things.push({ id, stamp, name: NAMES[at % NAMES.length] ?? null, amount, deleted, hidden })
    return id
  }

  ask({ from, to, deleted, after, nameNot }: Question): Thing[] {
    return this.things
      .filter(
        (one) => !one.hidden && (deleted || !one.deleted) && one.stamp < to && (from === null || one.stamp >= from),
      )
      .filter((one) => nameNot === undefined || (one.name !== null && one.name !== nameNot))
      .toSorted((a, b) => a.stamp - b.stamp || (a.id < b.id ? -1 : 1))
      .filter((one) => !after || one.stamp > after.stamp || (one.stamp === after.stamp && one.id > after.id))
  }

  release(): void {
    this.struck = null
    for (const go of this.held.splice(0)) go()
  }

  session(signal: AbortSignal, flaws: SessionFlaws = {}): Session {
    const http: Http = {
      token: () => Promise.resolve(undefined),
      request: ({ url, doing }) => this.request(new URL(url, 'http://x'), doing, signal, flaws),
    }
    const silent = { beat: () => {}, note: () => {} }
    return { connection: 'scripted', settings: {}, http, signal, now: () => Promise.resolve(this.now()), ...silent }
  }

  private async request(url: URL, doing: string, signal: AbortSignal, flaws: SessionFlaws): Promise<HttpResponse> {
    const question = JSON.parse(url.searchParams.get('q') ?? '{}') as Question
    const found = this.ask(question)
    if (url.pathname === '/count') return answer(JSON.stringify(found.length))
    const trouble = this.strike()
    const fail = (kind: ConnectorError['kind'], waitMs?: number): ConnectorError =>
      new ConnectorError({ connector: 'scripted', doing, kind, reason: trouble ?? '', ...(waitMs ? { waitMs } : {}) })
    const things = found.slice(0, PAGE)
    const reply: Reply = { things, more: found.length > PAGE, cursor: `c${++this.count}` }
    switch (trouble) {
      case 'expired':
        if (flaws.showsExpired) throw fail('expired')
        break
      case 'throttled':
        throw fail('throttled', flaws.hidesWait ? undefined : 30_000)
      case 'throttled for 77 s':
        throw fail('throttled', flaws.ignoresRetryAfter ? 30_000 : 77_000)
      case 'unavailable':
        if (flaws.emptyWhenUnavailable) return answer(JSON.stringify({ ...reply, things: [], more: false }))
        if (this.strike() || flaws.givesUpAtOnce) throw fail('transient')
        break
      case 'html':
        return answer('<!doctype html><html></html>')
      case 'truncated':
        if (flaws.acceptsCut) return answer(half(reply))
        if (this.strike() || flaws.givesUpAtOnce) throw fail('transient')
        break
      case 'cut':
        return answer(half(reply))
      case 'empty page':
        return answer(JSON.stringify({ ...reply, things: [], more: true }))
      case 'repeated cursor':
        this.count--
        return answer(JSON.stringify({ ...reply, more: true }))
      case 'stall':
        await new Promise<void>((resolve, reject) => {
          this.held.push(resolve)
          if (!flaws.ignoresAbort)
            signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
        })
        break
      default:
    }
    return answer(JSON.stringify(reply))
  }

  /** The trouble that this request is due for. */
  private strike(): Trouble | null {
    const { struck } = this
    if (!struck || struck.left <= 0) return null
    if (struck.skip > 0) {
      struck.skip--
      return null
    }
    struck.left--
    return struck.trouble
  }
}

export function openScripted(flaws: SessionFlaws = {}, size = 150): SourceHarness {
  const system = new ScriptedSystem(size)
  const change = (keys: string[], to: Partial<Thing>): void => {
    for (const one of system.things) if (keys.includes(one.id)) Object.assign(one, to)
  }
  const add = (count: number, stamp: string, hidden: boolean): string[] =>
    Array.from({ length: count }, () => system.add(Date.parse(stamp), false, hidden))
  return {
    object: 'Thing',
    options: {},
    session: (signal) => system.session(signal, flaws),
    truth: async () =>
      system.things.filter(({ hidden }) => !hidden).map((one) => ({ deleted: one.deleted, values: texts(one) })),
    now: () => system.now(),
    advance: async (ms) => void (system.offset += ms),
    trouble: async (trouble, { skip, times }) => void (system.struck = { trouble, skip, left: times || Infinity }),
    calm: async () => system.release(),
    insert: async (count, stamp) => add(count, stamp, false),
    async insertLate(count, stamp) {
      const keys = add(count, stamp, true)
      return { keys, show: async () => change(keys, { hidden: false }) }
    },
    update: async (keys, stamp) => change(keys, { stamp: Date.parse(stamp) }),
    remove: async (keys, stamp) => change(keys, { stamp: Date.parse(stamp), deleted: true }),
    close: async () => system.release(),
  }
}

function texts({ id, stamp, name, amount, deleted }: Thing): Record<string, string | null> {
  return { id, stamp: new Date(stamp).toISOString(), name, amount, deleted: String(deleted) }
}

function half(reply: Reply): string {
  const text = JSON.stringify(reply)
  return text.slice(0, text.length / 2)
}

function answer(text: string): HttpResponse {
  return { status: 200, headers: {}, body: Buffer.from(text) }
}
