/**
 * The two seals of state: a key that every worker is given, and a data key of its own for every write, made and opened
 * by a key service.
 *
 * Laws
 * - AES-256-GCM with a fresh nonce; a document's name and version are associated data.
 * - A data key lives as long as the one sealing or opening it is for; then its bytes are overwritten. (The service's
 *   answer was a text before, which nobody can overwrite.) The service is told which connection and which document it
 *   is for, so that its policies and its log may tell them apart, and a data key opens nothing else.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import type { DataKeys } from '../connectors/lake/data-keys.ts'
import { damaged, StateError } from './state.ts'
import type { About, Sealed, Sealer } from './state.ts'

/** `key`: 32 bytes, the same for all that share the state. */
export function keySealer(key: Uint8Array): Sealer {
  const id = createHash('sha256').update('lakeward state key\0').update(key).digest('hex').slice(0, 16)
  return {
    seal: (clear, about) => Promise.resolve({ lakeward: 1, key: id, ...encrypt(key, clear, about) }),
    open(sealed, about) {
      if (sealed.dataKey !== undefined) return Promise.reject(sealedByService(sealed, about))
      if (sealed.key === id) return Promise.resolve(decrypt(key, sealed, about))
      const what = `${about.where} was written with another key`
      const advice = 'Set LAKEWARD_STATE_KEY (or restore state.key) to the key it was written with.'
      return Promise.reject(new StateError(`${what}. ${advice}`))
    },
  }
}

/** Envelope encryption: the data key lies beside the document, sealed by the service. */
export function envelopeSealer(keys: DataKeys): Sealer {
  return {
    async seal(clear, about) {
      const { id, key, sealed } = await keys.generate(contextOf(about))
      try {
        return { lakeward: 1, key: id, dataKey: base64(sealed), ...encrypt(key, clear, about) }
      } finally {
        key.fill(0)
      }
    },
    async open(sealed, about) {
      const { dataKey } = sealed
      if (typeof dataKey !== 'string') {
        const advice = `Log in again for ${keys.name}, or take \`encryption\` of that connection back to what it was.`
        throw new StateError(`${about.where} was written under LAKEWARD_STATE_KEY, and not by a key service. ${advice}`)
      }
      const key = await keys.open(Buffer.from(dataKey, 'base64'), contextOf(about))
      if (key === null) throw damaged(about, 'is damaged, or was moved here from another document')
      try {
        return decrypt(key, sealed, about)
      } finally {
        key.fill(0)
      }
    },
  }
}

/** `connection/crm` is for the connection crm. */
function contextOf({ name }: About): Record<string, string> {
  const slash = name.indexOf('/')
  return { 'lakeward:document': name, [`lakeward:${name.slice(0, slash)}`]: name.slice(slash + 1) }
}

function encrypt(key: Uint8Array, clear: Uint8Array, about: About): Pick<Sealed, 'iv' | 'tag' | 'data'> {
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(binding(about))
  const data = Buffer.concat([cipher.update(clear), cipher.final()])
  return { iv: base64(iv), tag: base64(cipher.getAuthTag()), data: base64(data) }
}

function decrypt(key: Uint8Array, { iv, tag, data }: Partial<Sealed>, about: About): Uint8Array {
  if (typeof iv !== 'string' || typeof tag !== 'string' || typeof data !== 'string') throw damaged(about, 'is damaged')
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64'), { authTagLength: 16 })
    decipher.setAAD(binding(about)).setAuthTag(Buffer.from(tag, 'base64'))
    return Buffer.concat([decipher.update(Buffer.from(data, 'base64')), decipher.final()])
  } catch {
    throw damaged(about, 'is damaged, or was moved here from another document')
  }
}

function sealedByService({ key }: Partial<Sealed>, { where }: About): StateError {
  const advice = 'Give the connection that keeps state `encryption: { mode: kms, keyId: … }` again, or log in again.'
  return new StateError(`${where} was sealed by a key service (${key}), and none is configured. ${advice}`)
}

function binding({ name, version }: About): Buffer {
  return Buffer.from(`lakeward state 1\0${name}\0${version}`)
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
