/**
 * The OAuth grants: what is sent to a token endpoint and what its answers mean. Pure; the exchange itself is made by
 * whoever keeps the credentials. https://www.rfc-editor.org/rfc/rfc6749
 *
 * Law: a refresh token that an answer carries replaces the one that was sent, and is stored before the access token is
 * used: the old one may already be worthless.
 */
import { classify, showBody } from './classify.ts'
import type { Answer, Meaning } from './classify.ts'
import type { ErrorRule, ErrorShape } from './connector.ts'

/** What a token endpoint is asked with. */
export type Grant =
  | { type: 'client_credentials'; clientId: string; clientSecret: string; scopes?: string[] }
  | { type: 'refresh_token'; clientId: string; clientSecret?: string; refreshToken: string; scopes?: string[] }
  /** A signed statement who asks and as whom: https://www.rfc-editor.org/rfc/rfc7523 */
  | { type: 'jwt_bearer'; assertion: string; scopes?: string[] }
  /** What a person's login sent back, and the proof that we asked: https://www.rfc-editor.org/rfc/rfc7636 */
  | {
      type: 'authorization_code'
      clientId: string
      clientSecret?: string
      code: string
      redirectUri: string
      codeVerifier: string
    }

export interface TokenRequest {
  method: 'POST'
  headers: Record<string, string>
  body: string
}

export interface TokenAnswer {
  accessToken: string
  /** Only where the server handed out a new one. */
  refreshToken?: string
  kept: Record<string, string>
}

export function tokenRequest(grant: Grant): TokenRequest {
  const form = new URLSearchParams()
  const put = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') form.set(name, value)
  }
  put('grant_type', grant.type === 'jwt_bearer' ? 'urn:ietf:params:oauth:grant-type:jwt-bearer' : grant.type)
  if (grant.type === 'jwt_bearer') put('assertion', grant.assertion)
  else {
    put('client_id', grant.clientId)
    put('client_secret', grant.clientSecret)
  }
  if (grant.type === 'refresh_token') put('refresh_token', grant.refreshToken)
  if (grant.type === 'authorization_code') {
    put('code', grant.code)
    put('redirect_uri', grant.redirectUri)
    put('code_verifier', grant.codeVerifier)
  } else put('scope', grant.scopes?.join(' '))
  return {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: form.toString(),
  }
}

export const oauthShapes: ErrorShape[] = [{ at: [], code: 'error', message: 'error_description' }]

const settingsAdvice = 'Check clientId and clientSecret of this connection, and that the app allows this grant.'

/** What the codes of RFC 6749 section 5.2 mean, where the connector's own table says nothing. */
export const oauthErrors: ErrorRule[] = [
  {
    code: 'invalid_grant',
    kind: 'auth',
    advice: 'The vendor no longer takes this login, or not for this user.',
  },
  {
    code: ['invalid_client', 'invalid_client_id', 'unauthorized_client', 'unsupported_grant_type', 'invalid_scope'],
    kind: 'auth',
    advice: settingsAdvice,
  },
  { code: 'access_denied', kind: 'auth', advice: 'Log in again, as a user who may use the app, and allow it.' },
  { code: 'invalid_request', kind: 'auth', advice: settingsAdvice },
  { code: ['temporarily_unavailable', 'server_error'], kind: 'transient' },
  { status: 429, kind: 'throttled', waitMs: 60_000 },
  { status: [500, 599], kind: 'transient' },
  { status: [400, 403], kind: 'auth', advice: settingsAdvice },
  {
    status: 404,
    kind: 'auth',
    advice: 'There is no token endpoint at this address: check the address of the connection.',
  },
]

/** The token, or what went wrong. `keep` names the members that may be remembered in the clear. */
export function readTokenAnswer(answer: Answer, keep: string[], rules: ErrorRule[]): TokenAnswer | Meaning {
  const { status, headers, body } = answer
  if (status >= 300 && status < 400) {
    const to = headers.location && URL.canParse(headers.location) ? ` to ${new URL(headers.location).origin}` : ''
    const advice = 'A secret is never taken to another address: put the right one into lakeward.yaml.'
    return { kind: 'answer', reason: `${status} sends us away${to}`, advice }
  }
  if (status < 200 || status > 299) return classify(answer, [...rules, ...oauthErrors], oauthShapes)
  const members = objectIn(body)
  const accessToken = members?.access_token
  if (!members || typeof accessToken !== 'string' || accessToken === '') {
    const what = members ? 'JSON without an access token' : showBody(headers, body)
    const advice = 'Is the address of the connection right, and is a login answered there?'
    return { kind: 'answer', reason: `${status} with ${what} where a token was due`, advice }
  }
  const kept: Record<string, string> = {}
  for (const name of keep) {
    const value = members[name]
    if (typeof value === 'string') kept[name] = value
  }
  const refreshToken = members.refresh_token
  return {
    accessToken,
    ...(typeof refreshToken === 'string' && refreshToken !== '' ? { refreshToken } : {}),
    kept,
  }
}

/** What the login page sent back instead of a code. */
export function meaningOfRefusal(error: string, description: string | undefined, rules: ErrorRule[]): Meaning {
  const body = Buffer.from(JSON.stringify({ error, error_description: description }))
  const meaning = classify({ status: 400, headers: {}, body }, [...rules, ...oauthErrors], oauthShapes)
  return { ...meaning, reason: meaning.reason.replace(/^400 /, '') }
}

function objectIn(body: Uint8Array): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'))
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? { ...value } : null
  } catch {
    return null
  }
}
