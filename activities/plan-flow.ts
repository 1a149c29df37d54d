/**
 * Checks the flow against what this installation can reach, and cuts it into lanes. No vendor is called here, but for
 * the list of objects that a pattern asks for: a flow that is wrong fails in a second, whatever the vendor does.
 */
import { activityInfo } from '@temporalio/activity'
import type { ObjectInfo } from '../connectors/connector.ts'
import { InputError } from '../connectors/errors.ts'
import { checkTarget, parseFlow } from '../connectors/flow.ts'
import type { Flow } from '../connectors/flow.ts'
import { expandPatterns, isForMany, some } from '../connectors/flow-patterns.ts'
import type { Expanded, TakenObject } from '../connectors/flow-patterns.ts'
import { connector } from '../connectors/index.ts'
import type { Installation } from '../connectors/installation.ts'
import { goneSince } from '../connectors/lake/taken-objects.ts'
import { connectEnd, laneWorkflowId, sourceOf } from './lane.ts'
import type { Deps } from './deps.ts'
import { storeOf, storesOf } from './place.ts'
import type { FlowPlan, LanePlan, PlanFlowInput, SearchAttributes } from './digests.ts'
import { attributeNames, currentNamespace } from './namespace.ts'
import type { Namespace } from './namespace.ts'
import { step } from './step.ts'
import type { StepContext } from './step.ts'
import { unitQueueOf } from './unit-queue.ts'

const MOST_LANES_AT_ONCE = 16

export const planFlow = (deps: Deps) =>
  step(async (input: PlanFlowInput, context): Promise<FlowPlan> =>
    flowPlan(deps, parseFlow(input.flow), input, context),
  )

export async function flowPlan(
  deps: Deps,
  flow: Flow,
  input: Pick<PlanFlowInput, 'nominalMs'>,
  context: StepContext,
): Promise<FlowPlan> {
  const installation = await deps.installation()
  const { source, destination, taskQueue, parallel } = await reached(flow, installation)
  checkTarget(flow, destination)
  const namespace = await currentNamespace()
  const wanted: SearchAttributes = {
    LakewardFlow: flow.name,
    LakewardConnector: source.name,
    LakewardDestination: destination.name,
  }
  const attributes = Object.fromEntries(Object.entries(wanted).filter(([name]) => namespace.registered.has(name)))
  const { objects, notes } = await listed(deps, flow, namespace, context)
  const lanes = chosen(flow, objects).map(({ at, id: object, pattern }): LanePlan => {
    const workflowId = laneWorkflowId({ flow: flow.name, object })
    return { object, workflowId, at, ...(pattern === undefined ? {} : { pattern }) }
  })
  return {
    version: 2,
    flow: flow.name,
    lanes,
    shared: {
      namespaceId: namespace.id,
      namespace: namespace.name,
      taskQueue,
      ...(deps.unitsBeside?.includes(taskQueue) ? { unitQueue: unitQueueOf(taskQueue) } : {}),
      nominalMs: input.nominalMs,
      attributes,
      heartbeatSeconds: await deps.heartbeatSeconds(),
    },
    concurrency: Math.min(MOST_LANES_AT_ONCE, parallel),
    attributes,
    missingAttributes: attributeNames.filter((name) => !namespace.registered.has(name)),
    notes,
    calls: context.calls.made,
    queue: flow.run?.queue ?? false,
  }
}

/** The connectors of both ends, and the queue whose workers hold both connections. */
async function reached(flow: Flow, installation: Installation) {
  const source = await end(flow.source.connection, 'source.connection', 'source', installation)
  const destination = await end(flow.destination.connection, 'destination.connection', 'destination', installation)
  const told = await Promise.all(
    flow.notify.map(({ connection }, at) => end(connection, `notify[${at}].connection`, 'notify', installation)),
  )
  const ends = [source, destination, ...told]
  const queues = new Set(ends.map(({ taskQueue }) => taskQueue).filter((queue) => queue !== undefined))
  if (queues.size > 1) {
    throw new InputError([
      {
        what: `the connections of this flow live on different task queues (${[...queues].join(', ')})`,
        where: 'destination.connection',
        advice:
          'Give them one taskQueue in lakeward.yaml: a step needs both ends, and those of `notify` are told from there.',
      },
    ])
  }
  const [own] = queues
  return {
    source: source.connector,
    destination: destination.connector,
    taskQueue: own ?? activityInfo().taskQueue,
    parallel: source.parallel,
  }
}

const asA = { source: 'be a source', destination: 'be a destination', notify: 'be told how runs go' }

async function end(name: string, where: string, side: 'source' | 'destination' | 'notify', installation: Installation) {
  const connection = installation.connections[name]
  const wrong = (what: string, advice: string): InputError => new InputError([{ what, where, advice }])
  if (!connection) {
    const names = Object.keys(installation.connections).join(', ')
    throw wrong(`no connection is called ${name}`, `The workers' lakeward.yaml has: ${names || 'none'}.`)
  }
  const found = await connector(connection.connector)
  if (!found[side]) throw wrong(`${connection.connector} cannot ${asA[side]}`, 'Name a connection that can.')
  return { connector: found, taskQueue: connection.taskQueue, parallel: connection.limits.parallel }
}

/** The flow's objects, patterns replaced by what the source lists; only they make a call. */
async function listed(deps: Deps, flow: Flow, namespace: Namespace, context: StepContext): Promise<Expanded> {
  const { objects } = flow.source
  if (!objects.some(isForMany)) return expandPatterns(objects, [])
  const connected = await connectEnd(deps, flow.source.connection, context)
  await connected.budget.admit('list the objects')
  context.beat('listing the objects of the source')
  const found: ObjectInfo[] = []
  for await (const object of sourceOf(connected).objects(connected.session)) found.push(object)
  const expanded = expandPatterns(objects, found)
  const taken = expanded.objects.filter(({ pattern }) => pattern !== undefined).map(({ id }) => id)
  const store = await storeOf(await storesOf(deps), flow.destination.connection)
  const gone = await goneSince(store, { flow: flow.name, namespaceId: namespace.id }, taken, found)
  return { ...expanded, notes: [...expanded.notes, ...gone] }
}

function chosen(flow: Flow, objects: TakenObject[]): TakenObject[] {
  const only = flow.run?.objects
  if (!only) return objects
  const ids = objects.map(({ id }) => id)
  const unknown = only.filter((id) => !ids.includes(id))
  if (unknown.length === 0) return objects.filter(({ id }) => only.includes(id))
  throw new InputError([
    { what: `the flow has no object ${unknown.join(', ')}`, where: 'run.objects', advice: `It has: ${some(ids)}.` },
  ])
}
