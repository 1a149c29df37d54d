/**
 * What an object and its fields are, in the words of Salesforce's describe, and how a field's values are made.
 *
 * https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm
 */
import type { Table } from './table.ts'
import {
  decimalText,
  hurting,
  HURTING_DATES,
  HURTING_INSTANTS,
  HURTING_TEXT,
  HURTING_TIMES,
  isoDate,
  isoInstant,
  isoTime,
  pick,
  type Value,
  word,
} from './values.ts'

export type Make = (row: number, hash: number, table: Table) => Value

export interface FieldModel {
  name: string
  label: string
  type: string
  length: number
  precision: number
  scale: number
  digits: number
  nillable: boolean
  calculated: boolean
  filterable: boolean
  sortable: boolean
  createable: boolean
  updateable: boolean
  externalId: boolean
  caseSensitive: boolean
  nameField: boolean
  compoundFieldName: string | null
  extraTypeInfo: string | null
  referenceTo: string[]
  relationshipName: string | null
  picklist: string[]
  /** Compound fields: member of the answer's object → the field that holds it. */
  parts: Record<string, string> | null
  make: Make
  /** Instants that the table keeps as numbers: epoch milliseconds without going through text. */
  millis: ((row: number, table: Table) => number) | null
}

export interface ObjectModel {
  name: string
  label: string
  labelPlural: string
  keyPrefix: string
  queryable: boolean
  replicateable: boolean
  fields: FieldModel[]
}

export type FieldOptions = Partial<Omit<FieldModel, 'name' | 'type'>>

const LONG_TEXT = 4000
const WHOLE_EDGES = ['0', '-1', '99999999', '-99999999']
const POSTAL_CODES = ['01234', '00000', '1e5', 'SW1A 1AA', '100-0001']

/** A field as describe gives it; what `options` leaves out follows from the type. */
export function field(name: string, type: string, options: FieldOptions = {}): FieldModel {
  const length = options.length ?? (type === 'id' || type === 'reference' ? 18 : 0)
  const compound = type === 'address' || type === 'location'
  const long = type === 'textarea' && length > 255
  const computed = options.calculated ?? compound
  const made: FieldModel = {
    name,
    type,
    label: name
      .replace(/__c$/, '')
      .replace(/([a-z])([A-Z])/g, '$1 $2')
      .replaceAll('_', ' '),
    length,
    precision: 0,
    scale: 0,
    digits: type === 'int' ? 8 : 0,
    nillable: type !== 'boolean' && type !== 'id',
    calculated: false,
    filterable: !long,
    sortable: !long && !compound && type !== 'multipicklist',
    createable: !computed,
    updateable: !computed,
    externalId: false,
    caseSensitive: false,
    nameField: false,
    compoundFieldName: null,
    extraTypeInfo: null,
    referenceTo: [],
    relationshipName: type === 'reference' ? name.replace(/Id$/, '').replace(/__c$/, '__r') : null,
    picklist: [],
    parts: null,
    make: () => null,
    millis: null,
    ...options,
  }
  if (options.make === undefined) made.make = generated(made)
  return made
}

/** Fields the platform fills: nobody writes them. */
export function system(name: string, type: string, options: FieldOptions = {}): FieldModel {
  return field(name, type, { nillable: false, createable: false, updateable: false, ...options })
}

export function address(prefix: string): FieldModel[] {
  const of = { compoundFieldName: `${prefix}Address` }
  const parts = ['Street', 'City', 'State', 'PostalCode', 'Country', 'Latitude', 'Longitude', 'GeocodeAccuracy']
  return [
    field(`${prefix}Street`, 'textarea', { ...of, length: 255, extraTypeInfo: 'plaintextarea' }),
    field(`${prefix}City`, 'string', { ...of, length: 40 }),
    field(`${prefix}State`, 'string', { ...of, length: 80 }),
    field(`${prefix}PostalCode`, 'string', { ...of, length: 20, make: postalCode }),
    field(`${prefix}Country`, 'string', { ...of, length: 80 }),
    field(`${prefix}Latitude`, 'double', { ...of, precision: 18, scale: 15, make: degrees(90) }),
    field(`${prefix}Longitude`, 'double', { ...of, precision: 18, scale: 15, make: degrees(180) }),
    field(`${prefix}GeocodeAccuracy`, 'picklist', {
      ...of,
      length: 40,
      picklist: ['Address', 'Street', 'City', 'Zip'],
    }),
    field(`${prefix}Address`, 'address', {
      make: () => null,
      parts: Object.fromEntries(parts.map((part) => [part[0]!.toLowerCase() + part.slice(1), prefix + part])),
    }),
  ]
}

export function location(name: string): FieldModel[] {
  const of = { compoundFieldName: `${name}__c`, precision: 18, scale: 15 }
  const [latitude, longitude] = [`${name}__Latitude__s`, `${name}__Longitude__s`]
  return [
    field(latitude, 'double', { ...of, make: degrees(90) }),
    field(longitude, 'double', { ...of, make: degrees(180) }),
    field(`${name}__c`, 'location', { make: () => null, parts: { latitude, longitude } }),
  ]
}

