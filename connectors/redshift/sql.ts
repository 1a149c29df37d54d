/**
 * Names and literals of Redshift.
 * https://docs.aws.amazon.com/redshift/latest/dg/r_names.html
 *
 * Laws
 * - Every name stands in quotes and in lower case: Redshift folds quoted names as well unless told otherwise.
 * - A backslash escapes in a literal, so it is doubled.
 */
import { InputError } from '../errors.ts'

const LONGEST_NAME = 127

export function name(written: string): string {
  const folded = written.toLowerCase()
  if (folded === '' || folded.includes('\0') || Buffer.byteLength(folded) > LONGEST_NAME) {
    const advice = `1 to ${LONGEST_NAME} bytes: rename the field, or set 'into'.`
    throw new InputError([{ what: 'this is no name in Redshift', where: written.slice(0, 200), advice }])
  }
  return `"${folded.replaceAll('"', '""')}"`
}

export function literal(value: string | null): string {
  if (value === null) return 'NULL'
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}

/** Schema and table of what a flow calls it: `accounts`, or `sales.accounts`. */
export interface TableName {
  schema: string
  table: string
}

export function tableName(written: string, schema: string): TableName {
  const parts = written.split('.')
  const [first = '', second] = parts
  if (parts.length > 2) {
    const advice = 'Write table, or schema.table.'
    throw new InputError([{ what: 'this is no name of a table', where: written, advice }])
  }
  const named = second === undefined ? { schema, table: first } : { schema: first, table: second }
  return { schema: named.schema.toLowerCase(), table: named.table.toLowerCase() }
}

export const qualified = ({ schema, table }: TableName): string => `${name(schema)}.${name(table)}`
