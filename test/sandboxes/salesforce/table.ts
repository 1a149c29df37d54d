/**
 * One object's rows. What nobody changed is computed from the row's number; what was changed lies in an overlay.
 * Kept per row: its stamp and a few flags.
 */
import { idOf, rowOf } from './ids.ts'
import type { FieldModel, ObjectModel } from './model.ts'
import { jsonNumber, plainNumber } from './numbers.ts'
import { mix, saltOf, type Value } from './values.ts'

export interface Org {
  id: string
  seed: number
  /** Epoch milliseconds by the org's clock. */
  now(): number
  table(object: string): Table | undefined
}

/** A field with what it takes to make its values fast. */
export interface Column {
  field: FieldModel
  salt: number
  kind: 'text' | 'code' | 'number' | 'integer' | 'boolean' | 'raw'
  parts: [key: string, column: Column][]
}

const DELETED = 1
const HIDDEN = 2
const TOUCHED = 4
const FIRST_STAMP = Date.UTC(2023, 0, 1)
const LAST_STAMP = Date.UTC(2025, 11, 31)
export const TIED_STAMP = Date.UTC(2025, 5, 15, 12)
const DAY = 86_400_000

export class Table {
  readonly model: ObjectModel
  readonly org: Org
  size: number
  /** When the object's description last changed, whole seconds. */
  described: number
  private stamps: Float64Array
  private flags: Uint8Array
  private readonly overlay = new Map<number, Record<string, Value>>()
  private readonly insertedAt = new Map<number, number>()
  private readonly generated: number
  private readonly ties: number
  private columns = new Map<string, Column>()
  private order: Int32Array | null = null
  /** By field: rows that had a value once; `found` looks whether they still have it. */
  private readonly holders = new Map<string, Map<string, number[]>>()

  constructor(model: ObjectModel, org: Org, rows: number, ties: number) {
    this.model = model
    this.org = org
    this.size = rows
    this.generated = rows
    this.ties = ties
    this.described = Math.floor(FIRST_STAMP / 1000) * 1000
    this.stamps = new Float64Array(rows)
    this.flags = new Uint8Array(rows)
    const deletable = this.column('IsDeleted') !== undefined
    for (let row = 0; row < rows; row++) {
      this.stamps[row] = this.firstStamp(row)
      if (deletable && mix(row, org.seed + 77) % 97 === 13) this.flags[row] = DELETED
    }
  }

  // ------------------------------------------------------------------------------------------------------- reading

  column(name: string): Column | undefined {
    const key = name.toLowerCase()
    const known = this.columns.get(key)
    if (known) return known
    const field = this.model.fields.find((one) => one.name.toLowerCase() === key)
    if (!field) return undefined
    const salt = saltOf(`${this.model.name}.${field.name}`, this.org.seed)
    const column: Column = { field, salt, kind: kindOf(field.type), parts: [] }
    this.columns.set(key, column)
    for (const [part, of] of Object.entries(field.parts ?? {})) {
      const inner = this.column(of)
      if (inner) column.parts.push([part, inner])
    }
    column.parts.sort(([a], [b]) => (a < b ? -1 : 1))
    return column
  }

  get(row: number, name: string): Value {
    const column = this.column(name)
    return column ? this.value(row, column) : null
  }

  value(row: number, column: Column): Value {
    if ((this.flags[row]! & TOUCHED) !== 0) {
      const changed = this.overlay.get(row)?.[column.field.name]
      if (changed !== undefined) return changed
    }
    if (column.parts.length > 0) return this.compound(row, column)
    // There is no empty text: it is kept as null.
    const made = column.field.make(row, mix(row, column.salt), this)
    return made === '' ? null : made
  }

  /** The value as it stands in a JSON answer. */
  json(row: number, column: Column): string {
    const value = this.value(row, column)
    if (value === null) return 'null'
    if (typeof value === 'boolean') return value ? 'true' : 'false'
    if (column.kind === 'text') return quote(value)
    if (column.kind === 'code') return column.field.type === 'datetime' ? `"${value.slice(0, 23)}+0000"` : `"${value}"`
    return column.kind === 'number' ? jsonNumber(value) : value
  }

  id(row: number): string {
    return idOf(this.model.keyPrefix, row)
  }

  row(id: string): number {
    const row = rowOf(this.model.keyPrefix, id)
    return row < this.size ? row : -1
  }

  /** Live rows whose field has this value, as an external id is looked up. */
  found(column: Column, value: string): number[] {
    const { name } = column.field
    let holders = this.holders.get(name)
    if (!holders) {
      holders = new Map()
      this.holders.set(name, holders)
      for (let row = 0; row < this.size; row++) hold(holders, column, this.value(row, column), row)
    }
    const rows = holders.get(keyOf(column, value)) ?? []
    return rows.filter((row) => {
      const now = this.value(row, column)
      return this.visible(row, false) && now !== null && keyOf(column, String(now)) === keyOf(column, value)
    })
  }

  stamp(row: number): number {
    return this.stamps[row]!
  }

  created(row: number): number {
    return this.insertedAt.get(row) ?? this.firstStamp(row) - (1 + (mix(row, this.org.seed + 5) % 400)) * DAY
  }

  /** Trails the stamp where an automated change came last. */
  modified(row: number): number {
    const lag = row % 5 === 0 && (this.flags[row]! & TOUCHED) === 0 ? 3_600_000 : 0
    return this.stamps[row]! - lag
  }

  isDeleted(row: number): boolean {
    return (this.flags[row]! & DELETED) !== 0
  }

  visible(row: number, withDeleted: boolean): boolean {
    const flags = this.flags[row]!
    return (flags & HIDDEN) === 0 && (withDeleted || (flags & DELETED) === 0)
  }

