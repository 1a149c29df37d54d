/**
 * The statements of one load, from what is loaded and what the table is: a pure function.
 *
 * Laws
 * - All of it is one transaction, whose first statements move the ledger; what Redshift runs outside of transactions
 *   alone (wider text) comes before it and harms nothing if the load never comes.
 * - A record that comes twice is merged once, as its newest: MERGE fails on twins that match, and inserts both of those
 *   that do not. https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html
 * - TRUNCATE commits, so a replace deletes.
 */
import type { Field, Load, TableShape } from '../connector.ts'
import { InputError } from '../errors.ts'
import { OP_COLUMN } from '../records/recipe.ts'
import { type Column, columnType, fitOf, stagedType } from './column-types.ts'
import { type Ledger, type Moved, proof } from './ledger.ts'
import { literal, name, qualified, type TableName } from './sql.ts'

/** https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_BatchExecuteStatement.html */
export const MOST_STATEMENTS = 40
const STAGE = name('lakeward_stage')
const NEWEST = name('lakeward_newest')
const RANK = name('lakeward_rank')

export interface Target {
  name: TableName
  /** null: there is no such table. */
  columns: Column[] | null
  view: boolean
}

export interface LoadStatements {
  /** One by one, each by itself, before the transaction. */
  early: string[]
  /** One transaction. */
  transaction: string[]
}

interface Shape {
  before: string[]
  define: string[]
  /** What goes into each column of the target; the op is not among them where it is applied. */
  values: { column: string; value: (staged: string) => string }[]
}

export function loadStatements(
  load: Moved,
  target: Target,
  ledger: Ledger,
  copyRole: string | undefined,
): LoadStatements {
  const { before, define, values } = shapeOf(load, target, load.widths)
  const rows = load.files.reduce((sum, file) => sum + file.rows, 0)
  const role = copyRole === undefined ? 'DEFAULT' : literal(copyRole)
  const steps = [
    `CREATE TEMP TABLE ${STAGE} (${stagedColumns(load)})`,
    // https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html
    `COPY ${STAGE} FROM ${literal(load.manifest)} IAM_ROLE ${role} FORMAT AS PARQUET MANIFEST`,
    `SELECT ${proof(`COUNT(*) = ${rows}`)} AS "complete" FROM ${STAGE}`,
    ...(merges(load) ? merged(load, target, ledger, values) : inserted(load, target, ledger, values)),
  ]
  const first = ledger.move(load)
  // Columns that no longer fit into the transaction come before it, as harmless as wider text.
  const room = MOST_STATEMENTS - first.length - steps.length
  const early = define.slice(0, Math.max(0, define.length - room))
  const late = define.slice(early.length)
  return { early: [...before, ...early], transaction: [...first, ...late, ...steps] }
}

/** Of one key the newest counts, and a delete is one; so too where that is put in the place of all rows. */
function merges({ write, keys }: TableShape): boolean {
  return write === 'upsert' || (write === 'replace' && keys.length > 0)
}

/** Refuses what cannot be loaded without harm; says what the table needs first. */
export function shapeOf(load: TableShape, target: Target, widths: Record<string, number> = {}): Shape {
  const { schema, keys, write } = load
  const table = qualified(target.name)
  const fields = schema.filter(({ name: field }) => !merges(load) || field !== OP_COLUMN)
  const refuse = (what: string, advice: string, where = table): never => {
    throw new InputError([{ what, where, advice }])
  }
  if (target.view) refuse('this is a view', "Name a table in 'into', or another one: it is made if it is not there.")
  const folded = new Map<string, string>()
  for (const { name: field } of schema) {
    const twin = folded.get(field.toLowerCase())
    if (twin !== undefined) refuse(`${twin} and ${field} are one column in Redshift`, 'Rename one of them.')
    folded.set(field.toLowerCase(), field)
  }
  if (write === 'upsert' && keys.length === 0) {
    refuse('upsert needs keys, and the source names none', "Set 'keys' of the object, or write: append.")
  }
  const lacking = keys.filter((key) => !schema.some((field) => field.name === key))
  if (lacking.length > 0)
    refuse(`no column ${lacking.join(', ')}`, "Keep the keys in the output, or set 'keys' of the object.")

  const shape: Shape = { before: [], define: [], values: [] }
  const made = target.columns === null
  const definitions: string[] = []
  for (const field of fields) {
    const type = columnType(field.type, widths[field.name])
    if (type === null) {
      refuse(`${field.type} has no place in Redshift`, `Cast it: cast: {${field.name}: string}.`, field.name)
    }
    const column = name(field.name)
    const there = target.columns?.find((one) => one.name === field.name.toLowerCase())
    if (!there) {
      definitions.push(`${column} ${type}`)
      shape.values.push({
        column,
        value: field.type === 'json' ? (staged) => `JSON_PARSE(${staged})` : (staged) => staged,
      })
      continue
    }
    const fit = fitOf(field, there, widths[field.name])
    if ('loses' in fit)
      throw new InputError([{ what: fit.loses, where: `${table}.${column}`, advice: exchange(table, column, type!) }])
    // https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html: not in a transaction block
    if ('widen' in fit) shape.before.push(`ALTER TABLE ${table} ALTER COLUMN ${column} TYPE VARCHAR(${fit.widen})`)
    shape.values.push({ column, value: 'fits' in fit ? fit.fits : (staged) => staged })
  }
  const unfed = (target.columns ?? []).filter(
    (one) => !one.nullable && !one.hasDefault && !fields.some((field) => field.name.toLowerCase() === one.name),
  )
  if (unfed.length > 0) {
    const listed = unfed.map((one) => one.name).join(', ')
    refuse(`${listed} may not be null, and the flow has no such field`, 'Add the field, or give the column a default.')
  }
  if (made) shape.define.push(`CREATE TABLE ${table} (${definitions.join(', ')})`)
  else shape.define.push(...definitions.map((definition) => `ALTER TABLE ${table} ADD COLUMN ${definition}`))
  return shape
}

