/** What a listener begins with: the flow, checked and cut into lanes, whether it is paused, and what waits already. */
import { Context, log } from '@temporalio/activity'
import { ScheduleNotFoundError } from '@temporalio/client'
import { parseFlow } from '../connectors/flow.ts'
import { waitingEvents } from '../connectors/lake/inbox.ts'
import type { Deps } from './deps.ts'
import type { ListenDigest, ListenInput } from './digests.ts'
import { eventFlow, inboxOf } from './event-lanes.ts'
import { flowPlan } from './plan-flow.ts'
import { step } from './step.ts'

export const openListener = (deps: Deps) =>
  step(async (input: ListenInput, context): Promise<ListenDigest> => {
    const flow = eventFlow(parseFlow(input.flow))
    const plan = await flowPlan(deps, flow, { nominalMs: null }, context)
    const waiting: ListenDigest['waiting'] = {}
    for (const object of flow.source.objects) {
      context.beat(`looking for events of ${object.id}`)
      const { store, lane } = await inboxOf(deps, flow, object)
      waiting[object.id] = await waitingEvents(store, lane)
    }
    return { plan, batch: flow.trigger.batch, paused: await paused(flow.name), waiting }
  })

async function paused(flow: string): Promise<boolean | null> {
  try {
    return (await Context.current().client.schedule.getHandle(`flow/${flow}`).describe()).state.paused
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError))
      log.info('the schedule cannot be asked', { flow, error: String(error) })
    return null
  }
}
