/**
 * One object of a stored flow, with its ledger, opened where the command runs: Temporal says which flow and namespace,
 * the local lakeward.yaml where the lake is.
 */
import type { LakeLane } from '../../connectors/lake/protocol.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connected } from '../connect.ts'
import { refused } from '../connect.ts'
import { flowName, written } from '../flow-document.ts'
import type { FlowDocument } from '../flow-document.ts'
import { readTarget } from '../flow-files.ts'
import { installationPath } from '../installation-check.ts'
import type { LakewardClient } from '../lakeward-client.ts'
import type { Call } from './call.ts'
import { withTemporal } from './call.ts'

export interface LocalLane {
  at: LakeLane
  document: FlowDocument
  lakeward: LakewardClient
}

/** `target`: the name of a stored flow, or a file. */
export async function withLane<T>(
  call: Call,
  target: string,
  object: string,
  work: (local: LocalLane) => Promise<T>,
): Promise<T> {
  const flow = await readTarget(target)
  return withTemporal(call, async (lakeward, connected) => {
    const document = typeof flow === 'string' ? (await lakeward.flow(flow)).document : flow
    const lane = { ...(await namespace(connected)), flow: flowName(document), object }
    const { openParts } = await import('../../worker/assemble.ts')
    const { storeOf } = await import('../../activities/place.ts')
    const parts = await openParts({ installation: installationPath(call.options.config) })
    try {
      const store = await storeOf(parts, written(document).destination.connection)
      const beat = (position: string): void => call.view.draw?.([position])
      return await work({ at: { store, lane, beat, sleep: (ms) => sleep(ms) }, document, lakeward })
    } finally {
      await parts.close()
    }
  })
}

async function namespace({ client, namespace: name }: Connected): Promise<{ namespace: string; namespaceId: string }> {
  try {
    const { namespaceInfo } = await client.workflowService.describeNamespace({ namespace: name })
    return { namespace: name, namespaceId: namespaceInfo?.id ?? '' }
  } catch (error) {
    throw refused(error, `namespace ${name}`) ?? error
  }
}
