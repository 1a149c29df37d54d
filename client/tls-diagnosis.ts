/**
 * Why a server that is there cannot be spoken to: gRPC says "unavailable" for every one of these, so the handshake is
 * made once more, by hand, to see which it is.
 */
import { connect as openSocket } from 'node:net'
import { connect as openTls, createSecureContext } from 'node:tls'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import type { TemporalSettings } from './connect.ts'

export interface Diagnosis {
  what: string
  advice: string
}

const LOOK_MS = 3_000
/** The server shook hands, and closed without a word: as some do instead of refusing a certificate. */
const REFUSED = 'ALERT_CERTIFICATE'

/** null: nobody listens there, or nothing is wrong with TLS. */
export async function tlsDiagnosis({ connection }: TemporalSettings): Promise<Diagnosis | null> {
  const at = connection.address.lastIndexOf(':')
  const host = connection.address.slice(0, at).replace(/^\[|\]$/g, '')
  const port = Number(connection.address.slice(at + 1))
  if (!(await listens(host, port))) return null
  const options = tlsOf(connection)
  if (!options) return (await handshake(host, port, { rejectUnauthorized: false })) === null ? wantsTls : null
  const code = await handshake(host, port, options)
  return code === null ? null : meaningOf(code, options.servername ?? host)
}

/** null: without TLS. An API key brings TLS with it, as in all of Temporal's tools. */
function tlsOf({ tls, apiKey }: TemporalSettings['connection']): TlsOptions | null {
  if (!tls && !(tls === undefined && apiKey)) return null
  if (tls === true || !tls) return {}
  const { serverNameOverride, serverRootCACertificate, clientCertPair } = tls
  return {
    ...(serverNameOverride && { servername: serverNameOverride }),
    ...(serverRootCACertificate && { ca: Buffer.from(serverRootCACertificate) }),
    ...(clientCertPair && { cert: Buffer.from(clientCertPair.crt), key: Buffer.from(clientCertPair.key) }),
  }
}

/** What is wrong with certificates and keys as they were given, before anybody is asked; null: nothing. */
export function wrongCertificates(connection: TemporalSettings['connection']): Diagnosis | null {
  const { ca, cert, key } = tlsOf(connection) ?? {}
  if (cert && !key?.length) return { what: 'there is a client certificate, and no key of it', advice: bothOf }
  if (key?.length && !cert)
    return { what: 'there is the key of a client certificate, and no certificate', advice: bothOf }
  for (const [name, parts] of Object.entries({
    'server CA certificate': { ca },
    'client certificate': { cert, key },
  })) {
    try {
      createSecureContext(parts)
    } catch {
      return { what: `the ${name} cannot be read`, advice: 'PEM is due, and a key that belongs to its certificate.' }
    }
  }
  if (ca && !/-----BEGIN (?:TRUSTED )?CERTIFICATE-----/.test(String(ca))) {
    return { what: 'the server CA certificate cannot be read', advice: 'A file with PEM certificates is due.' }
  }
  return null
}

const bothOf = 'Give both: TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH, or both in the profile.'

const wantsTls: Diagnosis = {
  what: 'it speaks TLS, and was spoken to without',
  advice: 'Set TEMPORAL_TLS=true (an API key turns it on by itself), or `tls` in the profile.',
}

function meaningOf(code: string, name: string): Diagnosis {
  const ca = 'TEMPORAL_TLS_SERVER_CA_CERT_PATH (or server_ca_cert_path in the profile)'
  if (code === 'CERT_HAS_EXPIRED') {
    return {
      what: 'its certificate has expired',
      advice: "Renew the server's certificate, or check this machine's clock.",
    }
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const what = `its certificate is not for ${name}`
    return { what, advice: 'Use the name it is for as the address, or TEMPORAL_TLS_SERVER_NAME (server_name).' }
  }
  if (/SELF_SIGNED|UNABLE_TO|CERT_UNTRUSTED|CERT_SIGNATURE/.test(code)) {
    return { what: 'its certificate is signed by nobody this machine trusts', advice: `Name its authority: ${ca}.` }
  }
  if (/ALERT.*(?:CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)|ALERT_HANDSHAKE/.test(code)) {
    const what = 'it wants a client certificate that it trusts'
    return { what, advice: bothOf }
  }
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH|ECONNRESET|EPROTO|ERR_SSL|ENDED/.test(code)) {
    const advice = 'Use the right port, or turn TLS off: TEMPORAL_TLS=false (an API key alone turns it on).'
    return { what: 'it speaks no TLS, and was spoken to with it', advice }
  }
  return { what: `TLS fails: ${code}`, advice: 'Check the certificates of both sides.' }
}

function listens(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = openSocket({ host, port, timeout: LOOK_MS })
    const end = (there: boolean): void => {
      socket.destroy()
      resolve(there)
    }
    socket
      .once('connect', () => end(true))
      .once('error', () => end(false))
      .once('timeout', () => end(false))
  })
}

/** The code of what went wrong; null: nothing did, and the server has begun to speak. */
function handshake(host: string, port: number, options: TlsOptions): Promise<string | null> {
  return new Promise((resolve) => {
    const name = /^[\d.]+$|:/.test(host) ? {} : { servername: host }
    const socket = openTls({ host, port, ALPNProtocols: ['h2'], timeout: LOOK_MS, ...name, ...options })
    let shaken = false
    const end = (code: string | null): void => {
      socket.destroy()
      resolve(code)
    }
    // In TLS 1.3 a server refuses a client's certificate only after the handshake: its first word is waited for.
    // https://www.rfc-editor.org/rfc/rfc8446#section-4.4.2.4
    socket.once('secureConnect', () => (shaken = true))
    socket.once('data', () => end(null))
    socket.once('timeout', () => end(shaken ? null : 'ENDED'))
    socket.once('end', () => end(shaken ? REFUSED : 'ENDED'))
    socket.once('error', (error: NodeJS.ErrnoException) => {
      end(shaken && error.code === 'ECONNRESET' ? REFUSED : (error.code ?? error.message))
    })
  })
}
