/**
 * What one run reads of an object, fixed once: fields, window, order.
 *
 * Laws
 * - The bound comes from Salesforce's clock and the trigger, never from ours; what has not settled stays for the next
 *   run.
 * - Deleted records pass a pushed-down filter: whether they matched is no longer the question.
 */
import type { Ask, Field, Plan, Session } from '../connector.ts'
import { ConnectorError, InputError } from '../errors.ts'
import { chooseApi } from './bulk/choose.ts'
import { fieldsOf, jobQuery } from './bulk/request.ts'
import { readOptions } from './options.ts'
import { pushDown } from './push-down.ts'
import { count } from './query.ts'
import * as soql from './soql.ts'
import type { Soql } from './soql.ts'
import { splitRanges } from './ranges.ts'

/** All that `read` and `count` need; stored with the plan. */
export interface ReadRequest {
  version: 1
  apiVersion: string
  object: string
  /** Fields of each query; several where one would be too long for a URL. The first has Id, the stamp and IsDeleted. */
  groups: string[][]
  where: Soql[]
  cursorField: string | null
  order: 'stamp' | 'key'
  /** Records whose stamp reaches it changed while they were read, and belong to the next run. */
  bound: string | null
  /** When it was planned, by Salesforce's clock; null where there is no bound. */
  planned: string | null
  /** queryAll: deleted and archived records too. */
  all: boolean
  /** Ranges that may be read at once. */
  parallel: number
}

/** Results of a job, from its end. */
const RESULTS_KEPT_MS = 7 * 86_400_000

/** Clocks are set by less without anybody minding. */
const CLOCK_STEP_MS = 60_000

/** Salesforce answers 414 above about 16 KB; positions and headers need some room. */
const QUERY_BYTES = 12_000

export async function planRead(session: Session, ask: Ask, apiVersion: string, stampMs: number): Promise<Plan> {
  const notes: string[] = []
  const cursor = cursorOf(session, ask, notes)
  const bound = cursor && (await boundOf(session, ask, stampMs, notes))
  const deleted = ask.includeDeleted && ask.schema.deletes
  const filter = pushDown(ask.filter, ask.schema.fields)
  const matches = matching(filter.conditions, deleted)
  const nulls = cursor?.nullable === true && ask.mode === 'full'
  const where = [...matches, ...windowOf(ask, cursor, bound?.at ?? null, nulls)]
  const request: ReadRequest = {
    version: 1,
    apiVersion,
    object: ask.object,
    groups: groupsOf(ask, cursor, deleted, where, apiVersion),
    where,
    cursorField: cursor?.name ?? null,
    order: cursor && !nulls ? 'stamp' : 'key',
    bound: bound ? iso(bound.at) : null,
    planned: bound ? iso(bound.now) : null,
    all: deleted,
    parallel: ask.parallel,
  }
  const held = cursor && bound?.settles ? [...matches, ...beyond(cursor.name, bound)] : null
  const counts = await countOf(session, request, held, ask.from === undefined || nulls ? null : matches)
  return {
    ...(await readingOf(session, ask, request, counts.counted, notes)),
    bound: request.bound,
    from: ask.from ?? null,
    cursorField: request.cursorField,
    pushed: filter.pushed,
    repeats: false,
    ...counts,
    notes,
  }
}

type Reading = Pick<Plan, 'api' | 'request' | 'ranges' | 'order' | 'job' | 'expires'>

async function readingOf(
  session: Session,
  ask: Ask,
  request: ReadRequest,
  counted: number | null,
  notes: string[],
): Promise<Reading> {
  const { object, order, apiVersion, parallel } = request
  const { job, why } = chooseApi(ask, readOptions(ask.options), { apiVersion, soql: jobQuery(request), counted })
  if (job) {
    const expires = iso((await session.now()) + RESULTS_KEPT_MS)
    const asked = { ...request, groups: [fieldsOf(request)] }
    return { api: 'bulk', request: asked, ranges: [], order: 'none', job, expires }
  }
  if (why !== undefined) notes.push(`${object} is read by pages of its records: ${why}.`)
  const ranges = await splitRanges(session, request, counted, parallel)
  return { api: 'rest', request: { ...request }, ranges, order }
}

/**
 * Records in the window, and those behind it that settle holds back. Where a window goes on from an earlier one, there
 * is mostly nothing in either: both are asked for at once first, by what has to match anywhere (`matches`).
 */
async function countOf(session: Session, request: ReadRequest, held: Soql[] | null, matches: Soql[] | null) {
  if (!held) return { counted: await count(session, request), heldBack: null }
  if (!matches)
    return { counted: await count(session, request), heldBack: await count(session, { ...request, where: held }) }
  const [since] = request.where.slice(matches.length)
  const until = held.slice(matches.length + 1)
  const both = await count(session, { ...request, where: [...matches, since!, ...until] })
  if (both === 0) return { counted: 0, heldBack: 0 }
  const counted = await count(session, request)
  return { counted, heldBack: both === null || counted === null ? null : Math.max(0, both - counted) }
}

