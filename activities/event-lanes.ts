/** Which lanes of a flow take an event, and where they lie. */
import { InputError } from '../connectors/errors.ts'
import type { EventTrigger, Flow, FlowObject } from '../connectors/flow.ts'
import { matches } from '../connectors/flow-patterns.ts'
import type { EventLane } from '../connectors/lake/inbox.ts'
import type { ObjectStore } from '../connectors/lake/store.ts'
import { placeOf } from './place.ts'
import type { Places } from './place.ts'

export type EventFlow = Flow & { trigger: EventTrigger }

export function eventFlow(flow: Flow): EventFlow {
  if (flow.trigger.kind === 'event') return flow as EventFlow
  const advice = 'A flow that events feed says `trigger: { event: webhook }`.'
  throw new InputError([{ what: `no events feed ${flow.name}`, where: 'trigger', advice }])
}

/** Objects name kinds of events, or patterns of kinds; several may take one. */
export function takersOf({ source }: Pick<Flow, 'source'>, kind: string): FlowObject[] {
  return source.objects.filter(({ object }) => matches(object, kind))
}

export async function inboxOf(
  deps: Places,
  flow: Flow,
  object: FlowObject,
): Promise<{ store: ObjectStore; lane: EventLane }> {
  const { store } = await placeOf(deps, { flow, object })
  return { store, lane: { flow: flow.name, object: object.id } }
}
