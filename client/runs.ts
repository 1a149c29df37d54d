/** Runs of flows in Temporal: found, started, cancelled. */
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client'
import type { Client } from '@temporalio/client'
import type { SearchAttributePair } from '@temporalio/common'
import { ClientError } from './client-error.ts'
import { refused } from './connect.ts'
import type { FlowDocument } from './flow-document.ts'
import { flowName, objectIds } from './flow-document.ts'
import { RUN_FLOW, laneId, listenerId, runId, runIdBase } from './flow-ids.ts'
import type { RunOutcome } from './run-outcome.ts'
import { runOutcome } from './run-outcome.ts'
import { taskQueueOf } from './schedules.ts'
import { milliseconds } from './waiting.ts'

export interface StartedRun {
  flow: string
  workflowId: string
  runId: string
  taskQueue: string
}

export interface RunSummary {
  workflowId: string
  runId: string
  /** `failed` includes runs of which some objects failed; `outcome` tells them apart. */
  status: 'running' | 'done' | 'failed' | 'cancelled' | 'terminated' | 'timed out'
  startedAt: Date
  endedAt: Date | null
  /** Started by the flow's schedule. */
  scheduled: boolean
  /** Known from the ledger alone: Temporal no longer keeps it. */
  ledger?: true
  outcome?: RunOutcome
}

export async function startRun(
  client: Client,
  document: FlowDocument,
  attributes: SearchAttributePair[],
): Promise<StartedRun> {
  const flow = flowName(document)
  const taskQueue = taskQueueOf(document)
  for (let attempt = 1; ; attempt++) {
    const workflowId = runId(flow, new Date(Date.now() + attempt - 1))
    try {
      const handle = await client.workflow.start(RUN_FLOW, {
        workflowId,
        taskQueue,
        args: [document],
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        staticSummary: `Flow ${flow}, started by hand`.slice(0, 90),
        ...(attributes.length > 0 ? { typedSearchAttributes: attributes } : {}),
      })
      return { flow, workflowId, runId: handle.firstExecutionRunId, taskQueue }
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError && attempt < 5) continue
      throw refused(error, `flow ${flow}`) ?? error
    }
  }
}

/** Lanes of the flow that a run holds now: asked of Temporal itself, not of its index, which is behind. */
export async function busyLanes(client: Client, document: FlowDocument, objects?: string[]) {
  const flow = flowName(document)
  // What patterns of objects take is known when the run begins, and lanes that are held are told then: no lane has such
  // a name. A pattern of files is one lane.
  const wanted = objects ?? objectIds(document)
  const held = await inTurns(wanted, async (object) => {
    const workflowId = laneId(flow, object)
    const described = await describe(client, workflowId)
    if (described?.status.name !== 'RUNNING') return null
    const parent = described.parentExecution?.workflowId
    // A listener goes on to listen, whatever becomes of a batch.
    const run = !parent || parent === listenerId(flow) ? workflowId : parent
    return { object, run, since: described.startTime }
  })
  return held.filter((lane) => lane !== null)
}

export function busy(flow: string, lanes: Awaited<ReturnType<typeof busyLanes>>): ClientError {
  const [first] = lanes
  const names = lanes.map((lane) => lane.object)
  const shown = names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ')
  const since = `${first?.since.toISOString().slice(0, 19)}Z`
  return new ClientError(
    'busy',
    `flow ${flow}`,
    `${shown} ${names.length === 1 ? 'is' : 'are'} being read by another run: ${first?.run}, since ${since}`,
    `Wait for it, cancel it with \`lakeward cancel ${flow}\`, or start with --queue to wait in line.`,
  )
}