function cursorOf(session: Session, ask: Ask, notes: string[]): Field | null {
  const { schema, cursorField, object } = ask
  const wanted = cursorField ?? schema.cursors[0]
  if (wanted === undefined) {
    if (ask.mode === 'full') return null
    notes.push(`${object} has no stamp to go by: every run reads all of it.`)
    return null
  }
  const field = schema.fields.find(({ name }) => name === wanted)
  const usable = field?.type === 'timestamp' && field.filterable === true
  const why = field ? `${wanted} is no date-time that queries can be ordered by` : `there is no field ${wanted}`
  const advice = schema.cursors.length > 0 ? `As cursorField use ${schema.cursors.join(' or ')}.` : 'Use read: full.'
  if (!usable && cursorField) throw new InputError([{ where: `${object} cursorField`, what: why, advice }])
  if (!usable) {
    throw new ConnectorError({
      connector: 'salesforce',
      doing: `plan ${object} on ${session.connection}`,
      kind: 'rejected',
      reason: why,
      advice,
    })
  }
  if (wanted === 'CreatedDate' || wanted === 'LoginTime') {
    notes.push(`${object} is read by ${wanted}: later changes of a record are not seen.`)
  } else if (wanted === 'LastModifiedDate') {
    notes.push(`${object} is read by LastModifiedDate: changes that Salesforce makes by itself do not move it.`)
  } else if (field.nullable && ask.mode !== 'full') {
    notes.push(`${object} is read by ${wanted}: records without it are not seen.`)
  }
  return field
}

interface Bound {
  at: number
  now: number
  /** Settle decided, not the trigger: what lies beyond it is held back. */
  settles: boolean
  ceiling: number
}

async function boundOf(session: Session, ask: Ask, stampMs: number, notes: string[]): Promise<Bound> {
  const cut = (ms: number): number => Math.floor(ms / stampMs) * stampMs
  const now = await session.now()
  const settled = cut(now - ask.settleMs)
  const ceiling = Math.min(
    ask.ceiling === null ? Number.POSITIVE_INFINITY : cut(ask.ceiling),
    ask.to === undefined ? Number.POSITIVE_INFINITY : Date.parse(ask.to),
  )
  const from = ask.from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(ask.from)
  const at = Math.max(Math.min(settled, ceiling), from)
  if (now + CLOCK_STEP_MS < from) {
    notes.push(
      `Salesforce's clock says ${iso(now)}, before ${iso(from)}, where this run begins: nothing is read until then, ` +
        'and what is stamped before then is not read later either; --full reads everything.',
    )
  }
  return { at, now, ceiling, settles: ask.settleMs > 0 && at < ceiling }
}

function windowOf(ask: Ask, cursor: Field | null, bound: number | null, nulls: boolean): Soql[] {
  if (!cursor || bound === null) return []
  const since = ask.from === undefined ? [] : [soql.compare(cursor.name, '>=', literal(Date.parse(ask.from)))]
  const within = [...since, soql.compare(cursor.name, '<', literal(bound))]
  return nulls && since.length === 0 ? [soql.or([...within, soql.isNull(cursor.name)])!] : within
}

function beyond(cursor: string, { at, ceiling }: Bound): Soql[] {
  const from = soql.compare(cursor, '>=', literal(at))
  return Number.isFinite(ceiling) ? [from, soql.compare(cursor, '<', literal(ceiling))] : [from]
}

function matching(conditions: Soql[], deleted: boolean): Soql[] {
  if (!deleted || conditions.length === 0) return conditions
  const gone = soql.compare('IsDeleted', '=', soql.booleanLiteral(true))
  return [soql.or([gone, soql.and(conditions)!])!]
}

/** Fields in as few queries as fit; each repeats what records are joined by. */
function groupsOf(ask: Ask, cursor: Field | null, deleted: boolean, where: Soql[], apiVersion: string): string[][] {
  const joins = ['Id', ...(cursor ? [cursor.name] : [])]
  const own = new Set([...joins, ...(deleted ? ['IsDeleted'] : [])])
  const rest = ask.fields.filter((field) => !own.has(field))
  const empty = { object: ask.object, fields: [...own], where, orderBy: joins }
  const most = QUERY_BYTES - soql.queryUrl(apiVersion, soql.select(empty), true).length
  const groups: string[][] = [[...own]]
  let bytes = 0
  for (const field of rest) {
    const length = field.length + '%2C+'.length
    if (bytes + length > most) {
      groups.push([...joins])
      bytes = 0
    }
    groups.at(-1)!.push(field)
    bytes += length
  }
  return groups
}

const literal = soql.datetimeLiteral
const iso = (ms: number): string => new Date(ms).toISOString()
