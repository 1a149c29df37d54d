/** What the namespace is, and which of our search attributes it knows. Asked once per worker and namespace. */
import { Context, activityInfo } from '@temporalio/activity'
import { log } from '@temporalio/activity'

export const attributeNames = ['LakewardFlow', 'LakewardConnector', 'LakewardDestination'] as const

export interface Namespace {
  name: string
  /** UUID: two clusters may have namespaces of one name. */
  id: string
  /** Of `attributeNames`, those that are registered as keywords; looked up again while one is missing. */
  registered: Set<string>
}

const known = new Map<string, Namespace>()
/** temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD */
const KEYWORD = 2

export async function currentNamespace(): Promise<Namespace> {
  const { namespace: name } = activityInfo()
  if (!name) throw new Error('the step runs outside a namespace')
  const before = known.get(name)
  if (before && attributeNames.every((attribute) => before.registered.has(attribute))) return before
  const { connection } = Context.current().client
  const described = await connection.workflowService.describeNamespace({ namespace: name })
  const id = described.namespaceInfo?.id
  if (!id) throw new Error(`namespace ${name} has no id`)
  const namespace = { name, id, registered: await registered(name) }
  known.set(name, namespace)
  return namespace
}

async function registered(namespace: string): Promise<Set<string>> {
  const { connection } = Context.current().client
  try {
    const answer = await connection.operatorService.listSearchAttributes({ namespace })
    const all = { ...answer.systemAttributes, ...answer.customAttributes }
    return new Set(attributeNames.filter((name) => Number(all[name]) === KEYWORD))
  } catch (error) {
    // Some clusters do not let a worker ask: whether a list can be asked for by them tells as well.
    log.info('search attributes cannot be listed', { namespace, error: String(error) })
    const answered = await Promise.all(attributeNames.map((name) => isKnown(namespace, name)))
    return new Set(attributeNames.filter((_, at) => answered[at]))
  }
}

async function isKnown(namespace: string, name: string): Promise<boolean> {
  const { workflowService } = Context.current().client.connection
  return workflowService.countWorkflowExecutions({ namespace, query: `${name} = "none"` }).then(
    () => true,
    () => false,
  )
}
