/** How a step finds its lane: the ledger's place, the flow's slice, the connections behind it. */
import { ConnectorError, InputError } from '../connectors/errors.ts'
import { parseFlow } from '../connectors/flow.ts'
import type { Flow, FlowObject } from '../connectors/flow.ts'
import { openInbox } from '../connectors/lake/inbox.ts'
import type { LakeLane } from '../connectors/lake/protocol.ts'
import type { Connected, Deps } from './deps.ts'
import type { LaneRef, LaneTask } from './digests.ts'
import { placeOf } from './place.ts'
import type { Place } from './place.ts'
import { renew } from './renew.ts'
import type { StepContext } from './step.ts'

/** The lane's mutual exclusion: one open workflow of this id in the namespace. */
export function laneWorkflowId(lane: Pick<LaneRef, 'flow' | 'object'>): string {
  return `flow/${lane.flow}/${encodeURIComponent(lane.object)}`
}

export interface LaneFlow {
  flow: Flow
  object: FlowObject
}

export function laneFlow(task: LaneTask): LaneFlow {
  const flow = parseFlow(task.flow)
  const [object] = flow.source.objects
  if (!object) throw new InputError([{ what: 'the lane has no object', where: 'source.objects' }])
  return { flow, object }
}

export async function lakeLane(deps: Deps, task: LaneTask, context: StepContext): Promise<LakeLane> {
  return laneAt(await placeOf(deps, laneFlow(task)), task, context)
}

export function laneAt({ store }: Place, task: LaneTask, { beat, sleep }: StepContext): LakeLane {
  return { store, lane: task.lane, beat, sleep }
}

export async function connectEnd(deps: Deps, connection: string, context: StepContext): Promise<Connected> {
  const { signal, beat, notes, calls } = context
  return deps.connect(connection, {
    signal,
    beat,
    note: (text) => notes.add(text),
    renew: (staleVersion) => renew({ connection, staleVersion }),
    sent: () => void calls.made++,
  })
}

/** As `connectEnd`; of a lane that events feed, with what waits for it. */
export async function connectLane(
  deps: Deps,
  at: LakeLane,
  { connection, task }: { connection: string; task: LaneTask },
  context: StepContext,
): Promise<Connected> {
  const connected = await connectEnd(deps, connection, context)
  const { trigger } = laneFlow(task).flow
  if (trigger.kind !== 'event') return connected
  const inbox = openInbox(at.store, at.lane, trigger.batch.rows)
  return { ...connected, session: { ...connected.session, inbox } }
}

/** The source side of a connection; the flow was checked, but the installation may have changed since. */
export function sourceOf({ connector, session }: Omit<Connected, 'budget'>) {
  if (!connector.source) {
    throw new ConnectorError({
      connector: connector.name,
      doing: `read from ${session.connection}`,
      kind: 'rejected',
      reason: 'this connector is no source',
    })
  }
  return connector.source
}
