/** The workflow that takes the events of a flow: started with the flow, told what changes, asked how it is. */
import { WorkflowNotFoundError } from '@temporalio/client'
import type { Client } from '@temporalio/client'
import type { SearchAttributePair } from '@temporalio/common'
import type { ListenProgress } from '../workflows/listen-messages.ts'
import { refused } from './connect.ts'
import type { FlowDocument } from './flow-document.ts'
import { flowName, isFedByEvents } from './flow-document.ts'
import { LISTEN_FLOW, listenerId } from './flow-ids.ts'
import { taskQueueOf } from './schedules.ts'

export type { ListenProgress }

interface Applied {
  document: FlowDocument
  /** As it was applied before; null: never. */
  before: FlowDocument | null
  paused: boolean
  attributes: SearchAttributePair[]
}

/** After `apply`: the listener runs by this definition; one that is no longer needed commits what waits, and ends. */
export async function followDefinition(client: Client, applied: Applied): Promise<void> {
  const { document, before, paused, attributes } = applied
  const flow = flowName(document)
  if (!isFedByEvents(document)) {
    if (before && isFedByEvents(before)) await tellListener(client, flow, 'end')
    return
  }
  try {
    await client.workflow.signalWithStart(LISTEN_FLOW, {
      workflowId: listenerId(flow),
      taskQueue: taskQueueOf(document),
      args: [document],
      signal: 'define',
      signalArgs: [document],
      staticSummary: `Events of flow ${flow}`.slice(0, 90),
      ...(attributes.length > 0 ? { typedSearchAttributes: attributes } : {}),
    })
  } catch (error) {
    throw refused(error, `flow ${flow}`) ?? error
  }
  await tellListener(client, flow, paused ? 'pause' : 'resume')
}

/** False: there is none. */
export async function tellListener(client: Client, flow: string, what: 'pause' | 'resume' | 'end'): Promise<boolean> {
  return reached(flow, () => client.workflow.getHandle(listenerId(flow)).signal(what))
}

/** As `cancelRun`: batches in hand clean up, and what waits stays in the lake. */
export async function cancelListener(client: Client, flow: string): Promise<boolean> {
  return reached(flow, async () => void (await client.workflow.getHandle(listenerId(flow)).cancel()))
}

async function reached(flow: string, work: () => Promise<void>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false
    throw refused(error, `flow ${flow}`) ?? error
  }
}

const ANSWER_MS = 4_000

/** null: no listener runs, or no worker answers for it. */
export async function listenerProgress(client: Client, flow: string): Promise<ListenProgress | null> {
  try {
    const asked = client.workflow.getHandle(listenerId(flow)).query<ListenProgress>('progress')
    return await client.connection.withDeadline(Date.now() + ANSWER_MS, () => asked)
  } catch {
    return null
  }
}
