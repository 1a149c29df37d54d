/**
 * Signature schemes as data: where a vendor puts what, and what it signs.
 *
 * Law: nothing else knows a vendor's name. A vendor that signs in another way than HMAC is another connector.
 */

/** A header; `part`: it is a list of `name=value` with commas, and this name's is meant. */
export interface InHeader {
  header: string
  part?: string
}
/** A member of the JSON body, names with dots between them. */
export interface InBody {
  path: string
}

export interface Scheme {
  signature: InHeader & {
    algorithm: 'sha1' | 'sha256' | 'sha384' | 'sha512'
    encoding: 'hex' | 'base64'
    /** Stands before the signature: `sha256=`. */
    prefix: string
    /** What is signed; `{body}` is the body byte by byte, `{timestamp}` and `{id}` are headers as they came. */
    signs: string
  }
  /** When it was signed; absent: nothing says, and only the id tells a delivery that comes again. */
  timestamp?: InHeader & { format: 'seconds' | 'milliseconds' | 'iso' }
  /** How far the time of signing may be from now, either way, milliseconds. */
  toleranceMs: number
  /** `content`: what was signed is the event, and the same again is the same event. */
  id: InHeader | InBody | 'content'
  /** Absent: events have no kinds. */
  kind?: InHeader | InBody
  /** Before a vendor sends events, it may ask for something back: where `path` of the body is `is`, `answer`. */
  challenge?: { path: string; is: string; answer: string }
}

export const FIVE_MINUTES = 300_000

/** https://docs.slack.dev/authentication/verifying-requests-from-slack and /apis/events-api */
export const slack: Scheme = {
  signature: {
    header: 'x-slack-signature',
    algorithm: 'sha256',
    encoding: 'hex',
    prefix: 'v0=',
    signs: 'v0:{timestamp}:{body}',
  },
  timestamp: { header: 'x-slack-request-timestamp', format: 'seconds' },
  toleranceMs: FIVE_MINUTES,
  id: { path: 'event_id' },
  kind: { path: 'event.type' },
  challenge: { path: 'type', is: 'url_verification', answer: 'challenge' },
}

/** https://developer.zendesk.com/documentation/webhooks/verifying/ and /anatomy-of-a-webhook-request/ */
export const zendesk: Scheme = {
  signature: {
    header: 'x-zendesk-webhook-signature',
    algorithm: 'sha256',
    encoding: 'base64',
    prefix: '',
    signs: '{timestamp}{body}',
  },
  timestamp: { header: 'x-zendesk-webhook-signature-timestamp', format: 'iso' },
  toleranceMs: FIVE_MINUTES,
  id: { header: 'x-zendesk-webhook-invocation-id' },
  kind: { path: 'type' },
}
