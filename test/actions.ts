/**
 * What a run costs in actions, as Temporal Cloud counts them, read from the histories of a run and of all that it
 * started: https://docs.temporal.io/evaluate/cloud/actions (billing of September 2026).
 *
 * Heartbeats and retries leave no events. Retries are told by the attempt of a step; beats are counted where they are
 * sent (`heartbeats`), or estimated by how long each step took and how often it beats.
 */
import type { Client } from '@temporalio/client'

/** temporal.api.enums.v1.EventType */
const EVENTS = {
  1: 'started',
  10: 'step',
  11: 'taken',
  12: 'ended',
  17: 'timer',
  28: 'continued',
  29: 'child',
  37: 'signal',
  40: 'attributes',
} as const

export interface RunCost {
  actions: number
  /** Of all histories. */
  events: number
  /** By what they are for. */
  by: Record<string, number>
  /** Names of the steps, in the order in which they were scheduled. */
  steps: string[]
  ms: number
}

interface Event {
  eventId?: unknown
  eventType?: number | null
  eventTime?: { seconds?: unknown; nanos?: number | null } | null
  activityTaskScheduledEventAttributes?: { activityType?: { name?: string | null } | null } | null
  activityTaskStartedEventAttributes?: { attempt?: number | null; scheduledEventId?: unknown } | null
  activityTaskCompletedEventAttributes?: { scheduledEventId?: unknown } | null
  workflowExecutionContinuedAsNewEventAttributes?: { newExecutionRunId?: string | null } | null
  startChildWorkflowExecutionInitiatedEventAttributes?: { workflowId?: string | null } | null
}

const BEAT_MS = 10_000

/** All of a run: its workflow and its lanes, with `beatMs` between two heartbeats of a step that goes on. */
export async function costOf(client: Client, workflowId: string, runId?: string, beatMs = BEAT_MS): Promise<RunCost> {
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory()
  const events = (history.events ?? []) as Event[]
  const cost: RunCost = { actions: 0, events: events.length, by: {}, steps: [], ms: 0 }
  const add = (what: string, times = 1): void => {
    cost.by[what] = (cost.by[what] ?? 0) + times
    cost.actions += times
  }
  const began = new Map<string, number>()
  const others: [workflowId: string, runId?: string][] = []
  for (const event of events) {
    const kind = EVENTS[event.eventType as keyof typeof EVENTS] as (typeof EVENTS)[keyof typeof EVENTS] | undefined
    if (kind === 'started') add('workflow')
    else if (kind === 'step') {
      add('step')
      cost.steps.push(event.activityTaskScheduledEventAttributes?.activityType?.name ?? '')
    } else if (kind === 'taken') {
      const { attempt, scheduledEventId } = event.activityTaskStartedEventAttributes ?? {}
      if ((attempt ?? 1) > 1) add('retry', (attempt ?? 1) - 1)
      began.set(String(scheduledEventId), at(event))
    } else if (kind === 'ended') {
      const start = began.get(String(event.activityTaskCompletedEventAttributes?.scheduledEventId)) ?? at(event)
      const beats = Math.floor((at(event) - start) / beatMs)
      if (beats > 0) add('heartbeat', beats)
    } else if (kind === 'timer') add('timer')
    else if (kind === 'signal') add('signal')
    else if (kind === 'attributes') add('attributes')
    else if (kind === 'child') {
      // Two for a child: one is its own start.
      add('child')
      const id = event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId
      if (id) others.push([id])
    } else if (kind === 'continued') {
      const next = event.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId
      if (next) others.push([workflowId, next])
    }
  }
  cost.ms = events.length > 0 ? at(events.at(-1)!) - at(events[0]!) : 0
  for (const [id, run] of others) {
    const own = await costOf(client, id, run, beatMs)
    cost.events += own.events
    cost.steps.push(...own.steps)
    for (const [what, times] of Object.entries(own.by)) add(what, times)
  }
  return cost
}

function at({ eventTime }: Event): number {
  return Number(eventTime?.seconds ?? 0) * 1000 + (eventTime?.nanos ?? 0) / 1e6
}
