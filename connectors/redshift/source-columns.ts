/**
 * How a column is read: its field, what is selected for it, and what its text becomes.
 * https://docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html
 *
 * Laws
 * - Nothing is lost on the way: what the Data API would give as a double goes through a decimal, bytes go as hex.
 * - Instants are UTC. A CHAR has no trailing blanks: Redshift itself overlooks them.
 */
import type { Field, FieldType, Row } from '../connector.ts'
import type { Column } from './column-types.ts'
import { name } from './sql.ts'

/** pages: rows of the Data API, all values as text; files: Parquet of UNLOAD. */
export type Way = 'pages' | 'files'

interface Reading {
  type: FieldType
  /** Absent: the column as it is. */
  selected?: (column: string, way: Way) => string
}

const as =
  (type: string, only?: Way) =>
  (column: string, way: Way): string =>
    only === undefined || only === way ? `CAST(${column} AS ${type})` : column

const READINGS: Record<string, Reading> = {
  boolean: { type: 'boolean' },
  smallint: { type: 'int32' },
  integer: { type: 'int32' },
  // The Data API gives it as a JSON number, of which a double is made.
  bigint: { type: 'int64', selected: as('DECIMAL(19,0)', 'pages') },
  real: { type: 'float64', selected: as('DOUBLE PRECISION') },
  'double precision': { type: 'float64' },
  'character varying': { type: 'string' },
  character: { type: 'string', selected: (column) => `RTRIM(${column})` },
  date: { type: 'date' },
  'timestamp without time zone': { type: 'timestamp' },
  'timestamp with time zone': { type: 'timestamp', selected: (column) => `${column} AT TIME ZONE 'UTC'` },
  'time without time zone': { type: 'time', selected: as('VARCHAR(32)') },
  'time with time zone': { type: 'string', selected: as('VARCHAR(32)') },
  super: { type: 'json', selected: (column) => `JSON_SERIALIZE(${column})` },
  varbyte: { type: 'binary', selected: (column, way) => (way === 'pages' ? `TO_HEX(${column})` : column) },
}

/** null: its type cannot be read. */
export function sourceField({ name: column, type, precision, scale, length, nullable }: Column): Field | null {
  const known = READINGS[type]?.type
  const decimal = type === 'numeric' && precision !== null && scale !== null
  const found: FieldType | undefined = decimal ? `decimal(${precision},${scale})` : known
  if (found === undefined) return null
  const sourceType = decimal ? `numeric(${precision},${scale})` : length === null ? type : `${type}(${length})`
  return { name: column, type: found, nullable, sourceType, filterable: true }
}

/** Redshift's own name of a field's type. */
export const kindOf = ({ sourceType = '' }: Field): string => sourceType.replace(/\(.*$/, '')

/** An item of a select list. */
export function selectItem(field: Field, way: Way): string {
  const column = name(field.name)
  const selected = READINGS[kindOf(field)]?.selected?.(column, way) ?? column
  return selected === column ? column : `${selected} AS ${column}`
}

/** What the text of a page, or of a file, becomes. */
export function valueOf(type: FieldType, text: string, way: Way): Row[string] {
  if (type === 'json') return Buffer.from(text)
  return type === 'binary' && way === 'pages' ? Buffer.from(text, 'hex') : text
}
