/**
 * Parquet files of random schemas and values, read back by two readers that are not ours: DuckDB, and hyparquet told to
 * give the physical values. What the footer says of every chunk is held against the data.
 *
 * A part of the seeds by default; all with LAKEWARD_THOROUGH=1.
 */
import zlib from 'node:zlib'
import { parquetMetadata, parquetRead } from 'hyparquet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FieldType } from '../../connectors/connector.ts'
import { pageCodec, snappy } from '../../connectors/records/compression.ts'
import { decimalOf, kindOf } from '../../connectors/records/field-kind.ts'
import { dateText, timeText, timestampText } from '../../connectors/records/instants.ts'
import { decimalText } from '../../connectors/records/numbers.ts'
import { parquetSink } from '../../connectors/records/parquet.ts'
import type { ParquetOptions } from '../../connectors/records/parquet.ts'
import { duckdb } from './duckdb.ts'
import type { Reader } from './duckdb.ts'
import { footerOf } from './parquet-footer.ts'
import { Dice, orderOf, randomTable } from './random-tables.ts'
import type { RandomTable, Raw } from './random-tables.ts'

const SEEDS = process.env['LAKEWARD_THOROUGH'] ? 1000 : 60
const TENTH = SEEDS / 10

let reader: Reader
beforeAll(async () => {
  reader = await duckdb()
})
afterAll(() => reader.close())

function optionsOf(dice: Dice): ParquetOptions {
  return {
    codec: dice.chance(0.5) ? snappy() : pageCodec(),
    dictionary: !dice.chance(0.1),
    ...(dice.chance(0.5) && { rowGroupRows: 1 + dice.below(3000) }),
    ...(dice.chance(0.2) && { rowGroupBytes: 1 + dice.below(100_000) }),
    ...(dice.chance(0.4) && { pageRows: 1 + dice.below(2000) }),
    ...(dice.chance(0.4) && { pageBytes: 1 + dice.below(10_000) }),
  }
}

function fileOf({ fields, parts, rows }: RandomTable, options: ParquetOptions): Buffer {
  const sink = parquetSink(fields, options)
  const pieces: Uint8Array[] = []
  for (const { batch, chosen } of parts) {
    sink.append(batch, chosen)
    pieces.push(...sink.drain())
  }
  pieces.push(...sink.finish())
  const file = Buffer.concat(pieces)
  expect([sink.bytes, sink.rows]).toEqual([file.length, rows])
  return file
}

/** The same text for the same value, and for no other. */
function keyOf(value: Raw): string | null {
  if (value === null) return null
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  return Object.is(value, -0) ? '-0' : String(value)
}

/** How DuckDB tells a column's values, and the key of what it tells. */
function duckColumn(name: string, type: FieldType): [sql: string, key: (text: string) => string] {
  const same = (text: string) => text
  switch (type) {
    case 'string':
    case 'json':
      return [`lower(hex(${name}::varchar))`, same]
    case 'binary':
      return [`lower(hex(${name}))`, same]
    case 'float64':
      return [`${name}::varchar`, (text) => keyOf(Number(text))!]
    case 'date':
      return [`(${name} - date '1970-01-01')::varchar`, same]
    case 'time':
      return [`epoch_us(date '1970-01-01' + ${name})::varchar`, same]
    case 'timestamp':
      return [`epoch_us(${name})::varchar`, same]
    default:
      return [`replace(${name}::varchar, '.', '')`, (text) => (decimalOf(type) ? String(BigInt(text)) : text)]
  }
}

function literal(type: FieldType, value: Raw): string {
  switch (type) {
    case 'string':
      return `decode(unhex('${keyOf(value)}'))`
    case 'date':
      return `date '${dateText(value as number)}'`
    case 'time':
      return `time '${timeText(Number(value))}'`
    case 'timestamp':
      return `timestamptz '${timestampText(value as bigint)}'`
    case 'float64':
      return `'${keyOf(value)}'::double`
    default: {
      const decimal = decimalOf(type)
      return decimal ? `'${decimalText(value as bigint, decimal.scale)}'::${type}` : `'${String(value)}'`
    }
  }
}

/** A physical value as Parquet lays it out, text without its length. */
function plainBytes(type: FieldType, value: Raw): Buffer {
  const kind = kindOf(type)
  const bytes = Buffer.alloc(16)
  if (kind === 'bytes') return Buffer.from(value as Uint8Array)
  if (kind === 'bits') return Buffer.of(value ? 1 : 0)
  if (kind === 'int32') return bytes.subarray(0, bytes.writeInt32LE(value as number))
  if (kind === 'float64') return bytes.subarray(0, bytes.writeDoubleLE(value as number))
  if (kind === 'int64') return bytes.subarray(0, bytes.writeBigInt64LE(value as bigint))
  bytes.writeBigInt64BE((value as bigint) >> 64n)
  bytes.writeBigUInt64BE(BigInt.asUintN(64, value as bigint), 8)
  return bytes
}

