/**
 * What an answer that is not a success means, by the connector's table and, where it is silent, by HTTP itself. Pure.
 */
import type { ErrorKind, ErrorRule, ErrorShape } from './connector.ts'
import { retryAfterMs } from './retry-after.ts'

export interface Answer {
  status: number
  headers: Record<string, string>
  body: Uint8Array
}

export interface Meaning {
  kind: ErrorKind
  /** For people; may still hold what the vendor echoed: redact it. */
  reason: string
  code?: string
  waitMs?: number
  advice?: string
}

const MOST_TEXT = 400

/** Read last: what a status means where the vendor's table says nothing. */
const byStatus: ErrorRule[] = [
  { status: 401, kind: 'expired' },
  { status: 403, kind: 'forbidden', advice: 'Give the user of the connection access, or leave the object out.' },
  { status: [404, 404], kind: 'missing' },
  { status: 408, kind: 'transient' },
  { status: 410, kind: 'rejected' },
  { status: 423, kind: 'transient' },
  { status: 425, kind: 'transient' },
  { status: 429, kind: 'throttled', waitMs: 30_000 },
  { status: 501, kind: 'rejected' },
  { status: [500, 599], kind: 'transient' },
  { status: [400, 499], kind: 'rejected' },
]

export function classify(answer: Answer, rules: ErrorRule[], shapes: ErrorShape[] = []): Meaning {
  const said = vendorError(answer, shapes)
  const rule = [...rules, ...byStatus].find((one) => matches(one, answer.status, said))
  const waitMs = retryAfterMs(answer.headers) ?? rule?.waitMs
  return {
    kind: rule?.kind ?? 'answer',
    reason: reasonOf(answer, said),
    ...(said?.code ? { code: said.code } : {}),
    ...(waitMs === undefined ? {} : { waitMs }),
    ...(rule?.advice ? { advice: rule.advice } : {}),
  }
}

interface Said {
  code?: string
  message?: string
}

/** The vendor's own words, where the body is JSON of a known shape. */
function vendorError(answer: Answer, shapes: ErrorShape[]): Said | undefined {
  let document: unknown
  try {
    document = JSON.parse(Buffer.from(answer.body).toString('utf8'))
  } catch {
    return undefined
  }
  for (const shape of shapes) {
    let found = document
    for (const step of shape.at) found = memberOf(found, step)
    const code = memberOf(found, shape.code)
    const message = memberOf(found, shape.message)
    if (typeof code !== 'string' && typeof message !== 'string') continue
    return {
      ...(typeof code === 'string' ? { code } : {}),
      ...(typeof message === 'string' ? { message } : {}),
    }
  }
  return undefined
}

function memberOf(value: unknown, step: string | number): unknown {
  if (value === null || typeof value !== 'object') return undefined
  if (Array.isArray(value) !== (typeof step === 'number')) return undefined
  return Object.hasOwn(value, step) ? (value as Record<string | number, unknown>)[step] : undefined
}

function matches(rule: ErrorRule, status: number, said: Said | undefined): boolean {
  if (typeof rule.status === 'number' && rule.status !== status) return false
  if (Array.isArray(rule.status) && (status < rule.status[0] || status > rule.status[1])) return false
  if (rule.code !== undefined && (!said?.code || ![rule.code].flat().includes(said.code))) return false
  return rule.message === undefined || new RegExp(rule.message, 'i').test(said?.message ?? '')
}

function reasonOf({ status, headers, body }: Answer, said: Said | undefined): string {
  if (said) {
    const words = [said.code, said.message].filter((part) => part !== undefined).join(': ')
    return `${status} ${words.replaceAll(/\s+/g, ' ').slice(0, MOST_TEXT)}`
  }
  return `${status} with ${showBody(headers, body)}`
}

/** What a body that is not understood looks like, without its content. */
export function showBody(headers: Record<string, string>, body: Uint8Array): string {
  if (body.length === 0) return 'an empty body'
  const type = headers['content-type']?.split(';')[0]?.trim()
  const start = Buffer.from(body.subarray(0, 200)).toString('latin1').trimStart().toLowerCase()
  if (type === 'text/html' || start.startsWith('<!doctype html') || start.startsWith('<html')) {
    const title = /<title>([^<]{1,120})<\/title>/i.exec(Buffer.from(body.subarray(0, 4000)).toString('utf8'))?.[1]
    return `an HTML page${title ? ` titled "${title.replaceAll(/\s+/g, ' ').trim()}"` : ''}`
  }
  return `${body.length} bytes of ${type ?? 'an unnamed type'}`
}
