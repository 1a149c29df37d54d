/**
 * A page as nearly all are: every record settled, its stamp in the usual form, in the order asked for. It is told by
 * looking at the bytes of the stamps alone; any other page is null here, and is looked at record by record. Pure.
 */
import type { ReadRequest } from './plan.ts'
import { idReader } from './page.ts'
import type { QueryPage } from './page.ts'
import type { Position } from './soql.ts'

export interface Settled {
  records: QueryPage['records']
  /** Id of the page's first record. */
  first: string | null
  /** Place of the last record. */
  last: Position | null
}

/** `2026-05-06T11:56:44.000`, behind it `+0000"` or `Z"`. */
const INSTANT = 23

export function orderedPage(
  { cursorField, order, bound }: Pick<ReadRequest, 'cursorField' | 'order' | 'bound'>,
  { body, records }: QueryPage,
  after: Position | null,
): Settled | null {
  if (order !== 'stamp' || cursorField === null || bound === null || records.length === 0) return null
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const key = Buffer.from(`"${cursorField}":"`)
  const limit = Buffer.from(bound.slice(0, INSTANT))
  if (limit.length < INSTANT) return null
  let highest: Uint8Array = Buffer.from((after?.stamp ?? '').slice(0, INSTANT))
  let highestAt = 0
  if (after?.stamp && highest.length < INSTANT) return null
  for (const { start, end } of records) {
    const found = bytes.indexOf(key, start)
    const at = found + key.length
    if (found < 0 || at + INSTANT >= end || !isUtc(bytes, at + INSTANT)) return null
    if (!isBelow(bytes, at, limit, 0)) return null
    if (highest.length > 0 && isBelow(bytes, at, highest, highestAt)) return null
    highest = bytes
    highestAt = at
  }
  const idOf = idReader(body)
  const stamp = `${bytes.toString('latin1', highestAt, highestAt + INSTANT)}Z`
  return { records, first: idOf(records[0]!), last: { stamp, id: idOf(records.at(-1)!) } }
}

function isUtc(bytes: Buffer, at: number): boolean {
  if (bytes[at] === 0x5a) return bytes[at + 1] === 0x22
  if (bytes[at] !== 0x2b || bytes[at + 5] !== 0x22) return false
  return bytes[at + 1] === 0x30 && bytes[at + 2] === 0x30 && bytes[at + 3] === 0x30 && bytes[at + 4] === 0x30
}

/** Instants of one form are in the order of their texts. */
function isBelow(one: Uint8Array, at: number, other: Uint8Array, otherAt: number): boolean {
  for (let i = 0; i < INSTANT; i++) {
    const difference = one[at + i]! - other[otherAt + i]!
    if (difference !== 0) return difference < 0
  }
  return false
}
