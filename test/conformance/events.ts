/**
 * The suite that every connector passes whose system tells of events by requests, against `connectors/events.ts`. How
 * the system signs is the harness's business, written from its documentation. A connector's own test is one call.
 *
 *     eventConformance({ describe, it }, { name: 'Slack', open })
 */
import type { JsonObject } from '../../connectors/connector.ts'
import type { Events, RawRequest, Verdict } from '../../connectors/events.ts'
import { same, Unmet } from './expect.ts'
import { runCases, type Runner, type Waived } from './cases.ts'

export interface EventHarness {
  events: Events
  settings: JsonObject
  /** A request as the system sends it, of an event with this id and kind; `text` is somewhere in its body. */
  request: (event: { id: string; kind: string; text: string }, by: { secret: string; atMs: number }) => RawRequest
  /** How far the time of signing may be off, milliseconds; null: requests have no time. */
  toleranceMs: number | null
  close(): Promise<void>
}

export interface EventConformance {
  name: string
  open: () => Promise<EventHarness>
  waive?: Waived<EventCase>
}

export type EventCase = keyof typeof eventCases
type Check = (harness: EventHarness) => Promise<void>

const NOW = Date.UTC(2026, 1, 3, 4, 5, 6)
const SECRET = 'the secret that both know'
const event = { id: 'E-1', kind: 'created', text: 'Zoë "the first"\u2028' }
const signed = { secret: SECRET, atMs: NOW }

export const eventCases = {
  async 'a signed request is one event, with its id, its kind, and its body as it came'(harness) {
    const request = harness.request(event, signed)
    const verdict = judge(harness, request)
    const body = Buffer.from(request.body).toString('utf8')
    same(verdict, { accept: [{ id: event.id, kind: event.kind, body }] })
  },
  async 'a delivery that comes again has the same id, and another event another'(harness) {
    const again = harness.request(event, { ...signed, atMs: NOW + 1000 })
    const other = harness.request({ ...event, id: 'E-2' }, signed)
    same(idsOf(judge(harness, again)), [event.id])
    same(idsOf(judge(harness, other)), ['E-2'])
  },
  async 'of two secrets either may have signed; a third may not'(harness) {
    const request = harness.request(event, signed)
    same(idsOf(judge(harness, request, { secrets: ['a newer one', SECRET] })), [event.id])
    refused(judge(harness, request, { secrets: ['a newer one'] }), 401)
    refused(judge(harness, request, { secrets: [] }), 401)
  },
  async 'a body with any byte altered, added or taken is refused'(harness) {
    const request = harness.request(event, signed)
    for (let at = 0; at < request.body.length; at++) {
      const body = Uint8Array.from(request.body)
      body[at]! ^= 1
      refused(judge(harness, { ...request, body }), 401)
    }
    refused(judge(harness, { ...request, body: request.body.subarray(1) }), 401)
    refused(judge(harness, { ...request, body: Buffer.concat([request.body, Buffer.from(' ')]) }), 401)
  },
  async 'a request without any one of its signed headers, or with any altered, is refused'(harness) {
    const request = harness.request(event, signed)
    const needed = Object.keys(request.headers).filter((name) => isRefused(judge(harness, without(request, name))))
    if (needed.length === 0) throw new Unmet('no header is needed')
    for (const name of needed) {
      for (const value of ['', '0', 'x'.repeat(10_000), `${request.headers[name]!}0`]) {
        refused(judge(harness, { ...request, headers: { ...request.headers, [name]: value } }))
      }
    }
  },
  async 'a request that was signed too long ago, or for later, is refused'(harness) {
    const { toleranceMs } = harness
    if (toleranceMs === null) return
    const request = harness.request(event, signed)
    const at = (nowMs: number): Verdict => judge(harness, request, { nowMs })
    for (const off of [-toleranceMs + 1000, toleranceMs - 1000]) same(idsOf(at(NOW + off)), [event.id])
    for (const off of [-toleranceMs - 2000, toleranceMs + 2000, 9e14]) refused(at(NOW + off), 401)
  },
  async 'what is refused tells no secret and no digest'(harness) {
    const request = harness.request(event, { ...signed, secret: 'not the one' })
    const { reject } = refused(judge(harness, request), 401)
    if (reject.includes(SECRET) || /[0-9a-f]{32}/.test(reject)) throw new Unmet(`it tells too much: ${reject}`)
  },
} satisfies Record<string, Check>

export function eventConformance(runner: Runner, { name, open, waive }: EventConformance): void {
  runCases(runner, `${name} as events`, { cases: eventCases, open, ...(waive ? { waive } : {}) })
}

function judge(
  { events, settings }: EventHarness,
  request: RawRequest,
  { secrets = [SECRET], nowMs = NOW }: { secrets?: string[]; nowMs?: number } = {},
): Verdict {
  if (!events.verify) throw new Unmet('it verifies no requests')
  return events.verify(request, { settings, secrets, nowMs })
}

const without = (request: RawRequest, name: string): RawRequest => ({
  ...request,
  headers: Object.fromEntries(Object.entries(request.headers).filter(([header]) => header !== name)),
})
const isRefused = (verdict: Verdict): boolean => 'reject' in verdict
const idsOf = (verdict: Verdict): string[] => ('accept' in verdict ? verdict.accept.map(({ id }) => id) : [])

function refused(verdict: Verdict, status?: 400 | 401): { reject: string } {
  if (!('reject' in verdict) || verdict.reject === '') throw new Unmet('it was taken, or refused without a word')
  if (status !== undefined) same(verdict.status, status)
  return verdict
}
