/**
 * Records as entries of PutEvents, and entries as requests. Pure.
 *
 * Laws
 * - `detail` is the record as JSON lines write it, and `_lakeward_id`, by which whoever receives an event twice knows
 *   it.
 * - What is too large lies elsewhere, as the `detail` that it would have been; the event then holds the id and the
 *   claim to it.
 *
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html
 */
import { createHash } from 'node:crypto'
import type { Field, Row } from '../connector.ts'

export interface EventEntry {
  Source: string
  DetailType: string
  Detail: string
  EventBusName: string
}

/** Of one request. */
const MOST_ENTRIES = 10
const WHOLE = /^-?\d+$/

export function detailOf(fields: Field[], row: Row, id: string): string {
  const members = fields.map(({ name, type }) => `${JSON.stringify(name)}:${valueOf(type, row[name])}`)
  return `{"_lakeward_id":${JSON.stringify(id)}${members.map((member) => `,${member}`).join('')}}`
}

function valueOf(type: Field['type'], cell: Row[string]): string {
  if (cell === undefined || cell === null) return 'null'
  if (typeof cell === 'bigint') return String(cell)
  if (cell instanceof Uint8Array) return JSON.stringify(Buffer.from(cell).toString('base64'))
  // A whole number that came as text keeps its digits.
  if (typeof cell === 'string' && (type === 'int32' || type === 'int64') && WHOLE.test(cell)) return cell
  return JSON.stringify(cell)
}

export function claimDetail(id: string, url: string, body: Uint8Array): string {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(url) ?? []
  const sha256 = createHash('sha256').update(body).digest('hex')
  const place = bucket === undefined ? {} : { bucket, key }
  return JSON.stringify({ _lakeward_id: id, _lakeward_claim: { url, ...place, bytes: body.length, sha256 } })
}

/** As AWS counts them: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html */
export function entryBytes({ Source, DetailType, Detail }: Omit<EventEntry, 'EventBusName'>): number {
  return Buffer.byteLength(Source) + Buffer.byteLength(DetailType) + Buffer.byteLength(Detail)
}

/** Sizes of entries, in their order, as requests: numbers of the entries of each. */
export function requestsOf(sizes: number[], limit: number): number[][] {
  const requests: number[][] = []
  let bytes = 0
  sizes.forEach((size, entry) => {
    const last = requests.at(-1)
    bytes += size
    if (last && last.length < MOST_ENTRIES && bytes < limit) last.push(entry)
    else {
      requests.push([entry])
      bytes = size
    }
  })
  return requests
}
