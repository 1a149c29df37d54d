/**
 * The login page of the authorization code flow, and the codes it hands out.
 *
 * https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_web_server_flow.htm
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Answer } from './answer.ts'

export interface AuthorizeSettings {
  /** Of the app: compared letter for letter. */
  callbackUrls: string[]
  /** What the app may ask for. */
  scopes: string[]
  /** The app demands a code challenge. */
  requirePkce: boolean
}

interface Issued {
  redirectUri: string
  challenge: string | null
  scope: string
  expires: number
}

/** Some minutes. */
const CODE_MS = 900_000

export class LoginPage {
  private readonly settings: AuthorizeSettings & { clientId: string; tokenMark: string }
  private readonly now: () => number
  private readonly issued = new Map<string, Issued>()

  constructor(settings: LoginPage['settings'], now: () => number) {
    this.settings = settings
    this.now = now
  }

  /** GET: a form; POST: what the person entered, `decision` allow or deny. */
  answer(method: string, query: URLSearchParams, form: URLSearchParams): Answer {
    const asked = Object.fromEntries(query)
    const { clientId, callbackUrls } = this.settings
    // Nobody is sent back to an address that is not the app's.
    if (asked['client_id'] !== clientId) return page(400, failure('invalid_client_id', 'client identifier invalid'))
    const redirectUri = asked['redirect_uri'] ?? ''
    if (!callbackUrls.includes(redirectUri)) {
      return page(400, failure('redirect_uri_mismatch', 'redirect_uri must match configuration'))
    }
    const back = (members: Record<string, string>): Answer => {
      const to = new URL(redirectUri)
      for (const [name, value] of Object.entries(members)) to.searchParams.set(name, value)
      if (asked['state'] !== undefined) to.searchParams.set('state', asked['state'])
      return { status: 302, headers: { location: to.href }, body: '' }
    }
    const refused = this.refusal(asked)
    if (refused) return back(refused)
    if (method !== 'POST') return page(200, LOGIN_FORM)
    if (form.get('decision') !== 'allow') {
      return back({ error: 'access_denied', error_description: 'end-user denied authorization' })
    }
    const code = `aPrx${this.settings.tokenMark}${randomBytes(32).toString('base64url')}==`
    const scope = asked['scope'] ?? this.settings.scopes.join(' ')
    const challenge = asked['code_challenge'] ?? null
    this.issued.set(code, { redirectUri, challenge, scope, expires: this.now() + CODE_MS })
    return back({ code })
  }

  /** The scope that was granted with a code, which works once; or why it is refused. */
  redeem(form: URLSearchParams): { scope: string } | { error: string; description: string } {
    const code = form.get('code') ?? ''
    const issued = this.issued.get(code)
    this.issued.delete(code)
    if (!issued || issued.expires < this.now()) {
      return { error: 'invalid_grant', description: 'expired authorization code' }
    }
    if (form.get('redirect_uri') !== issued.redirectUri) {
      return { error: 'redirect_uri_mismatch', description: 'redirect_uri must match configuration' }
    }
    const proof = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    if (issued.challenge !== null && proof !== issued.challenge) {
      return { error: 'invalid_grant', description: 'invalid code verifier' }
    }
    return { scope: issued.scope }
  }

  private refusal(asked: Record<string, string>): Record<string, string> | null {
    const no = (error: string, error_description: string) => ({ error, error_description })
    if (asked['response_type'] !== 'code') return no('unsupported_response_type', 'response type not supported')
    if (this.settings.requirePkce && !asked['code_challenge']) {
      return no('invalid_request', 'missing required code challenge')
    }
    if (asked['code_challenge'] && asked['code_challenge_method'] !== 'S256') {
      return no('invalid_request', 'invalid code challenge method')
    }
    const wanted = (asked['scope'] ?? '').split(' ').filter(Boolean)
    if (wanted.some((scope) => !this.settings.scopes.includes(scope))) {
      return no('invalid_scope', 'the requested scope is not allowed')
    }
    return null
  }
}

const LOGIN_FORM =
  '<form method="post"><input name="username"><input name="pw" type="password">' +
  '<button name="decision" value="allow">Allow</button><button name="decision" value="deny">Deny</button></form>'

function page(status: number, body: string): Answer {
  const head = '<!DOCTYPE html><html><head><title>Login | Salesforce</title></head>'
  return { status, headers: { 'content-type': 'text/html;charset=UTF-8' }, body: `${head}<body>${body}</body></html>` }
}

function failure(error: string, description: string): string {
  return `<p>error=${error}&amp;error_description=${description}</p>`
}
