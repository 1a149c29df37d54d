/**
 * One object of a stored flow, with its ledger, opened where the command runs: Temporal says which flow and namespace,
 * the local lakeward.yaml where the lake is.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { LakeLane } from '../../connectors/lake/protocol.ts'
import type { ObjectStore } from '../../connectors/lake/store.ts'
import type { Parts } from '../../worker/assemble.ts'
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

export interface LocalFlow extends Omit<LocalLane, 'at'> {
  parts: Parts
  /** Holds the ledgers of its lanes. */
  store: ObjectStore
  laneOf: (object: string) => LakeLane
}

/** `target`: the name of a stored flow, or a file. */
export async function withFlow<T>(call: Call, target: string, work: (local: LocalFlow) => Promise<T>): Promise<T> {
  const flow = await readTarget(target)
  return withTemporal(call, async (lakeward, connected) => {
    const document = typeof flow === 'string' ? (await lakeward.flow(flow)).document : flow
    const lanes = { ...(await namespace(connected)), flow: flowName(document) }
    const { openParts } = await import('../../worker/assemble.ts')
    const { storeOf } = await import('../../activities/place.ts')
    const parts = await openParts({ installation: installationPath(call.options.config) })
    try {
      const store = await storeOf(parts, written(document).destination.connection)
      const beat = (position: string): void => call.view.draw?.([position])
      const laneOf = (object: string): LakeLane => {
        return { store, lane: { ...lanes, object }, beat, sleep: (ms) => sleep(ms) }
      }
      return await work({ parts, store, laneOf, document, lakeward })
    } finally {
      await parts.close()
    }
  })
}

export async function withLane<T>(
  call: Call,
  target: string,
  object: string,
  work: (local: LocalLane) => Promise<T>,
): Promise<T> {
  return withFlow(call, target, ({ laneOf, document, lakeward }) => work({ at: laneOf(object), document, lakeward }))
}

async function namespace({ client, namespace: name }: Connected): Promise<{ namespace: string; namespaceId: string }> {
  try {
    const { namespaceInfo } = await client.workflowService.describeNamespace({ namespace: name })
    return { namespace: name, namespaceId: namespaceInfo?.id ?? '' }
  } catch (error) {
    throw refused(error, `namespace ${name}`) ?? error
  }
}
