/**
 * The search attributes of a namespace: what flows and runs are found by in Temporal's lists. All works without them,
 * less is found.
 */
import { isGrpcServiceError } from '@temporalio/client'
import type { Client } from '@temporalio/client'
import { refused } from './connect.ts'

/** All are keywords. The same names as `activities/namespace.ts`, which may not be loaded here. */
export const attributeNames = ['LakewardFlow', 'LakewardConnector', 'LakewardDestination'] as const
export type AttributeName = (typeof attributeNames)[number]

export type AttributeState =
  | 'registered'
  | 'missing'
  /** Registered, but not as a keyword: runs go on without it. */
  | 'other type'

// temporal.api.enums.v1.IndexedValueType
const KEYWORD = 2
// https://grpc.github.io/grpc/core/md_doc_statuscodes.html
const INVALID_ARGUMENT = 3
const ALREADY_EXISTS = 6
const PERMISSION_DENIED = 7
const UNIMPLEMENTED = 12
const UNAUTHENTICATED = 16

export async function attributeStates(client: Client): Promise<Record<AttributeName, AttributeState>> {
  const { namespace } = client.options
  try {
    const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace })
    return statesOf((name) => {
      const type = customAttributes?.[name]
      if (type === undefined) return 'missing'
      return (type as number) === KEYWORD ? 'registered' : 'other type'
    })
  } catch (error) {
    if (!isForbidden(error)) throw refused(error, `namespace ${namespace}`) ?? error
  }
  // Who may not list them may still ask by them.
  const known = new Map<AttributeName, boolean>()
  for (const name of attributeNames) known.set(name, await isKnown(client, name))
  return statesOf((name) => (known.get(name) ? 'registered' : 'missing'))
}

function statesOf(state: (name: AttributeName) => AttributeState): Record<AttributeName, AttributeState> {
  return Object.fromEntries(attributeNames.map((name) => [name, state(name)])) as Record<AttributeName, AttributeState>
}

async function isKnown(client: Client, name: AttributeName): Promise<boolean> {
  try {
    await client.workflowService.countWorkflowExecutions({
      namespace: client.options.namespace,
      query: `${name} = "none"`,
    })
    return true
  } catch (error) {
    if (codeOf(error) === INVALID_ARGUMENT) return false
    throw refused(error, `namespace ${client.options.namespace}`) ?? error
  }
}

/** false: this login may not, as everybody in Temporal Cloud. Registered twice is registered. */
export async function registerAttributes(client: Client, names: AttributeName[]): Promise<boolean> {
  const { namespace } = client.options
  const searchAttributes = Object.fromEntries(names.map((name) => [name, KEYWORD]))
  try {
    await client.connection.operatorService.addSearchAttributes({ namespace, searchAttributes })
    return true
  } catch (error) {
    if (codeOf(error) === ALREADY_EXISTS) return true
    if (isForbidden(error)) return false
    throw refused(error, `namespace ${namespace}`) ?? error
  }
}

function isForbidden(error: unknown): boolean {
  return [PERMISSION_DENIED, UNIMPLEMENTED, UNAUTHENTICATED].includes(codeOf(error) ?? -1)
}

function codeOf(error: unknown): number | null {
  return isGrpcServiceError(error) ? (error as unknown as { code: number }).code : null
}
