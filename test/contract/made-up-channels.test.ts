/** State per channel: one range for each, their ends are the next state. */
import { expect, it } from 'vitest'
import type { Json, Source } from '../../connectors/connector.ts'
import { answerOf, anything, madeUpAsk, madeUpPlan, madeUpSession, run } from './made-up-core.ts'

interface Message {
  id: string
  ts: number
}

const channels: Source = {
  options: anything,
  async *objects() {
    yield { name: 'message' }
  },
  describe: async (_session, object) => madeUpAsk(object).schema,
  async plan(session, ask) {
    const known = (ask.state ?? {}) as Record<string, number>
    const names = await answerOf<string[]>(session, '/channels')
    // A channel that is new begins at its beginning, whatever the others' positions are.
    const ranges = names.map((name) => ({ id: name.toLowerCase(), spec: { channel: name, after: known[name] ?? 0 } }))
    return madeUpPlan(ranges, { request: { state: ask.state } })
  },
  async *read(session, _plan, { spec }, from) {
    const { channel, after } = spec as { channel: string; after: number }
    let since = Number(from ?? after)
    for (;;) {
      const { messages, more } = await answerOf<{ messages: Message[]; more: boolean }>(
        session,
        `/${channel}?after=${since}`,
      )
      since = messages.at(-1)?.ts ?? since
      const page = {
        body: messages.map(({ id, ts }) => ({ id, ts })),
        shape: { format: 'rows' as const },
        position: `${channel} ${since}`,
      }
      if (!more) return yield { ...page, next: null, end: { channel, ts: since } }
      yield { ...page, next: since }
    }
  },
  // A channel that is archived now keeps its position for the day it comes back.
  finish: async (_session, plan, ends) => ({
    ...(plan.request as { state: Record<string, Json> | null }).state,
    ...Object.fromEntries((ends as { channel: string; ts: number }[]).map(({ channel, ts }) => [channel, ts])),
  }),
}

it('a map of channels fits: each read from its own position, new ones from the start', async () => {
  const said: Record<string, Message[]> = {
    C1: [1, 2, 3].map((ts) => ({ id: `C1-${ts}`, ts })),
    C2: [{ id: 'C2-7', ts: 7 }],
  }
  const session = madeUpSession(({ url }) => {
    if (url === '/channels') return Object.keys(said)
    const [, channel = '', after] = /^\/(\w+)\?after=(\d+)$/.exec(url) ?? []
    const rest = (said[channel] ?? []).filter(({ ts }) => ts > Number(after))
    return { messages: rest.slice(0, 2), more: rest.length > 2 }
  })
  const first = await run(channels, session, madeUpAsk('message'))
  expect(first.ids).toEqual(['C1-1', 'C1-2', 'C1-3', 'C2-7'])
  expect(first.state).toEqual({ C1: 3, C2: 7 })
  said.C1?.push({ id: 'C1-9', ts: 9 })
  said.C3 = [{ id: 'C3-1', ts: 1 }]
  delete said.C2
  const second = await run(channels, session, madeUpAsk('message', first.state))
  expect(second.ids).toEqual(['C1-9', 'C3-1'])
  expect(second.state).toEqual({ C1: 9, C2: 7, C3: 1 })
})
