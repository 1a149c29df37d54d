/**
 * A sealed payload's bytes: `LW` 1, the key's id, the data key as its owner wrapped it (empty where the key itself
 * seals), nonce, AES-256-GCM with its tag. All before the nonce is associated data: ids and wrapped keys cannot be
 * exchanged. Pure.
 */
import { decrypt, encrypt, NONCE_BYTES, TAG_BYTES } from '../aes-gcm.ts'
import type { Encrypted } from '../aes-gcm.ts'

export interface Sealed extends Encrypted {
  /** Id of the key, as the installation calls it. */
  id: string
  /** The data key, wrapped; empty: the key itself seals. */
  wrapped: Uint8Array
  /** Everything that is authenticated and not encrypted. */
  head: Uint8Array
}

export const KEY_BYTES = 32
const MAGIC = Buffer.from([0x4c, 0x57, 1])

export function seal(id: string, key: Uint8Array, wrapped: Uint8Array, clear: Uint8Array): Uint8Array {
  const name = Buffer.from(id)
  const sizes = Buffer.alloc(3)
  sizes.writeUInt8(name.length, 0)
  sizes.writeUInt16BE(wrapped.length, 1)
  const head = Buffer.concat([MAGIC, sizes, name, wrapped])
  const { nonce, cipher, tag } = encrypt(key, clear, head)
  return new Uint8Array(Buffer.concat([head, nonce, cipher, tag]))
}

/** null: these are not bytes of `seal`. */
export function readSealed(bytes: Uint8Array): Sealed | null {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const first = MAGIC.length + 3
  if (all.length < first || !all.subarray(0, MAGIC.length).equals(MAGIC)) return null
  const named = first + all.readUInt8(MAGIC.length)
  const headed = named + all.readUInt16BE(MAGIC.length + 1)
  if (all.length < headed + NONCE_BYTES + TAG_BYTES) return null
  return {
    id: all.toString('utf8', first, named),
    wrapped: all.subarray(named, headed),
    head: all.subarray(0, headed),
    nonce: all.subarray(headed, headed + NONCE_BYTES),
    cipher: all.subarray(headed + NONCE_BYTES, all.length - TAG_BYTES),
    tag: all.subarray(all.length - TAG_BYTES),
  }
}

/** null: sealed by another key, or changed since. */
export function open(sealed: Sealed, key: Uint8Array): Uint8Array | null {
  return decrypt(key, sealed, sealed.head)
}
