/**
 * Access tokens: fetched once for everybody, sealed in the state store, told apart by a version that counts refreshes.
 *
 * Laws
 * - A newer token than the stale one is used, whoever fetched it; only without one is the vendor asked.
 * - Before the call a marker is stored, so that two processes do not ask at once and a lost answer is known as such.
 *   After it the answer is stored first of all: a rotated refresh token that was not stored is a login lost. While the
 *   store is away, the answer is held and offered to it again.
 * - A credential that rotates belongs to the namespace that first refreshed it; another one is refused, not obeyed.
 * - A lost answer alone loses nothing yet: asking once more tells. A refresh token that the vendor refuses is marked,
 *   and no worker sends it again: vendors take a token that comes twice for a stolen one. A person at a command may.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { ConnectorError, InputError, LoginLost, showProblem } from '../connectors/errors.ts'
import { kept } from '../connectors/kept.ts'
import type { Token } from '../connectors/http.ts'
import type { TokenAnswer } from '../connectors/oauth.ts'
import { redact } from '../connectors/redact.ts'
import { renewal, sentToken } from './grants.ts'
import { LoginRefused } from './login-refused.ts'
import { fetchToken, resolveLogin } from './login.ts'
import type { ConnectionLogin, Resolved } from './login.ts'
import { personLogin } from './person-login.ts'
import type { PersonLogin } from './person-login.ts'
import { dropMarker, isUnderWay, setMarker } from './refresh-marker.ts'
import type { Marker } from './refresh-marker.ts'
import { StateError } from './state.ts'
import type { StateStore } from './state.ts'
import { loggedIn, loginIn, readConnection, renewed, withLogin } from './stored-login.ts'
import type { Lost, StoredConnection, StoredLogin } from './stored-login.ts'
import type { Wires } from './wires.ts'

export interface Credentials {
  /** null: none was fetched yet for the login that is configured now. */
  current(connection: string): Promise<Token | null>
  /**
   * The vendor's token endpoint, unless a token newer than `staleVersion` is there. `owner` is the namespace that asks;
   * null for commands that run without one.
   *
   * @throws LoginLost where the refresh token itself is refused
   */
  refresh(connection: string, staleVersion: number, owner: string | null): Promise<{ version: number }>
  /**
   * Keeps what a login by a person brought, in place of all before it; with it, the connection counts as usable again.
   */
  store(connection: string, answer: TokenAnswer): Promise<{ version: number }>
  /** Opens a login by a person; its answer is stored, and counts from then on. */
  login(connection: string): Promise<PersonLogin<{ version: number }>>
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
  /** After which a request that another machine has under way counts as forsaken; default: a minute. */
  forsakenMs?: number
}

interface Loaded {
  /** Of the document. */
  version: number
  stored: StoredConnection
  /** The configured one in it. */
  login: StoredLogin
}

const WAIT_MS = 25_000
const POLL_MS = { first: 100, most: 2_000 }
/** A state store that is away for longer loses the answer that waits for it. */
const HOLD_MS = 10 * 60_000