/** The audit fields; `stamps` false leaves the record with nothing but its creation. */
export function audit(stamps = true): FieldModel[] {
  const user = { referenceTo: ['User'], make: (_: number, hash: number, table: Table) => table.userId(hash) }
  const created = [
    system(
      'CreatedDate',
      'datetime',
      instant((row, table) => table.created(row)),
    ),
    system('CreatedById', 'reference', user),
  ]
  if (!stamps) return created
  return [
    ...created,
    system(
      'LastModifiedDate',
      'datetime',
      instant((row, table) => table.modified(row)),
    ),
    system('LastModifiedById', 'reference', user),
    system(
      'SystemModstamp',
      'datetime',
      instant((row, table) => table.stamp(row)),
    ),
  ]
}

export function recordId(label: string): FieldModel {
  return system('Id', 'id', { label, make: (row, _, table) => table.id(row) })
}

export function isDeleted(): FieldModel {
  return system('IsDeleted', 'boolean', { label: 'Deleted', make: (row, _, table) => table.isDeleted(row) })
}

function instant(millis: (row: number, table: Table) => number): FieldOptions {
  return { millis, make: (row, _, table) => isoInstant(millis(row, table)) }
}

function generated(model: FieldModel): Make {
  const make = byType(model)
  return model.nillable ? (row, hash, table) => (hash % 11 === 5 ? null : make(row, hash, table)) : make
}

function byType(model: FieldModel): Make {
  const { type, length, precision, scale, picklist } = model
  if (type === 'boolean') return (_, hash) => (hash & 1) === 1
  if (type === 'int') return (row, hash) => hurting(WHOLE_EDGES, row, hash) ?? String(hash % 5000)
  if (type === 'double' || type === 'currency' || type === 'percent') {
    const edges = numberEdges(precision, scale)
    return (row, hash) => hurting(edges, row, hash) ?? decimalText(hash, precision - scale, scale)
  }
  if (type === 'date') return (row, hash) => hurting(HURTING_DATES, row, hash) ?? isoDate(18_000 + (hash % 3000))
  if (type === 'datetime') return (row, hash) => hurting(HURTING_INSTANTS, row, hash) ?? someInstant(hash)
  if (type === 'time') return (row, hash) => hurting(HURTING_TIMES, row, hash) ?? someTime(hash)
  if (type === 'picklist') return (_, hash) => pick(picklist, hash)
  if (type === 'multipicklist') {
    const sets = Array.from({ length: 2 ** picklist.length }, (_, set) => picklist.filter((__, at) => (set >>> at) & 1))
    const texts = sets.map((set) => set.join(';') || null)
    return (_, hash) => pick(texts, hash)
  }
  if (type === 'reference') return (_, hash, table) => table.reference(model.referenceTo[0] ?? '', hash)
  const long = length > LONG_TEXT ? LONG_TEXT / 8 : 0
  const fits = HURTING_TEXT.filter((text) => text.length <= length && (text !== '' || model.nillable))
  return (row, hash) =>
    hurting(fits, row, hash) ?? (long ? prose(hash, long) : `${word(hash)} ${hash % 97}`.slice(0, length))
}

/** The widest values a decimal can hold, what a double cannot, and the smallest steps. */
export function numberEdges(precision: number, scale: number): string[] {
  const whole = precision - scale
  const nines = '9'.repeat(whole) + (scale ? `.${'9'.repeat(scale)}` : '')
  const digits = '123456789012345678'.slice(0, precision)
  const exact = scale ? `${digits.slice(0, whole) || '0'}.${digits.slice(whole)}`.replace(/0+$/, '') : digits
  const step = scale ? `0.${'0'.repeat(scale - 1)}1` : '1'
  const beyond = precision >= 16 && scale === 0 ? ['9007199254740993', '-9007199254740993'] : []
  return [nines, `-${nines}`, exact, `-${exact}`, step, `-${step}`, '0', ...beyond, '1', whole > 7 ? '10000000' : '7']
}

function degrees(limit: number): Make {
  const edges = [String(limit), String(-limit), '0', '0.000000000000001', '-0.000000000000001', '52.123456789012345']
  return (row, hash) =>
    hash % 11 === 5
      ? null
      : (hurting(edges, row, hash) ?? `${hash % limit}.${String(hash).padStart(10, '0')}${1 + (hash % 9)}`)
}

function postalCode(row: number, hash: number): Value {
  return hurting(POSTAL_CODES, row, hash) ?? String(hash % 100_000).padStart(5, '0')
}

function someInstant(hash: number): string {
  return isoInstant(1_500_000_000_000 + (hash % 250_000_000) * 1000)
}

function someTime(hash: number): string {
  return isoTime(hash % 86_400_000)
}

function prose(hash: number, length: number): string {
  const sentence = `${word(hash)} says "${hash}" – ${word(hash >>> 5)}.\r\n`
  return sentence.repeat(1 + (hash % Math.ceil(length / sentence.length))).trimEnd()
}
