/**
 * Whether a run reads by a Bulk job. Pure.
 *
 * Law: what a Bulk job cannot give exactly as pages do is read by pages, and the run says so.
 * https://developer.salesforce.com/docs/platform/api-asynch/guide/queries.html
 */
import type { Ask, Field } from '../../connector.ts'
import type { ReadOptions } from '../options.ts'

/** Bulk API 2.0 queries came with it. */
const FIRST_VERSION = 47
/** SOQL of a job has no URL to fit into; this is the longest that Salesforce parses. */
const LONGEST_QUERY = 100_000
/** Compound fields, and content that comes as an address or in any form. */
const UNFIT = new Set(['address', 'location', 'base64', 'anyType', 'complexvalue', 'json'])

export interface Reading {
  apiVersion: string
  soql: string
  counted: number | null
}

/** `why`: pages, although a job was due. */
export function chooseApi(ask: Ask, { api, bulkFrom }: ReadOptions, reading: Reading): { job: boolean; why?: string } {
  const { counted } = reading
  if (api === 'rest' || ask.most !== undefined || counted === 0) return { job: false }
  // What takes Salesforce too long to count is much.
  if (api === 'auto' && counted !== null && counted < bulkFrom) return { job: false }
  const why = obstacle(ask, reading)
  return why === undefined ? { job: true } : { job: false, why }
}

function obstacle({ noJob, schema, fields }: Ask, { apiVersion, soql }: Reading): string | undefined {
  if (noJob) return 'Salesforce did not export it by a Bulk job'
  const wanted = new Set(fields)
  const unfit = schema.fields.filter((field) => wanted.has(field.name) && isUnfit(field)).map(({ name }) => name)
  if (unfit.length > 0) return `Bulk jobs cannot give ${unfit.slice(0, 5).join(', ')}${unfit.length > 5 ? ' …' : ''}`
  if (Number.parseInt(apiVersion.slice(1), 10) < FIRST_VERSION) return `${apiVersion} has no Bulk queries`
  return soql.length > LONGEST_QUERY ? 'its query is too long' : undefined
}

function isUnfit({ sourceType = '', type }: Field): boolean {
  return type === 'json' || UNFIT.has(sourceType.split('(')[0]!)
}
