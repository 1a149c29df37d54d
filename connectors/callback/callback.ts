/**
 * An address that is told how runs go: one signed request each. docs/notifications.md says how a receiver proves it.
 *
 * Laws
 * - What is signed is the time of signing, a dot, and the body byte by byte.
 * - A notification keeps its id and its body in every attempt; only the time of signing moves.
 */
import { z } from 'zod'
import type { Connector, Session } from '../connector.ts'
import { strict, words } from '../strict.ts'

const settings = strict('a callback connection', {
  url: z
    .url({ protocol: /^https?$/, error: words('is no address', 'https://host/path that takes requests') })
    .describe('Address that takes the requests'),
})

const SAME_SECRET = 'Does the receiver check with the secret of this connection?'

async function headersOf(session: Session, id: string, body: Uint8Array): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(Date.now() / 1000))
  const digests = await session.sign!(Buffer.concat([Buffer.from(`${timestamp}.`), body]))
  return {
    'content-type': 'application/json',
    'x-lakeward-id': id,
    'x-lakeward-timestamp': timestamp,
    'x-lakeward-signature': digests.map((digest) => `v1=${digest}`).join(','),
  }
}

export const callback: Connector = {
  name: 'callback',
  title: 'An address of yours that is told how runs go, in signed requests',
  settings,
  auth: [{ type: 'signing_secret', send: 'none' }],
  limits: [],
  errors: [
    { status: 401, kind: 'auth', advice: SAME_SECRET },
    { status: 403, kind: 'forbidden', advice: SAME_SECRET },
    { status: [404, 405], kind: 'rejected', advice: 'Correct `url` of the connection.' },
  ],
  baseUrl: '{url}',
  identity: ({ settings: { url } }) => Promise.resolve(new URL(url as string).origin),
  async notify(session, { id, type, time, detail }) {
    // The envelope of EventBridge: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
    const event = { version: '0', id, 'detail-type': type, source: 'lakeward', time, detail }
    const body = Buffer.from(JSON.stringify(event))
    const headers = await headersOf(session, id, body)
    await session.http.request({
      method: 'POST',
      url: session.settings['url'] as string,
      headers,
      body,
      doing: `tell ${type}`,
    })
  },
}
