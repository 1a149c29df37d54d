/**
 * What errors of EventBridge mean: of a request, and of one of its entries.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 *
 * Law: what would befall every other event too is the request's failure. An entry is refused for what it is itself.
 */
import { type AwsRule, awsError } from '../aws-errors.ts'
import { ConnectorError } from '../errors.ts'
import type { Outcome } from '../record-sink.ts'

const RULES: AwsRule[] = [
  {
    names: /^(AccessDenied|NotAuthorized$)/,
    kind: 'forbidden',
    advice: 'Allow the workers events:PutEvents and events:DescribeEventBus on the bus.',
  },
  {
    names: /^ResourceNotFound/,
    kind: 'rejected',
    advice: 'Correct `bus` and `region` of the connection, or make the bus.',
  },
  { names: /^(Internal|ServiceUnavailable|ConcurrentModification)/, kind: 'transient' },
  { names: /^Limit/, kind: 'throttled' },
  { names: /^Validation/, kind: 'rejected', advice: 'Check bus, region and `limit` of the connection.' },
]

export const apiError = (error: unknown, doing: string): Error => awsError(error, doing, 'eventbridge', RULES)

/** Entries of one request that fail so may be taken a moment later. */
const LATER = /^(Throttling|Internal|ServiceUnavailable|Limit)/
const EVERYBODY = /^(AccessDenied|NotAuthorized$|ResourceNotFound|ExpiredToken)/

/** @throws the request's failure, where it is that */
export function outcomeOf(entry: { EventId?: string; ErrorCode?: string; ErrorMessage?: string }): Outcome {
  const { EventId, ErrorCode: name, ErrorMessage: message = '' } = entry
  if (name === undefined) return { ok: true, id: EventId ?? null }
  if (EVERYBODY.test(name)) throw apiError(Object.assign(new Error(message), { name }), 'put events')
  return { ok: false, reason: `${name}: ${message.slice(0, 400)}`, again: LATER.test(name) }
}

/** An event by itself, which was not taken. */
export function refused(type: string, { reason, again }: Extract<Outcome, { ok: false }>): ConnectorError {
  const kind = again ? 'transient' : 'rejected'
  return new ConnectorError({ connector: 'eventbridge', doing: `tell ${type}`, kind, reason })
}
