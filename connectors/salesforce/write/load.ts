/** A batch made ready: the target's fields that it writes, and what can be said of its rows before they are sent. */
import type { Row } from '../../connector.ts'
import type { Outcome, RecordBatch, TargetField } from '../../record-sink.ts'
import { csvCells, type Nulls } from './cells.ts'
import { sameKey } from './order.ts'

export interface Load {
  fields: TargetField[]
  nulls: Nulls
  /** The key's value as it is sent; '' where there is none. */
  keyOf: (row: number) => string
  /** What tells that two rows are of the same record; null: they never are. */
  identityOf: (row: number) => string | null
  /** What they would lock together; '': nothing. */
  parentOf: (row: number) => string
  /** The final outcome of rows that are not sent, by their number. */
  refused: Map<number, Outcome>
  /** Numbers of the rows to send. */
  open: number[]
}

export function loadOf({ target, write, key, fields, rows, options }: RecordBatch): Load {
  const named = new Set(fields.map(({ name }) => name))
  const written = target.fields.filter(({ name }) => (write === 'delete' ? name === key : named.has(name)))
  const parents = written.filter(({ parent }) => parent)
  const nulls = (options['nulls'] ?? 'clear') as Nulls
  const textOf = (row: number, name: string): string => {
    const cell = rows[row]![name]
    return typeof cell === 'string' || typeof cell === 'number' ? String(cell) : ''
  }
  const keyOf = (row: number): string => (key === null ? '' : textOf(row, key))
  const refused = new Map<number, Outcome>()
  rows.forEach((row, at) => {
    const reason = unfit(written, row) ?? (key !== null && keyOf(at) === '' ? `${key}: there is no value` : undefined)
    if (reason !== undefined) refused.set(at, { ok: false, reason, again: false })
  })
  return {
    fields: written,
    nulls,
    keyOf,
    identityOf: (row) => (key === null ? null : sameKey(keyOf(row), key === 'Id')),
    parentOf: (row) => parents.map(({ name }) => textOf(row, name)).find((value) => value !== '') ?? '',
    refused,
    open: Array.from(rows.keys()).filter((row) => !refused.has(row)),
  }
}

function unfit(fields: TargetField[], row: Row): string | undefined {
  try {
    csvCells(fields, row, 'keep')
    return undefined
  } catch (error) {
    if (error instanceof TypeError) return error.message
    throw error
  }
}
