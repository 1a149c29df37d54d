/**
 * Whether a request is the vendor's, and which event it says. Pure.
 *
 * Laws
 * - The signature is over the bytes as they came; nothing of them is looked at before it is proven.
 * - Digests are compared in constant time, and all secrets are tried, whichever fits.
 * - What is refused is told by what is wrong with it, never by what would have been right.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { isUtf8 } from 'node:buffer'
import type { RawRequest, Verdict, VerifyBy } from '../events.ts'
import type { InBody, InHeader, Scheme } from './scheme.ts'

/** Names of kinds are names of folders and lanes by default, and ids are keys. */
const LONGEST = 512

export function verify(scheme: Scheme, request: RawRequest, { secrets, nowMs }: Omit<VerifyBy, 'settings'>): Verdict {
  const late = outOfTime(scheme, request, nowMs)
  if (late) return unproven(late)
  const signed = signedBytes(scheme, request)
  const given = headers(request, scheme.signature).map((one) => digestOf(one, scheme))
  if (given.length === 0) return unproven(`it has no header ${nameOf(scheme.signature)}`)
  let proven = false
  for (const secret of secrets) {
    const right = createHmac(scheme.signature.algorithm, secret).update(signed).digest()
    for (const one of given) if (one?.length === right.length && timingSafeEqual(one, right)) proven = true
  }
  if (!proven) return unproven('the signature does not fit: another secret, or not what was signed')
  return said(scheme, request, signed)
}

/** Whoever holds the secret wrote it; what it says may still be of no use. */
function said(scheme: Scheme, request: RawRequest, signed: Uint8Array): Verdict {
  if (!isUtf8(request.body)) return unusable('the body is not UTF-8')
  const body = Buffer.from(request.body).toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return unusable('the body is not JSON')
  }
  const { challenge } = scheme
  if (challenge && textAt(value, challenge.path) === challenge.is) {
    const answer = textAt(value, challenge.answer)
    return answer === undefined ? unusable(`the body has no ${challenge.answer} to answer`) : { accept: [], answer }
  }
  const id = scheme.id === 'content' ? contentId(signed) : found(scheme.id, request, value)
  if (id === undefined) return unusable(`nothing identifies the event: no ${nameOf(scheme.id as InHeader | InBody)}`)
  const kind = scheme.kind ? found(scheme.kind, request, value) : 'event'
  if (kind === undefined) return unusable(`nothing says of which kind the event is: no ${nameOf(scheme.kind!)}`)
  if (id.length > LONGEST || kind.length > LONGEST) return unusable(`its id or kind is longer than ${LONGEST} letters`)
  return { accept: [{ id, kind, body }] }
}

function outOfTime({ timestamp, toleranceMs }: Scheme, request: RawRequest, nowMs: number): string | undefined {
  if (!timestamp) return undefined
  const [written] = headers(request, timestamp)
  if (written === undefined) return `it has no header ${nameOf(timestamp)}`
  const at = instant(written, timestamp.format)
  if (Number.isNaN(at)) return `its ${nameOf(timestamp)} is no time`
  const seconds = Math.round(Math.abs(nowMs - at) / 1000)
  if (Math.abs(nowMs - at) <= toleranceMs) return undefined
  return `it was signed ${seconds} s ${at < nowMs ? 'ago' : 'in the future'}, and ${toleranceMs / 1000} s are allowed`
}

function instant(written: string, format: 'seconds' | 'milliseconds' | 'iso'): number {
  if (format === 'iso') return Date.parse(written)
  if (!/^\d{1,16}$/.test(written)) return Number.NaN
  return Number(written) * (format === 'seconds' ? 1000 : 1)
}

function signedBytes({ signature: { signs }, timestamp, id }: Scheme, request: RawRequest): Uint8Array {
  const pieces = signs.split(/(\{body\}|\{timestamp\}|\{id\})/).map((piece) => {
    if (piece === '{body}') return request.body
    if (piece === '{timestamp}') return Buffer.from((timestamp && headers(request, timestamp)[0]) ?? '')
    if (piece === '{id}') return Buffer.from((typeof id === 'object' && found(id, request, null)) || '')
    return Buffer.from(piece)
  })
  return Buffer.concat(pieces)
}

/** null: it cannot be a digest. */
function digestOf(written: string, { signature: { prefix, encoding } }: Scheme): Buffer | null {
  if (!written.startsWith(prefix)) return null
  const text = written.slice(prefix.length)
  const whole = encoding === 'hex' ? /^(?:[0-9a-fA-F]{2})+$/ : /^[A-Za-z0-9+/]+={0,2}$/
  return whole.test(text) ? Buffer.from(text, encoding) : null
}

function found(at: InHeader | InBody, request: RawRequest, value: unknown): string | undefined {
  const text = 'path' in at ? textAt(value, at.path) : headers(request, at)[0]
  return text === '' ? undefined : text
}

/** All values of a header, or of one part of it: while a secret is changed, a vendor may sign twice. */
function headers(request: RawRequest, { header, part }: InHeader): string[] {
  const whole = request.headers[header]
  if (whole === undefined) return []
  if (part === undefined) return [whole]
  return whole.split(',').flatMap((piece) => {
    const [name, ...rest] = piece.trim().split('=')
    return name === part ? [rest.join('=')] : []
  })
}

/** Text or whole number below names with dots; a name may hold a dot only where it is no object's. */
function textAt(value: unknown, path: string): string | undefined {
  let at = value
  for (const name of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
    at = (at as Record<string, unknown>)[name]
  }
  if (typeof at === 'string') return at
  return typeof at === 'number' && Number.isSafeInteger(at) ? String(at) : undefined
}

const contentId = (signed: Uint8Array): string => createHash('sha256').update(signed).digest('hex')
const nameOf = (at: InHeader | InBody): string =>
  'path' in at ? `\`${at.path}\` in the body` : at.part ? `${at.header} (${at.part})` : at.header
const unproven = (reject: string): Verdict => ({ reject, status: 401 })
const unusable = (reject: string): Verdict => ({ reject, status: 400 })
