/**
 * A login by a person in a browser: the page to open, and what comes back from it. Authorization code with PKCE.
 * https://www.rfc-editor.org/rfc/rfc7636 https://www.rfc-editor.org/rfc/rfc8252
 *
 * Laws
 * - What comes back must be of this login: its state where an address came back, its code verifier in any case.
 * - An answer is taken once; without a refresh token nothing is stored, because nobody could go on with it.
 */
import { calculatePKCECodeChallenge, generateRandomCodeVerifier, generateRandomState } from 'oauth4webapi'
import { AuthorizationResponseError, validateAuthResponse } from 'oauth4webapi'
import type { Connector } from '../connectors/connector.ts'
import type { Wire } from '../connectors/exchange.ts'
import { fill, isSafe } from '../connectors/http.ts'
import { meaningOfRefusal } from '../connectors/oauth.ts'
import type { TokenAnswer } from '../connectors/oauth.ts'
import type { PersonGrant } from './grants.ts'
import { LoginRefused, refused } from './login-refused.ts'
import { fetchToken } from './login.ts'
import type { ConnectionLogin, Resolved } from './login.ts'

export interface PersonLogin<Taken> {
  /** For a browser. */
  url: string
  /** Where the browser is sent afterwards; registered with the vendor, letter for letter. */
  redirectUri: string
  /** What came back: the whole address, or the code alone. */
  take: (answer: string) => Promise<Taken>
}

export async function personLogin(
  login: ConnectionLogin,
  resolved: Resolved,
  wire: Wire,
  rules: Connector['errors'],
): Promise<PersonLogin<TokenAnswer>> {
  const { grant } = resolved
  if (grant.type !== 'authorization_code') throw refused(`type ${grant.type} needs no login by a person`)
  const { clientId, clientSecret } = grant
  const redirectUri = `http://localhost:${grant.redirectPort}/callback`
  const [state, codeVerifier] = [generateRandomState(), generateRandomCodeVerifier()]
  const page = pageOf(login, resolved)
  const asked = { ...askFor(grant), redirect_uri: redirectUri, state, code_challenge_method: 'S256' }
  for (const [name, value] of Object.entries(asked)) page.searchParams.set(name, value)
  page.searchParams.set('code_challenge', await calculatePKCECodeChallenge(codeVerifier))
  let taken = false
  return {
    url: page.href,
    redirectUri,
    async take(answer) {
      if (taken) throw refused('this login was answered already', 'Run it again for another one.')
      const code = codeIn(answer, { issuer: page.origin, clientId, state, redirectUri }, rules)
      taken = true
      const got = await fetchToken(
        wire,
        resolved,
        { type: 'authorization_code', clientId, clientSecret, code, redirectUri, codeVerifier },
        rules,
      )
      if (got.refreshToken !== undefined) return got
      throw refused(
        'the answer has no refresh token, so nobody could go on with this login',
        'Give the app the scope for it (refresh_token, offline_access), and keep it in `scopes` where those are set.',
      )
    },
  }
}

function pageOf({ auth, settings, allowInsecure }: ConnectionLogin, { kind }: Resolved): URL {
  const address = typeof auth?.authorizeUrl === 'string' ? auth.authorizeUrl : fill(kind.authorizeUrl ?? '', settings)
  if (!address || !URL.canParse(address)) throw refused('the address of the login page is not known')
  const page = new URL(address)
  if (isSafe(page, allowInsecure)) return page
  throw refused(`${page.origin} is not https`, 'Use https, or set allowInsecure: true for this connection.')
}

function askFor({ clientId, scopes }: PersonGrant): Record<string, string> {
  return {
    response_type: 'code',
    client_id: clientId,
    ...(scopes && scopes.length > 0 && { scope: scopes.join(' ') }),
  }
}

interface Expected {
  issuer: string
  clientId: string
  state: string
  redirectUri: string
}

function codeIn(answer: string, expected: Expected, rules: Connector['errors']): string {
  const { issuer, clientId, state, redirectUri } = expected
  const read = readAnswer(answer.trim())
  if (typeof read === 'string') return read
  if (!read || !(read.has('code') || read.has('error'))) {
    throw refused(
      'what was pasted is neither the code nor the address that has it',
      `After the login the browser is sent to ${redirectUri}?code=…: paste that whole address.`,
    )
  }
  // Login hosts that serve many organizations answer in the name of another one; PKCE binds the code to us.
  read.delete('iss')
  try {
    return validateAuthResponse({ issuer }, { client_id: clientId }, read, state).get('code') ?? ''
  } catch (error) {
    if (error instanceof AuthorizationResponseError) {
      throw new LoginRefused(meaningOfRefusal(error.error, error.error_description, rules))
    }
    throw refused(
      'what came back belongs to another login than this one: its state differs',
      'Run `lakeward login` again, and use the address that it prints this time.',
    )
  }
}

/** A code alone as it is, the query of an address; null: neither. */
function readAnswer(text: string): string | URLSearchParams | null {
  if (URL.canParse(text) && /^https?:/i.test(text)) return new URL(text).searchParams
  if (/(^|[?&])(code|error)=/.test(text)) return new URLSearchParams(text)
  if (!/^[\w.~!%+/=-]{8,}$/.test(text)) return null
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
