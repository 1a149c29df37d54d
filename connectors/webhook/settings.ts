/** What a connection says of the webhooks it takes: a vendor's scheme by name, or one written out. */
import { z } from 'zod'
import type { JsonObject } from '../connector.ts'
import { duration } from '../flow-values.ts'
import { always, choice, isTable, strict, text, words } from '../strict.ts'
import type { Scheme } from './scheme.ts'
import { FIVE_MINUTES, slack, zendesk } from './scheme.ts'

const presets: Record<string, Scheme> = { slack, zendesk }

const header = z
  .string()
  .regex(/^[A-Za-z0-9-]+$/, { error: words('is no name of a header', 'letters, digits and -: X-Signature') })
  .transform((name) => name.toLowerCase())
  .meta({ description: 'Name of a header' })
const part = text('Where the header is a list `t=1,v1=abc`: the name in it').optional()
const path = text('A member of the JSON body; names with dots between them: event.type')

const place = strict('a place in a request', { header: header.optional(), part, path: path.optional() })
  .superRefine((value, context) => {
    if (!isTable(value) || 'header' in value !== 'path' in value) return
    context.addIssue({
      code: 'custom',
      message: words('names no place, or two', 'exactly one: { header } or { path }'),
    })
  }, always)
  .meta({ description: 'Where it stands: { header: NAME } or { path: NAME.NAME }' })

const signs = text('What is signed: {body} with {timestamp} and {id} around it; default {body}').refine(
  (written) => written.split('{body}').length === 2,
  { error: words('must have {body} once', 'for example "{timestamp}.{body}"') },
)

const signature = strict('signature', {
  header,
  part,
  algorithm: choice('Default sha256', ['sha1', 'sha256', 'sha384', 'sha512']).optional(),
  encoding: choice('Default hex', ['hex', 'base64']).optional(),
  prefix: z.string().describe('What stands before the signature: sha256=').optional(),
  signs: signs.optional(),
})

const timestamp = strict('timestamp', {
  header,
  part,
  format: choice('How the time is written; default seconds', ['seconds', 'milliseconds', 'iso']).optional(),
})

export const webhookSettings = strict('a connection of webhook', {
  scheme: choice('How requests are signed: by a vendor, as `signature` says, or not at all: signals alone', [
    'hmac',
    'slack',
    'zendesk',
    'none',
  ]),
  signature: signature.describe('Where the signature stands and what it signs; for scheme hmac').optional(),
  timestamp: timestamp.describe('Where the time of signing stands; for scheme hmac').optional(),
  tolerance: duration('How far the time of signing may be from now; default 5m', 1).optional(),
  id: z
    .union([z.literal('content').describe('The signed bytes themselves'), place])
    .describe('What identifies an event: { header }, { path } or content')
    .optional(),
  kind: place.describe('Of which kind an event is; objects of flows name kinds').optional(),
  challenge: strict('challenge', {
    path,
    is: text('What `path` is in a request that asks for something back'),
    answer: path.describe('What is answered: this member of the body'),
  })
    .describe('What the vendor asks for before it sends events; for scheme hmac')
    .optional(),
}).superRefine((value, context) => {
  if (!isTable(value)) return
  const say = (key: string, what: string, advice: string): void =>
    context.addIssue({ code: 'custom', path: [key], message: words(what, advice) })
  const own = ['signature', 'timestamp', 'challenge'].filter((key) => key in value)
  const { scheme } = value
  if (scheme !== 'hmac') {
    const says =
      typeof scheme === 'string' && Object.hasOwn(presets, scheme) ? `${scheme} says this itself` : 'is for scheme hmac'
    for (const key of own) say(key, says, 'remove it, or write `scheme: hmac`')
    return
  }
  if (!('signature' in value)) say('signature', "'signature' is missing", 'at least `signature: { header: NAME }`')
  if (!('id' in value)) say('id', "'id' is missing", 'what identifies an event: { header }, { path } or content')
  const { signs: signed = '{body}' } = Object(value['signature']) as { signs?: unknown }
  if (typeof signed === 'string' && signed.includes('{timestamp}') && !('timestamp' in value)) {
    say('timestamp', 'the time is signed, and nothing says where it stands', '`timestamp: { header: NAME }`')
  }
}, always)

type Written = z.output<typeof webhookSettings>

/** null: nothing comes by HTTP. */
export function schemeOf(settings: JsonObject): Scheme | null {
  const { scheme, tolerance, id, kind, ...own } = settings as unknown as Written
  if (scheme === 'none') return null
  const said = { ...(tolerance !== undefined && { toleranceMs: tolerance }), ...(id && { id }), ...(kind && { kind }) }
  const preset = presets[scheme]
  if (preset) return { ...preset, ...(said as Partial<Scheme>) }
  const { algorithm = 'sha256', encoding = 'hex', prefix = '', signs: signed = '{body}', ...at } = own.signature!
  return {
    signature: { ...at, algorithm, encoding, prefix, signs: signed },
    ...(own.timestamp && { timestamp: { format: 'seconds', ...own.timestamp } }),
    toleranceMs: FIVE_MINUTES,
    ...(own.challenge && { challenge: own.challenge }),
    ...said,
  } as Scheme
}
