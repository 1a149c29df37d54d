/**
 * Certificates made on the spot: an authority and what it signs, also expired ones and ones for other names. X.509 v3
 * with keys on P-256, encoded by hand: Node.js can read certificates and cannot make them.
 */
// https://www.rfc-editor.org/rfc/rfc5280 (4.1, 4.2.1)
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

export interface Certificate {
  /** PEM. */
  cert: string
  key: string
}

export interface Authority extends Certificate {
  /** A certificate for these hosts (names or IPv4 addresses); `days`: how long from now, negative: long ago. */
  issue(hosts: string[], days?: number): Certificate
}

export function makeAuthority(name = 'Test authority'): Authority {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const constraints = extension('2.5.29.19', true, sequence(BOOLEAN_TRUE))
  const cert = certificate({ subject: name, issuer: name, days: 2, keys: own, signer: own.privateKey, constraints })
  return {
    cert,
    key: pem(own.privateKey),
    issue(hosts, days = 1) {
      const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const names = extension('2.5.29.17', false, sequence(...hosts.map(alternative)))
      const subject = hosts[0] ?? 'nobody'
      const made = certificate({ subject, issuer: name, days, keys, signer: own.privateKey, constraints: names })
      return { cert: made, key: pem(keys.privateKey) }
    },
  }
}

interface Wanted {
  subject: string
  issuer: string
  days: number
  keys: { publicKey: KeyObject }
  signer: KeyObject
  /** One extension. */
  constraints: Buffer
}

function certificate({ subject, issuer, days, keys, signer, constraints }: Wanted): string {
  const now = Date.now()
  const end = new Date(now + days * 86_400_000)
  const begin = new Date(Math.min(now, end.getTime()) - 86_400_000)
  const algorithm = sequence(oid('1.2.840.10045.4.3.2')) // ecdsa-with-SHA256
  const inner = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.concat([Buffer.from([1]), randomBytes(12)])),
    algorithm,
    named(issuer),
    sequence(time(begin), time(end)),
    named(subject),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(constraints)),
  )
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', inner, signer)])
  const whole = sequence(inner, algorithm, tagged(0x03, signature)).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${whole.replaceAll(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`
}

const pem = (key: KeyObject): string => String(key.export({ type: 'pkcs8', format: 'pem' }))

// ------------------------------------------------------------------------------------------------------------- DER

const BOOLEAN_TRUE = Buffer.from([0x01, 0x01, 0xff])

function tagged(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const { length } = body
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), body])
}

const sequence = (...parts: Buffer[]): Buffer => tagged(0x30, ...parts)

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = rest.flatMap((part) => {
    const digits = [part & 127]
    for (let left = part >> 7; left > 0; left >>= 7) digits.unshift((left & 127) | 128)
    return digits
  })
  return tagged(0x06, Buffer.from([first * 40 + second, ...bytes]))
}

/** A distinguished name of a common name alone. */
const named = (name: string): Buffer =>
  sequence(tagged(0x31, sequence(oid('2.5.4.3'), tagged(0x0c, Buffer.from(name)))))

const time = (at: Date): Buffer =>
  tagged(0x18, Buffer.from(`${at.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`))

const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  sequence(oid(id), ...(critical ? [BOOLEAN_TRUE] : []), tagged(0x04, value))

function alternative(host: string): Buffer {
  const address = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(host)
  return address ? tagged(0x87, Buffer.from(address.slice(1).map(Number))) : tagged(0x82, Buffer.from(host))
}
