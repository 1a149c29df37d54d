/**
 * The ledgers of a flow's objects, where a lakeward.yaml says where the lake is; what is missing without one is said.
 */
import { stat } from 'node:fs/promises'
import { InputError } from '../../connectors/errors.ts'
import { LakeError } from '../../connectors/lake/errors.ts'
import type { FlowDocument } from '../flow-document.ts'
import { flowName, objectIds, written } from '../flow-document.ts'
import { installationPath } from '../installation-check.ts'
import type { LedgerView } from '../ledger-runs.ts'
import type { Call } from './call.ts'

/** null: they could not be read, and why has been told. */
export async function ledgersOf(
  call: Call,
  document: FlowDocument,
  limit: number,
  isBusy = true,
): Promise<LedgerView | null> {
  const path = installationPath(call.options.config)
  const missing = (why: string): null => {
    call.view.say(`${why}: the ledger is not read, and runs that Temporal no longer keeps are missing here`)
    return null
  }
  const there = await stat(path).catch(() => null)
  if (!there) return missing(`no ${path}`)
  const { openParts } = await import('../../worker/assemble.ts')
  const { storeOf } = await import('../../activities/place.ts')
  const { readLedgers } = await import('../ledger-runs.ts')
  try {
    const parts = await openParts({ installation: path })
    try {
      const store = await storeOf(parts, written(document).destination.connection)
      const lanes = objectIds(document).map((object) => ({
        store,
        // Reading asks nothing of the namespace: a ledger's place is its flow and its object.
        lane: { namespaceId: '', namespace: '', flow: flowName(document), object },
        beat: (position: string) => call.view.draw?.([position]),
        sleep: async () => {},
      }))
      return await readLedgers(lanes, limit, isBusy)
    } finally {
      await parts.close()
    }
  } catch (error) {
    if (error instanceof InputError || error instanceof LakeError) return missing(error.message.split('\n')[0] ?? '')
    throw error
  }
}
