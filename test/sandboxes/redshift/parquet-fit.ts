/**
 * Whether a column of a Parquet file goes into a column of a table, as COPY from columnar files has it: by position,
 * each type into its own, decimals in the least bytes that hold their precision.
 *
 * The words are those that users report: `Unmatched number of columns …`, `… has an invalid type length`.
 */
import { SqlError } from './sql-errors.ts'

export interface ParquetColumn {
  name: string
  /** Physical type: INT32, INT64, INT96, BYTE_ARRAY, FIXED_LEN_BYTE_ARRAY, FLOAT, DOUBLE, BOOLEAN. */
  physical: string
  /** Of FIXED_LEN_BYTE_ARRAY. */
  length: number | null
  /** The older annotation: UTF8, DECIMAL, DATE, TIMESTAMP_MICROS …; null: none. */
  converted: string | null
  precision: number | null
  scale: number | null
}
export interface TableColumn {
  name: string
  /** As the catalog tells it: `character varying(255)`, `numeric(18,2)`. */
  type: string
}

const FITS: Record<string, RegExp> = {
  boolean: /^BOOLEAN\/$/,
  smallint: /^INT32\/(INT_8|INT_16|INT_32)?$/,
  integer: /^INT32\/(INT_8|INT_16|INT_32)?$/,
  bigint: /^INT64\/(INT_64)?$/,
  real: /^FLOAT\/$/,
  'double precision': /^DOUBLE\/$/,
  date: /^INT32\/DATE$/,
  'timestamp without time zone': /^(INT64\/TIMESTAMP_(MICROS|MILLIS)|INT96\/)$/,
  'character varying': /^BYTE_ARRAY\/(UTF8|ENUM|JSON)?$/,
  varbyte: /^BYTE_ARRAY\/$/,
}

export function checkFit(file: string, found: ParquetColumn[], table: TableColumn[]): void {
  const scan = (reason: string): SqlError =>
    new SqlError(
      `ERROR: Spectrum Scan Error\n  DETAIL: error: Spectrum Scan Error code: 15007 context: File '${file}' ${reason}`,
    )
  if (found.length !== table.length) {
    throw scan(
      'has an unmatched number of columns between table and file. ' +
        `Table columns: ${table.length}, Data columns: ${found.length}`,
    )
  }
  table.forEach((column, at) => {
    const source = found[at]!
    const said = `${source.physical}/${source.converted ?? ''}`
    const decimal = /^numeric\((\d+),(\d+)\)$/.exec(column.type)
    if (decimal) {
      checkDecimal(source, Number(decimal[1]), Number(decimal[2]), scan)
      return
    }
    if (FITS[column.type.replace(/\(.*\)$/, '')]?.test(said)) return
    throw scan(
      `has an incompatible Parquet schema for column '${column.name}' (${source.name}). ` +
        `Column type: ${column.type}, Parquet schema: ${said}`,
    )
  })
}

function checkDecimal(
  source: ParquetColumn,
  precision: number,
  scale: number,
  scan: (reason: string) => SqlError,
): void {
  const { name, physical, length, converted } = source
  if (converted !== 'DECIMAL' || source.scale !== scale || source.precision !== precision) {
    const said = `${physical}/${converted ?? ''}(${source.precision},${source.scale})`
    throw scan(
      `has an incompatible Parquet schema for column '${name}'. ` +
        `Column type: DECIMAL(${precision},${scale}), Parquet schema: ${said}`,
    )
  }
  if (physical === 'INT32' ? precision <= 9 : physical === 'INT64' && precision <= 18) return
  const least = leastBytes(precision)
  if (physical === 'FIXED_LEN_BYTE_ARRAY' && length === least) return
  throw scan(`column '${name}' has an invalid type length. Expecting: ${least} len in file: ${length}`)
}

/** Bytes of the least two's complement that holds every number of so many digits. */
function leastBytes(precision: number): number {
  let bytes = 1
  while (2n ** BigInt(bytes * 8 - 1) < 10n ** BigInt(precision)) bytes++
  return bytes
}
