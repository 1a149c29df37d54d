/** Salesforce as a source: by pages of queries, or by Bulk jobs. */
import { z } from 'zod'
import type { ObjectInfo, ObjectSchema, Plan, Session, Source } from '../connector.ts'
import { ConnectorError } from '../errors.ts'
import { schemaOf } from './describe.ts'
import { queryJob } from './bulk/job.ts'
import { readResults } from './bulk/results.ts'
import { askJson, describeObject } from './objects.ts'
import { options, readOptions } from './options.ts'
import { planRead } from './plan.ts'
import type { ReadRequest } from './plan.ts'
import { count } from './query.ts'
import { readPages } from './read.ts'

/** Stamps are whole seconds in practice. */
const stampMs = 1000

/** Objects that answer only queries which name their parent or one of their fields. */
const needsFilter = new Set([
  'ContentDocumentLink',
  'ContentFolderItem',
  'ContentFolderMember',
  'DataStatistics',
  'EntityParticle',
  'FieldDefinition',
  'FlexQueueItem',
  'FlowVariableView',
  'FlowVersionView',
  'IdeaComment',
  'OwnerChangeOptionInfo',
  'PicklistValueInfo',
  'PlatformAction',
  'RelationshipDomain',
  'RelationshipInfo',
  'SearchLayout',
  'SiteDetail',
  'UserEntityAccess',
  'UserFieldAccess',
  'Vote',
])

interface ListedObject {
  name: string
  label?: string
  queryable?: boolean
  deprecatedAndHidden?: boolean
}

const versionOf = ({ settings }: Session): string => settings.apiVersion as string

const listing = z.looseObject({
  sobjects: z.array(z.looseObject({ name: z.string(), label: z.string().nullish() })),
})

export const source: Source = {
  options,
  // Records became visible minutes after the stamp they carry; ten minutes is what others came to trust as well.
  settleMs: 10 * 60_000,
  stampMs,

  async *objects(session): AsyncIterable<ObjectInfo> {
    // https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_describeGlobal.htm
    const listed = await askJson<{ sobjects: ListedObject[] }>(session, 'sobjects', 'list the objects', listing)
    for (const { name, label, queryable, deprecatedAndHidden } of listed.sobjects) {
      if (deprecatedAndHidden) continue
      yield { name, ...(label ? { label } : {}), ...unreadable(name, queryable === true) }
    }
  },

  async describe(session, object, asked): Promise<ObjectSchema> {
    const described = await describeObject(session, object)
    const wrong = (reason: string, advice: string): ConnectorError =>
      new ConnectorError({ connector: 'salesforce', doing: `describe ${object}`, kind: 'rejected', reason, advice })
    if (described.queryable === false || needsFilter.has(described.name)) {
      throw wrong('Salesforce does not let it be queried as a whole', 'Leave this object out.')
    }
    const schema = schemaOf(described, readOptions(asked))
    if (schema.keys.length === 0) throw wrong('it has no Id', 'Leave this object out.')
    return schema
  },

  plan: (session, ask): Promise<Plan> => planRead(session, ask, versionOf(session), stampMs),
  job: queryJob,
  read: (session, plan, range, from) =>
    plan.api === 'bulk' ? readResults(session, plan, range, from) : readPages(session, plan, range, from),
  count: (session, plan) => count(session, plan.request as unknown as ReadRequest),
}

function unreadable(name: string, queryable: boolean): Pick<ObjectInfo, 'unreadable'> {
  if (!queryable) return { unreadable: 'Salesforce does not let it be queried' }
  return needsFilter.has(name) ? { unreadable: 'Salesforce wants a filter that a flow cannot give' } : {}
}
