/**
 * What an org refuses, in the vendor's words, and the two things a test makes it refuse: validation rules and locks.
 *
 * https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
 */
import { isId } from './ids.ts'
import type { FieldModel } from './model.ts'
import type { Table } from './table.ts'
import type { Value } from './values.ts'

export interface WriteError {
  statusCode: string
  message: string
  fields: string[]
}

/** A validation rule: a record whose field has such a value is refused. */
export interface Rule {
  object: string
  field: string
  /** Regular expression on the value's text; a field without a value is never refused. */
  matches: string
  message: string
  statusCode?: string
}

/** Somebody else holds these records: writes to them or below them are refused this often. */
export interface Lock {
  ids: string[]
  times: number
}

export class WriteRules {
  rules: Rule[] = []
  locks: Lock[] = []

  validation(table: Table, values: Map<string, Value>): WriteError | undefined {
    for (const { object, field, matches, message, statusCode = 'FIELD_CUSTOM_VALIDATION_EXCEPTION' } of this.rules) {
      const value = values.get(field) ?? null
      if (object === table.model.name && value !== null && new RegExp(matches).test(String(value))) {
        return refusal(statusCode, message)
      }
    }
    return undefined
  }

  locked(ids: Iterable<string>): WriteError | undefined {
    for (const id of ids) {
      const lock = this.locks.find((one) => one.times > 0 && one.ids.includes(id))
      if (!lock) continue
      lock.times--
      return lockError(id)
    }
    return undefined
  }
}

export function refusal(statusCode: string, message: string, fields: string[] = []): WriteError {
  return { statusCode, message, fields }
}

export function lockError(id: string): WriteError {
  return refusal('UNABLE_TO_LOCK_ROW', `unable to obtain exclusive access to this record or 1 records: ${id}`)
}

/** What is wrong with a value of the right type. */
export function unfit(field: FieldModel, value: Value, table: Table): WriteError | undefined {
  if (value === null || typeof value === 'boolean') return undefined
  const { name, label, type, length, precision, scale } = field
  if (type === 'reference') return badReference(field, value, table)
  if (type === 'int' || type === 'double' || type === 'currency' || type === 'percent') {
    const whole = value.replace(/^[+-]/, '').split('.')[0]!.replace(/^0+/, '').length
    const most = type === 'int' ? 8 : precision - scale
    if (whole <= most) return undefined
    return refusal('NUMBER_OUTSIDE_VALID_RANGE', `${label}: value outside of valid range on numeric field: ${value}`, [
      name,
    ])
  }
  if (type === 'email' && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value)) {
    return refusal('INVALID_EMAIL_ADDRESS', `${label}: invalid email address: ${value}`, [name])
  }
  if (length === 0 || value.length <= length || /^(date|time|datetime|id)$/.test(type)) return undefined
  const shown = value.slice(0, length)
  return refusal('STRING_TOO_LONG', `${label}: data value too large: ${shown} (max length=${length})`, [name])
}

function badReference({ name, label, referenceTo }: FieldModel, id: string, { org }: Table): WriteError | undefined {
  if (!isId(id)) return refusal('MALFORMED_ID', `${label}: id value of incorrect type: ${id}`, [name])
  const targets = referenceTo.map((object) => org.table(object)).filter((one) => one !== undefined)
  if (targets.length === 0) return undefined
  const target = targets.find(({ model }) => id.startsWith(model.keyPrefix))
  if (!target) return refusal('FIELD_INTEGRITY_EXCEPTION', `${label}: id value of incorrect type: ${id}`, [name])
  const row = target.row(id)
  if (row < 0 || !target.visible(row, true)) return refusal('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id')
  return target.isDeleted(row) ? refusal('ENTITY_IS_DELETED', 'entity is deleted') : undefined
}

/** Nobody may write it: the platform does. */
export function notWritable(names: string[]): WriteError {
  return refusal(
    'INVALID_FIELD_FOR_INSERT_UPDATE',
    `Unable to create/update fields: ${names.join(', ')}. Please check the security settings of this field and verify ` +
      'that it is read/write for your profile or permission set.',
    names,
  )
}

export function isRequired(field: FieldModel): boolean {
  return !field.nillable && field.createable && field.type !== 'boolean' && field.name !== 'OwnerId'
}
