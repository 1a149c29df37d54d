/** Signatures, by the examples that vendors publish; and what is refused. */
import { createHmac } from 'node:crypto'
import { expect, it } from 'vitest'
import { schemeOf, webhookSettings } from '../../connectors/webhook/settings.ts'
import { verify } from '../../connectors/webhook/verify.ts'

const scheme = (settings: object) => schemeOf(webhookSettings.parse(settings))!
const request = (headers: Record<string, string>, body: string) => ({
  method: 'POST',
  path: '/',
  headers,
  body: Buffer.from(body),
})

it("GitHub's published example is proven, and nothing else", () => {
  const github = scheme({
    scheme: 'hmac',
    signature: { header: 'X-Hub-Signature-256', prefix: 'sha256=' },
    id: 'content',
  })
  const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'
  const sent = request({ 'x-hub-signature-256': signature }, 'Hello, World!')
  const by = { secrets: ["It's a Secret to Everybody"], nowMs: 0 }
  expect(verify(github, sent, by)).toEqual({ reject: 'the body is not JSON', status: 400 })
  expect(verify(github, { ...sent, body: Buffer.from('Hello, World?') }, by)).toMatchObject({ status: 401 })
  expect(verify(github, sent, { ...by, secrets: ['another', ...by.secrets] })).toMatchObject({ status: 400 })
  expect(verify(github, sent, { ...by, secrets: [] })).toMatchObject({ status: 401 })
})

it('Slack: a challenge is answered, an event has id and kind, a stale or altered one is refused', () => {
  const slack = scheme({ scheme: 'slack' })
  const nowMs = 1_531_420_618_000
  const signed = (body: string, at = nowMs / 1000) =>
    request(
      {
        'x-slack-request-timestamp': `${at}`,
        'x-slack-signature': `v0=${createHmac('sha256', 's').update(`v0:${at}:${body}`).digest('hex')}`,
      },
      body,
    )
  const by = { secrets: ['s'], nowMs }
  expect(verify(slack, signed('{"type":"url_verification","challenge":"c"}'), by)).toEqual({ accept: [], answer: 'c' })
  const body = '{"type":"event_callback","event_id":"Ev1","event":{"type":"message"}}'
  expect(verify(slack, signed(body), by)).toEqual({ accept: [{ id: 'Ev1', kind: 'message', body }] })
  expect(verify(slack, signed(body, nowMs / 1000 - 301), by)).toMatchObject({ status: 401 })
  expect(verify(slack, { ...signed(body), body: Buffer.from(`${body} `) }, by)).toMatchObject({ status: 401 })
})
