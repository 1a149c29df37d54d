/**
 * Tables of random schemas and values, the same for the same seed: what encoders are tried with.
 *
 * Law: every value is known as the plainest thing it is (`Raw`), and goes into batches by the builders of sources.
 */
import type { Field, FieldType } from '../../connectors/connector.ts'
import { BATCH_ROWS } from '../../connectors/records/batch.ts'
import type { Batch, Column } from '../../connectors/records/batch.ts'
import { columnBuilder } from '../../connectors/records/column-builders.ts'
import { bounds, kindOf } from '../../connectors/records/field-kind.ts'
import { randoms } from './tables.ts'

/** Bytes for text, json and binary; days and microseconds for dates and times; unscaled integers for decimals. */
export type Raw = Uint8Array | boolean | number | bigint | null

export interface RandomTable {
  fields: Field[]
  /** Batch by batch, with the rows of it that are written; undefined: all. */
  parts: { batch: Batch; chosen: Uint32Array | undefined }[]
  /** By field, the values that are written. */
  values: Raw[][]
  rows: number
}

export class Dice {
  readonly next: () => number
  constructor(seed: number) {
    this.next = randoms(seed * 7919 + 1)
    this.next()
  }
  below(count: number): number {
    return Math.floor(this.next() * count)
  }
  chance(share: number): boolean {
    return this.next() < share
  }
  of<T>(some: readonly T[]): T {
    return some[this.below(some.length)]!
  }
}

const PLAIN_TYPES: FieldType[] = [
  'string',
  'string',
  'string',
  'json',
  'binary',
  'boolean',
  'int32',
  'int64',
  'float64',
  'date',
  'time',
  'timestamp',
]
const DAY = 86_400_000_000n
/** 0001-01-01 and 9999-12-31, in days. */
const [FIRST_DAY, LAST_DAY] = [-719_162, 2_932_896]
const WORDS = ['', 'a', 'ab', 'abc', 'abcd', 'é', '日本', '😀', 'N/A', '\u0000', 'x'.repeat(127), 'x'.repeat(128)]
const DOUBLES = [0, -0, 1, -1, 0.1, 5e-324, -5e-324, 1.7976931348623157e308, -1.7976931348623157e308]

export function randomTable(dice: Dice): RandomTable {
  const fields = Array.from({ length: 1 + dice.below(8) }, (_, i) => ({
    name: `f${i}`,
    type: typeOf(dice),
    nullable: true,
  }))
  const size = dice.chance(0.03) ? 0 : Math.ceil(10 ** (dice.next() * (dice.chance(0.3) ? 4.2 : 3.3)))
  const all = fields.map((field) => valuesOf(field.type, size, dice))
  const choosing = dice.chance(0.3) ? dice.of([0.05, 0.5, 0.95]) : 1
  const values: Raw[][] = fields.map(() => [])
  const parts: RandomTable['parts'] = []
  for (let from = 0; from < size;) {
    const rows = Math.min(size - from, dice.chance(0.5) ? BATCH_ROWS : 1 + dice.below(BATCH_ROWS))
    const list = Array.from({ length: rows }, (_, row) => row).filter(() => choosing === 1 || dice.chance(choosing))
    const columns = fields.map((field, at) => columnOf(field, all[at]!.slice(from, from + rows), dice))
    fields.forEach((_, at) => values[at]!.push(...list.map((row) => all[at]![from + row]!)))
    parts.push({ batch: { fields, rows, columns }, chosen: choosing === 1 ? undefined : Uint32Array.from(list) })
    from += rows
  }
  return { fields, parts, values, rows: values[0]!.length }
}

function typeOf(dice: Dice): FieldType {
  if (dice.chance(0.7)) return dice.of(PLAIN_TYPES)
  const precision = 1 + dice.below(38)
  return `decimal(${precision},${dice.below(precision + 1)})`
}

