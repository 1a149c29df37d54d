/**
 * A window cut into ranges of about as many records each, which are read side by side.
 *
 * Laws
 * - Ranges adjoin: what one does not hold, another does. Cuts lie between stamps: those of one stay together.
 * - A stamp that others can set may take a record from one range to another while they are read: only stamps of the
 *   system are cut by.
 * - Counting costs two calls a range at most; where it does not find good cuts, ranges are uneven or fewer.
 */
import type { Json, Range, Session } from '../connector.ts'
import { ConnectorError } from '../errors.ts'
import { memberReader } from './page.ts'
import type { ReadRequest } from './plan.ts'
import { count, queryPage } from './query.ts'
import * as soql from './soql.ts'
import { type Span, valueOf } from './spans.ts'

/** Records of a range: a dozen calls, beside the two that its cuts cost. */
const LEAST_ROWS = 25_000
const CALLS_OF_RANGE = 2
const SYSTEM_STAMPS = new Set(['SystemModstamp', 'CreatedDate', 'LoginTime'])
const whole: Range[] = [{ id: 'all', spec: null }]

export async function splitRanges(
  session: Session,
  request: ReadRequest,
  counted: number | null,
  parallel: number,
  least = LEAST_ROWS,
): Promise<Range[]> {
  const parts = Math.min(parallel, Math.floor((counted ?? 0) / least))
  if (counted === null || parts < 2) return whole
  const axis = await (request.order === 'key' ? idAxis(session, request) : stampAxis(session, request))
  if (!axis) return whole
  const below = async (at: number): Promise<number | null> => {
    const limit = soql.compare(axis.field, '<', valueOf(axis.field, axis.textOf(at)))
    return count(session, { ...request, where: [...request.where, limit] })
  }
  const cuts = await cutPoints(axis, counted, parts, below)
  const ends = [{ at: axis.low, rows: 0 }, ...cuts, { at: axis.high, rows: counted }]
  if (cuts.length === 0) return whole
  return ends.slice(1).map((end, part) => {
    const start = ends[part]!
    const span: Span = {
      field: axis.field,
      from: part === 0 ? null : axis.textOf(start.at),
      to: part === cuts.length ? null : axis.textOf(end.at),
      rows: end.rows - start.rows,
    }
    return { id: `part-${part}`, spec: span as unknown as Json }
  })
}

/** What is cut: places from `low` to `high` in whole steps. */
interface Axis {
  field: string
  low: number
  high: number
  textOf(at: number): string
}

/** So many records lie below a place. */
interface Point {
  at: number
  rows: number
}

/** In seconds, as stamps of the system are. */
async function stampAxis(session: Session, request: ReadRequest): Promise<Axis | null> {
  const { cursorField: field } = request
  if (field === null || !SYSTEM_STAMPS.has(field)) return null
  const [first, last] = await edgesOf(session, request, field)
  if (!first || !last) return null
  const second = (stamp: string): number => Math.floor(Date.parse(stamp) / 1000)
  return { field, low: second(first), high: second(last) + 1, textOf: (at) => new Date(at * 1000).toISOString() }
}

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** Ids of 15 characters count up in the last of them; those before tell the object and the instance. */
const COUNTED = 7

async function idAxis(session: Session, request: ReadRequest): Promise<Axis | null> {
  const [first, last] = await edgesOf(session, request, 'Id')
  if (!first || !last) return null
  const head = first.slice(0, 15 - COUNTED)
  if (!last.startsWith(head)) return null
  const numberOf = (id: string): number =>
    Array.from(id.slice(15 - COUNTED, 15)).reduce((sum, digit) => sum * DIGITS.length + DIGITS.indexOf(digit), 0)
  const textOf = (at: number): string => {
    let tail = ''
    for (let rest = at; tail.length < COUNTED; rest = Math.floor(rest / DIGITS.length)) {
      tail = DIGITS[rest % DIGITS.length]! + tail
    }
    return head + tail
  }
  return { field: 'Id', low: numberOf(first), high: numberOf(last) + 1, textOf }
}

/** The least and the greatest value in the window; nulls too where finding them takes Salesforce too long. */
async function edgesOf(session: Session, request: ReadRequest, field: string): Promise<(string | null)[]> {
  const ends = [false, true].map(async (greatest) => {
    const url = soql.queryUrl(request.apiVersion, soql.edge(field, request, greatest), request.all)
    const { body, records } = await queryPage(session, url, request.object)
    return records[0] ? memberReader(body, field)(records[0]) : null
  })
  try {
    return await Promise.all(ends)
  } catch (error) {
    if (error instanceof ConnectorError && error.code === 'QUERY_TIMEOUT') return [null, null]
    throw error
  }
}

async function cutPoints(
  { low, high }: Axis,
  total: number,
  parts: number,
  below: (at: number) => Promise<number | null>,
): Promise<Point[]> {
  const targets = Array.from({ length: parts - 1 }, (_, part) => (total * (part + 1)) / parts)
  const known: Point[] = [
    { at: low, rows: 0 },
    { at: high, rows: total },
  ]
  const near = total / parts / 8
  for (let calls = CALLS_OF_RANGE * parts - 2; calls > 0;) {
    const open = targets.filter((target) => known.every(({ rows }) => Math.abs(rows - target) > near))
    const guesses = [...new Set(open.map((target) => guess(known, target)))].filter((at) => at !== null)
    if (guesses.length === 0) break
    const asked = guesses.slice(0, calls)
    calls -= asked.length
    const counts = await Promise.all(asked.map(below))
    asked.forEach((at, index) => {
      const rows = counts[index]
      if (rows !== null && rows !== undefined) known.push({ at, rows })
    })
    if (counts.includes(null)) break
    known.sort((a, b) => a.at - b.at)
  }
  const inner = known.filter(({ rows }) => rows > 0 && rows < total)
  const best = targets.map((target) => nearest(inner, target)).filter((point) => point !== undefined)
  return best.filter((point, index) => index === 0 || point.rows > best[index - 1]!.rows)
}

/** Where the target would lie if records were spread evenly between the known places around it; null: no place is. */
function guess(known: Point[], target: number): number | null {
  const above = known.findIndex(({ rows }) => rows >= target)
  const [from, to] = [known[above - 1]!, known[above]!]
  const share = Math.min(0.9, Math.max(0.1, (target - from.rows) / (to.rows - from.rows)))
  const at = Math.round(from.at + share * (to.at - from.at))
  const inside = Math.min(to.at - 1, Math.max(from.at + 1, at))
  return inside > from.at && inside < to.at ? inside : null
}

function nearest(points: Point[], target: number): Point | undefined {
  return points.reduce<Point | undefined>(
    (best, point) => (best && Math.abs(best.rows - target) <= Math.abs(point.rows - target) ? best : point),
    undefined,
  )
}
