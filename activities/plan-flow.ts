/**
 * Checks the flow against what this installation can reach, and cuts it into lanes. No vendor is called here: a flow
 * that is wrong fails in a second, whatever the vendor does.
 */
import { activityInfo } from '@temporalio/activity'
import type { JsonObject } from '../connectors/connector.ts'
import { InputError } from '../connectors/errors.ts'
import { parseFlow } from '../connectors/flow.ts'
import type { Flow } from '../connectors/flow.ts'
import { connector } from '../connectors/index.ts'
import type { Installation } from '../connectors/installation.ts'
import { laneWorkflowId } from './lane.ts'
import type { Deps } from './deps.ts'
import type { FlowPlan, LaneTask, PlanFlowInput, SearchAttributes } from './digests.ts'
import { attributeNames, currentNamespace } from './namespace.ts'
import { step } from './step.ts'

const MOST_LANES_AT_ONCE = 16

export const planFlow = (deps: Deps) =>
  step(async (input: PlanFlowInput): Promise<FlowPlan> => {
    const flow = parseFlow(input.flow)
    const installation = await deps.installation()
    const { source, destination, taskQueue } = await reached(flow, installation)
    const namespace = await currentNamespace()
    const wanted: SearchAttributes = {
      LakewardFlow: flow.name,
      LakewardConnector: source.name,
      LakewardDestination: destination.name,
    }
    const attributes = Object.fromEntries(Object.entries(wanted).filter(([name]) => namespace.registered.has(name)))
    const document = input.flow as JsonObject
    const lanes = flow.source.objects.filter(chosen(flow)).map((object): LaneTask => {
      const lane = { namespaceId: namespace.id, namespace: namespace.name, flow: flow.name, object: object.id }
      return {
        version: 1,
        lane,
        workflowId: laneWorkflowId(lane),
        taskQueue,
        flow: { ...document, source: { ...(document.source as JsonObject), objects: [written(document, object.id)] } },
        nominalMs: input.nominalMs,
        attributes,
        heartbeatSeconds: deps.heartbeatSeconds,
      }
    })
    return {
      version: 1,
      flow: flow.name,
      lanes,
      concurrency: MOST_LANES_AT_ONCE,
      attributes,
      missingAttributes: attributeNames.filter((name) => !namespace.registered.has(name)),
      queue: flow.run?.queue ?? false,
    }
  })

/** The connectors of both ends, and the queue whose workers hold both connections. */
async function reached(flow: Flow, installation: Installation) {
  const source = await end(flow.source.connection, 'source.connection', 'source', installation)
  const destination = await end(flow.destination.connection, 'destination.connection', 'destination', installation)
  const queues = new Set([source.taskQueue, destination.taskQueue].filter((queue) => queue !== undefined))
  if (queues.size > 1) {
    throw new InputError([
      {
        what: `the connections of this flow live on different task queues (${[...queues].join(', ')})`,
        where: 'destination.connection',
        advice: 'Give both connections one taskQueue in lakeward.yaml: a step needs both.',
      },
    ])
  }
  const [own] = queues
  return { source: source.connector, destination: destination.connector, taskQueue: own ?? activityInfo().taskQueue }
}

async function end(name: string, where: string, side: 'source' | 'destination', installation: Installation) {
  const connection = installation.connections[name]
  const wrong = (what: string, advice: string): InputError => new InputError([{ what, where, advice }])
  if (!connection) {
    const names = Object.keys(installation.connections).join(', ')
    throw wrong(`no connection is called ${name}`, `The workers' lakeward.yaml has: ${names || 'none'}.`)
  }
  const found = await connector(connection.connector)
  if (!found[side]) throw wrong(`${connection.connector} cannot be a ${side}`, `Name a connection that can.`)
  return { connector: found, taskQueue: connection.taskQueue }
}

function chosen(flow: Flow): (object: Flow['source']['objects'][number]) => boolean {
  const only = flow.run?.objects
  if (!only) return () => true
  const ids = new Set(flow.source.objects.map((object) => object.id))
  const unknown = only.filter((id) => !ids.has(id))
  if (unknown.length > 0) {
    throw new InputError([
      {
        what: `the flow has no object ${unknown.join(', ')}`,
        where: 'run.objects',
        advice: `It has: ${[...ids].join(', ')}.`,
      },
    ])
  }
  return (object) => only.includes(object.id)
}

/** The object as the document spells it: a name, or a map with `id` or `object`. */
function written(document: JsonObject, id: string) {
  const { objects } = document.source as JsonObject
  const all = objects as (string | JsonObject)[]
  const found = all.find((object) => (typeof object === 'string' ? object : (object.id ?? object.object)) === id)
  return found ?? id
}
