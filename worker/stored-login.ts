/**
 * What the state holds of a connection: a login for each that is or was configured, and what each has become.
 *
 * Laws
 * - Workers that are given a new configuration one after the other do not take each other's tokens away: every login
 *   has its own place. Versions of tokens are counted over all of them, so that no old token ever looks new.
 * - Without effects: what is read and what is written is decided here, and done in `credentials.ts`.
 */
import type { JsonObject } from '../connectors/connector.ts'
import type { Token } from '../connectors/http.ts'
import type { TokenAnswer } from '../connectors/oauth.ts'
import type { Marker } from './refresh-marker.ts'

export interface StoredConnection {
  /** By fingerprint, the one used last at the end. */
  logins: { [fingerprint: string]: StoredLogin }
  lastVersion: number
  /** A request is under way, or was when its process died. */
  refreshing: Marker | null
}

export interface StoredLogin {
  token: Token | null
  /** The newest one that the vendor handed out; null: the configured one. */
  refreshToken: string | null
  /** The refresh token changes with every use. */
  rotates: boolean
  owner: string | null
  /** Counts the logins by a person that were stored here: an answer that is for an earlier one is not kept. */
  person: number
  /** An answer was lost since the last success. */
  doubt: boolean
  lost: Lost | null
}

/** The vendor refused the login; with these secrets nobody asks again on their own. */
export interface Lost {
  secrets: string
  reason: string
  status?: number
  code?: string
  advice?: string
  /** An answer had been lost before. */
  doubt: boolean
}

const fresh: StoredLogin = {
  token: null,
  refreshToken: null,
  rotates: false,
  owner: null,
  person: 0,
  doubt: false,
  lost: null,
}
/** Logins that are no longer configured and are kept, in case they are again. */
const MOST_LOGINS = 4

export function readConnection(value: JsonObject | null): StoredConnection {
  if (value && typeof value['logins'] === 'object') return value as unknown as StoredConnection
  return { logins: {}, lastVersion: 0, refreshing: null }
}

export function loginIn(stored: StoredConnection, fingerprint: string): StoredLogin {
  return stored.logins[fingerprint] ?? fresh
}

/** The document with this login in it; older ones go where there are too many. */
export function withLogin(
  stored: StoredConnection,
  fingerprint: string,
  login: StoredLogin,
  refreshing: Marker | null,
): JsonObject {
  const others = Object.entries(stored.logins).filter(([other]) => other !== fingerprint)
  const logins = Object.fromEntries([...others.slice(1 - MOST_LOGINS), [fingerprint, login]])
  return { ...stored, logins, refreshing } as unknown as JsonObject
}

/** The login after the vendor's answer, its token not yet numbered. */
export function renewed(
  { accessToken, kept, refreshToken }: TokenAnswer,
  base: StoredLogin,
  sent: string | null,
  owner: string | null,
): StoredLogin & { token: Token } {
  // Some vendors repeat the same one with every answer.
  const rotates = base.rotates || (sent !== null && refreshToken !== undefined && refreshToken !== sent)
  return {
    ...base,
    token: { version: 0, accessToken, kept },
    refreshToken: sent === null ? null : (refreshToken ?? base.refreshToken),
    rotates,
    owner: rotates ? (base.owner ?? owner) : null,
    doubt: false,
    lost: null,
  }
}

/** What a login by a person left behind. */
export function loggedIn(
  { accessToken, kept, refreshToken }: TokenAnswer,
  base: StoredLogin,
): StoredLogin & { token: Token } {
  const token = { version: 0, accessToken, kept }
  return { ...fresh, token, refreshToken: refreshToken ?? null, person: base.person + 1 }
}
