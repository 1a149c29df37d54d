/**
 * The assertion of a JWT bearer login: who asks, as whom, to whom, for three minutes, signed with the app's key.
 * https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_jwt_flow.htm
 *
 * Law: no message quotes the key or its passphrase.
 */
import { createPrivateKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { SignJWT } from 'jose'
import { refused } from './login-refused.ts'

export interface JwtLogin {
  /** The issuer, where it is another than the subject: Salesforce's consumer key. */
  clientId?: string
  subject: string
  audience: string
  /** PEM: PKCS #8 or PKCS #1, encrypted or not. */
  privateKey: string
  passphrase?: string
}

/** Salesforce takes no assertion that lives longer. */
const LIFETIME_S = 180
const LEAST_BITS = 2048

/** `nowMs` by the vendor's clock where it is known, else by ours. `where` is the connection's `auth`, for messages. */
export async function assertionOf(login: JwtLogin, nowMs: number, where: string): Promise<string> {
  const key = readKey(login, where)
  return new SignJWT()
    .setProtectedHeader({ alg: 'RS256' })
    .setIssuer(login.clientId ?? login.subject)
    .setSubject(login.subject)
    .setAudience(login.audience)
    .setExpirationTime(Math.floor(nowMs / 1000) + LIFETIME_S)
    .sign(key)
}

export function readKey({ privateKey, passphrase }: Pick<JwtLogin, 'privateKey' | 'passphrase'>, where: string) {
  const wrong: Wrong = (what, advice) => refused(`${where}.privateKey ${what}`, advice)
  const kind = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(privateKey)?.[1]
  if (!kind) {
    throw wrong('is no PEM text', 'It begins with -----BEGIN PRIVATE KEY-----; `openssl pkey -in KEY` prints it so.')
  }
  if (kind === 'OPENSSH PRIVATE KEY') {
    throw wrong("is a key in OpenSSH's own format", '`ssh-keygen -p -m PKCS8 -f KEY` rewrites it.')
  }
  if (!kind.endsWith('PRIVATE KEY')) {
    const what = `is a ${kind.toLowerCase()}, not the private key`
    throw wrong(what, "The certificate goes into the app's settings; here goes the key that it was made with.")
  }
  const key = opened(withLines(privateKey), passphrase, wrong)
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (key.asymmetricKeyType !== 'rsa' || bits < LEAST_BITS) {
    const found = key.asymmetricKeyType === 'rsa' ? `RSA with ${bits} bits` : key.asymmetricKeyType
    throw wrong(`is a key of another kind: ${found}`, `RSA with ${LEAST_BITS} bits or more is due, for RS256.`)
  }
  return key
}

type Wrong = (what: string, advice: string) => Error

function opened(key: string, passphrase: string | undefined, wrong: Wrong): KeyObject {
  const encrypted = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(key)
  if (encrypted && passphrase === undefined) {
    throw wrong('is encrypted, and there is no passphrase', 'Add `passphrase: { env: NAME }` beside it.')
  }
  try {
    return createPrivateKey({ key, ...(encrypted && { passphrase }) })
  } catch {
    if (!encrypted) throw wrong('is damaged', 'Is the file whole, from its BEGIN line to its END line?')
    throw wrong('cannot be opened: the passphrase is wrong, or the key is damaged', 'Check `passphrase`.')
  }
}

/** Environment variables often carry a key in one line, with `\n` written out. */
function withLines(pem: string): string {
  return pem.includes('\n') ? pem : pem.replaceAll(String.raw`\n`, '\n')
}
