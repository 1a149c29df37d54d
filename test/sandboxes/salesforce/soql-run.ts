/**
 * Runs a parsed query: the rows it answers, in order, as row numbers. Nothing is sorted that is sorted already: ids
 * ascend with the row, and every table keeps its (SystemModstamp, Id) order until something changes.
 *
 * Where the query leaves the order open, it is arbitrary, and another one every time.
 */
import { ApiError, noSuchObject } from './errors.ts'
import type { Expression, Query } from './soql.ts'
import { columnOf, comparer, compileFilter, type Test } from './soql-filter.ts'
import type { Column, Org, Table } from './table.ts'
import { mix } from './values.ts'

export interface Result {
  table: Table
  columns: Column[]
  rows: Int32Array
}

export function runQuery(org: Org, query: Query, withDeleted: boolean, turn: number): Result {
  const { soql, object } = query
  const table = org.table(object.text)
  if (!table) throw noSuchObject(soql, object.at, object.text)
  if (!table.model.queryable) {
    throw new ApiError(400, 'INVALID_TYPE_FOR_OPERATION', `entity type ${table.model.name} does not support query`)
  }
  const columns = query.fields.map((name) => columnOf(table, soql, name))
  const twice = columns.find((column, at) => columns.indexOf(column) !== at)
  if (twice) throw new ApiError(400, 'MALFORMED_QUERY', `duplicate field selected: ${twice.field.name}`)
  const order = query.order.map((by) => ({ ...by, column: columnOf(table, soql, by.field) }))
  for (const { column } of order) {
    if (!column.field.sortable) {
      throw new ApiError(400, 'INVALID_FIELD', `field '${column.field.name}' can not be sorted in a query call`)
    }
  }

  const test = query.where ? compileFilter(table, soql, query.where) : null
  const by = order.map((one) => (one.descending ? '-' : '') + one.column.field.name).join()
  const end = query.limit === null ? Infinity : query.offset + query.limit
  let rows: Int32Array
  if (by === 'SystemModstamp,Id') {
    const stamped = table.byStamp()
    const [from, to] = stampRange(query.where)
    rows = matching(
      table,
      stamped,
      lowest(table, stamped, from),
      lowest(table, stamped, to + 1),
      test,
      withDeleted,
      end,
    )
  } else {
    const all = Int32Array.from({ length: table.size }, (_, row) => row)
    rows = matching(table, all, 0, all.length, test, withDeleted, by === 'Id' ? end : Infinity)
    if (by !== 'Id') rows = sorted(table, rows, order, turn)
  }
  return { table, columns, rows: rows.slice(query.offset, Math.min(rows.length, end)) }
}

function matching(
  table: Table,
  order: Int32Array,
  from: number,
  to: number,
  test: Test | null,
  withDeleted: boolean,
  enough: number,
): Int32Array {
  const found = new Int32Array(Math.max(0, to - from))
  let count = 0
  for (let at = from; at < to && count < enough; at++) {
    const row = order[at]!
    if (table.visible(row, withDeleted) && (!test || test(row))) found[count++] = row
  }
  return found.subarray(0, count)
}

type Order = { column: Column; descending: boolean; nullsLast: boolean }[]

function sorted(table: Table, rows: Int32Array, order: Order, turn: number): Int32Array {
  const keys = order.map(({ column, descending, nullsLast }) => {
    const compare = comparer(column)
    const { millis } = column.field
    const values = Array.from(rows, (row) => (millis ? millis(row, table) : table.value(row, column)))
    return (a: number, b: number): number => {
      const [left, right] = [values[a]!, values[b]!]
      if (left === null || right === null) {
        if (left === right) return 0
        return (left === null) === nullsLast ? 1 : -1
      }
      const way = typeof left === 'number' ? left - Number(right) : compare(String(left), String(right))
      return descending ? -way : way
    }
  })
  const places = Int32Array.from(rows, (_, at) => at)
  places.sort((a, b) => {
    for (const key of keys) {
      const way = key(a, b)
      if (way !== 0) return way
    }
    return mix(rows[a]!, turn) - mix(rows[b]!, turn) || a - b
  })
  return places.map((at) => rows[at]!)
}

/** The instants between which every row of this filter lies; a hint for speed, the filter decides. */
function stampRange(where: Expression | null): [from: number, to: number] {
  if (!where || where.op === 'not') return [-Infinity, Infinity]
  if (where.op === 'and' || where.op === 'or') {
    const ranges = where.of.map(stampRange)
    const [outer, inner] = where.op === 'and' ? [Math.max, Math.min] : [Math.min, Math.max]
    return [outer(...ranges.map(([from]) => from)), inner(...ranges.map(([, to]) => to))]
  }
  const value = where.values[0]!
  if (where.field.text.toLowerCase() !== 'systemmodstamp' || value.type !== 'datetime') return [-Infinity, Infinity]
  const instant = Date.parse(value.value)
  if (where.op === '=') return [instant, instant]
  if (where.op === '<' || where.op === '<=') return [-Infinity, instant]
  return where.op === '>' || where.op === '>=' ? [instant, Infinity] : [-Infinity, Infinity]
}

/** The first place whose stamp is not below `instant`. */
function lowest(table: Table, order: Int32Array, instant: number): number {
  let [low, high] = [0, order.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (table.stamp(order[middle]!) < instant) low = middle + 1
    else high = middle
  }
  return low
}
