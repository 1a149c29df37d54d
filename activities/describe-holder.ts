/** Which run holds a lane, for the message to whoever found it busy. */
import { Context } from '@temporalio/activity'
import type { HolderDigest } from './digests.ts'
import { step } from './step.ts'

export const describeHolder = step(async (workflowId: string): Promise<HolderDigest> => {
  const described = await Context.current().client.workflow.getHandle(workflowId).describe()
  const run = described.parentExecution?.workflowId ?? workflowId
  return { holder: `${run}, since ${described.startTime.toISOString().slice(0, 19)}Z` }
})
