/**
 * A key that never leaves AWS KMS: payloads are sealed by data keys, which KMS makes and which travel wrapped, beside
 * what they sealed (envelope encryption).
 *
 * Laws
 * - One data key seals for an hour in one process; KMS is asked some times an hour, not once per payload.
 * - A data key opens under its encryption context alone, so KMS's policies and log can tell what it was for.
 */
// https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
import { ConnectorError } from '../errors.ts'
import { kmsKeys } from '../s3/kms-keys.ts'
import { CodecError } from './codec-error.ts'
import type { CodecKey, DataKey } from './keys.ts'

export interface KmsSettings {
  /** Id, ARN or alias. */
  kmsKey: string
  region?: string
  /** For tests and VPC endpoints. */
  endpoint?: string
}

const KEPT_MS = 3_600_000
/** Data keys of a day of some workers; an older one is asked for again. */
const KEPT = 1_000

interface Kept<T> {
  value: Promise<T>
  until: number
}

export function kmsKey(id: string, { kmsKey: keyId, region, endpoint }: KmsSettings): CodecKey {
  const context = { 'lakeward:codec': id }
  const keys = kmsKeys({ keyId, ...(region && { region }), ...(endpoint && { endpoint }) })
  const opened = new Map<string, Kept<Uint8Array>>()
  let sealing: Kept<DataKey> | undefined

  async function generate(): Promise<DataKey> {
    const { key, sealed } = await told(id, keys.generate(context))
    return { key, wrapped: sealed }
  }

  async function unwrap(wrapped: Uint8Array): Promise<Uint8Array> {
    const key = await told(id, keys.open(wrapped, context))
    if (key) return key
    const what = `codec key ${id}: AWS KMS cannot open the data key of a payload under ${keyId}`
    throw new CodecError(what, 'Never use the id of a key again: give each key of KMS an id of its own in codec.keys.')
  }

  return {
    async current() {
      if (!sealing || performance.now() > sealing.until) {
        const made = { value: generate(), until: performance.now() + KEPT_MS }
        made.value.catch(() => (sealing = sealing === made ? undefined : sealing))
        sealing = made
      }
      return sealing.value
    },
    async open(wrapped) {
      const name = Buffer.from(wrapped).toString('base64')
      const known = opened.get(name)
      if (known && performance.now() <= known.until) return known.value
      const [oldest] = opened.keys()
      if (oldest !== undefined && opened.size >= KEPT) opened.delete(oldest)
      const value = unwrap(wrapped)
      opened.delete(name)
      opened.set(name, { value, until: performance.now() + KEPT_MS })
      value.catch(() => opened.delete(name))
      return value
    },
  }
}

async function told<T>(id: string, asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    const { kind, advice = 'Check region and endpoint of the key, and that this machine reaches KMS.' } =
      error instanceof ConnectorError ? error : {}
    const todo = kind === 'rejected' ? 'Check kmsKey and region of the key: an alias is written alias/NAME.' : advice
    throw new CodecError(`codec key ${id}: ${error instanceof Error ? error.message : String(error)}`, todo, error)
  }
}
