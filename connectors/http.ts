/**
 * The one HTTP client: what a session speaks through.
 *
 * Laws
 * - The credential goes to the connection's own origin and nowhere else: neither a redirect nor an absolute URL takes
 *   it away, and plain http only to this machine (or where the connection allows it).
 * - 401 asks for a newer token and repeats; blips are repeated here for some seconds; every longer wait is thrown with
 *   `waitMs`, so that it is durable and holds no slot.
 * - A token that is renewed half-way must still be of the same account: what is read together comes from one place.
 * - Only requests that change nothing are repeated.
 * - A system that says that it is asked too much is asked by fewer requests at once, and by more again bit by bit.
 * - Whatever a message quotes is redacted first.
 */
import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { classify, showBody } from './classify.ts'
import type { Answer, Meaning } from './classify.ts'
import type { AuthKind, Connector, Http, HttpRequest, HttpResponse } from './connector.ts'
import { ConnectorError } from './errors.ts'
import { exchange, NoAnswer } from './exchange.ts'
import type { Wire } from './exchange.ts'
import { looksLikeJson } from './json-span.ts'
import { redact, showUrl } from './redact.ts'
import { version } from './version.ts'

export interface Token {
  /** Counts refreshes of this connection; what a stale token is told by. */
  version: number
  accessToken: string
  /** Members of the token answer that `AuthKind.keep` named. */
  kept: Record<string, string>
}

export interface Tokens {
  /** null: none was ever fetched. */
  current(): Promise<Token | null>
  /** Resolves when a token newer than `staleVersion` is there. */
  renew(staleVersion: number): Promise<void>
}

export interface HttpSetup {
  connector: Pick<Connector, 'name' | 'errors' | 'errorShapes' | 'limits' | 'baseUrl' | 'clockUrl'>
  /** Fills the connector's URL templates, with the members kept from the token answer. */
  settings: Record<string, unknown>
  send: AuthKind['send']
  /** null: no login is needed. */
  tokens: Tokens | null
  wire: Wire
  signal: AbortSignal
  allowInsecure?: boolean
  /** All that must not be seen. */
  secrets(): Iterable<string>
  note(text: string): void
  /** Counts what is asked, and hears what answers tell of the vendor's limit of a day. */
  meter?: Meter
  retry?: Partial<Retry>
}

export interface Meter {
  sent(): void
  told(use: { used: number; max: number }): void
}

export interface Retry {
  attempts: number
  firstMs: number
  /** In all, for one request. */
  budgetMs: number
  /** Waits that a vendor asks for are slept here up to this, and thrown above it. */
  longestMs: number
}

const usual: Retry = { attempts: 4, firstMs: 250, budgetMs: 10_000, longestMs: 2_000 }
const REDIRECTS = 4
/** The second one is for a token that somebody else fetched long ago. */
const RENEWALS = 2

export interface HttpClient extends Http {
  /** The source's clock, epoch milliseconds. */
  now(): Promise<number>
}

