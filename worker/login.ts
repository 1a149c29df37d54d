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
import { readTokenAnswer, tokenRequest } from '../connectors/oauth.ts'
import type { Grant, TokenAnswer } from '../connectors/oauth.ts'
import { version } from '../connectors/version.ts'
import { configured, essence, secretsOf } from './grants.ts'
import type { Configured } from './grants.ts'
import { LoginRefused, refused } from './login-refused.ts'
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
  grant: Configured
  tokenUrl: URL
  /** Changes when another login is configured: what was stored for the earlier one is not used then. */
  fingerprint: string
  /** Changes with each of its secrets as well: what was refused may be taken then. */
  secretsPrint: string
  secrets: string[]
}

/** The token endpoint answers within this, or the refresh has failed. */
const TOKEN_MS = 30_000

/** null: the connection needs no login. */
export async function resolveLogin(login: ConnectionLogin, env?: NodeJS.ProcessEnv): Promise<Resolved | null> {
  const { auth, connector, settings } = login
  if (!auth || connector.auth.length === 0) return null
  const kind = connector.auth.find(({ type }) => type === auth.type)
  if (!kind) {
    const offered = connector.auth.map(({ type }) => type).join(', ')
    throw refused(`${connector.name} has no login of type ${auth.type}`, `Use one of: ${offered}.`)
  }
  const grant = await configured({ auth, settings, kind, text: (name) => textOf(auth[name], name, login, env) })
  const address = typeof auth.tokenUrl === 'string' ? auth.tokenUrl : fill(kind.tokenUrl ?? '', settings)
  if (!address || !URL.canParse(address)) throw refused('the address of the token endpoint is not known')
  const tokenUrl = new URL(address)
  if (!isSafe(tokenUrl, login.allowInsecure)) {
    throw refused(`${tokenUrl.origin} is not https`, 'Use https, or set allowInsecure: true for this connection.')
  }
  return {
    kind,
    grant,
    tokenUrl,
    // A new secret for the same app leaves the tokens it has handed out as they are.
    fingerprint: hashOf([tokenUrl.href, essence(grant)]),
    secretsPrint: hashOf([tokenUrl.href, grant]),
    secrets: secretsOf(grant),
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
