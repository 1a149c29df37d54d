/**
 * A connection's login with its secrets resolved, and the one call to a token endpoint.
 *
 * Law: what this file returns is secret and lives in memory alone, except where `credentials.ts` seals it.
 */
import { createHash } from 'node:crypto'
import type { AuthKind, Connector, JsonObject } from '../connectors/connector.ts'
import { exchange, NoAnswer } from '../connectors/exchange.ts'
import type { Wire } from '../connectors/exchange.ts'
import { fill, isSafe } from '../connectors/http.ts'
import type { Meaning } from '../connectors/classify.ts'
import { readTokenAnswer, tokenRequest } from '../connectors/oauth.ts'
import type { Grant, TokenAnswer } from '../connectors/oauth.ts'
import { version } from '../connectors/version.ts'
import { resolveSecret } from '../connectors/secrets.ts'
import type { SecretRef } from '../connectors/secrets.ts'

/** The login of a connection as lakeward.yaml has it: secrets are references. */
export interface ConnectionLogin {
  connection: string
  connector: Pick<Connector, 'name' | 'auth' | 'errors'>
  settings: JsonObject
  /** `auth` of the connection; null: it has none. */
  auth: { type: string; [field: string]: unknown } | null
  allowInsecure: boolean
  /** Folder of lakeward.yaml. */
  directory: string
}

export interface Resolved {
  kind: AuthKind
  grant: Grant
  tokenUrl: URL
  /** Changes when another login is configured: what was stored for the earlier one is not used then. */
  fingerprint: string
  /** Changes with each of its secrets as well: what was refused may be taken then. */
  secretsPrint: string
  secrets: string[]
}

/** The token endpoint answers within this, or the refresh has failed. */
const TOKEN_MS = 30_000

export class LoginRefused extends Error {
  override readonly name = 'LoginRefused'
  readonly meaning: Meaning & { status?: number }
  /** The request may have reached the vendor, but its answer did not reach us. */
  readonly answerLost: boolean
  /** The login itself is refused for good: a person must log in. */
  readonly gone: boolean

  constructor(meaning: Meaning & { status?: number }, more: { answerLost?: boolean; gone?: boolean } = {}) {
    super(meaning.reason)
    this.meaning = meaning
    this.answerLost = more.answerLost ?? false
    this.gone = more.gone ?? false
  }
}

/** null: the connection needs no login. */
export async function resolveLogin(login: ConnectionLogin, env?: NodeJS.ProcessEnv): Promise<Resolved | null> {
  const { auth, connector, settings } = login
  if (!auth || connector.auth.length === 0) return null
  const kind = connector.auth.find(({ type }) => type === auth.type)
  if (!kind || (auth.type !== 'client_credentials' && auth.type !== 'refresh_token')) {
    const offered = connector.auth.map(({ type }) => type).join(', ')
    throw refused(`${connector.name} has no login of type ${auth.type}`, `Use one of: ${offered}.`)
  }
  const field = (name: string): Promise<string> => textOf(auth[name], name, login, env)
  const clientId = await field('clientId')
  const clientSecret = auth.clientSecret === undefined ? undefined : await field('clientSecret')
  const scopes = Array.isArray(auth.scopes) ? auth.scopes.map(String) : kind.scopes
  const grant: Grant =
    auth.type === 'client_credentials'
      ? { type: auth.type, clientId, clientSecret: clientSecret ?? (await field('clientSecret')), scopes }
      : { type: auth.type, clientId, clientSecret, refreshToken: await field('refreshToken'), scopes }
  const address = typeof auth.tokenUrl === 'string' ? auth.tokenUrl : fill(kind.tokenUrl ?? '', settings)
  if (!address || !URL.canParse(address)) throw refused('the address of the token endpoint is not known')
  const tokenUrl = new URL(address)
  if (!isSafe(tokenUrl, login.allowInsecure)) {
    throw refused(`${tokenUrl.origin} is not https`, 'Use https, or set allowInsecure: true for this connection.')
  }
  const { clientSecret: _, ...identity } = grant
  const secrets = [grant.clientSecret, grant.type === 'refresh_token' ? grant.refreshToken : undefined]
  return {
    kind,
    grant,
    tokenUrl,
    // A new secret for the same app leaves the tokens it has handed out as they are.
    fingerprint: hashOf([tokenUrl.href, identity]),
    secretsPrint: hashOf([tokenUrl.href, grant]),
    secrets: secrets.filter((secret) => secret !== undefined),
  }
}

/** One call, never repeated here. `LoginRefused` where it brings no token. */
export async function fetchToken(
  wire: Wire,
  { kind, tokenUrl }: Resolved,
  grant: Grant,
  rules: Connector['errors'],
): Promise<TokenAnswer> {
  const request = tokenRequest(grant)
  const headers = { ...request.headers, 'user-agent': `lakeward/${version()}` }
  const signal = AbortSignal.timeout(TOKEN_MS)
  try {
    const answer = await exchange(wire, tokenUrl, { ...request, headers }, signal)
    const read = readTokenAnswer(answer, kind.keep ?? [], rules)
    // An answer that says yes and cannot be read has used up the old token as well.
    if ('kind' in read) throw new LoginRefused({ ...read, status: answer.status }, { answerLost: answer.status < 300 })
    return read
  } catch (error) {
    if (error instanceof LoginRefused) throw error
    if (error instanceof NoAnswer) {
      const { kind: what, message: reason, advice } = error
      throw new LoginRefused({ kind: what, reason, ...(advice ? { advice } : {}) }, { answerLost: true })
    }
    if (!signal.aborted) throw error
    throw new LoginRefused(
      { kind: 'transient', reason: `${tokenUrl.host} did not answer within 30 s` },
      { answerLost: true },
    )
  }
}

async function textOf(value: unknown, name: string, login: ConnectionLogin, env?: NodeJS.ProcessEnv): Promise<string> {
  const where = `connections.${login.connection}.auth.${name}`
  if (typeof value === 'string' && value !== '') return value
  if (value === null || typeof value !== 'object') throw refused(`${where} is missing`)
  return resolveSecret(value as SecretRef, { where, directory: login.directory, ...(env ? { env } : {}) })
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64')
}

function refused(reason: string, advice?: string): LoginRefused {
  return new LoginRefused({ kind: 'auth', reason, ...(advice ? { advice } : {}) })
}