/** Nulls: none, all, some here and there, or in runs. Values: one, few, all different, or few and then different. */
function valuesOf(type: FieldType, size: number, dice: Dice): Raw[] {
  const one =
    type === 'string' && dice.chance(0.05)
      ? () => Buffer.from(textOf(dice).padEnd(1500, '-'))
      : () => valueOf(type, dice)
  const few = Array.from({ length: dice.of([1, 1, 2, 3, 20, 300]) }, one)
  const different = dice.of([0, 0, size >> 1, size])
  const nulls = dice.of([0, 0, 1, 0.01, 0.1, 0.5, 0.97])
  const inRuns = dice.chance(0.3)
  let missing = false
  return Array.from({ length: size }, (_, row) => {
    if (!inRuns || row % 37 === 0) missing = dice.chance(nulls)
    if (missing) return null
    return row < different ? dice.of(few) : one()
  })
}

function valueOf(type: FieldType, dice: Dice): Raw {
  switch (type) {
    case 'string':
      return Buffer.from(textOf(dice))
    case 'json':
      return Buffer.from(JSON.stringify(dice.chance(0.5) ? textOf(dice) : [dice.below(100), { a: null }]))
    case 'binary':
      return Uint8Array.from({ length: dice.below(9) }, () => dice.below(256))
    case 'boolean':
      return dice.chance(0.5)
    case 'float64':
      return dice.chance(0.4) ? dice.of(DOUBLES) : (dice.next() - 0.5) * 10 ** (dice.below(40) - 20)
    case 'date':
      return dayOf(dice)
    case 'time':
      return dice.chance(0.1) ? dice.of([0n, DAY - 1n]) : BigInt(dice.below(86_400_000)) * 1000n
    case 'timestamp':
      return (
        BigInt(dayOf(dice)) * DAY +
        (dice.chance(0.2) ? dice.of([0n, DAY - 1n]) : BigInt(dice.below(86_400)) * 1_000_000n)
      )
    default: {
      const { least, most } = bounds(type)
      const digits = BigInt(10) ** BigInt(1 + dice.below(38))
      const spread = BigInt(Math.floor(dice.next() * 2 ** 53)) * BigInt(Math.floor(dice.next() * 2 ** 53))
      const any = dice.chance(0.1)
        ? dice.of([least, most, 0n, -1n, 1n])
        : ((spread * 2_147_483_659n) % digits) * dice.of([1n, -1n])
      const value = any < least ? least : any > most ? most : any
      return type === 'int32' ? Number(value) : value
    }
  }
}

function dayOf(dice: Dice): number {
  if (dice.chance(0.05)) return dice.of([FIRST_DAY, LAST_DAY, 0, -1])
  return dice.chance(0.5) ? 18_000 + dice.below(3000) : FIRST_DAY + dice.below(LAST_DAY - FIRST_DAY)
}

function textOf(dice: Dice): string {
  if (dice.chance(0.2)) return dice.of(WORDS)
  const length = dice.chance(0.01) ? dice.below(3000) : dice.chance(0.05) ? dice.below(200) : dice.below(24)
  const start = dice.chance(0.5) ? 'https://' : ''
  let text = start
  for (let i = 0; i < length; i++) text += dice.chance(0.02) ? dice.of(WORDS) : String.fromCharCode(97 + dice.below(26))
  return text
}

function columnOf(field: Field, values: Raw[], dice: Dice): Column {
  const builder = columnBuilder(field)
  values.forEach((value, row) => {
    if (value !== null) builder.value(value, row)
  })
  const column = builder.finish(values.length)
  // Bits behind the last row say nothing.
  if (column.valid && values.length & 7) column.valid[values.length >> 3]! |= 0xff << (values.length & 7)
  if (column.data.kind !== 'bytes' || dice.chance(0.5)) return column
  // As a part of larger memory, with nothing behind it: nobody may read beyond.
  const { bytes, offsets } = column.data
  const before = dice.below(9)
  const memory = new Uint8Array(before + bytes.length)
  memory.set(bytes, before)
  return { ...column, data: { kind: 'bytes', bytes: memory, offsets: offsets.map((offset) => offset + before) } }
}

/** Orders values as Parquet's statistics do; null where the type has no order. */
export function orderOf(type: FieldType): ((a: Raw, b: Raw) => number) | null {
  if (type === 'string') return (a, b) => Buffer.compare(a as Uint8Array, b as Uint8Array)
  if (kindOf(type) === 'bytes') return null
  return (a, b) => (a! < b! ? -1 : a! > b! ? 1 : 0)
}
