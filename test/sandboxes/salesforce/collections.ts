/**
 * sObject Collections: up to 200 records a call, an outcome for each in their order.
 *
 * https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm
 */
import { type Answer, json } from './answer.ts'
import { ApiError, notFound } from './errors.ts'
import { exactJson, type Given, valueOf } from './given.ts'
import type { Column, Table } from './table.ts'
import type { WriteError } from './write-rules.ts'
import type { Asked, Operation, Writer, Written } from './writer.ts'

const MOST = 200

export interface CollectionsAsk {
  method: string
  /** Behind `composite/sobjects`. */
  path: string[]
  query: URLSearchParams
  body: string
}

interface One {
  table: Table
  asked: Asked
}

export function collections(writer: Writer, ask: CollectionsAsk): Answer {
  const { method, path } = ask
  if (method === 'DELETE' && path.length === 0) return deleted(writer, ask)
  const [object, key] = path.map(decodeURIComponent)
  const operation = method === 'POST' ? 'insert' : method === 'PATCH' ? (path.length === 2 ? 'upsert' : 'update') : null
  if (operation === null || (path.length > 0 && operation !== 'upsert')) {
    throw new ApiError(405, 'METHOD_NOT_ALLOWED', `HTTP Method '${method}' not allowed`)
  }
  const { allOrNone, records } = bodyOf(ask.body)
  const column = object === undefined ? null : keyColumn(writer, object, key ?? '')
  const ones = records.map((record) => oneOf(writer, record))
  if (object !== undefined && ones.some(({ table }) => table.model.name.toLowerCase() !== object.toLowerCase())) {
    throw new ApiError(400, 'INVALID_TYPE', `all records must be of ${object}`)
  }
  return json(write(writer, operation, ones, column, allOrNone))
}

function deleted(writer: Writer, { query }: CollectionsAsk): Answer {
  const ids = (query.get('ids') ?? '').split(',').filter(Boolean)
  if (ids.length === 0) throw new ApiError(400, 'MALFORMED_ID', 'ids are missing')
  tooMany(ids.length)
  const outcomes = ids.map((id) => {
    const table = Array.from(writer.org.all()).find(({ model }) => model.keyPrefix && id.startsWith(model.keyPrefix))
    if (!table) return told({ id: null, error: malformed(id) }, 'delete')
    return told(writer.write(table, 'delete', { id, values: new Map(), parents: [] }, null), 'delete')
  })
  return json(outcomes)
}

function malformed(id: string): WriteError {
  return { statusCode: 'MALFORMED_ID', message: `malformed id ${id}`, fields: [] }
}

/** One record is written after the other; with `allOrNone` nothing is, where one would fail. */
function write(writer: Writer, operation: Operation, ones: One[], key: Column | null, allOrNone: boolean): object[] {
  if (allOrNone) throw new ApiError(400, 'NOT_SIMULATED', 'this org writes with allOrNone=false only')
  const seen = new Set<string>()
  return ones.map(({ table, asked }) => {
    const value = key ? String(asked.values.get(key.field.name) ?? asked.id ?? '') : ''
    if (key && value !== '') {
      const twice = seen.has(value)
      seen.add(value)
      if (twice) return told({ id: null, error: repeatedKey(key, value) }, operation)
    }
    return told(writer.write(table, operation, asked, key), operation)
  })
}

export function repeatedKey({ field }: Column, value: string): WriteError {
  return { statusCode: 'DUPLICATE_VALUE', message: `Duplicate external id specified: ${value}`, fields: [field.name] }
}

/** What failed has no id; an upsert says whether it created, failed or not. */
function told(written: Written, operation: Operation): object {
  const created = operation === 'upsert' ? { created: 'created' in written && written.created } : {}
  if ('error' in written) return { success: false, errors: [written.error], ...created }
  return { id: written.id, success: true, errors: [], ...created }
}

function bodyOf(body: string): { allOrNone: boolean; records: Record<string, Given>[] } {
  let sent: Given
  try {
    sent = exactJson(body)
  } catch {
    throw new ApiError(400, 'JSON_PARSER_ERROR', 'Unexpected character at [line:1, column:1]')
  }
  const { allOrNone = false, records } = (sent ?? {}) as Record<string, Given>
  if (!Array.isArray(records)) throw new ApiError(400, 'JSON_PARSER_ERROR', 'records are missing')
  tooMany(records.length)
  return { allOrNone: allOrNone === true, records: records as Record<string, Given>[] }
}

function tooMany(records: number): void {
  if (records > MOST) {
    throw new ApiError(
      400,
      'EXCEEDED_MAX_SIZE_REQUEST',
      `record limit reached. cannot submit more than ${MOST} records`,
    )
  }
}

export function keyColumn(writer: Writer, object: string, name: string): Column {
  const column = writer.org.table(object)?.column(name)
  if (!column) throw notFound()
  const { field } = column
  if (field.externalId || field.type === 'id' || field.type === 'email') return column
  throw new ApiError(400, 'INVALID_FIELD', `Provided external ID field does not exist or is not accessible: ${name}`)
}

function oneOf(writer: Writer, record: Record<string, Given>): One {
  const type = (record['attributes'] as Record<string, Given> | undefined)?.['type']
  const table = typeof type === 'string' ? writer.org.table(type) : undefined
  if (!table)
    throw new ApiError(400, 'INVALID_TYPE', `sObject type '${typeof type === 'string' ? type : ''}' is not supported.`)
  const asked: Asked = { id: null, values: new Map(), parents: [] }
  for (const [name, given] of Object.entries(record)) {
    if (name === 'attributes') continue
    const relation = table.model.fields.find(({ relationshipName }) => relationshipName === name)
    if (relation && given !== null && typeof given === 'object') {
      parentsOf(writer, table, name, given as Record<string, Given>, asked)
      continue
    }
    const column = table.column(name)
    if (!column) {
      throw new ApiError(400, 'INVALID_FIELD', `No such column '${name}' on sobject of type ${table.model.name}`)
    }
    const value = read(column, given)
    if (column.field.type === 'id') asked.id = value === null ? null : String(value)
    else asked.values.set(column.field.name, value)
  }
  return { table, asked }
}

function parentsOf(writer: Writer, table: Table, relation: string, given: Record<string, Given>, asked: Asked): void {
  const field = table.model.fields.find(({ relationshipName }) => relationshipName === relation)
  for (const [key, value] of Object.entries(given)) {
    if (key === 'attributes') continue
    const column = writer.org.table(field?.referenceTo[0] ?? '')?.column(key)
    if (!column) throw new ApiError(400, 'INVALID_FIELD', `No such column '${key}' on sobject of type ${relation}`)
    asked.parents.push({ relation, key: column.field.name, value: read(column, value) })
  }
}

function read(column: Column, given: Given) {
  const value = valueOf(column.field, given)
  if (value !== undefined) return value
  const { type } = column.field
  throw new ApiError(
    400,
    'JSON_PARSER_ERROR',
    `Cannot deserialize instance of ${type} from VALUE_STRING value or request may be missing a required field at ` +
      '[line:1, column:1]',
  )
}
