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
    const { paused, gone } = await schedule(flow.name)
    // A receiver may tell of a flow's last events when it was deleted already.
    return { plan, batch: flow.trigger.batch, paused, last: gone && flow.trigger.event !== 'signal', waiting }
  })

async function schedule(flow: string): Promise<{ paused: boolean | null; gone: boolean }> {
  try {
    const { state } = await Context.current().client.schedule.getHandle(`flow/${flow}`).describe()
    return { paused: state.paused, gone: false }
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return { paused: null, gone: true }
    log.info('the schedule cannot be asked', { flow, error: String(error) })
    return { paused: null, gone: false }
  }
}
