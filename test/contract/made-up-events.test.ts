/** Events: deliveries that are proven to be the vendor's, and a stream that is read on from a position. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { expect, it } from 'vitest'
import type { Events, RawRequest } from '../../connectors/connector.ts'
import { body, madeUpSession } from './made-up-core.ts'

interface Hook {
  challenge?: string
  id: string
  lead: string
}
const STREAM = ['e1', 'e2', 'e3']

const events: Events = {
  verify({ headers, body: sent }, { secrets: [secret = ''] }) {
    const right = createHmac('sha256', secret).update(sent).digest()
    const given = Buffer.from(headers['x-signature'] ?? '', 'hex')
    if (given.length !== right.length || !timingSafeEqual(given, right))
      return { reject: "the signature is not the vendor's", status: 401 }
    const text = Buffer.from(sent).toString()
    const hook = JSON.parse(text) as Hook
    if (hook.challenge !== undefined) return { accept: [], answer: hook.challenge }
    return { accept: [{ id: hook.id, kind: 'lead', body: text }] }
  },
  async *subscribe(_session, topic, from) {
    for (const [at, id] of STREAM.entries()) {
      if (at >= Number(from ?? 0)) yield { id, kind: topic as string, body: `{"id":"${id}"}`, next: at + 1 }
    }
  },
}

function sign(hook: Hook, secret: string): RawRequest {
  const sent = body(JSON.stringify(hook))
  const signature = createHmac('sha256', secret).update(sent).digest('hex')
  return { method: 'POST', path: '/hook', headers: { 'x-signature': signature }, body: sent }
}

it('webhooks fit: signed ones are accepted, a challenge is answered, others are rejected', () => {
  const hook = { id: 'd1', lead: 'l1' }
  const by = { settings: {}, secrets: ['right'], nowMs: 0 }
  const accepted = { id: 'd1', kind: 'lead', body: JSON.stringify(hook) }
  expect(events.verify?.(sign(hook, 'right'), by)).toEqual({ accept: [accepted] })
  expect(events.verify?.(sign({ ...hook, challenge: 'abc' }, 'right'), by)).toEqual({ accept: [], answer: 'abc' })
  expect(events.verify?.(sign(hook, 'wrong'), by)).toHaveProperty('reject')
  expect(events.verify?.({ ...sign(hook, 'right'), headers: {} }, by)).toHaveProperty('reject')
})

it('streams fit: reading on from a position gives what came after it', async () => {
  const idsFrom = async (from: number | null): Promise<string[]> => {
    const ids: string[] = []
    for await (const { id } of events.subscribe?.(
      madeUpSession(() => null),
      'leads',
      from,
    ) ?? [])
      ids.push(id)
    return ids
  }
  expect(await idsFrom(null)).toEqual(STREAM)
  expect(await idsFrom(2)).toEqual(['e3'])
})
