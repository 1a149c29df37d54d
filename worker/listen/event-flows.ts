/** Flows that webhooks feed, as they are stored in Temporal now. */
import type { Client } from '@temporalio/client'
import { isGrpcServiceError } from '@temporalio/client'
import { eventFlow } from '../../activities/event-lanes.ts'
import type { EventFlow } from '../../activities/event-lanes.ts'
import type { JsonObject } from '../../connectors/connector.ts'
import { parseFlow } from '../../connectors/flow.ts'

export interface ListeningFlow {
  flow: EventFlow
  /** As it is stored: the listener's argument. */
  document: JsonObject
  taskQueue: string
}

/** As the client marks their schedules (`client/schedules.ts`): definitions of others are not read. */
const MARK = 'fed by events'

/** `say`: what is wrong with one flow; the others go on. */
export async function listeningFlows(client: Client, say: (line: string) => void): Promise<ListeningFlow[]> {
  const ids: string[] = []
  const { namespace } = client.options
  let nextPageToken: Uint8Array | undefined
  do {
    const page = await client.workflowService.listSchedules({ namespace, nextPageToken, maximumPageSize: 500 })
    for (const { scheduleId, info } of page.schedules ?? []) {
      const marked = info?.spec?.structuredCalendar?.some(({ comment }) => comment?.startsWith(MARK))
      if (marked && scheduleId && /^flow\/[^/]+$/.test(scheduleId)) ids.push(scheduleId)
    }
    nextPageToken = page.nextPageToken?.length ? page.nextPageToken : undefined
  } while (nextPageToken)
  const found: ListeningFlow[] = []
  for (const id of ids) {
    try {
      const { action } = await client.schedule.getHandle(id).describe()
      const [document] = action.args as unknown as [JsonObject]
      const flow = eventFlow(parseFlow(document))
      if (flow.trigger.event !== 'signal') found.push({ flow, document, taskQueue: action.taskQueue })
    } catch (error) {
      if (isGrpcServiceError(error)) throw error
      say(`${id} is left out: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return found
}
