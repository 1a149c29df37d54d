/**
 * Pauses the flows of this namespace that use a connection which can no longer log in, so that they do not fail again
 * and again. Starting them again is a person's decision; the note says how.
 *
 * Law: repeatable. A flow that is paused stays as it is, its note included.
 */
import { Context, activityInfo } from '@temporalio/activity'
import { ScheduleNotFoundError } from '@temporalio/client'
import type { Client } from '@temporalio/client'
import type { PauseFlowsDigest, PauseFlowsInput } from './digests.ts'
import { step } from './step.ts'

const FLOW = /^flow\/([^/]+)$/
const MOST_TEXT = 600

export const pauseFlows = step(async ({ connection, reason }: PauseFlowsInput): Promise<PauseFlowsDigest> => {
  const { client } = Context.current()
  const digest: PauseFlowsDigest = { paused: [], failed: [] }
  for await (const scheduleId of flowSchedules(client, activityInfo().namespace ?? '')) {
    const name = FLOW.exec(scheduleId)?.[1] ?? ''
    try {
      const handle = client.schedule.getHandle(scheduleId)
      const { action, state } = await handle.describe()
      if (!uses(action.args?.[0], connection)) continue
      if (!state.paused) {
        const again = `Then start it again: lakeward unpause ${name}`
        await handle.pause(`connection ${connection} cannot log in: ${reason.slice(0, MOST_TEXT)} ${again}`)
      }
      digest.paused.push(name)
    } catch (error) {
      // One that another codec wrote must not keep the others running.
      if (!(error instanceof ScheduleNotFoundError)) digest.failed.push(name)
    }
  }
  return digest
})

/** Ids alone: what is in memos and arguments may be written with a codec that this worker has not. */
async function* flowSchedules(client: Client, namespace: string): AsyncGenerator<string> {
  let nextPageToken: Uint8Array | undefined
  do {
    const page = await client.workflowService.listSchedules({ namespace, nextPageToken })
    for (const { scheduleId, info } of page.schedules ?? []) {
      if (scheduleId && FLOW.test(scheduleId) && info?.workflowType?.name === 'runFlow') yield scheduleId
    }
    nextPageToken = page.nextPageToken?.length ? page.nextPageToken : undefined
  } while (nextPageToken)
}

function uses(flow: unknown, connection: string): boolean {
  const { source, destination } = Object(flow) as { [side: string]: { connection?: unknown } | undefined }
  return [source, destination].some((side) => side?.connection === connection)
}