async function physical(file: Buffer, { fields, values, rows }: RandomTable): Promise<(string | null)[][]> {
  const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.length)
  const metadata = parquetMetadata(buffer as ArrayBuffer)
  for (const element of metadata.schema) {
    delete element.converted_type
    delete element.logical_type
  }
  const read = fields.map(() => Array.from<string | null>({ length: rows }))
  const { zstdDecompressSync } = zlib as unknown as { zstdDecompressSync: (bytes: Uint8Array) => Uint8Array }
  await parquetRead({
    file: buffer as ArrayBuffer,
    metadata,
    utf8: false,
    compressors: { ZSTD: (input) => zstdDecompressSync(input) },
    onChunk({ columnName, columnData, rowStart }) {
      const at = Number(columnName.slice(1))
      const long = kindOf(fields[at]!.type) === 'int128'
      for (let i = 0; i < columnData.length; i++) {
        const value = columnData[i] as Raw | undefined
        read[at]![rowStart + i] = long && value ? bigEndian(value as Uint8Array) : keyOf(value ?? null)
      }
    },
  })
  expect(values.length).toBe(read.length)
  return read
}

function bigEndian(bytes: Uint8Array): string {
  return String(BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`)))
}

function difference(read: (string | null)[], wanted: (string | null)[]): unknown {
  const at = wanted.findIndex((value, i) => value !== read[i])
  return read.length !== wanted.length ? [read.length, wanted.length] : at < 0 ? null : [at, read[at], wanted[at]]
}

/** Nulls and bounds of every chunk; a bound may only be missing where it is long, or the type has no order. */
function checkFooter(file: Buffer, { fields, values, rows }: RandomTable): void {
  let from = 0
  for (const group of footerOf(file)) {
    fields.forEach(({ type }, at) => {
      const told = group.columns[at]!
      const chunk = values[at]!.slice(from, from + group.rows)
      const present = chunk.filter((value) => value !== null)
      expect(told.nulls).toBe(chunk.length - present.length)
      const order = orderOf(type)
      if (!order || present.length === 0) return expect([told.least, told.greatest]).toEqual([undefined, undefined])
      const extreme = (sign: number) => present.reduce((best, value) => (order(value, best) * sign < 0 ? value : best))
      const [least, greatest] = [extreme(1), extreme(-1)].map((value) => plainBytes(type, value)) as [Buffer, Buffer]
      const tooLong = type === 'string' && (least.length > 128 || greatest.length > 128)
      if (tooLong) return expect([told.least, told.greatest]).toEqual([undefined, undefined])
      const long = kindOf(type) === 'int128' ? told.least!.length - 16 : 0
      const zero = (bytes: Buffer) => type === 'float64' && bytes.readDoubleLE() === 0
      // Zeros count as both, the outer one.
      expect(told.least).toEqual(zero(least) ? plainBytes(type, -0) : least.subarray(-long))
      expect(told.greatest).toEqual(zero(greatest) ? plainBytes(type, 0) : greatest.subarray(-long))
    })
    from += group.rows
  }
  expect(from).toBe(rows)
}

/** Readers leave out chunks by their bounds: nothing may be lost by it. */
async function checkFilters(path: string, { fields, values, rows }: RandomTable, dice: Dice): Promise<void> {
  const at = dice.below(fields.length)
  const { name, type } = fields[at]!
  const [value, order] = [rows > 0 ? dice.of(values[at]!) : null, orderOf(type)]
  if (value === null || !order) return
  const asked = literal(type, value)
  const count = async (operator: string) =>
    Number((await reader.rows(`select count(*) from read_parquet(${path}) where ${name} ${operator} ${asked}`))[0]![0])
  const among = (fits: (sign: number) => boolean) =>
    values[at]!.filter((other) => other !== null && fits(order(other, value))).length
  expect([await count('='), await count('<'), await count('>')], `${name} ${type} ${asked}`).toEqual([
    among((sign) => sign === 0),
    among((sign) => sign < 0),
    among((sign) => sign > 0),
  ])
}

async function check(seed: number): Promise<void> {
  const dice = new Dice(seed)
  const table = randomTable(dice)
  const file = fileOf(table, optionsOf(dice))
  const wanted = table.values.map((column) => column.map(keyOf))
  const second = await physical(file, table)
  checkFooter(file, table)
  // DuckDB keeps what it read of a path: no two files share one.
  const path = reader.write(`random-${seed}.parquet`, [file])
  const columns = table.fields.map(({ name, type }) => duckColumn(name, type))
  const found = await reader.rows(`select ${columns.map(([sql]) => sql).join(', ')} from read_parquet(${path})`)
  table.fields.forEach(({ name, type }, at) => {
    const [, key] = columns[at]!
    const first = found.map((row) => (row[at] === null ? null : key(row[at]!)))
    expect(difference(first, wanted[at]!), `${name} ${type}, DuckDB`).toBeNull()
    expect(difference(second[at]!, wanted[at]!), `${name} ${type}, hyparquet`).toBeNull()
  })
  await checkFilters(path, table, dice)
}

describe('Parquet of random schemas and values', () => {
  it.each(Array.from({ length: 10 }, (_, i) => [i * TENTH, (i + 1) * TENTH]))(
    'two readers give every value back, and the footer tells the truth: seeds %i to %i',
    async (from, to) => {
      for (let seed = from; seed < to; seed++) {
        await check(seed).catch((error: unknown) => {
          throw new Error(`seed ${seed}`, { cause: error })
        })
      }
    },
    600_000,
  )
})
