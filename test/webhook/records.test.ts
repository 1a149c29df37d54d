/** What a batch is as records: whole bodies, declared members, several in one event, and what is none. */
import { expect, it } from 'vitest'
import type { Ask, Json, Session } from '../../connectors/connector.ts'
import type { KeptEvent } from '../../connectors/events.ts'
import { eventSource } from '../../connectors/event-source.ts'

async function lines(bodies: string[], options: Record<string, Json>): Promise<unknown[]> {
  const events = bodies.map((body, at): KeptEvent => ({ id: `e${at}`, kind: 'k', atMs: 0, body }))
  const inbox = {
    take: () => Promise.resolve({ refs: ['r'], left: 3 }),
    async *fresh() {
      yield await Promise.resolve({ events, repeated: 0 })
    },
    remember: () => Promise.resolve(null),
    release: () => Promise.resolve(),
  }
  const session = { inbox, signal: new AbortController().signal } as unknown as Session
  const plan = await eventSource.plan(session, { object: 'k', options, state: null } as unknown as Ask)
  expect(plan.heldBack).toBe(3)
  const texts: string[] = []
  for await (const page of eventSource.read(session, plan, plan.ranges[0]!, null)) {
    texts.push(Buffer.from(page.body as Uint8Array).toString())
  }
  return texts.join('').trimEnd().split('\n')
}

const at = '"1970-01-01T00:00:00.000Z"'
const about = (n: number): string => `"_event_id":"e${n}","_event_kind":"k","_received_at":${at}`

it('without a schema the body is one column, digit by digit', async () => {
  expect(await lines(['{"n":12345678901234567890.10}', '[1]'], {})).toEqual([
    `{"id":"e0","kind":"k","received_at":${at},"body":{"n":12345678901234567890.10}}`,
    `{"id":"e1","kind":"k","received_at":${at},"body":[1]}`,
  ])
})

it('with one its members are columns; a body that has none is a line that no batch holds', async () => {
  expect(await lines(['{"n":1.10}', ' { } ', '7'], { schema: { n: 'string' } })).toEqual([
    `{${about(0)},"n":1.10}`,
    `{${about(1)}}`,
    '7',
  ])
})

it('a list of records is a line each, and an event without them is none', async () => {
  const bodies = ['{"data":{"orders":[{"n":1},{"n":2}]}}', '{"data":{}}', '{"data":{"orders":{"n":3}}}']
  expect(await lines(bodies, { schema: { n: 'int64' }, record: 'data.orders' })).toEqual([
    `{${about(0)},"n":1}`,
    `{${about(0)},"n":2}`,
    `{${about(2)},"n":3}`,
  ])
})