/** What a person may run to give a column another type; Redshift changes none in place but the length of text. */
function exchange(table: string, column: string, type: string): string {
  const other = name(`${column.slice(1, -1).slice(0, 120)}_new`)
  return (
    `Cast the field to the type of the column, or give the column that of the field: ALTER TABLE ${table} ADD COLUMN ` +
    `${other} ${type}; UPDATE ${table} SET ${other} = ${column}; ALTER TABLE ${table} DROP COLUMN ${column}; ` +
    `ALTER TABLE ${table} RENAME COLUMN ${other} TO ${column};`
  )
}

/** By position, as in the files. A key that is null would never match, and is refused by COPY. */
function stagedColumns(load: TableShape): string {
  const required = ({ name: field }: Field): string => (merges(load) && load.keys.includes(field) ? ' NOT NULL' : '')
  return load.schema.map((field) => `${name(field.name)} ${stagedType(field.type)}${required(field)}`).join(', ')
}

function inserted(load: Load, { name: of }: Target, ledger: Ledger, values: Shape['values']): string[] {
  const table = qualified(of)
  const replaced = load.write === 'replace' ? `(SELECT COUNT(*) FROM ${table})` : '0'
  const counts = `SELECT COUNT(*) AS "inserted", 0 AS "updated", ${replaced} AS "deleted" FROM ${STAGE}`
  const columns = values.map(({ column }) => column).join(', ')
  const taken = values.map(({ column, value }) => value(`${STAGE}.${column}`)).join(', ')
  return [
    ...ledger.count(load, counts),
    ...(load.write === 'replace' ? [`DELETE FROM ${table}`] : []),
    `INSERT INTO ${table} (${columns}) SELECT ${taken} FROM ${STAGE}`,
  ]
}

function merged(load: Load, { name: of }: Target, ledger: Ledger, values: Shape['values']): string[] {
  const table = qualified(of)
  const op = load.schema.some((field) => field.name === OP_COLUMN) ? name(OP_COLUMN) : null
  const keys = load.keys.map(name)
  const order = [
    ...load.order.map((field) => `${STAGE}.${name(field)} DESC`),
    // Of one stamp, the delete is the last.
    ...(op ? [`${STAGE}.${op} ASC`] : []),
    ...(load.order.length === 0 && !op ? [`${STAGE}.${keys[0]} ASC`] : []),
  ]
  const columns = values.map(({ column, value }) => `${value(`${STAGE}.${column}`)} AS ${column}`)
  const partition = keys.map((key) => `${STAGE}.${key}`).join(', ')
  const ranked =
    `SELECT ${[...columns, ...(op ? [`${STAGE}.${op} AS ${op}`] : [])].join(', ')}, ` +
    `ROW_NUMBER() OVER (PARTITION BY ${partition} ORDER BY ${order.join(', ')}) AS ${RANK} FROM ${STAGE}`
  const all = [...values.map(({ column }) => column), ...(op ? [op] : [])].join(', ')
  const on = keys.map((key) => `${table}.${key} = ${NEWEST}.${key}`).join(' AND ')
  const gone = op ? `${NEWEST}.${op} = 'delete'` : null
  const matched = (condition: string | null): string =>
    `(SELECT COUNT(*) FROM ${table} INNER JOIN ${NEWEST} ON ${on}${condition ? ` WHERE ${condition}` : ''})`
  const kept = op ? `${NEWEST}.${op} <> 'delete'` : null
  const anew = load.write === 'replace'
  const updated = anew ? '0' : matched(kept)
  const deleted = anew ? `(SELECT COUNT(*) FROM ${table})` : gone ? matched(gone) : '0'
  const counts =
    `SELECT COUNT(*) - ${updated} AS "inserted", ${updated} AS "updated", ${deleted} AS "deleted" ` +
    `FROM ${NEWEST}${kept ? ` WHERE ${kept}` : ''}`
  // MERGE must set something, be it the key to itself.
  const set = values.filter(({ column }) => !keys.includes(column))
  const sets = (set.length > 0 ? set : values).map(({ column }) => `${column} = ${NEWEST}.${column}`).join(', ')
  return [
    `CREATE TEMP TABLE ${NEWEST} AS SELECT ${all} FROM (${ranked}) AS "ranked" WHERE ${RANK} = 1`,
    ...ledger.count(load, counts),
    ...(anew ? [`DELETE FROM ${table}`] : []),
    ...(gone
      ? [`DELETE FROM ${table} USING ${NEWEST} WHERE ${on} AND ${gone}`, `DELETE FROM ${NEWEST} WHERE ${gone}`]
      : []),
    `MERGE INTO ${table} USING ${NEWEST} ON ${on} WHEN MATCHED THEN UPDATE SET ${sets} ` +
      `WHEN NOT MATCHED THEN INSERT (${values.map(({ column }) => column).join(', ')}) ` +
      `VALUES (${values.map(({ column }) => `${NEWEST}.${column}`).join(', ')})`,
  ]
}
