/** Tokens, errors, webhooks and listings with anything in them: understood, or refused in plain words. */
import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { classify } from '../../../connectors/classify.ts'
import { ConnectorError } from '../../../connectors/errors.ts'
import { connector, connectorNames } from '../../../connectors/index.ts'
import { s3Store } from '../../../connectors/lake/s3/s3-store.ts'
import { readTokenAnswer } from '../../../connectors/oauth.ts'
import { slack, zendesk } from '../../../connectors/webhook/scheme.ts'
import { schemeOf, webhookSettings } from '../../../connectors/webhook/settings.ts'
import { verify } from '../../../connectors/webhook/verify.ts'
import type { Chance } from '../../records/pages/chance.ts'
import { startStandIn } from '../../s3/stand-in.ts'
import { mangled, mutated } from './mutations.ts'
import { tryMany, tryManyAtOnce } from './rounds.ts'

const connectors = await Promise.all(connectorNames.map((name) => connector(name)))

function body(right: unknown, chance: Chance): Buffer {
  if (chance.once(2)) return mangled(Buffer.from(JSON.stringify(right)), chance)
  return Buffer.from(JSON.stringify(mutated(right, chance)) ?? '')
}

describe('answers', () => {
  it('of token endpoints give a token that is text, or say what is wrong', () => {
    const right = { access_token: 'abc', refresh_token: 'r', instance_url: 'https://a.example', id: 'https://a/id/1/2' }
    const tally = tryManyAtOnce(800, (chance) => {
      const status = chance.pick([200, 200, 200, 302, 400, 401, 403, 429, 500, 503])
      const { errors } = chance.pick(connectors)
      const answer = { status, headers: {}, body: body(right, chance) }
      const found = readTokenAnswer(answer, ['instance_url', 'id'], errors)
      if ('kind' in found) return { became: 'refused', ...(found.reason === '' && { wrong: 'no reason' }) }
      const values = [found.accessToken, found.refreshToken ?? '', ...Object.values(found.kept)]
      return {
        became: 'valid',
        ...(values.some((value) => typeof value !== 'string') && { wrong: 'a token is no text' }),
      }
    })
    expect(Object.keys(tally).toSorted()).toEqual(['refused', 'valid'])
  })

  it('that are errors have a kind and a reason, whatever is in them', () => {
    const said = [[{ errorCode: 'A', message: 'm' }], { error: 'a', error_description: 'b' }, { message: 'm', code: 3 }]
    tryManyAtOnce(800, (chance) => {
      const { errors, errorShapes } = chance.pick(connectors)
      const headers = { 'retry-after': chance.pick(['', '1', '-1', 'x', '1e99', 'Wed, 06 May 2026 12:00:30 GMT']) }
      const answer = { status: 100 + chance.int(500), headers, body: body(chance.pick(said), chance) }
      const { kind, reason, waitMs = 0 } = classify(answer, errors, errorShapes)
      const fine = kind !== undefined && reason.length > 0 && waitMs >= 0 && Number.isFinite(waitMs)
      return { became: kind, ...(!fine && { wrong: JSON.stringify({ kind, reason, waitMs }) }) }
    })
  })
})

it('webhooks: what is signed is an event with id and kind, or refused with 4xx', () => {
  const hmac = schemeOf(
    webhookSettings.parse({ scheme: 'hmac', signature: { header: 'X-S' }, id: { path: 'id' }, kind: { path: 'a.b' } }),
  )!
  const right = { type: 'event_callback', event_id: 'E1', event: { type: 'message' }, id: 7, a: { b: 'kind' } }
  const nowMs = 1_531_420_618_000
  const tally = tryManyAtOnce(800, (chance) => {
    const scheme = chance.pick([hmac, slack, zendesk])
    const bytes = body(right, chance)
    const { algorithm, encoding, prefix, signs, header } = scheme.signature
    const at = scheme === zendesk ? new Date(nowMs).toISOString() : `${nowMs / 1000}`
    const signed = signs.split('{body}').map((piece) => Buffer.from(piece.replace('{timestamp}', at)))
    const all = Buffer.concat([signed[0]!, bytes, signed[1]!])
    const headers: Record<string, string> = {
      [header]: prefix + createHmac(algorithm, 's').update(all).digest(encoding),
      'x-zendesk-webhook-invocation-id': 'Z1',
    }
    if (scheme.timestamp) headers[scheme.timestamp.header] = at
    const told = verify(scheme, { method: 'POST', path: '/', headers, body: bytes }, { secrets: ['s'], nowMs })
    if ('reject' in told) return { became: 'refused', ...((told.status ?? 0) < 400 && { wrong: `${told.status}` }) }
    const bad = told.accept.some((one) => one.id === '' || one.kind === '' || one.body !== bytes.toString('utf8'))
    return { became: 'valid', ...(bad && { wrong: JSON.stringify(told) }) }
  })
  expect(Object.keys(tally).toSorted()).toEqual(['refused', 'valid'])
})

describe('S3', () => {
  const credentials = async () => ({ accessKeyId: 'a', secretAccessKey: 'b' })
  const listing = (more: string): string =>
    `<?xml version="1.0"?><ListBucketResult><Name>b</Name>${more}` +
    '<Contents><Key>k</Key><Size>1</Size></Contents></ListBucketResult>'

  it.each([
    ['objects', (store: ReturnType<typeof s3Store>) => store.list('')],
    ['uploads', (store: ReturnType<typeof s3Store>) => store.staged('', '')],
  ])('a listing of %s that has more, and does not say where, is no whole one', async (_, list) => {
    const uploads = '<ListMultipartUploadsResult><IsTruncated>true</IsTruncated></ListMultipartUploadsResult>'
    const bodies = { uploads, 'list-type': listing('<IsTruncated>true</IsTruncated>') }
    const server = await startStandIn(
      Object.fromEntries(Object.entries(bodies).map(([name, text]) => [name, { status: 200, body: text }])),
    )
    try {
      const store = s3Store({ bucket: 'b', path: '', endpoint: server.url, credentials, settleMs: 0 })
      const found: unknown[] = []
      const all = async (): Promise<void> => {
        for await (const one of list(store)) found.push(one)
      }
      await expect(all()).rejects.toThrow(/the listing says that there is more/)
    } finally {
      await server.stop()
    }
  })

  it('a listing with anything in it is read, or refused in plain words', async () => {
    const bodies: Record<string, { status: number; body: string }> = { 'list-type': { status: 200, body: '' } }
    const server = await startStandIn(bodies)
    try {
      const store = s3Store({ bucket: 'b', path: '', endpoint: server.url, credentials, settleMs: 0 })
      const tally = await tryMany(60, async (chance) => {
        const right = Buffer.from(listing('<IsTruncated>false</IsTruncated>'))
        bodies['list-type'] = {
          status: chance.pick([200, 200, 400, 403]),
          body: mangled(right, chance).toString('utf8'),
        }
        try {
          let keys = 0
          for await (const { key, bytes } of store.list('')) keys += key.length + bytes
          return { became: Number.isFinite(keys) ? 'read' : 'read without a size' }
        } catch (error) {
          if (error instanceof ConnectorError) return { became: 'refused' }
          const name = error instanceof Error ? error.name : ''
          return { became: 'refused', ...(name !== 'LakeError' && { wrong: String((error as Error).stack) }) }
        }
      })
      expect(Object.keys(tally).toSorted()).toEqual(['read', 'refused'])
    } finally {
      await server.stop()
    }
  })
})
