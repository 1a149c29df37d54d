/** The codec that an installation names: read with the first payload, and nothing at all where none is named. */
import { readCodec } from '../installation-codec.ts'
import { kept } from '../kept.ts'
import { createCodec } from './codec.ts'
import type { PayloadCodec } from './codec.ts'

export interface InstalledCodecOptions {
  /** Path of lakeward.yaml; default: LAKEWARD_CONFIG, then ./lakeward.yaml. LAKEWARD_CODEC goes before all of them. */
  installation?: string
  /** Keys may stand in the file in plain text: for a machine of one's own. */
  plainSecrets?: boolean
}

/**
 * For a client or a worker of your own, in `dataConverter.payloadCodecs`; `LakewardPlugin` brings it along.
 *
 * ```ts
 * const payloadCodecs = [installedCodec({ installation: '/etc/lakeward/lakeward.yaml' })]
 * new Client({ connection, namespace, dataConverter: { payloadCodecs } })
 * ```
 */
export function installedCodec(options: InstalledCodecOptions = {}): PayloadCodec {
  const codec = kept(() => findCodec(options))
  return {
    encode: async (payloads) => (await codec())?.encode(payloads) ?? payloads,
    decode: async (payloads) => (await codec())?.decode(payloads) ?? payloads,
  }
}

/** null: no codec is named. Throws `InputError` where one is, and cannot be used. */
export async function findCodec({ installation, plainSecrets }: InstalledCodecOptions): Promise<PayloadCodec | null> {
  const named = installation ?? process.env['LAKEWARD_CONFIG']
  const found = await readCodec(named ?? 'lakeward.yaml', {
    asked: named !== undefined,
    ...(plainSecrets !== undefined && { plainSecrets }),
  })
  return found && createCodec(found.settings, found)
}
