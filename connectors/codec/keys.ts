/** Keys of the codec: one that is given (32 bytes, by reference), or one that AWS KMS keeps. */
import { InputError } from '../errors.ts'
import { kept } from '../kept.ts'
import { resolveSecret } from '../secrets.ts'
import type { ResolveOptions, SecretRef } from '../secrets.ts'
import { CodecError } from './codec-error.ts'
import { kmsKey } from './kms-key.ts'
import type { KmsSettings } from './kms-key.ts'
import { KEY_BYTES } from './sealed.ts'

export interface DataKey {
  key: Uint8Array
  /** Travels with what it sealed; empty: the key is known to all who may open. */
  wrapped: Uint8Array
}

export interface CodecKey {
  /** What seals now. */
  current(): Promise<DataKey>
  open(wrapped: Uint8Array): Promise<Uint8Array>
}

/** Text only where plain secrets were allowed. */
export type CodecKeySettings = SecretRef | KmsSettings | string

export function codecKey(id: string, settings: CodecKeySettings, where: ResolveOptions): CodecKey {
  if (typeof settings === 'object' && 'kmsKey' in settings) return kmsKey(id, settings)
  const key = kept(() => givenKey(id, settings, where))
  return {
    current: async () => ({ key: await key(), wrapped: new Uint8Array() }),
    open(wrapped) {
      if (wrapped.length === 0) return key()
      const what = `codec key ${id} is a key by reference here, and this was sealed under one of the same id in KMS`
      throw new CodecError(what, 'Give every key an id of its own, and never use an id again.')
    },
  }
}

/** @throws InputError where the reference leads nowhere or to no key */
async function givenKey(id: string, settings: SecretRef | string, options: ResolveOptions): Promise<Uint8Array> {
  const text = (typeof settings === 'string' ? settings : await resolveSecret(settings, options)).trim()
  const hex = /^[0-9a-f]{64}$/i.test(text)
  const bytes = Buffer.from(text, hex ? 'hex' : 'base64')
  if ((hex || /^[A-Za-z0-9+/_-]{43}=?$/.test(text)) && bytes.length === KEY_BYTES) return new Uint8Array(bytes)
  throw new InputError([
    {
      what: `codec key ${id} is no key: 32 bytes in base64 or hex are due`,
      where: options.where,
      advice: 'Make one with: openssl rand -base64 32',
    },
  ])
}
