/**
 * Assertions of the JWT bearer flow: checked against the certificate that was uploaded to the app.
 *
 * https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_jwt_flow.htm
 */
import { createPublicKey, verify } from 'node:crypto'

export interface JwtSettings {
  /** PEM, as uploaded to the app (its public key will do); null: none was. */
  certificate: string | null
  /** The org is a production one or a sandbox. */
  audience: string
  /** Users whom the app's policies let in; of others the org knows nothing either. */
  preAuthorized: string[]
}

/** Assertions may not live much longer than three minutes. */
const LONGEST_MS = 300_000

type Refusal = { error: string; description: string }

/** null: the assertion is good. */
export function refusalOf(assertion: string, clientId: string, settings: JwtSettings, now: number): Refusal | null {
  const grant = (description: string): Refusal => ({ error: 'invalid_grant', description })
  const [head = '', body = '', signature = '', ...more] = assertion.split('.')
  const header = members(head)
  const claims = members(body)
  if (!header || !claims || more.length > 0 || header['alg'] !== 'RS256') return grant('invalid assertion')
  if (claims['iss'] !== clientId) return { error: 'invalid_client_id', description: 'client identifier invalid' }
  const { certificate } = settings
  const signed = Buffer.from(`${head}.${body}`)
  const good =
    certificate !== null && verify('sha256', signed, createPublicKey(certificate), Buffer.from(signature, 'base64url'))
  if (!good) return grant('invalid assertion')
  if (claims['aud'] !== settings.audience) return grant('audience is invalid')
  const expires = Number(claims['exp']) * 1000
  if (!(expires > now)) return grant('expired authorization code')
  if (expires > now + LONGEST_MS) return grant('invalid assertion')
  if (!settings.preAuthorized.includes(String(claims['sub']))) return grant("user hasn't approved this consumer")
  return null
}

function members(part: string): Record<string, unknown> | null {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>
  } catch {
    return null
  }
}
