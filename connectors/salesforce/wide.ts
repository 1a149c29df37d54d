/**
 * Records with more fields than one query's URL can name: the other fields of a page are read by queries over the same
 * stretch of the order, and joined by Id.
 *
 * Law: parts of a record are joined only where their stamps agree. Where they do not, the record was changed in
 * between: it has left the window and comes whole with the next run.
 */
import type { Session } from '../connector.ts'
import { ConnectorError } from '../errors.ts'
import type { Span } from '../json-span.ts'
import { idReader, joined, memberReader } from './page.ts'
import type { QueryPage } from './page.ts'
import type { ReadRequest } from './plan.ts'
import { count, firstUrl, notUnderstood, queryPage } from './query.ts'
import * as soql from './soql.ts'
import type { Position } from './soql.ts'

/** The records in their order, as bytes; those that changed are left out. */
export async function widen(
  session: Session,
  request: ReadRequest,
  body: Uint8Array,
  records: Span[],
  from: Position | null,
  to: Position | null,
): Promise<Uint8Array[]> {
  if (request.groups.length === 1 || records.length === 0) {
    return records.map(({ start, end }) => body.subarray(start, end))
  }
  const others: Part[] = []
  for (let group = 1; group < request.groups.length; group++)
    others.push(await readGroup(session, request, group, from, to))
  const skip = new Set(['attributes', 'Id', request.cursorField ?? 'Id'])
  const key = keyReader(request, body)
  const whole: Uint8Array[] = []
  const changed: string[] = []
  for (const record of records) {
    const { id, stamp } = key(record)
    const parts = others.map((part) => part.get(id))
    if (parts.every((part) => part !== undefined && part.stamp === stamp)) {
      whole.push(joined([{ body, record }, ...parts.filter((part) => part !== undefined)], skip))
    } else changed.push(id)
  }
  if (changed.length > 0) await proveChanged(session, request, changed)
  return whole
}

type Part = Map<string, { body: Uint8Array; record: Span; stamp: string | null }>

async function readGroup(
  session: Session,
  request: ReadRequest,
  group: number,
  from: Position | null,
  to: Position | null,
): Promise<Part> {
  const found: Part = new Map()
  const seen = new Set<string>()
  let url: string | null = firstUrl(request, from, group, to)
  while (url !== null) {
    if (seen.has(url)) throw notUnderstood(`read ${request.object}`, 'the same nextRecordsUrl came twice')
    seen.add(url)
    const page: QueryPage = await queryPage(session, url, request.object)
    const key = keyReader(request, page.body)
    for (const record of page.records) {
      const { id, stamp } = key(record)
      found.set(id, { body: page.body, record, stamp })
    }
    url = page.next
  }
  return found
}

function keyReader({ cursorField }: ReadRequest, body: Uint8Array) {
  const idOf = idReader(body)
  const stampOf = cursorField === null ? null : memberReader(body, cursorField)
  return (record: Span) => ({ id: idOf(record), stamp: stampOf?.(record) ?? null })
}

const IDS = 200

/** None of these is in the window any more; otherwise parts of records were lost, not changed. */
async function proveChanged(session: Session, request: ReadRequest, ids: string[]): Promise<void> {
  for (let at = 0; at < ids.length; at += IDS) {
    const some = soql.oneOf('Id', ids.slice(at, at + IDS).map(soql.textLiteral))
    const left = await count(session, { ...request, where: [...request.where, some] })
    if (left === 0) continue
    throw new ConnectorError({
      connector: 'salesforce',
      doing: `read ${request.object}`,
      kind: 'transient',
      reason: `the fields of ${left ?? 'some'} records came in parts that do not fit together`,
    })
  }
  session.note(`${request.object}: ${ids.length} records were changed or removed while they were read.`)
}
