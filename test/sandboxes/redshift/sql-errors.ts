/** What Redshift says where PostgreSQL says something else, and what neither is asked. */
import { PostgresError } from './postgres-wire.ts'

/** A statement failed, in Redshift's words. */
export class SqlError extends Error {
  override readonly name = 'SqlError'
}

/** What this stand-in does not truly imitate it does not run. */
export const refuse = (what: string): SqlError => new SqlError(`ERROR: the stand-in does not imitate ${what}`)

const SAYINGS: Record<string, string> = {
  '22012': 'ERROR: Divide by zero',
  // https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
  '40001':
    'ERROR: 1023\n  DETAIL: Serializable isolation violation on table - 100131, transactions forming the cycle are: ' +
    '1203, 1204 (pid:1073815778)',
  '40P01': 'ERROR: deadlock detected',
  // https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html
  '21000': 'ERROR: Found multiple matches to update the same tuple.',
  '57014': "ERROR: Query cancelled on user's request",
  '22003': 'ERROR: Numeric data overflow',
  '23502': 'ERROR: Cannot insert a NULL value into a NOT NULL column',
}

export function inRedshiftsWords(error: unknown): Error {
  if (!(error instanceof PostgresError)) return error as Error
  // The domain that stands for the type.
  const length = /"(character varying|varbyte)\((\d+)\)"/.exec(error.message)
  if (error.code === '23514' && length) return new SqlError(`ERROR: Value too long for type ${length[1]}(${length[2]})`)
  // Two that create a relation at once.
  if (error.code === '23505') return new SqlError('ERROR: Relation already exists')
  return new SqlError(SAYINGS[error.code] ?? `ERROR: ${error.message}`)
}
