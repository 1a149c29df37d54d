/** Events that came by signal or update, into the lake: from here on they are as those of a receiver. */
import type { Json } from '../connectors/connector.ts'
import type { KeptEvent } from '../connectors/events.ts'
import { parseFlow } from '../connectors/flow.ts'
import type { FlowObject } from '../connectors/flow.ts'
import { keepEvents as keep } from '../connectors/lake/inbox.ts'
import type { Deps } from './deps.ts'
import type { HandEvent, KeepDigest, KeepInput } from './digests.ts'
import { eventFlow, inboxOf, takersOf } from './event-lanes.ts'
import type { EventFlow } from './event-lanes.ts'
import { step } from './step.ts'

export const keepEvents = (deps: Deps) =>
  step(async (input: KeepInput, context): Promise<KeepDigest> => {
    const flow = eventFlow(parseFlow(input.flow))
    const notes = new Set<string>()
    const taken = new Map<FlowObject, KeptEvent[]>()
    for (const event of input.events) {
      const kind = event.kind ?? onlyKind(flow)
      const takers = takersOf(flow, kind)
      if (takers.length === 0) notes.add(noTaker(flow, kind))
      for (const object of takers) {
        const events = taken.get(object) ?? []
        taken.set(object, [...events, kept(event, kind, input.atMs)])
      }
    }
    const digest: KeepDigest = { kept: {}, notes: [...notes] }
    for (const [object, events] of taken) {
      context.beat(`keeping events of ${object.id}`)
      const { store, lane } = await inboxOf(deps, flow, object)
      await keep(store, lane, events)
      digest.kept[object.id] = events.length
    }
    return digest
  })

/** Text of a workflow's argument: what JSON.parse makes of a long number is what came. */
function kept({ id, body }: HandEvent, kind: string, atMs: number): KeptEvent {
  return { id, kind, atMs, body: JSON.stringify(body satisfies Json) }
}

function onlyKind({ source }: EventFlow): string {
  const [only, ...more] = source.objects
  return only && more.length === 0 && !only.object.includes('*') ? only.object : ''
}

function noTaker({ source }: EventFlow, kind: string): string {
  const kinds = source.objects.map(({ object }) => object).join(', ')
  const what = kind === '' ? 'events without `kind`' : `events of kind \`${kind.slice(0, 100)}\``
  return `${what} are taken by no object of this flow, and were dropped; it has ${kinds}`
}
