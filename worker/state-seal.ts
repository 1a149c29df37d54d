/**
 * The two seals of state: a key that every worker is given, and a data key of its own for every write, made and opened
 * by a key service.
 *
 * Laws
 * - A document's name and version are authenticated with it.
 * - A data key lives as long as the one sealing or opening it is for; then its bytes are overwritten. (The service's
 *   answer was a text before, which nobody can overwrite.) The service is told which connection and which document it
 *   is for, so that its policies and its log may tell them apart, and a data key opens nothing else.
 */
import { createHash } from 'node:crypto'
import { decrypt, encrypt } from '../connectors/aes-gcm.ts'
import type { DataKeys } from '../connectors/lake/data-keys.ts'
import { damaged, StateError } from './state.ts'
import type { About, Sealed, Sealer } from './state.ts'

/** `key`: 32 bytes, the same for all that share the state. */
export function keySealer(key: Uint8Array): Sealer {
  const id = createHash('sha256').update('lakeward state key\0').update(key).digest('hex').slice(0, 16)
  return {
    seal: (clear, about) => Promise.resolve({ lakeward: 1, key: id, ...hidden(key, clear, about) }),
    open(sealed, about) {
      if (sealed.dataKey !== undefined) return Promise.reject(sealedByService(sealed, about))
      if (sealed.key === id) return Promise.resolve(shown(key, sealed, about))
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
        return { lakeward: 1, key: id, dataKey: base64(sealed), ...hidden(key, clear, about) }
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
        return shown(key, sealed, about)
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

function hidden(key: Uint8Array, clear: Uint8Array, about: About): Pick<Sealed, 'iv' | 'tag' | 'data'> {
  const { nonce, cipher, tag } = encrypt(key, clear, binding(about))
  return { iv: base64(nonce), tag: base64(tag), data: base64(cipher) }
}

function shown(key: Uint8Array, { iv, tag, data }: Partial<Sealed>, about: About): Uint8Array {
  if (typeof iv !== 'string' || typeof tag !== 'string' || typeof data !== 'string') throw damaged(about, 'is damaged')
  const [nonce, mark, cipher] = [iv, tag, data].map((text) => Buffer.from(text, 'base64')) as [Buffer, Buffer, Buffer]
  const clear = decrypt(key, { nonce, cipher, tag: mark }, binding(about))
  if (clear === null) throw damaged(about, 'is damaged, or was moved here from another document')
  return clear
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
