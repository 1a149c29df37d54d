/**
 * Which column a field becomes, and which column that is there already takes it without loss.
 * https://docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html
 *
 * Law: a pair that is not in the table below loses something, and is refused.
 */
import type { Field, FieldType } from '../connector.ts'
import { decimalOf, exactOf } from '../records/field-kind.ts'

/** Bytes; Redshift counts no characters. */
export const LONGEST_TEXT = 65_535
const LONGEST_BYTES = 1_024_000
/** Steps in which text columns grow, so that they grow rarely. */
const WIDTHS = [256, 1024, 4096, 16_384, LONGEST_TEXT]

/** A column as the catalog tells it. */
export interface Column {
  name: string
  /** `character varying`, `numeric`, `bigint` … */
  type: string
  /** Bytes of a text. */
  length: number | null
  precision: number | null
  scale: number | null
  nullable: boolean
  hasDefault: boolean
}

export type Fit =
  /** Goes in as it is, or through an expression over the staged column. */
  | { fits: (staged: string) => string }
  /** Goes in once the text column has so many bytes. */
  | { widen: number }
  | { loses: string }

/** Bytes of a text column that holds texts of so many. */
export function widthOf(bytes: number | undefined): number {
  return WIDTHS.find((width) => width >= (bytes ?? LONGEST_TEXT)) ?? LONGEST_TEXT
}

/** What a column is made as; null: Redshift has no place for it. */
export function columnType(type: FieldType, bytes?: number): string | null {
  switch (type) {
    case 'string':
      return `VARCHAR(${widthOf(bytes)})`
    case 'json':
      return 'SUPER'
    case 'boolean':
      return 'BOOLEAN'
    case 'int32':
      return 'INTEGER'
    case 'int64':
      return 'BIGINT'
    case 'float64':
      return 'DOUBLE PRECISION'
    case 'date':
      return 'DATE'
    case 'timestamp':
      return 'TIMESTAMP'
    case 'binary':
      return `VARBYTE(${LONGEST_BYTES})`
    case 'time': // COPY takes none from Parquet
      return null
    default: {
      const { precision, scale } = decimalOf(type)!
      return scale > 37 ? null : `DECIMAL(${precision},${scale})`
    }
  }
}

/** What COPY reads a Parquet column into: its own type, text at its longest; JSON comes as text. */
export function stagedType(type: FieldType): string | null {
  return columnType(type === 'json' ? 'string' : type)
}

const as = (type: string) => (staged: string) => `CAST(${staged} AS ${type})`
const same = (staged: string): string => staged

/** Whether a field goes into a column that is there; `bytes` is the longest text of it, where that is known. */
export function fitOf({ type }: Field, column: Column, bytes?: number): Fit {
  const found = exactly(type, column) ?? widely(type, column)
  if (found) return { fits: found }
  const text = column.type === 'character varying'
  if (text && (type === 'string' || type === 'json')) {
    const width = bytes ?? LONGEST_TEXT
    return width <= (column.length ?? 0) ? { fits: same } : { widen: widthOf(width) }
  }
  return { loses: `${type} does not fit into ${shown(column)} without loss` }
}

const OWN: Record<string, string> = {
  boolean: 'boolean',
  int32: 'integer',
  int64: 'bigint',
  float64: 'double precision',
  date: 'date',
  timestamp: 'timestamp without time zone',
  binary: 'varbyte',
}

function exactly(type: FieldType, column: Column): ((staged: string) => string) | null {
  if (OWN[type] === column.type) return same
  return type === 'json' && column.type === 'super' ? (staged) => `JSON_PARSE(${staged})` : null
}

/** Into a type that holds every value of another. */
function widely(type: FieldType, column: Column): ((staged: string) => string) | null {
  if (type === 'date' && column.type === 'timestamp without time zone') return as('TIMESTAMP')
  const exact = exactOf(type)
  if (!exact) return null
  const whole = exact.precision - exact.scale
  if (column.type === 'numeric') {
    const { precision, scale } = column
    if (precision === null || scale === null || scale < exact.scale || precision - scale < whole) return null
    return decimalOf(type) && scale === exact.scale && precision === exact.precision
      ? same
      : as(`DECIMAL(${precision},${scale})`)
  }
  if (type === 'int32' && column.type === 'double precision') return as('DOUBLE PRECISION')
  if (exact.scale > 0) return null
  // An integer type holds every number of so many digits.
  if (column.type === 'bigint' && (type === 'int32' || whole <= 18)) return as('BIGINT')
  return column.type === 'integer' && whole <= 9 ? as('INTEGER') : null
}

export function shown({ type, length, precision, scale }: Column): string {
  if (type === 'character varying') return `VARCHAR(${length})`
  return type === 'numeric' ? `DECIMAL(${precision},${scale})` : type.toUpperCase()
}

/** A column as a field, for people and for what asks what a table is. */
export function fieldOf(column: Column): Field {
  const own = Object.entries(OWN).find(([, type]) => type === column.type)?.[0] as FieldType | undefined
  const types: Record<string, FieldType> = {
    'character varying': 'string',
    super: 'json',
    smallint: 'int32',
    numeric: `decimal(${column.precision ?? 38},${column.scale ?? 0})`,
  }
  const type = own ?? types[column.type] ?? 'string'
  return { name: column.name, type, nullable: column.nullable, sourceType: shown(column) }
}
