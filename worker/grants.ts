/**
 * The logins that a connection can be configured with, their secrets resolved, and what each asks a token endpoint for.
 *
 * Law: what this file returns is secret and lives in memory alone.
 */
import type { AuthKind, JsonObject } from '../connectors/connector.ts'
import { REDIRECT_PORT } from '../connectors/installation-auth.ts'
import type { Grant } from '../connectors/oauth.ts'
import { assertionOf } from './jwt-bearer.ts'
import type { JwtLogin } from './jwt-bearer.ts'
import { refused } from './login-refused.ts'

/** Repeated with what is configured, over and over. */
export type Standing = Extract<Grant, { type: 'client_credentials' | 'refresh_token' }>
/** A person logs in once; what is stored then goes on. */
export interface PersonGrant {
  type: 'authorization_code'
  clientId: string
  clientSecret?: string
  scopes?: string[]
  redirectPort: number
}
export type JwtGrant = { type: 'jwt_bearer'; scopes?: string[] } & JwtLogin
export type Configured = Standing | PersonGrant | JwtGrant

export interface Fields {
  /** `auth` of the connection. */
  auth: Record<string, unknown>
  settings: JsonObject
  kind: AuthKind
  /** The text of a field, its reference resolved; throws where it is missing. */
  text: (name: string) => Promise<string>
}

export async function configured({ auth, settings, kind, text }: Fields): Promise<Configured> {
  const maybe = async (name: string): Promise<string | undefined> =>
    auth[name] === undefined ? undefined : await text(name)
  const scopes = Array.isArray(auth['scopes']) ? auth['scopes'].map(String) : kind.scopes
  switch (kind.type) {
    case 'client_credentials': {
      const [clientId, clientSecret] = [await text('clientId'), await text('clientSecret')]
      return { type: kind.type, clientId, clientSecret, scopes }
    }
    case 'refresh_token': {
      const [clientId, clientSecret] = [await text('clientId'), await maybe('clientSecret')]
      return {
        type: kind.type,
        clientId,
        clientSecret,
        refreshToken: await text('refreshToken'),
        scopes,
      }
    }
    case 'authorization_code': {
      const [clientId, clientSecret] = [await text('clientId'), await maybe('clientSecret')]
      const redirectPort = typeof auth['redirectPort'] === 'number' ? auth['redirectPort'] : REDIRECT_PORT
      return { type: kind.type, clientId, clientSecret, scopes, redirectPort }
    }
    case 'jwt_bearer':
      return {
        type: kind.type,
        clientId: await maybe('clientId'),
        subject: await text('subject'),
        audience: (await maybe('audience')) ?? kind.audience?.(settings) ?? '',
        privateKey: await text('privateKey'),
        passphrase: await maybe('passphrase'),
        scopes,
      }
    default:
      throw refused(`there is no login of type ${kind.type}`)
  }
}

/** What a login is told apart by: a new secret or key for the same app leaves the tokens it handed out as they are. */
export function essence(login: Configured): unknown {
  if (login.type === 'authorization_code') return [login.type, login.clientId]
  if (login.type === 'jwt_bearer') return { ...login, privateKey: null, passphrase: null }
  return { ...login, clientSecret: undefined }
}

export function secretsOf(login: Configured): string[] {
  const all =
    login.type === 'jwt_bearer'
      ? [login.privateKey, login.passphrase]
      : [login.clientSecret, login.type === 'refresh_token' ? login.refreshToken : undefined]
  return all.filter((secret) => secret !== undefined)
}

/** The refresh token that goes to the vendor; null: the login sends none. */
export function sentToken(login: Configured, newest: string | null): string | null {
  if (login.type === 'refresh_token') return newest ?? login.refreshToken
  return login.type === 'authorization_code' ? newest : null
}

export interface AskedAs {
  connection: string
  /** The newest one that the vendor handed out; null: none. */
  refreshToken: string | null
  /** By the vendor's clock, where it is known. */
  nowMs: number
}

/** What is sent to renew the access token. */
export async function renewal(login: Configured, { connection, refreshToken, nowMs }: AskedAs): Promise<Grant> {
  switch (login.type) {
    case 'client_credentials':
      return login
    case 'refresh_token':
      return { ...login, refreshToken: refreshToken ?? login.refreshToken }
    case 'authorization_code': {
      if (refreshToken === null) {
        throw refused('nobody has logged in yet', `Run \`lakeward login ${connection}\` where this state is kept.`)
      }
      const { clientId, clientSecret } = login
      return { type: 'refresh_token', clientId, clientSecret, refreshToken }
    }
    default: {
      const assertion = await assertionOf(login, nowMs, `connections.${connection}.auth`)
      return { type: 'jwt_bearer', assertion, scopes: login.scopes }
    }
  }
}
