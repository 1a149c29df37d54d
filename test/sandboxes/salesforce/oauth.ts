/**
 * The token endpoint: client credentials, JWT bearer, authorization codes and refresh tokens, with rotation. Answers
 * carry no `expires_in`.
 *
 * https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_endpoints.htm
 */
import { createHmac, randomBytes } from 'node:crypto'
import type { Answer } from './answer.ts'
import { type AuthorizeSettings, LoginPage } from './authorize.ts'
import { type JwtSettings, refusalOf } from './jwt.ts'

export interface OAuthSettings extends AuthorizeSettings, JwtSettings {
  clientId: string
  clientSecret: string
  /** Codes and refresh tokens are taken with the app's secret only. */
  requireSecret: boolean
  /** The refresh token a person's login left behind. */
  refreshToken: string
  tokenLifetimeMs: number
  /** Each use of a refresh token gives the next one, and ends the sessions of the one before. */
  rotate: boolean
  /** The app has a user for client credentials to run as. */
  runAsUser: boolean
  /** Stands in every token that is handed out, by which a search finds them wherever they turn up. */
  tokenMark: string
}

const JWT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

interface Access {
  expires: number
  family: string | null
}

export class OAuth {
  readonly settings: OAuthSettings
  readonly page: LoginPage
  private readonly now: () => number
  private readonly identity: () => { orgId: string; userId: string; instanceUrl: string }
  private readonly access = new Map<string, Access>()
  /** Refresh tokens that work, and those that were used up: all of one login are a family. */
  private readonly fresh = new Map<string, string>()
  private readonly spent = new Map<string, string>()

  constructor(settings: OAuthSettings, now: () => number, identity: OAuth['identity']) {
    this.settings = settings
    this.now = now
    this.identity = identity
    this.page = new LoginPage(settings, now)
    this.fresh.set(settings.refreshToken, 'login')
  }

  token(form: URLSearchParams, host: string): Answer {
    const { clientId, clientSecret, runAsUser, requireSecret } = this.settings
    const grant = form.get('grant_type') ?? ''
    if (grant === JWT) {
      const wrong = refusalOf(form.get('assertion') ?? '', clientId, this.settings, this.now())
      return wrong ? refused(wrong.error, wrong.description) : this.granted(null, { scope: 'api' })
    }
    if (!['client_credentials', 'refresh_token', 'authorization_code'].includes(grant)) {
      return refused('unsupported_grant_type', 'grant type not supported')
    }
    if (form.get('client_id') !== clientId) return refused('invalid_client_id', 'client identifier invalid')
    const secret = form.get('client_secret')
    const open = secret === null && grant !== 'client_credentials' && !requireSecret
    if (!open && secret !== clientSecret) return refused('invalid_client', 'invalid client credentials')
    if (grant === 'authorization_code') return this.redeem(form)
    if (grant === 'refresh_token') return this.refresh(form.get('refresh_token') ?? '')
    if (/^(login|test)\./.test(host)) return refused('invalid_grant', 'request not supported on this domain')
    if (!runAsUser) return refused('invalid_grant', 'no client credentials user enabled')
    return this.granted(null, { scope: 'api', api_instance_url: 'https://api.salesforce.com' })
  }

  /** The session behind an access token; null when there is none (any more). */
  session(token: string): string | null {
    const access = this.access.get(token)
    return access && access.expires > this.now() ? token : null
  }

  expireAccess(): void {
    this.access.clear()
  }

  revokeRefresh(): void {
    this.fresh.clear()
  }

  /** A login by a person: a new family. */
  login(refreshToken: string): void {
    this.fresh.set(refreshToken, refreshToken)
  }

  /** A login by a person in a browser. */
  private redeem(form: URLSearchParams): Answer {
    const redeemed = this.page.redeem(form)
    if ('error' in redeemed) return refused(redeemed.error, redeemed.description)
    const { scope } = redeemed
    if (!/\b(refresh_token|offline_access|full)\b/.test(scope)) return this.granted(null, { scope })
    const token = this.refreshToken()
    this.login(token)
    return this.granted(token, { scope, refresh_token: token })
  }

  private refreshToken(): string {
    return `5Aep861${this.settings.tokenMark}${randomBytes(32).toString('base64url')}`
  }

  private refresh(token: string): Answer {
    const family = this.fresh.get(token)
    if (family === undefined) {
      const reused = this.spent.get(token)
      if (reused !== undefined) this.endFamily(reused)
      return refused('invalid_grant', 'expired access/refresh token')
    }
    if (!this.settings.rotate) return this.granted(family, { scope: 'refresh_token api' })
    this.fresh.delete(token)
    this.spent.set(token, family)
    for (const [access, { family: of }] of this.access) if (of === family) this.access.delete(access)
    const next = this.refreshToken()
    this.fresh.set(next, family)
    return this.granted(family, { scope: 'refresh_token api', refresh_token: next })
  }

  /** A token used twice was stolen: nothing of that login works any more. */
  private endFamily(family: string): void {
    for (const [token, of] of this.fresh) if (of === family) this.fresh.delete(token)
    for (const [token, { family: of }] of this.access) if (of === family) this.access.delete(token)
  }

  private granted(family: string | null, more: Record<string, string>): Answer {
    const { orgId, userId, instanceUrl } = this.identity()
    const token = `${orgId}!AQ${this.settings.tokenMark}${randomBytes(36).toString('base64url')}`
    this.access.set(token, { expires: this.now() + this.settings.tokenLifetimeMs, family })
    const id = `${instanceUrl}/id/${orgId}/${userId}`
    const issued = String(this.now())
    const signature = createHmac('sha256', this.settings.clientSecret)
      .update(id + issued)
      .digest('base64')
    const body = {
      access_token: token,
      signature,
      ...more,
      instance_url: instanceUrl,
      id,
      token_type: 'Bearer',
      issued_at: issued,
    }
    return { status: 200, headers: { 'cache-control': 'no-cache, no-store' }, body: JSON.stringify(body) }
  }
}

function refused(error: string, description: string): Answer {
  return { status: 400, headers: {}, body: JSON.stringify({ error, error_description: description }) }
}