/** The newest first. The index of Temporal is some seconds behind. */
export async function findRuns(
  client: Client,
  flow: string,
  find: { limit: number; running?: boolean; byAttribute: boolean },
): Promise<RunSummary[]> {
  // Runs that somebody started under an id of his own are found where the attribute is registered.
  const named = `WorkflowId STARTS_WITH "${runIdBase(flow)}"`
  const mine = find.byAttribute ? `(${named} OR LakewardFlow = "${flow}")` : named
  const running = find.running ? ' AND ExecutionStatus = "Running"' : ''
  const query = `WorkflowType = "${RUN_FLOW}" AND ${mine}${running}`
  const { namespace } = client.options
  const found: RunSummary[] = []
  let nextPageToken: Uint8Array | undefined
  try {
    // Memos are not decoded: the list stays readable without the codec.
    do {
      const asked = { namespace, query, pageSize: Math.min(find.limit, 200), nextPageToken }
      const page = await client.workflowService.listWorkflowExecutions(asked)
      const listed = (page.executions ?? []).filter(({ status }) => (status as number | undefined) !== CONTINUED_AS_NEW)
      found.push(...listed.map(summary))
      nextPageToken = page.nextPageToken?.length ? page.nextPageToken : undefined
    } while (nextPageToken && found.length < find.limit)
  } catch (error) {
    throw refused(error, `flow ${flow}`) ?? error
  }
  return found.slice(0, find.limit)
}

type Listed = NonNullable<
  Awaited<ReturnType<Client['workflowService']['listWorkflowExecutions']>>['executions']
>[number]

// temporal.api.enums.v1.WorkflowExecutionStatus
const CONTINUED_AS_NEW = 6
const states: Record<number, RunSummary['status']> = {
  1: 'running',
  2: 'done',
  3: 'failed',
  4: 'cancelled',
  5: 'terminated',
  7: 'timed out',
  8: 'running', // paused
}

function summary({ execution, status, startTime, closeTime, searchAttributes }: Listed): RunSummary {
  return {
    workflowId: execution?.workflowId ?? '',
    runId: execution?.runId ?? '',
    status: states[status ?? 0] ?? 'failed',
    startedAt: new Date(milliseconds(startTime)),
    endedAt: closeTime ? new Date(milliseconds(closeTime)) : null,
    scheduled: searchAttributes?.indexedFields?.TemporalScheduledById !== undefined,
  }
}

/** Reads how the ended ones of these runs ended. */
export async function withOutcomes(client: Client, runs: RunSummary[]): Promise<RunSummary[]> {
  return inTurns(runs, async (run) => {
    if (run.status === 'running') return run
    try {
      return { ...run, outcome: await runOutcome(client.workflow.getHandle(run.workflowId, run.runId)) }
    } catch {
      return run // its history is gone or cannot be decoded; the summary stays true
    }
  })
}

/** Ids of the runs that go on: from the index, the schedule and the lanes, so that one just started is among them. */
export async function runningRuns(
  client: Client,
  flow: string,
  known: { document?: FlowDocument; runningIds?: string[]; byAttribute: boolean },
): Promise<string[]> {
  const { document, byAttribute } = known
  const indexed = await findRuns(client, flow, { limit: 1000, running: true, byAttribute })
  const held = document ? await busyLanes(client, document) : []
  const ids = new Set([
    ...indexed.map((run) => run.workflowId),
    ...(known.runningIds ?? []),
    ...held.map((lane) => lane.run),
  ])
  const live = await inTurns([...ids], async (id) =>
    (await describe(client, id))?.status.name === 'RUNNING' ? id : null,
  )
  return live.filter((id) => id !== null)
}

export async function cancelRun(client: Client, workflowId: string): Promise<boolean> {
  try {
    await client.workflow.getHandle(workflowId).cancel()
    return true
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false
    throw refused(error, workflowId) ?? error
  }
}

async function describe(client: Client, workflowId: string) {
  try {
    return await client.workflow.getHandle(workflowId).describe()
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null
    throw refused(error, workflowId) ?? error
  }
}

const AT_ONCE = 8

/** Maps with a few calls in flight at a time; the order of the answers is that of the items. */
export async function inTurns<In, Out>(items: In[], work: (item: In) => Promise<Out>): Promise<Out[]> {
  const answers: Out[] = Array.from({ length: items.length })
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++
      answers[at] = await work(items[at] as In)
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker))
  return answers
}
