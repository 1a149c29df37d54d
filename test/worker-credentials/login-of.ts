import { salesforce } from '../../connectors/salesforce/salesforce.ts'
import type { ConnectionLogin } from '../../worker/login.ts'

/** A connection to a token server, with its secrets in the environment. */
export function loginOf(url: string, type: string, more: Record<string, unknown> = {}): ConnectionLogin {
  const refresh = type === 'refresh_token' ? { refreshToken: { env: 'REFRESH_TOKEN' } } : {}
  return {
    connection: 'crm',
    connector: salesforce,
    settings: { loginUrl: url },
    auth: { type, clientId: 'client', clientSecret: { env: 'CLIENT_SECRET' }, ...refresh, ...more },
    allowInsecure: false,
    directory: process.cwd(),
  }
}