  userId(hash: number): string {
    const users = this.org.table('User')
    return users ? users.id(hash % users.generated) : idOf('005', 0)
  }

  reference(object: string, hash: number): string {
    const target = object === this.model.name ? this : this.org.table(object)
    // Of the rows there were at first: a new one must not change what another record says.
    return target && target.generated > 0 ? target.id(hash % target.generated) : idOf('701', hash % 1000)
  }

  /** All rows by (SystemModstamp, Id). */
  byStamp(): Int32Array {
    if (this.order) return this.order
    const order = new Int32Array(this.size)
    for (let row = 0; row < this.size; row++) order[row] = row
    this.order = order.sort((a, b) => this.stamps[a]! - this.stamps[b]! || a - b)
    return this.order
  }

  // ------------------------------------------------------------------------------------------------------ changing

  insert(values: Record<string, unknown>, stamp: number): number {
    const row = this.size++
    if (row >= this.stamps.length) {
      this.stamps = grown(this.stamps, Float64Array, row)
      this.flags = grown(this.flags, Uint8Array, row)
    }
    this.insertedAt.set(row, stamp)
    this.update(row, values, stamp)
    return row
  }

  update(row: number, values: Record<string, unknown>, stamp: number): void {
    if (!(row >= 0 && row < this.size)) throw new RangeError(`no such record of ${this.model.name}`)
    const changed = this.overlay.get(row) ?? {}
    for (const [name, value] of Object.entries(values)) {
      const column = this.column(name)
      if (!column) throw new RangeError(`no field ${name} on ${this.model.name}`)
      const stored = storable(column, value)
      changed[column.field.name] = stored
      const holders = this.holders.get(column.field.name)
      if (holders) hold(holders, column, stored, row)
    }
    this.overlay.set(row, changed)
    this.stamps[row] = stamp
    this.flags[row]! |= TOUCHED
    this.order = null
  }

  setDeleted(row: number, deleted: boolean, stamp: number): void {
    this.update(row, {}, stamp)
    this.setFlag(row, DELETED, deleted)
  }

  /** Hidden rows are there and nobody sees them yet: a commit that is late, or a recycle bin that was emptied. */
  setHidden(row: number, hidden: boolean): void {
    this.setFlag(row, HIDDEN, hidden)
  }

  addField(field: FieldModel): void {
    if (this.column(field.name)) throw new RangeError(`${this.model.name} has a field ${field.name}`)
    this.model.fields.push(field)
    this.redescribe()
  }

  removeField(name: string): void {
    const at = this.model.fields.findIndex((field) => field.name === name)
    if (at < 0) throw new RangeError(`no field ${name} on ${this.model.name}`)
    this.model.fields.splice(at, 1)
    this.redescribe()
  }

  private redescribe(): void {
    this.columns = new Map()
    this.described = Math.max(this.described + 1000, Math.floor(this.org.now() / 1000) * 1000)
  }

  private setFlag(row: number, flag: number, on: boolean): void {
    this.flags[row] = on ? this.flags[row]! | flag : this.flags[row]! & ~flag
  }

  private firstStamp(row: number): number {
    if (this.isTied(row)) return TIED_STAMP
    const seconds = (mix(row, this.org.seed + 1) / 2 ** 32) * ((LAST_STAMP - FIRST_STAMP) / 1000)
    const stamp = FIRST_STAMP + Math.floor(seconds) * 1000
    return row % 16 === 3 ? Math.floor(stamp / DAY) * DAY : stamp
  }

  /** The tied rows are every second one where there is room, so that other stamps lie between their ids. */
  private isTied(row: number): boolean {
    if (row >= this.generated) return false
    return this.ties * 2 <= this.generated ? row % 2 === 1 && row < this.ties * 2 : row < this.ties
  }

  private compound(row: number, column: Column): Value {
    const parts = column.parts.map(([key, part]) => [key, this.json(row, part)] as const)
    if (parts.every(([, json]) => json === 'null')) return null
    return `{${parts.map(([key, json]) => `"${key}":${json}`).join(',')}}`
  }
}

function keyOf({ field }: Column, value: string): string {
  return field.caseSensitive ? value : value.toLowerCase()
}

function hold(holders: Map<string, number[]>, column: Column, value: Value, row: number): void {
  if (value === null) return
  const key = keyOf(column, String(value))
  const rows = holders.get(key) ?? []
  if (!rows.includes(row)) rows.push(row)
  holders.set(key, rows)
}

/** Text with nothing to escape in it. */
const CODES = new Set(['id', 'reference', 'date', 'datetime', 'time'])

function kindOf(type: string): Column['kind'] {
  if (type === 'boolean') return 'boolean'
  if (type === 'int') return 'integer'
  if (type === 'double' || type === 'currency' || type === 'percent') return 'number'
  if (type === 'address' || type === 'location') return 'raw'
  return CODES.has(type) ? 'code' : 'text'
}

function storable(column: Column, value: unknown): Value {
  if (value === null || value === undefined) return null
  if (column.kind === 'boolean') return value === true || value === 'true'
  if (typeof value !== 'string' && typeof value !== 'number')
    throw new TypeError(`${column.field.name}: text or a number`)
  const text = String(value)
  if (text === '') return null
  if (column.kind === 'integer' || column.kind === 'number') return plainNumber(text)
  return column.field.type === 'datetime' ? new Date(text).toISOString() : text
}

function quote(text: string): string {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 32 || code === 34 || code === 92 || code === 0x2028 || code === 0x2029) return escaped(text)
  }
  return `"${text}"`
}

function escaped(text: string): string {
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
}

function grown<T extends Float64Array | Uint8Array>(from: T, Type: new (length: number) => T, length: number): T {
  const more = new Type(Math.max(64, length * 2))
  more.set(from)
  return more
}
