/**
 * What one run reads of a table, fixed once: columns, window, conditions.
 *
 * Laws
 * - The bound comes from the warehouse's clock and the trigger, never from ours.
 * - A row without a stamp would never be read again: an incremental read of a table that has such rows is refused.
 */
import type { Ask, Field, Json, Plan, Session } from '../connector.ts'
import { InputError } from '../errors.ts'
import { type DataApi, dataApi } from './data-api.ts'
import { instant, pushDown } from './push-down.ts'
import type { Warehouse } from './settings.ts'
import { selectItem, type Way } from './source-columns.ts'
import { name, qualified, tableName } from './sql.ts'

/** All that reading and counting need; stored with the plan. */
export interface ReadRequest {
  version: 1
  object: string
  /** Quoted, with its schema. */
  table: string
  fields: Field[]
  where: string[]
  /** Rows that are enough; null: all. */
  most: number | null
  /** Ranges that may be read at once. */
  parallel: number
}

/** Options of the source. */
export interface ReadOptions {
  unload: 'auto' | 'always' | 'never'
}

/** More rows than these are unloaded: pages come one after the other, a thousand rows or a megabyte each. */
const MOST_PAGED = 50_000

export const requestOf = ({ request }: Plan): ReadRequest => request as unknown as ReadRequest

export function selectOf({ fields, table, where, most }: ReadRequest, way: Way): string {
  const items = fields.map((field) => selectItem(field, way)).join(', ')
  return `SELECT ${items} FROM ${table}${whereOf(where)}${most === null ? '' : ` LIMIT ${most}`}`
}

export async function countRows(api: DataApi, table: string, where: string[]): Promise<number> {
  const [row] = await api.run(`SELECT COUNT(*) AS "n" FROM ${table}${whereOf(where)}`)
  return Number(row![0])
}

const whereOf = (conditions: string[]): string => (conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`)

export async function planRead(session: Session, ask: Ask): Promise<Plan> {
  const { schema } = session.settings as unknown as Warehouse
  const api = dataApi(session)
  const table = qualified(tableName(ask.object, schema))
  const cursor = cursorOf(ask)
  const { conditions, pushed } = pushDown(ask.filter, ask.schema.fields)
  const bound = cursor && (await boundOf(api, ask))
  const whole = ask.mode === 'full' && ask.from === undefined
  const window = cursor && bound ? windowOf(cursor, ask.from ?? null, bound.at, whole) : []
  const request: ReadRequest = {
    version: 1,
    object: ask.object,
    table,
    fields: ask.schema.fields.filter(({ name: of }) => ask.fields.includes(of) || of === cursor?.name),
    where: [...conditions, ...window],
    most: ask.most ?? null,
    parallel: ask.parallel,
  }
  const sampled = request.most !== null
  const unstamped = cursor?.nullable && !whole && !sampled ? [...conditions, `${name(cursor.name)} IS NULL`] : null
  const held = cursor && bound?.settles && !sampled ? [...conditions, ...beyond(cursor, bound)] : null
  const [counted, without, heldBack] = await Promise.all([
    sampled ? null : countRows(api, table, request.where),
    unstamped && countRows(api, table, unstamped),
    held && countRows(api, table, held),
  ])
  if (cursor && without) throw withoutStamp(ask, cursor, without)
  const job = unloads(session, ask, counted)
  return {
    api: job ? 'unload' : 'pages',
    request: request as unknown as Json,
    ranges: job ? [] : [{ id: 'all', spec: null }],
    ...(job ? { job } : {}),
    bound: bound ? bound.at : null,
    from: ask.from ?? null,
    cursorField: cursor?.name ?? null,
    pushed,
    order: 'none',
    repeats: false,
    counted,
    heldBack,
    notes: [],
  }
}

function unloads({ staging, connection }: Session, ask: Ask, counted: number | null): boolean {
  const { unload } = ask.options as unknown as ReadOptions
  if (ask.noJob || ask.most !== undefined || unload === 'never') return false
  if (staging) return unload === 'always' || (counted ?? 0) > MOST_PAGED
  if (unload === 'auto') return false
  const what = `${connection} does not say where unloaded files are to lie`
  const advice = 'Name a lake connection that the warehouse can write to: staging: { connection: lake }.'
  throw new InputError([{ where: `connections.${connection}.staging`, what, advice }])
}

function cursorOf({ schema, cursorField, object, mode }: Ask): Field | null {
  const refuse = (what: string): never => {
    const stamps = schema.fields.filter(({ type }) => type === 'timestamp').map(({ name: of }) => of)
    const advice =
      stamps.length > 0
        ? `As cursorField name the column that every change moves: ${stamps.join(', ')}.`
        : `${object} has no TIMESTAMP or TIMESTAMPTZ: say read: full.`
    throw new InputError([{ where: `${object} cursorField`, what, advice }])
  }
  if (cursorField === null) return mode === 'full' ? null : refuse('nothing says what changed')
  const field = schema.fields.find(({ name: of }) => of === cursorField)
  if (!field) return refuse(`there is no column ${cursorField}`)
  return field.type === 'timestamp' ? field : refuse(`${cursorField} is ${field.sourceType}, and no date-time`)
}

interface Bound {
  /** ISO instant. */
  at: string
  /** Settle decided, not the trigger: what lies beyond it, up to the ceiling, is held back. */
  settles: boolean
  ceiling: string | null
}

// https://docs.aws.amazon.com/redshift/latest/dg/r_GETDATE.html
async function boundOf(api: DataApi, ask: Ask): Promise<Bound> {
  const [row] = await api.run('SELECT GETDATE() AS "now"')
  const settled = Date.parse(`${row![0]!.replace(' ', 'T')}Z`) - ask.settleMs
  const last = ask.to === undefined ? Number.POSITIVE_INFINITY : Date.parse(ask.to)
  const ceiling = Math.min(ask.ceiling ?? Number.POSITIVE_INFINITY, last)
  const at = Math.min(settled, ceiling)
  const from = ask.from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(ask.from)
  return {
    at: at < from ? ask.from! : at === last ? ask.to! : iso(at),
    settles: ask.settleMs > 0 && at < ceiling,
    ceiling: Number.isFinite(ceiling) ? iso(ceiling) : null,
  }
}

const iso = (ms: number): string => new Date(ms).toISOString()

function windowOf(cursor: Field, from: string | null, bound: string, whole: boolean): string[] {
  const column = name(cursor.name)
  const until = `${column} < ${stamp(cursor, bound)}`
  if (whole) return [cursor.nullable ? `(${until} OR ${column} IS NULL)` : until]
  return [...(from === null ? [] : [`${column} >= ${stamp(cursor, from)}`]), until]
}

function beyond(cursor: Field, { at, ceiling }: Bound): string[] {
  const column = name(cursor.name)
  const until = ceiling === null ? [] : [`${column} < ${stamp(cursor, ceiling)}`]
  return [`${column} >= ${stamp(cursor, at)}`, ...until]
}

const stamp = (cursor: Field, at: string): string => instant(at, cursor) ?? instant(iso(Date.parse(at)), cursor)!

function withoutStamp({ object }: Ask, cursor: Field, rows: number): InputError {
  return new InputError([
    {
      where: `${object} cursorField`,
      what: `rows without ${cursor.name} (${rows.toLocaleString('en')}) would never be read by an incremental run`,
      advice: `Fill the column, name another one, or leave them out: where: { ${cursor.name}: { isNull: false } }.`,
    },
  ])
}
