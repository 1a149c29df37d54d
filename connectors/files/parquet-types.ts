/**
 * Columns of Parquet files: what type each is, and its stored values as rows take them.
 *
 * Law: nothing is bent. The library is given the schema without its annotations, so that it hands over what is stored
 * (integers, bytes), and every meaning is put on here: decimals and 64-bit integers keep all digits, instants become
 * text with microseconds, text that is not UTF-8 stays bytes and is refused by its column.
 */
// https://github.com/apache/parquet-format/blob/master/LogicalTypes.md
import { isUtf8 } from 'node:buffer'
import type { SchemaElement } from 'hyparquet'
import type { FieldType, Row } from '../connector.ts'
import { dateText, timestampText, timeText } from '../records/instants.ts'
import { decimalText, divideFloor } from '../records/numbers.ts'

type Raw = number | bigint | boolean | Uint8Array
export interface ParquetColumn {
  type: FieldType
  value(raw: Raw): Row[string]
}

/** A text says why the column cannot be read. */
export function parquetColumn(element: SchemaElement): ParquetColumn | string {
  if (element.num_children) return 'is nested'
  if (element.repetition_type === 'REPEATED') return 'is a list'
  const { converted_type: converted, logical_type: logical } = element
  if (converted === 'DECIMAL' || logical?.type === 'DECIMAL') return decimalColumn(element)
  switch (element.type) {
    case 'BOOLEAN':
      return { type: 'boolean', value: (raw) => raw }
    case 'FLOAT':
    case 'DOUBLE':
      return { type: 'float64', value: (raw) => raw }
    case 'INT96':
      return instants(1000n, 1n)
    case 'INT32':
      return int32Column(element)
    case 'INT64':
      return int64Column(element)
    default:
      return bytesColumn(element)
  }
}

/** Without what the library would convert values by. */
export function bare(element: SchemaElement): SchemaElement {
  if (element.num_children) return element
  const stored = { ...element }
  for (const annotation of ['converted_type', 'logical_type', 'scale', 'precision'] as const) delete stored[annotation]
  return stored
}

function decimalColumn({
  type,
  scale = 0,
  precision = 0,
  logical_type: logical,
}: SchemaElement): ParquetColumn | string {
  const digits = logical?.type === 'DECIMAL' ? logical : { precision, scale }
  if (digits.precision > 38) return `is decimal(${digits.precision},${digits.scale}), and 38 digits are the most`
  const isBytes = type === 'BYTE_ARRAY' || type === 'FIXED_LEN_BYTE_ARRAY'
  const unscaled = (raw: Raw): bigint => (isBytes ? bigEndian(raw as Uint8Array) : BigInt(raw as number | bigint))
  return {
    type: `decimal(${digits.precision},${digits.scale})`,
    value: (raw) => decimalText(unscaled(raw), digits.scale),
  }
}

function bigEndian(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`))
}

function int32Column({ converted_type: converted, logical_type: logical }: SchemaElement): ParquetColumn {
  if (converted === 'DATE' || logical?.type === 'DATE') {
    return { type: 'date', value: (raw) => dateText(raw as number) }
  }
  if (converted === 'TIME_MILLIS' || logical?.type === 'TIME') {
    return { type: 'time', value: (raw) => timeText((raw as number) * 1000) }
  }
  const unsigned =
    converted === 'UINT_32' || (logical?.type === 'INTEGER' && !logical.isSigned && logical.bitWidth === 32)
  if (unsigned) return { type: 'int64', value: (raw) => (raw as number) >>> 0 }
  return { type: 'int32', value: (raw) => raw }
}

function int64Column({ converted_type: converted, logical_type: logical }: SchemaElement): ParquetColumn {
  const unit = logical?.type === 'TIMESTAMP' || logical?.type === 'TIME' ? logical.unit : undefined
  const factor = converted?.endsWith('_MILLIS') || unit === 'MILLIS' ? 1000n : 1n
  const divisor = unit === 'NANOS' ? 1000n : 1n
  if (logical?.type === 'TIMESTAMP' || converted?.startsWith('TIMESTAMP_')) return instants(divisor, factor)
  if (logical?.type === 'TIME' || converted?.startsWith('TIME_')) {
    return { type: 'time', value: (raw) => timeText(Number(((raw as bigint) * factor) / divisor)) }
  }
  const unsigned =
    converted === 'UINT_64' || (logical?.type === 'INTEGER' && !logical.isSigned && logical.bitWidth === 64)
  if (unsigned) return { type: 'decimal(20,0)', value: (raw) => BigInt.asUintN(64, raw as bigint) }
  return { type: 'int64', value: (raw) => raw }
}

/** Micros = raw · factor / divisor; digits beyond microseconds are cut. */
function instants(divisor: bigint, factor: bigint): ParquetColumn {
  return { type: 'timestamp', value: (raw) => timestampText(divideFloor((raw as bigint) * factor, divisor)) }
}

function bytesColumn({ converted_type: converted, logical_type: logical }: SchemaElement): ParquetColumn | string {
  const of = logical?.type ?? ''
  if (converted === 'JSON' || of === 'JSON') return { type: 'json', value: (raw) => raw }
  if (of === 'UUID') return { type: 'string', value: (raw) => uuid(raw as Uint8Array) }
  if (converted === 'INTERVAL' || converted === 'BSON' || of === 'FLOAT16' || of === 'VARIANT') {
    return `is of type ${of || converted}, which cannot be read`
  }
  const isText = converted === 'UTF8' || converted === 'ENUM' || of === 'STRING' || of === 'ENUM'
  if (!isText) return { type: 'binary', value: (raw) => raw }
  return {
    type: 'string',
    value: (raw) => (isUtf8(raw as Uint8Array) ? Buffer.from(raw as Uint8Array).toString() : raw),
  }
}

function uuid(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
