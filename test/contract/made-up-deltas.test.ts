/** Delta tokens: the end of one read is where the next begins, and is acknowledged only after the commit. */
import { expect, it } from 'vitest'
import type { Op, Source } from '../../connectors/connector.ts'
import { answerOf, anything, madeUpAsk, madeUpPlan, madeUpSession, run } from './made-up-core.ts'

interface Feed {
  value: { id: string; mode: string }[]
  nextLink?: string
  deltaLink?: string
}
const CHANGES: Record<string, Op | 'drop'> = { '': 'upsert', C: 'upsert', U: 'upsert', D: 'delete', R: 'delete' }

const deltas: Source = {
  options: anything,
  async *objects() {
    yield { name: 'Materials' }
  },
  describe: async (_session, object) => ({ ...madeUpAsk(object).schema, deletes: true }),
  plan: async (_session, ask) => {
    const start = (ask.state as { link: string } | null)?.link ?? `/${ask.object}`
    return madeUpPlan([{ id: 'feed', spec: start }], { api: 'delta', repeats: true, expires: '2026-01-02T00:00:00Z' })
  },
  async *read(session, _plan, range, from) {
    let link = (from ?? range.spec) as string
    for (;;) {
      const { value, nextLink, deltaLink } = await answerOf<Feed>(session, link)
      const page = {
        body: value,
        shape: { format: 'rows' as const },
        op: { field: 'mode', map: CHANGES },
        position: link,
      }
      if (nextLink === undefined) return yield { ...page, next: null, end: { link: deltaLink ?? null } }
      yield { ...page, next: nextLink }
      link = nextLink
    }
  },
  finish: async (_session, _plan, [end]) => end ?? null,
  release: async (session, plan, how) => {
    // The old token is what the vendor forgets by; void and dropped runs will need it again.
    if (how === 'done') await answerOf(session, `/ack${plan.ranges[0]?.spec as string}`, 'POST')
  },
}

it('a delta feed fits: the whole first, then changes from the token, acknowledged after the commit', async () => {
  const asked: string[] = []
  const feeds: Record<string, Feed> = {
    '/Materials': { value: [{ id: 'm1', mode: '' }], nextLink: '/Materials?skip=1' },
    '/Materials?skip=1': { value: [{ id: 'm2', mode: '' }], deltaLink: '/delta1' },
    '/delta1': { value: [{ id: 'm1', mode: 'D' }], deltaLink: '/delta2' },
  }
  const session = madeUpSession(({ url, method }) => {
    if (method === 'POST') asked.push(url)
    return feeds[url] ?? {}
  })
  const first = await run(deltas, session, madeUpAsk('Materials'))
  expect([first.ids, first.state]).toEqual([['m1', 'm2'], { link: '/delta1' }])
  const second = await run(deltas, session, madeUpAsk('Materials', first.state))
  expect([second.ids, second.state]).toEqual([['m1'], { link: '/delta2' }])
  await deltas.release?.(session, second.plan, 'void')
  expect(asked).toEqual([])
  await deltas.release?.(session, second.plan, 'done')
  expect(asked).toEqual(['/ack/delta1'])
})
