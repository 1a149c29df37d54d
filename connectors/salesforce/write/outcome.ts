/**
 * What Salesforce says became of a record, as outcomes. Pure.
 *
 * Law: `again` is said only where the record was not written, and something else than the record is the cause.
 *
 * https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
 */
import type { Outcome, RecordWrite } from '../../record-sink.ts'

export interface SaveError {
  statusCode?: string | null
  message?: string | null
  fields?: string[] | null
}

export interface SaveResult {
  id?: string
  success?: boolean
  created?: boolean
  errors?: SaveError[]
}

const later = new Set([
  'UNABLE_TO_LOCK_ROW',
  'SERVER_UNAVAILABLE',
  'API_CURRENTLY_DISABLED',
  'REQUEST_RUNNING_TOO_LONG',
  'REQUEST_LIMIT_EXCEEDED',
  'PROCESSING_HALTED',
  'UNKNOWN_EXCEPTION',
  'INTERNAL_ERROR',
  'INTERNAL_SERVER_ERROR',
])

/** A trigger or an automation that met a lock tells it in its own words. */
const locked = /UNABLE_TO_LOCK_ROW|unable to obtain exclusive access/i

export function outcomeOf(
  { id, success, created, errors = [] }: SaveResult,
  write: RecordWrite,
  sent: string | null,
): Outcome {
  if (success === true) return made(write, id ?? sent, created === true)
  return refused(errors, write, sent)
}

export function made(write: RecordWrite, id: string | null, created: boolean): Outcome {
  return write === 'upsert' && created ? { ok: true, id, created } : { ok: true, id }
}

export function refused(errors: SaveError[], write: RecordWrite, sent: string | null): Outcome {
  // Deleting what is deleted changes nothing: an earlier attempt did it, or somebody else.
  if (write === 'delete' && errors.some(({ statusCode }) => statusCode === 'ENTITY_IS_DELETED')) {
    return { ok: true, id: sent }
  }
  const reason = errors.map(told).join('; ') || 'Salesforce gives no reason'
  const again = errors.some(({ statusCode, message }) => later.has(statusCode ?? '') || locked.test(message ?? ''))
  return { ok: false, reason, again }
}

function told({ statusCode, message, fields }: SaveError): string {
  const at = fields && fields.length > 0 ? ` [${fields.join(', ')}]` : ''
  return `${statusCode ?? 'UNKNOWN'}: ${message ?? ''}${at}`
}

/** `sf__Error` of a job: `REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --`. */
export function saveError(text: string): SaveError {
  const found = /^([A-Z_]+):([\s\S]*?)(?::([^:]*?))? ?--$/.exec(text)
  if (!found) return { statusCode: /^[A-Z_]+/.exec(text)?.[0] ?? 'UNKNOWN', message: text }
  const [, statusCode = '', message = '', fields = ''] = found
  return { statusCode, message, fields: fields.split(',').flatMap((name) => name.trim() || []) }
}
