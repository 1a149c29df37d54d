/** Schemes of webhooks, signed here as the vendors' pages say. */
import { createHmac } from 'node:crypto'
import { describe, it } from 'vitest'
import type { JsonObject } from '../../connectors/connector.ts'
import type { RawRequest } from '../../connectors/events.ts'
import { webhook } from '../../connectors/webhook/webhook.ts'
import { type EventHarness, eventConformance } from '../conformance/index.ts'

const digest = (secret: string, text: string, as: 'hex' | 'base64'): string =>
  createHmac('sha256', secret).update(text).digest(as)
const requestOf = (headers: Record<string, string>, body: string): RawRequest => ({
  method: 'POST',
  path: '/hooks/theirs',
  headers: { 'content-type': 'application/json', ...headers },
  body: Buffer.from(body),
})

const systems: Record<string, { settings: object; request: EventHarness['request']; toleranceMs: number | null }> = {
  // https://docs.slack.dev/authentication/verifying-requests-from-slack
  Slack: {
    settings: { scheme: 'slack' },
    toleranceMs: 300_000,
    request({ id, kind, text }, { secret, atMs }) {
      const body = JSON.stringify({ type: 'event_callback', event_id: id, event: { type: kind, text } })
      const at = `${Math.floor(atMs / 1000)}`
      return requestOf(
        { 'x-slack-request-timestamp': at, 'x-slack-signature': `v0=${digest(secret, `v0:${at}:${body}`, 'hex')}` },
        body,
      )
    },
  },
  // https://developer.zendesk.com/documentation/webhooks/verifying/
  Zendesk: {
    settings: { scheme: 'zendesk', id: { path: 'id' } },
    toleranceMs: 300_000,
    request({ id, kind, text }, { secret, atMs }) {
      const body = JSON.stringify({ id, type: kind, event: { text } })
      const at = new Date(atMs).toISOString()
      const headers = {
        'x-zendesk-webhook-signature': digest(secret, `${at}${body}`, 'base64'),
        'x-zendesk-webhook-signature-timestamp': at,
      }
      return requestOf(headers, body)
    },
  },
  // https://docs.stripe.com/webhooks/signature: a list in one header
  'HMAC with a time': {
    settings: {
      scheme: 'hmac',
      signature: { header: 'Signature', part: 'v1', signs: '{timestamp}.{body}' },
      timestamp: { header: 'Signature', part: 't' },
      id: { path: 'id' },
      kind: { path: 'type' },
      tolerance: '1m',
    },
    toleranceMs: 60_000,
    request({ id, kind, text }, { secret, atMs }) {
      const body = JSON.stringify({ id, type: kind, text })
      const at = `${Math.floor(atMs / 1000)}`
      return requestOf({ signature: `t=${at},v1=${digest(secret, `${at}.${body}`, 'hex')}` }, body)
    },
  },
  // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
  'HMAC of the body': {
    settings: {
      scheme: 'hmac',
      signature: { header: 'X-Hub-Signature-256', prefix: 'sha256=' },
      id: { path: 'delivery' },
      kind: { path: 'action' },
    },
    toleranceMs: null,
    request({ id, kind, text }, { secret }) {
      const body = JSON.stringify({ delivery: id, action: kind, text })
      return requestOf({ 'x-hub-signature-256': `sha256=${digest(secret, body, 'hex')}` }, body)
    },
  },
}

for (const [name, { settings, ...system }] of Object.entries(systems)) {
  const open = async (): Promise<EventHarness> => ({
    events: webhook.events!,
    settings: webhook.settings.parse(settings) as JsonObject,
    ...system,
    close: async () => {},
  })
  eventConformance({ describe, it }, { name, open })
}
