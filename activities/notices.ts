/**
 * What happened to a run, in Amazon AppFlow's words where it has any: detail-types, members, counts as text.
 * https://docs.aws.amazon.com/appflow/latest/userguide/flow-notifications.html
 */
import type { JsonObject, Notice } from '../connectors/connector.ts'
import type { NotifyInput, RunEvent } from './digests.ts'

/** Of a flow's notifications of one instant, in this order. */
const order = ['started', 'drift', 'ended', 'deactivated'] as const

const types: Record<RunEvent['kind'], string> = {
  started: 'AppFlow Start Flow Run Report',
  ended: 'AppFlow End Flow Run Report',
  drift: 'AppFlow Automatic Field Import Report',
  deactivated: 'AppFlow Scheduled Flow Deactivated',
}

/** `connectorOf`: the connector of a connection, where the workers know it. */
export function noticeOf(
  { flow, run }: Pick<NotifyInput, 'flow' | 'run'>,
  event: RunEvent,
  connectorOf: (connection: string) => string,
): Notice {
  const { source, destination } = flow
  const detail: JsonObject = {
    'flow-name': flow.name,
    source: `${connectorOf(source.connection).toUpperCase()}/${source.connection}`,
    'source-object': source.objects,
    destination: connectorOf(destination.connection).toUpperCase(),
    'destination-object': `${destination.connection}/${destination.object}`,
    'trigger-type': flow.trigger,
    'execution-id': run.runId,
    'workflow-id': run.workflowId,
    'start-time': run.startedAt,
    ...own(event),
  }
  return { id: idOf(run.runId, event), type: types[event.kind], time: event.at, detail }
}

/** Sorted as text, ids of a flow are in order of time. */
function idOf(runId: string, { kind, at }: RunEvent): string {
  return `${at.replaceAll(/[-:.]/g, '')}-${runId.slice(0, 8)}-${order.indexOf(kind) + 1}-${kind}`
}

function own(event: RunEvent): JsonObject {
  if (event.kind === 'started') return {}
  if (event.kind === 'deactivated') return { 'deactivation-reason': event.reason, 'deactivation-time': event.at }
  if (event.kind === 'drift') return { objects: event.objects }
  const { totals, status, error, objects, others } = event
  return {
    'end-time': event.at,
    status: `Execution ${status}`,
    ...(error === undefined ? {} : { error }),
    'num-of-records-processed': String(totals.read),
    'num-of-records-filtered': String(totals.left),
    'num-of-record-failures': String(totals.failed),
    'num-of-documents-processed': String(totals.files),
    'data-processed': String(totals.bytes),
    objects,
    ...(others > 0 ? { 'other-objects': others } : {}),
  }
}