export function httpClient(setup: HttpSetup): HttpClient {
  const { connector, tokens, wire, signal } = setup
  const retry = { ...usual, ...setup.retry }
  const told = new Set<string>()
  let account: string | undefined
  // Every request in flight listens to the session's signal.
  setMaxListeners(0, signal)

  function fail(doing: string, meaning: Meaning & { status?: number }): ConnectorError {
    const secrets = [...setup.secrets()]
    return new ConnectorError({
      connector: connector.name,
      doing,
      ...meaning,
      reason: redact(meaning.reason, secrets),
    })
  }

  async function token(doing: string): Promise<Token | null> {
    if (!tokens) return null
    let found = await tokens.current()
    if (!found) {
      await tokens.renew(0)
      found = await tokens.current()
    }
    if (!found) throw fail(doing, { kind: 'auth', reason: 'the login answered, but no token was stored' })
    const reached = accountOf(found, connector.baseUrl)
    account ??= reached
    if (account !== reached) {
      const reason = 'the new token belongs to another account or organization than the one before'
      throw fail(doing, { kind: 'moved', reason })
    }
    return found
  }

  function resolve(asked: HttpRequest, kept: Record<string, string>): URL {
    const base = new URL(fill(connector.baseUrl ?? '', { ...setup.settings, ...kept }) ?? 'none:')
    const url = URL.canParse(asked.url, base.href) ? new URL(asked.url, base) : null
    const wrong = (reason: string) => fail(asked.doing, { kind: 'answer', reason })
    if (!url || base.protocol === 'none:') throw wrong('the address of the connection is not known')
    if (url.origin !== base.origin) throw wrong(`an address on another host was given: ${showUrl(url)}`)
    if (!isSafe(url, setup.allowInsecure)) {
      throw fail(asked.doing, {
        kind: 'rejected',
        reason: `${url.origin} is not https`,
        advice: 'Use https, or set allowInsecure: true for this connection.',
      })
    }
    return url
  }

  async function once(asked: HttpRequest, url: URL, current: Token | null): Promise<Answer | Meaning> {
    const headers: Record<string, string> = {
      'user-agent': `lakeward/${version()}`,
      ...(asked.accept === 'json' ? { accept: 'application/json' } : {}),
      ...asked.headers,
      ...(current ? credential(setup.send, current.accessToken) : {}),
    }
    try {
      let at = url
      for (let hops = 0; ; hops++) {
        const answer = await inTurn(at, { ...asked, headers })
        const to = redirect(answer, at)
        if (!to) return answer
        const followed = to.origin === at.origin && isRepeatable(asked) && hops < REDIRECTS
        if (followed) at = to
        else return moved(answer, at, to)
      }
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error
      return { kind: error.kind, reason: error.message, ...(error.advice ? { advice: error.advice } : {}) }
    }
  }

  async function inTurn(url: URL, asked: HttpRequest & { headers: Record<string, string> }): Promise<Answer> {
    await wire.pace.enter(signal)
    try {
      setup.meter?.sent()
      return await exchange(wire, url, asked, signal)
    } finally {
      wire.pace.leave()
    }
  }

  function keepPace(meaning: Meaning | undefined, status: number | undefined): void {
    if (!meaning) wire.pace.went()
    else if ((meaning.kind === 'throttled' || status === 503) && wire.pace.refused()) {
      setup.note(`${connector.name} asked for fewer requests at once: there are fewer, until it keeps up.`)
    }
  }

  async function request(asked: HttpRequest): Promise<HttpResponse> {
    const started = performance.now()
    for (let attempt = 1, renewals = 0; ;) {
      const current = await token(asked.doing)
      const url = resolve(asked, current?.kept ?? {})
      const answer = await once(asked, url, current)
      const meaning = 'kind' in answer ? answer : unusable(answer, asked)
      const status = 'status' in answer ? answer.status : undefined
      keepPace(meaning, status)
      if (!meaning) {
        watchLimits(answer as Answer)
        return answer as Answer
      }
      if (meaning.kind === 'expired') {
        if (tokens && current && renewals++ < RENEWALS) {
          await tokens.renew(current.version)
          continue
        }
        throw fail(asked.doing, {
          ...meaning,
          kind: 'auth',
          status,
          advice: meaning.advice ?? 'A new token was refused as well: check what the login may do.',
        })
      }
      const waitMs = pause(meaning, attempt, retry)
      const late = performance.now() - started + (waitMs ?? 0) > retry.budgetMs
      if (waitMs === null || late || !isRepeatable(asked)) throw fail(asked.doing, { ...meaning, status })
      attempt++
      await sleep(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }

  /** What is wrong with an answer; undefined: nothing. */
  function unusable(answer: Answer, asked: HttpRequest): Meaning | undefined {
    const { status, headers, body } = answer
    if (status < 200 || status > 299) return classify(answer, connector.errors, connector.errorShapes)
    if (asked.accept !== 'json' || looksLikeJson(body)) return undefined
    return { kind: 'answer', reason: `${status} with ${showBody(headers, body)} where whole JSON was due` }
  }

  function watchLimits({ headers }: Answer): void {
    for (const { name, header, daily } of connector.limits) {
      const used = header && usage(headers[header.name.toLowerCase()], header.pattern)
      if (used && daily) setup.meter?.told(used)
      if (!used || used.used < 0.9 * used.max || told.has(name)) continue
      told.add(name)
      setup.note(`${name}: ${used.used} of ${used.max} are used`)
    }
  }

  async function now(): Promise<number> {
    const known = wire.now()
    if (known !== undefined) return known
    if (connector.clockUrl) await request({ url: connector.clockUrl, doing: 'ask for the time' })
    const asked = wire.now()
    if (asked === undefined) {
      throw fail('ask for the time', { kind: 'answer', reason: 'no answer carries a Date header' })
    }
    return asked
  }

  return { request, now, token: async (name) => (await token('log in'))?.kept[name] }
}

/** Puts values into `{name}`; undefined where one is missing. */
export function fill(template: string, values: Record<string, unknown>): string | undefined {
  let whole = template !== ''
  const text = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name]
    if (typeof value !== 'string' || value === '') whole = false
    return String(value)
  })
  return whole ? text : undefined
}

