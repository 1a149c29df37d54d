/**
 * One record written: found by id or external id, checked, stored. Interfaces differ in how values come and how the
 * outcome is told; what may be written and what is refused is the same.
 */
import { isId, longId } from './ids.ts'
import type { SalesforceOrg } from './org.ts'
import type { Column, Table } from './table.ts'
import type { Value } from './values.ts'
import { isRequired, notWritable, refusal, unfit, type WriteError, WriteRules } from './write-rules.ts'

export type Operation = 'insert' | 'update' | 'upsert' | 'delete' | 'hardDelete'

/** Values by field, and parents by `Relation.ExternalField`; both as describe spells them. */
export interface Asked {
  id: string | null
  values: Map<string, Value>
  parents: { relation: string; key: string; value: Value }[]
}

export type Written = { id: string; created: boolean } | { id: string | null; error: WriteError }

export class Writer {
  readonly org: SalesforceOrg
  readonly rules = new WriteRules()

  constructor(org: SalesforceOrg) {
    this.org = org
  }

  /** `key`: the field an upsert matches by. Nothing is stored where an error is told. */
  write(table: Table, operation: Operation, asked: Asked, key: Column | null): Written {
    const { model } = table
    const values = new Map(asked.values)
    const found = operation === 'insert' ? null : this.find(table, operation, asked, key)
    if (found !== null && typeof found === 'object') return { id: null, error: found }
    const row = found ?? -1
    const id = row < 0 ? null : table.id(row)
    const failed = (error: WriteError): Written => ({ id, error })

    const parents = [...asked.parents].map((parent) => this.parent(table, parent, values))
    const wrongParent = parents.find((one) => one !== undefined)
    if (wrongParent) return failed(wrongParent)
    if (operation === 'insert' && asked.id !== null)
      return failed(refusal('INVALID_FIELD_FOR_INSERT_UPDATE', 'cannot specify Id in an insert call', ['Id']))
    const named = [...values.keys()].map((name) => table.column(name)!.field)
    const closed = named.filter((field) => (row < 0 ? !field.createable : !field.updateable) && field !== key?.field)
    if (closed.length > 0) return failed(notWritable(closed.map(({ name }) => name)))
    const missing = model.fields.filter(
      (field) => isRequired(field) && (row < 0 || values.has(field.name)) && (values.get(field.name) ?? null) === null,
    )
    if (missing.length > 0 && !/delete/i.test(operation)) {
      const names = missing.map(({ name }) => name)
      return failed(refusal('REQUIRED_FIELD_MISSING', `Required fields are missing: [${names.join(', ')}]`, names))
    }
    for (const field of named) {
      const wrong =
        unfit(field, values.get(field.name) ?? null, table) ?? this.duplicate(table, field.name, values, row)
      if (wrong) return failed(wrong)
    }
    const touched = named.filter(({ type }) => type === 'reference').map(({ name }) => values.get(name))
    const refused =
      this.rules.validation(table, values) ??
      this.rules.locked([id, ...touched].filter((one): one is string => typeof one === 'string'))
    return refused ? failed(refused) : this.store(table, operation, values, row)
  }

  private find(table: Table, operation: Operation, asked: Asked, key: Column | null): number | WriteError | null {
    if (operation === 'upsert' && key && key.field.name !== 'Id') {
      const value = asked.values.get(key.field.name) ?? null
      if (value === null) return refusal('MISSING_ARGUMENT', `${key.field.name} not specified`, [key.field.name])
      const rows = table.found(key, String(value))
      if (rows.length > 1) {
        const ids = rows.map((row) => table.id(row)).join(', ')
        const message = `${key.field.name}: more than one record found for external id field: [${ids}]`
        return refusal('DUPLICATE_EXTERNAL_ID', message, [key.field.name])
      }
      return rows[0] ?? null
    }
    if (asked.id === null) {
      if (operation === 'upsert') return null
      return refusal('MISSING_ARGUMENT', `Id not specified in an ${operation} call`)
    }
    if (!isId(asked.id) || !asked.id.startsWith(table.model.keyPrefix)) {
      return refusal('MALFORMED_ID', `bad id ${asked.id}`, ['Id'])
    }
    const row = table.row(longId(asked.id))
    if (row < 0 || !table.visible(row, true)) {
      return refusal('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id')
    }
    return table.isDeleted(row) ? refusal('ENTITY_IS_DELETED', 'entity is deleted') : row
  }

  /** Puts the id of a parent that is named by its external id into the record. */
  private parent(table: Table, asked: Asked['parents'][number], values: Map<string, Value>): WriteError | undefined {
    const field = table.model.fields.find(({ relationshipName }) => relationshipName === asked.relation)
    const target = this.org.table(field?.referenceTo[0] ?? '')
    const column = target?.column(asked.key)
    if (!field || !target || !column) {
      return refusal('INVALID_FIELD', `Foreign key external ID: ${asked.value} not found for ${asked.relation}`)
    }
    const { name } = column.field
    const rows = asked.value === null ? [] : target.found(column, String(asked.value))
    if (rows.length > 1) {
      return refusal('INVALID_FIELD', `More than one record found for external id field ${name}: ${asked.value}`)
    }
    if (rows.length === 0 && asked.value !== null) {
      const message = `Foreign key external ID: ${asked.value} not found for field ${name} in entity ${target.model.name}`
      return refusal('INVALID_FIELD', message)
    }
    values.set(field.name, rows.length === 0 ? null : target.id(rows[0]!))
    return undefined
  }

  private duplicate(table: Table, name: string, values: Map<string, Value>, row: number): WriteError | undefined {
    const column = table.column(name)!
    const value = values.get(name) ?? null
    if (!column.field.externalId || value === null) return undefined
    const other = table.found(column, String(value)).find((one) => one !== row)
    if (other === undefined) return undefined
    const message = `duplicate value found: ${name} duplicates value on record with id: ${table.id(other)}`
    return refusal('DUPLICATE_VALUE', message)
  }

  private store(table: Table, operation: Operation, values: Map<string, Value>, row: number): Written {
    const stamp = Math.floor(this.org.now() / 1000) * 1000
    if (operation === 'delete' || operation === 'hardDelete') {
      table.setDeleted(row, true, stamp)
      if (operation === 'hardDelete') table.setHidden(row, true)
      return { id: table.id(row), created: false }
    }
    if (row >= 0) {
      table.update(row, Object.fromEntries(values), stamp)
      return { id: table.id(row), created: false }
    }
    // What nobody gave has no value; what the platform fills goes on being made.
    const empty = table.model.fields.filter(
      ({ createable, nillable, calculated, parts }) => !parts && !calculated && (createable || nillable),
    )
    const blank = Object.fromEntries(empty.map(({ name, type }) => [name, type === 'boolean' ? false : null]))
    const owner = table.column('OwnerId') ? { OwnerId: this.org.userId() } : {}
    const made = table.insert({ ...blank, ...owner, ...Object.fromEntries(values) }, stamp)
    return { id: table.id(made), created: true }
  }
}
