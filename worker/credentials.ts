/**
 * Access tokens: fetched once for everybody, sealed in the state store, told apart by a version that counts refreshes.
 *
 * Laws
 * - A newer token than the stale one is used, whoever fetched it; only without one is the vendor asked.
 * - Before the call a marker is stored, so that two processes do not ask at once and a lost answer is known as such.
 *   After it the answer is stored first of all: a rotated refresh token that was not stored is a login lost.
 * - A credential that rotates belongs to the namespace that first refreshed it; another one is refused, not obeyed.
 */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JsonObject } from '../connectors/connector.ts'
import { ConnectorError, InputError, showProblem } from '../connectors/errors.ts'
import type { Token } from '../connectors/http.ts'
import type { Grant, TokenAnswer } from '../connectors/oauth.ts'
import { redact } from '../connectors/redact.ts'
import { fetchToken, LoginRefused, resolveLogin } from './login.ts'
import type { ConnectionLogin, Resolved } from './login.ts'
import { StateError } from './state.ts'
import type { StateStore } from './state.ts'
import type { Wires } from './wires.ts'

export interface Credentials {
  /** null: none was fetched yet for the login that is configured now. */
  current(connection: string): Promise<Token | null>
  /**
   * The vendor's token endpoint, unless a token newer than `staleVersion` is there. `owner` is the namespace that asks;
   * null for commands that run without one.
   */
  refresh(connection: string, staleVersion: number, owner: string | null): Promise<{ version: number }>
  /** Reads the store again at the next `current`. */
  forget(connection: string): void
  /** The connection's refresh token changes with every use: only its owner may refresh it. */
  rotates(connection: string): Promise<boolean>
  /** All that must not be shown. */
  secrets(connection: string): Iterable<string>
}

export interface CredentialsOptions {
  /** Opened when it is first needed. */
  state: () => Promise<StateStore>
  login: (connection: string) => Promise<ConnectionLogin>
  wires: Wires
  env?: NodeJS.ProcessEnv
}

interface Stored {
  fingerprint: string
  token: Token | null
  /** Goes on when another login is configured, so that no old token ever looks new. */
  lastVersion: number
  /** The newest one that the vendor handed out; null: the configured one. */
  refreshToken: string | null
  owner: string | null
  /** A call is under way, or was when its process died. */
  refreshing: { by: string; host: string; pid: number; at: number } | null
  /** An answer was lost since the last success. */
  doubt: boolean
}

/** A marker older than this belongs to a process that hangs or died on another machine. */
const MARKER_MS = 60_000
const WAIT_MS = 25_000
const POLL_MS = 100

/** Markers of calls that this process is making. */
const ours = new Set<string>()