/** https, or this machine, or allowed: nothing else gets a credential. */
export function isSafe(url: URL, allowInsecure = false): boolean {
  if (url.protocol === 'https:') return true
  return url.protocol === 'http:' && (isLoopback(url.hostname) || allowInsecure)
}

export function isLoopback(hostname: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}

/** `api-usage={used}/{max}` read from `api-usage=17/15000`. */
export function usage(value: string | undefined, pattern: string): { used: number; max: number } | null {
  if (!value) return null
  const escaped = pattern.replaceAll(/[.*+?^$()|[\]\\]/g, String.raw`\$&`)
  const found = new RegExp(escaped.replaceAll(/\{(used|max)\}/g, String.raw`(?<$1>\d+)`)).exec(value)?.groups
  return found ? { used: Number(found.used), max: Number(found.max) } : null
}

/** What the token answer said about who we are; the address may change, and is left out. */
function accountOf({ kept }: Token, baseUrl = ''): string {
  return JSON.stringify(Object.entries(kept).filter(([name]) => !baseUrl.includes(`{${name}}`)))
}

/** Milliseconds until a next try in this process; null: not here. */
function pause(meaning: Meaning, attempt: number, retry: Retry): number | null {
  if (attempt >= retry.attempts) return null
  if (meaning.waitMs !== undefined) return meaning.waitMs <= retry.longestMs ? meaning.waitMs : null
  if (meaning.kind !== 'transient' && meaning.kind !== 'answer') return null
  // Full jitter: many readers that failed together must not come back together.
  return retry.firstMs * 3 ** (attempt - 1) * (0.5 + Math.random() / 2)
}

function isRepeatable({ method = 'GET' }: HttpRequest): boolean {
  return method === 'GET' || method === 'HEAD'
}

function credential(send: AuthKind['send'], accessToken: string): Record<string, string> {
  if (send === 'none') return {}
  if (send === 'bearer') return { authorization: `Bearer ${accessToken}` }
  if (send === 'basic') return { authorization: `Basic ${accessToken}` }
  return { [send.header]: `${send.prefix ?? ''}${accessToken}` }
}

function redirect({ status, headers }: Answer, at: URL): URL | null {
  if (![301, 302, 303, 307, 308].includes(status)) return null
  return headers.location && URL.canParse(headers.location, at.href) ? new URL(headers.location, at) : null
}

function moved({ status }: Answer, from: URL, to: URL): Meaning {
  return {
    kind: 'answer',
    reason: `${status} sends us from ${showUrl(from)} to ${showUrl(to)}`,
    advice: 'A credential is never taken to another host: put the new address into lakeward.yaml.',
  }
}