export function createCredentials(options: CredentialsOptions): Credentials {
  const { login, wires } = options
  const cache = new Map<string, Token>()
  const hidden = new Map<string, Set<string>>()
  const running = new Map<string, Promise<{ version: number }>>()
  const state = kept(options.state)

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

  async function load(connection: string, fingerprint: string): Promise<Loaded> {
    const { version, value } = await (await state()).read(documentName(connection))
    const stored = readConnection(value)
    for (const { token, refreshToken } of Object.values(stored.logins)) {
      hide(connection, token?.accessToken, refreshToken)
    }
    return { version, stored, login: loginIn(stored, fingerprint) }
  }

  async function current(connection: string): Promise<Token | null> {
    return spoken(connection, async () => {
      const known = cache.get(connection)
      if (known) return known
      const { fingerprint } = await resolved(connection)
      const { token } = (await load(connection, fingerprint)).login
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
    const { fingerprint } = found
    const documents = await state()
    const name = documentName(connection)
    for (let waited = 0, pause = POLL_MS.first; ; pause = Math.min(pause * 1.5, POLL_MS.most)) {
      const loaded = await load(connection, fingerprint)
      const { version, stored } = loaded
      if (loaded.login.token && loaded.login.token.version > staleVersion) return taken(connection, loaded.login.token)
      refuseForeign(loaded.login, owner)
      const { lost } = loaded.login
      if (lost?.secrets === found.secretsPrint && owner !== null) throw await gone(connection, lost)
      if (isUnderWay(connection, stored.refreshing, options.forsakenMs)) {
        if (waited >= WAIT_MS) {
          const advice = 'Should it have died on another machine, it is given up after a minute.'
          throw new LoginRefused({ kind: 'transient', reason: 'another process is still logging in', advice })
        }
        await sleep(pause)
        waited += pause
        continue
      }
      const doubt = loaded.login.doubt || stored.refreshing?.login === fingerprint
      const base: StoredLogin = { ...loaded.login, doubt }
      const marker = setMarker(fingerprint)
      try {
        if (!(await documents.write(name, withLogin(stored, fingerprint, base, marker), version))) continue
        const answer = await ask(connection, found, base).catch(async (error: unknown) => {
          const after = afterwards(error, base, found)
          const stays = await documents.write(name, withLogin(stored, fingerprint, after, null), version + 1)
          if (!stays) return null // somebody went on meanwhile: see what there is now
          throw after.lost ? await gone(connection, after.lost) : error
        })
        if (answer === null) continue
        // Nothing may come between the vendor's answer and this: see the laws above.
        const next = renewed(answer, base, sentToken(found.grant, base.refreshToken), owner)
        const after = { stored, version: version + 1, marker, holdMs: HOLD_MS }
        return taken(connection, await persist(connection, fingerprint, next, after))
      } finally {
        dropMarker(marker)
      }
    }
  }

  async function ask(connection: string, found: Resolved, { refreshToken }: StoredLogin): Promise<TokenAnswer> {
    const wire = wires.of(connection)
    const grant = await renewal(found.grant, { connection, refreshToken, nowMs: wire.now() ?? Date.now() })
    return fetchToken(wire, found, grant, await rulesOf(connection))
  }

  async function rulesOf(connection: string) {
    return (await login(connection)).connector.errors.filter(({ code }) => code !== undefined)
  }

  async function byPerson(connection: string): Promise<PersonLogin<{ version: number }>> {
    const found = await resolved(connection)
    const page = await personLogin(await login(connection), found, wires.of(connection), await rulesOf(connection))
    return { ...page, take: (text) => spoken(connection, async () => store(connection, await page.take(text))) }
  }

  /** Stores the login under the next number, after the document that was loaded or after whatever came since. */
  async function persist(
    connection: string,
    fingerprint: string,
    next: StoredLogin & { token: Token },
    { version, stored, marker, holdMs }: Pick<Loaded, 'version' | 'stored'> & { marker: Marker | null; holdMs: number },
  ): Promise<Token> {
    hide(connection, next.token.accessToken, next.refreshToken)
    const documents = await state()
    const before = loginIn(stored, fingerprint).refreshToken
    const until = performance.now() + holdMs
    for (let now = { version, stored: { ...stored, refreshing: marker } }, pause = POLL_MS.first; ;) {
      const token = { ...next.token, version: now.stored.lastVersion + 1 }
      const numbered = { ...now.stored, lastVersion: token.version }
      // The marker of somebody who took ours for forsaken stays.
      const refreshing = now.stored.refreshing?.by === marker?.by ? null : now.stored.refreshing
      try {
        const value = withLogin(numbered, fingerprint, { ...next, token }, refreshing)
        if (await documents.write(documentName(connection), value, now.version)) return token
        const loaded = await load(connection, fingerprint)
        // What a person has brought since we asked is not replaced by what came of the login before. Nor is another
        // refresh token: only who knew ours can have brought that, and so ours is used up.
        const isNewer = loaded.login.person > next.person
        const isLater = loaded.login.person === next.person && loaded.login.refreshToken !== before
        if ((isNewer || isLater) && loaded.login.token) return loaded.login.token
        now = loaded
      } catch (error) {
        if (performance.now() > until) throw error
        await sleep(pause)
        pause = Math.min(pause * 1.5, POLL_MS.most)
      }
    }
  }

  async function store(connection: string, answer: TokenAnswer): Promise<{ version: number }> {
    return spoken(connection, async () => {
      const { fingerprint } = await resolved(connection)
      const loaded = await load(connection, fingerprint)
      const next = loggedIn(answer, loaded.login)
      const after = { ...loaded, marker: loaded.stored.refreshing, holdMs: 0 }
      return taken(connection, await persist(connection, fingerprint, next, after))
    })
  }

  function taken(connection: string, token: Token): { version: number } {
    cache.set(connection, token)
    return { version: token.version }
  }

  async function gone(connection: string, lost: Lost): Promise<LoginRefused> {
    const { auth } = await login(connection)
    const { doubt, secrets: _, ...meaning } = lost
    const how =
      auth?.['refreshToken'] === undefined
        ? `Log in again: \`lakeward login ${connection}\`.`
        : `Log in again, put the new refresh token where connections.${connection}.auth.refreshToken is read from, ` +
          'and start the workers again.'
    const advice = [doubt ? DOUBT : meaning.advice, how].filter(Boolean).join(' ')
    return new LoginRefused({ ...meaning, kind: 'auth', advice }, { gone: true })
  }

  /** Whatever goes wrong is told in a connector's words, without a secret. */
  async function spoken<T>(connection: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      const { connector } = await login(connection)
      const details = (meaning: LoginRefused['meaning']) => ({
        connector: connector.name,
        doing: `log in to ${connection}`,
        ...meaning,
        reason: redact(meaning.reason, hidden.get(connection) ?? []),
      })
      if (error instanceof LoginRefused) {
        throw error.gone ? new LoginLost(details(error.meaning)) : new ConnectorError(details(error.meaning))
      }
      const reason =
        error instanceof StateError
          ? error.message
          : error instanceof InputError && error.problems.map(showProblem).join('; ')
      throw reason ? new ConnectorError(details({ kind: 'auth', reason })) : error
    }
  }

  return {
    current,
    refresh,
    store,
    login: (connection) => spoken(connection, () => byPerson(connection)),
    forget: (connection) => void cache.delete(connection),
    rotates: (connection) =>
      spoken(connection, async () => {
        const { fingerprint } = await resolved(connection)
        return (await load(connection, fingerprint)).login.rotates
      }),
    secrets: (connection) => hidden.get(connection) ?? [],
  }
}

const DOUBT = 'The answer to an earlier refresh was lost, and the vendor may have replaced the refresh token with it.'

/** The login after a request that brought no token. */
function afterwards(error: unknown, base: StoredLogin, found: Resolved): StoredLogin {
  if (!(error instanceof LoginRefused)) return base
  const { kind, code, waitMs: _, ...meaning } = error.meaning
  // Other refusals are of the app or its secret: the vendor has not looked at the refresh token.
  if (kind !== 'auth' || code !== 'invalid_grant' || sentToken(found.grant, base.refreshToken) === null) {
    return { ...base, doubt: base.doubt || error.answerLost }
  }
  return { ...base, lost: { ...meaning, code, secrets: found.secretsPrint, doubt: base.doubt } }
}

function refuseForeign({ owner, rotates }: StoredLogin, asks: string | null): void {
  if (!rotates || owner === null || asks === null || owner === asks) return
  throw new LoginRefused({
    kind: 'auth',
    reason: `its refresh token belongs to the workers of another Temporal namespace (${owner})`,
    advice: 'Log in once more for this namespace, as a connection of its own.',
  })
}
