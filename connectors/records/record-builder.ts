/** Columns of a page under construction, filled record by record; what has become of each record is told here. */
import type { Field, Op, Page } from '../connector.ts'
import { BATCH_ROWS } from './batch.ts'
import type { ColumnBuilder } from './column-builder.ts'
import { columnBuilder } from './column-builders.ts'
import type { Decoded } from './decode.ts'
import type { Reject } from './quarantine.ts'

export const UPSERT = 0
export const DELETE = 1

export class RecordBuilder {
  /** One per field; behind them the field that tells the op, where it is none of them. */
  readonly columns: ColumnBuilder[]
  /** Column of each field's name. */
  readonly index: Map<string, number>
  /** The row that is being filled. */
  row = 0
  readonly #fields: Field[]
  readonly #op: OpOf | undefined
  #ops: Uint8Array | undefined
  #rejects: Reject[] = []
  #dropped = 0
  #bad: { field: string; rule: string; reason: string } | undefined

  constructor(fields: Field[], op: Page['op'], reuses = false) {
    this.#fields = fields
    const told = typeof op === 'object' && !fields.some(({ name }) => name === op.field)
    const all = told ? [...fields, { name: op.field, type: 'string' as const, nullable: true }] : fields
    this.columns = all.map((field) => columnBuilder(field))
    for (const column of this.columns) column.reuses = reuses
    this.index = new Map(all.map(({ name }, at) => [name, at]))
    if (op && op !== 'upsert') this.#op = { op, told: '' }
    this.#begin()
  }

  get full(): boolean {
    return this.row === BATCH_ROWS
  }

  /** Something was read since the last `take`. */
  get pending(): boolean {
    return this.row > 0 || this.#rejects.length > 0 || this.#dropped > 0
  }

  /** The record cannot be kept; the first reason stands. */
  refuse(column: ColumnBuilder, reason: string): void {
    this.#bad ??= { field: column.field.name, rule: 'type', reason }
  }

  /** It is no record of the page's shape at all. */
  refuseRecord(rule: string, reason: string): void {
    this.#bad = { field: '', rule, reason }
  }

  /** The value of the field that tells the op, as text. */
  tell(value: string): void {
    if (this.#op) this.#op.told = value
  }

  /** The field that tells the op, and what its values mean. */
  get tells(): Extract<Page['op'], object> | undefined {
    return typeof this.#op?.op === 'object' ? this.#op.op : undefined
  }

  /** That many rows are complete as they are; `ops` where a field tells them. */
  keep(rows: number, ops?: Uint8Array): void {
    if (this.#ops && ops) this.#ops.set(ops.subarray(0, rows), this.row)
    else if (this.#op?.op === 'delete') this.#ops?.fill(DELETE, this.row, this.row + rows)
    this.row += rows
  }

  /** The record is complete; `text` gives it as JSON, should it be refused. */
  end(text: () => string): void {
    const op = this.#opNow()
    if (!this.#bad && op !== 'drop') {
      if (this.#ops) this.#ops[this.row] = op === 'delete' ? DELETE : UPSERT
      this.row++
      return
    }
    if (this.#bad) this.#rejects.push({ row: text(), ...this.#bad, deleted: op === 'delete' })
    else this.#dropped++
    for (const column of this.columns) column.clear(this.row)
    this.#bad = undefined
  }

  take(): Decoded {
    const columns = this.columns.map((column) => column.finish(this.row))
    const batch = { fields: this.#fields, rows: this.row, columns: columns.slice(0, this.#fields.length) }
    const decoded: Decoded = { batch, rejects: this.#rejects, dropped: this.#dropped }
    if (this.#ops) decoded.ops = this.#ops.subarray(0, this.row)
    this.#begin()
    return decoded
  }

  #begin(): void {
    this.row = 0
    this.#rejects = []
    this.#dropped = 0
    this.#ops = this.#op ? new Uint8Array(BATCH_ROWS) : undefined
  }

  #opNow(): Op | 'drop' {
    if (!this.#op) return 'upsert'
    const { op, told } = this.#op
    if (typeof op === 'string') return op
    this.#op.told = ''
    const found = Object.hasOwn(op.map, told) ? op.map[told] : undefined
    if (found) return found
    this.#bad ??= {
      field: op.field,
      rule: 'op',
      reason: 'its value is none of those that tell what happened to the record',
    }
    return 'upsert'
  }
}

interface OpOf {
  op: NonNullable<Page['op']>
  /** The value in the record at hand; empty: null or missing. */
  told: string
}
