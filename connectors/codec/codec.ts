/**
 * The payload codec: what lies in a workflow's history is sealed by AES-256-GCM before it leaves this process.
 *
 * Laws
 * - One key seals, every known key opens; a payload names its key. Nothing else binds it, above all no workflow id:
 *   a schedule's action is encoded under another id than the run it starts.
 * - What was never sealed passes through: histories from before the codec, and inputs of tools without it.
 * - It never guesses: a payload that does not open is an error that names the key.
 */
import { InputError } from '../errors.ts'
import { codecSchema } from '../installation-codec.ts'
import type { CodecSettings } from '../installation-codec.ts'
import { examine, problemsOf } from '../strict.ts'
import { CodecError } from './codec-error.ts'
import { codecKey } from './keys.ts'
import type { CodecKey } from './keys.ts'
import { payloadBytes, payloadOf } from './payload.ts'
import type { Payload } from './payload.ts'
import { open, readSealed, seal } from './sealed.ts'

export { CodecError } from './codec-error.ts'
export type { CodecSettings } from '../installation-codec.ts'

/** What `payloadCodecs` of a client's or a worker's data converter takes. */
export interface PayloadCodec {
  encode(payloads: Payload[]): Promise<Payload[]>
  decode(payloads: Payload[]): Promise<Payload[]>
}

export const SEALED = 'binary/encrypted'
const encoding = new Uint8Array(Buffer.from(SEALED))

export interface CodecOptions {
  /** What relative file names rest on; default: the working directory. */
  directory?: string
  env?: NodeJS.ProcessEnv
}

/**
 * Keys are read when the first payload needs them. Throws `InputError` where the settings cannot be used.
 *
 * ```ts
 * const codec = createCodec({ keys: { k1: { env: 'LAKEWARD_CODEC_KEY' } } })
 * new Client({ connection, dataConverter: { payloadCodecs: [codec] } })
 * ```
 */
export function createCodec(settings: CodecSettings, options: CodecOptions = {}): PayloadCodec {
  const read = examine(codecSchema(true), settings)
  if ('found' in read) throw new InputError(problemsOf(read.found, 'codec'))
  const { keys, use } = settings
  const { directory = process.cwd(), env } = options
  const known = new Map<string, CodecKey>(
    Object.entries(keys).map(([id, key]) => {
      const where = { where: `codec.keys.${id}`, directory, ...(env && { env }) }
      return [id, codecKey(id, key, where)]
    }),
  )
  const sealing = use ?? [...known.keys()][0] ?? ''
  const keyOf = (id: string): CodecKey => {
    const key = known.get(id)
    if (key) return key
    const ids = [...known.keys()].join(', ')
    throw new CodecError(
      `a payload was sealed under codec key ${id}, which is not known here (${ids} are)`,
      `Add ${id} to \`codec.keys\`, also after another has taken its place: old histories need it.`,
    )
  }

  async function encode(payload: Payload): Promise<Payload> {
    const { key, wrapped } = await keyOf(sealing).current()
    return { metadata: { encoding }, data: seal(sealing, key, wrapped, payloadBytes(payload)) }
  }

  async function decode(payload: Payload): Promise<Payload> {
    if (Buffer.from(payload.metadata?.['encoding'] ?? []).toString() !== SEALED) return payload
    const sealed = readSealed(payload.data ?? new Uint8Array())
    if (!sealed) {
      throw new CodecError(
        'a payload was encrypted by another codec than this one',
        'Use the data converter that wrote it; one namespace, one codec.',
      )
    }
    const clear = open(sealed, await keyOf(sealed.id).open(sealed.wrapped))
    if (clear) return payloadOf(clear)
    throw new CodecError(
      `a payload does not open under codec key ${sealed.id}: this is another key of the same id, or it was changed`,
      `Give ${sealed.id} the key that it had when the payload was written.`,
    )
  }

  return {
    encode: (payloads) => Promise.all(payloads.map(encode)),
    decode: (payloads) => Promise.all(payloads.map(decode)),
  }
}
