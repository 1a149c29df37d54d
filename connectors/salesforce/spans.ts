/** A part of a plan's window that is read as a range of its own. Pure. */
import type { Json } from '../connector.ts'
import type { ReadRequest } from './plan.ts'
import * as soql from './soql.ts'

/** from ≤ value < to; null is the window's own end. */
export interface Span {
  field: string
  /** Ids, or ISO instants. */
  from: string | null
  to: string | null
  /** Records in it when it was cut out. */
  rows: number
}

/** The same request for a range; `null` is the whole window. */
export function within(request: ReadRequest, spec: Json): ReadRequest {
  const span = spec as unknown as Span | null
  if (span === null) return request
  const { field, from, to } = span
  const since = from === null ? [] : [soql.compare(field, '>=', valueOf(field, from))]
  const until = to === null ? [] : [soql.compare(field, '<', valueOf(field, to))]
  return { ...request, where: [...request.where, ...since, ...until] }
}

export function rowsOf(spec: Json): number | null {
  return (spec as unknown as Span | null)?.rows ?? null
}

export function valueOf(field: string, value: string): string {
  return field === 'Id' ? soql.textLiteral(value) : soql.datetimeLiteral(Date.parse(value))
}