export function createCredentials(options: CredentialsOptions): Credentials {
  const { login, wires } = options
  const cache = new Map<string, Token>()
  const hidden = new Map<string, Set<string>>()
  const running = new Map<string, Promise<{ version: number }>>()
  let opened: Promise<StateStore> | undefined
  const store = (): Promise<StateStore> => (opened ??= options.state())

  const documentName = (connection: string): string => `connection/${connection}`

  function hide(connection: string, ...secrets: (string | null | undefined)[]): void {
    const known = hidden.get(connection) ?? new Set()
    for (const secret of secrets) if (secret) known.add(secret)
    hidden.set(connection, known)
  }

  async function resolved(connection: string): Promise<Resolved> {
    const found = await resolveLogin(await login(connection), options.env)
    if (!found) throw new LoginRefused({ kind: 'auth', reason: 'the connection has no auth' })
    hide(connection, ...found.secrets)
    return found
  }

  async function load(connection: string, fingerprint: string): Promise<{ version: number; stored: Stored }> {
    const { version, value } = await (await store()).read(documentName(connection))
    const stored = value as Stored | null
    hide(connection, stored?.token?.accessToken, stored?.refreshToken)
    if (stored?.fingerprint === fingerprint) return { version, stored }
    // Nothing is stored, or it is of another login than the configured one.
    const none = { token: null, refreshToken: null, owner: null, refreshing: null, doubt: false }
    return { version, stored: { ...none, fingerprint, lastVersion: stored?.lastVersion ?? 0 } }
  }

  async function current(connection: string): Promise<Token | null> {
    return spoken(connection, async () => {
      const known = cache.get(connection)
      if (known) return known
      const { fingerprint } = await resolved(connection)
      const { token } = (await load(connection, fingerprint)).stored
      if (token) cache.set(connection, token)
      return token
    })
  }

  async function refresh(connection: string, staleVersion: number, owner: string | null) {
    for (;;) {
      const joined = running.get(connection)
      if (!joined) break
      const { version } = await joined
      if (version > staleVersion) return { version }
    }
    const own = spoken(connection, () => refreshOnce(connection, staleVersion, owner))
    running.set(connection, own)
    try {
      return await own
    } finally {
      running.delete(connection)
    }
  }

  async function refreshOnce(connection: string, staleVersion: number, owner: string | null) {
    const found = await resolved(connection)
    const by = randomUUID()
    const state = await store()
    const name = documentName(connection)
    for (let waited = 0; ; waited += POLL_MS) {
      const { version, stored } = await load(connection, found.fingerprint)
      if (stored.token && stored.token.version > staleVersion) return taken(connection, stored.token)
      refuseForeign(stored, owner)
      if (isUnderWay(stored)) {
        if (waited >= WAIT_MS)
          throw new LoginRefused({ kind: 'transient', reason: 'another process is still logging in' })
        await sleep(POLL_MS)
        continue
      }
      const doubt = stored.doubt || stored.refreshing !== null
      const marker = { by, host: hostname(), pid: process.pid, at: Date.now() }
      const base: Stored = { ...stored, doubt, refreshing: null }
      ours.add(by)
      try {
        if (!(await state.write(name, asJson({ ...base, refreshing: marker }), version))) continue
        const answer = await ask(connection, found, base).catch(async (error: unknown) => {
          const lost = error instanceof LoginRefused && error.lost
          await state.write(name, asJson({ ...base, doubt: doubt || lost }), version + 1)
          throw explained(error, base)
        })
        // Nothing may come between the vendor's answer and this: see the laws above.
        return taken(
          connection,
          await persist(name, { ...base, ...renewed(found.grant, answer, base, owner) }, version + 1),
        )
      } finally {
        ours.delete(by)
      }
    }
  }

  async function ask(connection: string, found: Resolved, base: Stored): Promise<TokenAnswer> {
    const { connector } = await login(connection)
    const rules = connector.errors.filter(({ code }) => code !== undefined)
    return fetchToken(wires.of(connection), found, grantWith(found.grant, base), rules)
  }

  async function persist(name: string, stored: Stored & { token: Token }, after: number): Promise<Token> {
    const state = await store()
    for (let at = after, last = stored.lastVersion; ;) {
      const token = { ...stored.token, version: last + 1 }
      if (await state.write(name, asJson({ ...stored, token, lastVersion: last + 1 }), at)) return token
      // Our marker was thought forsaken and somebody went on; the vendor's answer is the newer truth all the same.
      const now = await state.read(name)
      at = now.version
      last = Math.max(last, (now.value as Stored | null)?.lastVersion ?? 0)
    }
  }

  function taken(connection: string, token: Token): { version: number } {
    cache.set(connection, token)
    hide(connection, token.accessToken)
    return { version: token.version }
  }

  /** Whatever goes wrong is told in a connector's words, without a secret. */
  async function spoken<T>(connection: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      const { connector } = await login(connection)
      const told = (meaning: LoginRefused['meaning']): ConnectorError =>
        new ConnectorError({
          connector: connector.name,
          doing: `log in to ${connection}`,
          ...meaning,
          reason: redact(meaning.reason, hidden.get(connection) ?? []),
        })
      if (error instanceof LoginRefused) throw told(error.meaning)
      if (error instanceof StateError) throw told({ kind: 'auth', reason: error.message })
      if (error instanceof InputError) throw told({ kind: 'auth', reason: error.problems.map(showProblem).join('; ') })
      throw error
    }
  }

  return {
    current,
    refresh,
    forget: (connection) => void cache.delete(connection),
    rotates: (connection) =>
      spoken(connection, async () => {
        const { fingerprint } = await resolved(connection)
        return (await load(connection, fingerprint)).stored.refreshToken !== null
      }),
    secrets: (connection) => hidden.get(connection) ?? [],
  }
}

function grantWith(grant: Grant, { refreshToken }: Stored): Grant {
  return grant.type === 'refresh_token' && refreshToken ? { ...grant, refreshToken } : grant
}

function renewed(grant: Grant, { accessToken, kept, refreshToken }: TokenAnswer, base: Stored, owner: string | null) {
  const newest = grant.type === 'refresh_token' ? (refreshToken ?? base.refreshToken) : null
  return {
    token: { version: 0, accessToken, kept },
    refreshToken: newest,
    owner: newest === null ? null : (base.owner ?? owner),
    doubt: false,
  }
}

function refuseForeign({ owner, refreshToken }: Stored, asks: string | null): void {
  if (refreshToken === null || owner === null || asks === null || owner === asks) return
  throw new LoginRefused({
    kind: 'auth',
    reason: `its refresh token belongs to the workers of another Temporal namespace (${owner})`,
    advice: 'Log in once more for this namespace, as a connection of its own.',
  })
}

function isUnderWay({ refreshing }: Stored): boolean {
  if (!refreshing) return false
  // All writers of a local state share one clock.
  if (Math.abs(Date.now() - refreshing.at) > MARKER_MS) return false
  if (refreshing.host !== hostname()) return true
  if (refreshing.pid === process.pid) return ours.has(refreshing.by)
  try {
    process.kill(refreshing.pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function explained(error: unknown, { doubt }: Stored): unknown {
  if (!(error instanceof LoginRefused) || error.meaning.kind !== 'auth' || !doubt) return error
  return new LoginRefused({
    ...error.meaning,
    advice:
      'The answer to an earlier refresh was lost, and the vendor may have replaced the refresh token with it. ' +
      'Log in again and put the new refresh token into the connection.',
  })
}

function asJson(stored: Stored): JsonObject {
  return stored as unknown as JsonObject
}
