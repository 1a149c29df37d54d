/**
 * AES-256-GCM, for all that is sealed here.
 *
 * Law: a nonce is random and used once; one key seals far fewer than 2^32 texts.
 */
// https://nvlpubs.nist.gov/nistpubs/Legacy/SP/nistspecialpublication800-38d.pdf (8.2.2, 8.3)
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const AES = 'aes-256-gcm'
export const NONCE_BYTES = 12
export const TAG_BYTES = 16

export interface Encrypted {
  nonce: Uint8Array
  cipher: Uint8Array
  tag: Uint8Array
}

/** `head` is authenticated with it, and not encrypted. */
export function encrypt(key: Uint8Array, clear: Uint8Array, head: Uint8Array): Encrypted {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(AES, key, nonce).setAAD(head)
  const hidden = Buffer.concat([cipher.update(clear), cipher.final()])
  return { nonce, cipher: hidden, tag: cipher.getAuthTag() }
}

/** null: encrypted with another key or head, or changed since. */
export function decrypt(key: Uint8Array, { nonce, cipher, tag }: Encrypted, head: Uint8Array): Uint8Array | null {
  try {
    const decipher = createDecipheriv(AES, key, nonce, { authTagLength: TAG_BYTES }).setAAD(head).setAuthTag(tag)
    return Buffer.concat([decipher.update(cipher), decipher.final()])
  } catch {
    return null
  }
}
