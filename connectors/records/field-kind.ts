/** What a field's type means for the column that holds it. */
import type { FieldType } from '../connector.ts'
import type { ColumnData } from './batch.ts'

export interface Decimal {
  precision: number
  scale: number
}

/** null: the type is no decimal. */
export function decimalOf(type: FieldType): Decimal | null {
  const match = /^decimal\((\d+),(\d+)\)$/.exec(type)
  return match ? { precision: Number(match[1]), scale: Number(match[2]) } : null
}

/** Digits an exact number type holds; null: the type is no exact number. */
export function exactOf(type: FieldType): Decimal | null {
  if (type === 'int32') return { precision: 10, scale: 0 }
  if (type === 'int64') return { precision: 19, scale: 0 }
  return decimalOf(type)
}

export function isNumber(type: FieldType): boolean {
  return type === 'float64' || exactOf(type) !== null
}

export function kindOf(type: FieldType): ColumnData['kind'] {
  switch (type) {
    case 'string':
    case 'json':
    case 'binary':
      return 'bytes'
    case 'boolean':
      return 'bits'
    case 'int32':
    case 'date':
      return 'int32'
    case 'int64':
    case 'timestamp':
    case 'time':
      return 'int64'
    case 'float64':
      return 'float64'
    default:
      return decimalOf(type)!.precision > 18 ? 'int128' : 'int64'
  }
}

/**
 * Bytes of the least two's complement that holds every decimal of a precision: what Parquet's readers expect of it, and
 * Redshift refuses to be longer.
 */
export function decimalBytes(precision: number): number {
  let bytes = 1
  while (2n ** BigInt(bytes * 8 - 1) < 10n ** BigInt(precision)) bytes++
  return bytes
}

/** Smallest and largest unscaled value of an exact number type. */
export function bounds(type: FieldType): { least: bigint; most: bigint } {
  if (type === 'int32') return { least: -(2n ** 31n), most: 2n ** 31n - 1n }
  if (type === 'int64') return { least: -(2n ** 63n), most: 2n ** 63n - 1n }
  const most = 10n ** BigInt(decimalOf(type)!.precision) - 1n
  return { least: -most, most }
}
