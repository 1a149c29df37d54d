/**
 * What an object's description says about its fields, as our types. Pure; types never come from values.
 * https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm
 */
import type { Field, FieldType, ObjectSchema } from '../connector.ts'

export interface DescribedField {
  name: string
  label?: string
  type: string
  nillable?: boolean
  precision?: number
  scale?: number
  length?: number
  filterable?: boolean
  sortable?: boolean
  compoundFieldName?: string | null
  deprecatedAndHidden?: boolean
}

export interface DescribedObject {
  name: string
  queryable?: boolean
  fields: DescribedField[]
}

export interface DescribeOptions {
  /** Addresses and locations: as the fields they consist of (`BillingCity`), or whole as JSON. */
  compound: 'parts' | 'json'
  /** Numbers with a scale: exact, or as doubles. */
  numbers: 'decimal' | 'float64'
}

const text = 'string'
const types: Record<string, FieldType> = {
  id: text,
  reference: text,
  string: text,
  textarea: text,
  phone: text,
  url: text,
  email: text,
  picklist: text,
  multipicklist: text,
  combobox: text,
  encryptedstring: text,
  datacategorygroupreference: text,
  /** A relative URL to the bytes, not the bytes. */
  base64: text,
  boolean: 'boolean',
  int: 'int32',
  long: 'int64',
  date: 'date',
  datetime: 'timestamp',
  time: 'time',
  address: 'json',
  location: 'json',
  anyType: 'json',
  complexvalue: 'json',
  json: 'json',
}
const numbers = new Set(['double', 'currency', 'percent'])
const compounds = new Set(['address', 'location'])

/** The best order first: it moves with every change, then with every change by a person, then never again. */
export const cursorOrder = ['SystemModstamp', 'LastModifiedDate', 'CreatedDate', 'LoginTime']

/** Fields that hold a value in every record; elsewhere a field that is not nillable may still be null in old ones. */
const always = new Set([...cursorOrder, 'IsDeleted'])

export function schemaOf(described: DescribedObject, options: DescribeOptions): ObjectSchema {
  const shown = described.fields.filter((field) => !field.deprecatedAndHidden && taken(field, described, options))
  const byName = new Map(shown.map((field) => [field.name, field]))
  return {
    object: described.name,
    fields: shown.map((field) => fieldOf(field, options)),
    keys: byName.get('Id')?.type === 'id' ? ['Id'] : [],
    cursors: cursorOrder.filter((name) => canOrder(byName.get(name))),
    deletes: byName.get('IsDeleted')?.type === 'boolean',
  }
}

/** A compound field is left out where its parts are fields of their own. */
function taken(field: DescribedField, { fields }: DescribedObject, { compound }: DescribeOptions): boolean {
  if (!compounds.has(field.type) || compound === 'json') return true
  return !fields.some((part) => part.compoundFieldName === field.name && part.name !== field.name)
}

function canOrder(field: DescribedField | undefined): boolean {
  return field?.type === 'datetime' && field.filterable === true && field.sortable === true
}

function fieldOf(field: DescribedField, options: DescribeOptions): Field {
  const { name, type, label } = field
  const present = type === 'id' || type === 'boolean' || always.has(name)
  return {
    name,
    type: typeOf(field, options),
    nullable: field.nillable !== false || !present,
    ...(label ? { label } : {}),
    sourceType: sourceType(field),
    filterable: field.filterable === true,
  }
}

function typeOf({ type, precision = 0, scale = 0 }: DescribedField, options: DescribeOptions): FieldType {
  if (!numbers.has(type)) return types[type] ?? 'json'
  const exact = precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision
  return exact && options.numbers === 'decimal' ? `decimal(${precision},${scale})` : 'float64'
}

function sourceType({ type, precision = 0, scale = 0, length = 0 }: DescribedField): string {
  if (numbers.has(type)) return `${type}(${precision},${scale})`
  return length > 0 ? `${type}(${length})` : type
}
