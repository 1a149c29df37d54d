/** Files as a source, of any number and size: ranges of keys, a cursor inside a file, the last key as state. */
import { expect, it } from 'vitest'
import type { Source } from '../../connectors/connector.ts'
import { answerOf, anything, body, madeUpAsk, madeUpPlan, madeUpSession, run } from './made-up-core.ts'

interface Span {
  after: string
  upTo: string
}
const SLICE = 12

const files: Source = {
  options: anything,
  async *objects() {
    yield { name: 'orders/', label: 'Folder orders', parent: true }
  },
  describe: async (_session, object) => madeUpAsk(object).schema,
  async plan(session, ask) {
    const after = (ask.state ?? '') as string
    const keys = (await answerOf<string[]>(session, `/list?after=${after}`)).toSorted()
    // A range holds the bounds of a slice of the listing, never the listing: there may be millions of keys.
    const cuts = [after, ...new Set([...keys.slice(1, 2), ...keys.slice(-1)])]
    const spans: Span[] = cuts.slice(1).map((upTo, at) => ({ after: cuts[at] ?? '', upTo }))
    return madeUpPlan(
      spans.map((spec, at) => ({ id: `slice-${at}`, spec: { ...spec } })),
      { order: 'key' },
    )
  },
  async *read(session, _plan, { spec }, from) {
    const { after, upTo } = spec as unknown as Span
    let { key: previous, at } = (from ?? { key: after, at: 0 }) as { key: string; at: number }
    for (;;) {
      const [key] = await answerOf<string[]>(session, `/list?after=${previous}&max=1`)
      if (key === undefined || key > upTo) throw new Error('the listing lost a key that was planned')
      const text = await answerOf<string>(session, `/get/${key}`)
      // A page is whole records: it is cut behind the last line that fits.
      const cut = text.length - at <= SLICE ? text.length : text.lastIndexOf('\n', at + SLICE) + 1
      const page = {
        body: body(text.slice(at, cut)),
        shape: { format: 'jsonl' as const },
        position: `${key}, byte ${cut}`,
      }
      const whole = cut === text.length
      if (whole && key === upTo) return yield { ...page, next: null, end: key }
      if (whole) previous = key
      at = whole ? 0 : cut
      yield { ...page, next: { key: previous, at } }
    }
  },
  finish: async (_session, _plan, ends) => ends.at(-1) ?? null,
}

it('files fit: each record once, from a cursor in the middle of a file too, and new keys the next time', async () => {
  const lines = (...ids: string[]): string => ids.map((id) => `{"id":"${id}"}\n`).join('')
  const store: Record<string, string> = { 'a/1': lines('1', '2', '3'), 'a/2': lines('4'), 'b/1': lines('5', '6') }
  const session = madeUpSession(({ url }) => {
    const [, after = '', max] = /^\/list\?after=([^&]*)(?:&max=(\d))?$/.exec(url) ?? []
    if (!url.startsWith('/list')) return store[url.slice('/get/'.length)]
    return Object.keys(store)
      .toSorted()
      .filter((key) => key > after)
      .slice(0, Number(max ?? 100))
  })
  const first = await run(files, session, madeUpAsk('a/'))
  expect([first.ids, first.state]).toEqual([['1', '2', '3', '4', '5', '6'], 'b/1'])
  Object.assign(store, { 'b/2': lines('7'), 'c/1': lines('8') })
  const second = await run(files, session, madeUpAsk('a/', first.state))
  expect(second.ids).toEqual(['7', '8'])
})
