/** What a lane is started with, by a run or by a listener. */
import { SearchAttributeType, defineSearchAttributeKey } from '@temporalio/common'
import type { SearchAttributePair } from '@temporalio/common'
import type { JsonObject } from '../connectors/connector.ts'
import type { FlowPlan, LanePlan, LaneTask, SearchAttributes } from '../activities/digests.ts'
import type { SyncInput } from './lane-state.ts'
import { summaryOf } from './summary.ts'

/** The flow document with this object alone: as it is written, or its pattern's mapping with its name. */
export function laneTask(
  plan: FlowPlan,
  document: JsonObject,
  { object, workflowId, at, pattern }: LanePlan,
  parent?: string,
): LaneTask {
  const { namespaceId, namespace, ...shared } = plan.shared
  const source = document.source as { objects: (string | JsonObject)[] }
  const written = source.objects[at] as string | JsonObject
  const named = typeof written === 'string' ? object : { ...written, object }
  return {
    version: 1,
    lane: { namespaceId, namespace, flow: plan.flow, object },
    workflowId,
    ...shared,
    flow: { ...document, source: { ...source, objects: [pattern === undefined ? written : named] } },
    ...(parent === undefined ? {} : { parent }),
  }
}

/** What a lane's workflow is started with, whoever starts it. */
export function laneChild(task: LaneTask) {
  return {
    workflowId: task.workflowId,
    taskQueue: task.taskQueue,
    args: [{ task }] satisfies [SyncInput],
    typedSearchAttributes: pairs(task.attributes),
    staticSummary: summaryOf(`${task.lane.flow}: ${task.lane.object}`),
  }
}

export function pairs(attributes: SearchAttributes): SearchAttributePair[] {
  return Object.entries(attributes).map(([name, value]) => ({
    key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD),
    value,
  }))
}
