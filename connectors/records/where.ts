/**
 * A filter as work over batches.
 *
 * Laws
 * - AND over fields and over the operators of a field. A null satisfies `ne` and `isNull: true` only.
 * - Text is compared by code point in exact case, which is the order of its UTF-8 bytes; exact numbers and instants are
 *   compared exactly, whatever digits the literal has; `between` is inclusive.
 * - A literal has its field's type: text is never compared with a number. Numbers may stand in quotes to keep all
 *   digits.
 * - Deleted records are kept whatever the filter says.
 */
import type { Condition, Field, Filter, FilterValue } from '../connector.ts'
import { InputError } from '../errors.ts'
import { meant } from '../nearest.ts'
import type { Batch, Column } from './batch.ts'
import { cellAt, present } from './cells.ts'
import { unset } from './columns.ts'
import { literal } from './literal.ts'
import type { Literal } from './literal.ts'
import { DELETE } from './record-builder.ts'

/** Rows of a batch that stay; null: all. */
export type Where = (batch: Batch, ops?: Uint8Array) => Uint32Array | null
type Test = (column: Column, row: number) => boolean

/** `at` stands before every place in messages. Throws `InputError`. */
export function compileWhere(filter: Filter | null, fields: Field[], at = 'where'): Where {
  const tests = Object.entries(filter ?? {}).flatMap(([name, condition]) => {
    const index = fields.findIndex((field) => field.name === name)
    const field = fields[index]
    if (!field) throw unknown(name, fields, at)
    return testsOf(field, condition, `${at}.${name}`).map(({ test, nulls }) => ({ index, test, nulls }))
  })
  if (tests.length === 0) return () => null
  return ({ rows, columns }, ops) => {
    const out = new Uint8Array(rows)
    for (const { index, test, nulls } of tests) {
      const column = columns[index]!
      for (let row = 0; row < rows; row++) {
        if (out[row]) continue
        const passes = present(column, row) ? test(column, row) : nulls
        if (!passes && ops?.[row] !== DELETE) out[row] = 1
      }
    }
    return unset(out, rows)
  }
}

function testsOf(field: Field, condition: Condition, at: string): { test: Test; nulls: boolean }[] {
  return Object.entries(condition)
    .filter(([, value]) => value !== undefined)
    .map(([operator, value]) => {
      if (operator === 'isNull') return { test: () => value === false, nulls: value === true }
      return { test: testOf(field, operator as keyof Condition, value, `${at}.${operator}`), nulls: operator === 'ne' }
    })
}

function testOf(field: Field, operator: keyof Condition, value: unknown, at: string): Test {
  const { type } = field
  if (type === 'json' || type === 'binary') throw misfit(`'${field.name}' is ${type}: it can only be asked isNull`, at)
  const ordered = !['eq', 'ne', 'in'].includes(operator)
  if (ordered && type === 'boolean') throw misfit(`'${field.name}' is boolean: it has no order`, at)
  if (operator === 'contains') return containing(field, value, at)
  const read = (one: FilterValue): Literal =>
    literal(type, one, (what) => misfit(`'${field.name}' is ${type}, and ${what}`, at))
  const cell = (column: Column, row: number) => cellAt(column, type, row)
  if (type === 'string') return textTest(operator, value as FilterValue | FilterValue[])
  const compare = (one: FilterValue) => {
    const { value: against, exact } = read(one)
    // An inexact literal lies between its floor and the next value a column of this type can have.
    return (column: Column, row: number): number => {
      const found = cell(column, row)
      return found < against ? -1 : found > against ? 1 : exact ? 0 : -1
    }
  }
  return ordering(operator, value, compare)

  function textTest(kind: keyof Condition, written: FilterValue | FilterValue[]): Test {
    return ordering(kind, written, (one) => {
      const bytes = Buffer.from(read(one).value as string)
      return (column, row) => compareBytes(column, row, bytes)
    })
  }
}

type Comparison = (column: Column, row: number) => number

function ordering(operator: keyof Condition, value: unknown, compare: (one: FilterValue) => Comparison): Test {
  if (operator === 'in') {
    const any = (value as FilterValue[]).map(compare)
    return (column, row) => any.some((comparison) => comparison(column, row) === 0)
  }
  if (operator === 'between') {
    const [least, most] = (value as [FilterValue, FilterValue]).map(compare) as [Comparison, Comparison]
    return (column, row) => least(column, row) >= 0 && most(column, row) <= 0
  }
  const comparison = compare(value as FilterValue)
  switch (operator) {
    case 'eq':
      return (column, row) => comparison(column, row) === 0
    case 'ne':
      return (column, row) => comparison(column, row) !== 0
    case 'gt':
      return (column, row) => comparison(column, row) > 0
    case 'gte':
      return (column, row) => comparison(column, row) >= 0
    case 'lt':
      return (column, row) => comparison(column, row) < 0
    default:
      return (column, row) => comparison(column, row) <= 0
  }
}

function containing(field: Field, value: unknown, at: string): Test {
  if (field.type !== 'string') throw misfit(`'${field.name}' is ${field.type}: contains asks text`, at)
  const part = Buffer.from(value as string)
  return ({ data }, row) => {
    if (data.kind !== 'bytes') return false
    const { buffer, byteOffset } = data.bytes
    const start = data.offsets[row]!
    return Buffer.from(buffer, byteOffset + start, data.offsets[row + 1]! - start).includes(part)
  }
}

function compareBytes({ data }: Column, row: number, against: Uint8Array): number {
  if (data.kind !== 'bytes') return Number.NaN
  const start = data.offsets[row]!
  const length = data.offsets[row + 1]! - start
  const both = Math.min(length, against.length)
  for (let i = 0; i < both; i++) {
    const difference = data.bytes[start + i]! - against[i]!
    if (difference !== 0) return difference
  }
  return length - against.length
}

function unknown(name: string, fields: Field[], at: string): InputError {
  const names = fields.map((field) => field.name)
  return new InputError([
    {
      what: `the source has no field '${name}'${meant(name, names)}`,
      where: `${at}.${name}`,
      advice: "Filters take the source's own names; `lakeward fields` lists them.",
    },
  ])
}

function misfit(what: string, where: string): InputError {
  return new InputError([{ what, where, advice: "Write a value of the field's own type." }])
}
