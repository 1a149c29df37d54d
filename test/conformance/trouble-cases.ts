/** What a source must do when the other side misbehaves: read on, or fail with an error that says what it is. */
import type { ErrorKind } from '../../connectors/connector.ts'
import { flat, must, refuses, sameRecords, Unmet } from './expect.ts'
import type { Trouble } from './harness.ts'
import type { Case } from './reading-cases.ts'
import type { GotPage, Reader } from './reading.ts'

const SOON_MS = 3000

export const troubleCases = {
  'an empty page is not the end': async (reader) => {
    await readsThrough(reader, 'empty page', { skip: 0, times: 1 })
    await readsThrough(reader, 'empty page', { skip: 1, times: 2 })
  },

  'a repeated cursor is an error': async (reader) => {
    const plan = await reader.plan()
    await reader.harness.trouble('repeated cursor', { skip: 1, times: 0 })
    await refuses(reader.read(plan), ['answer'], 'a repeated cursor')
  },

  'a token that ends in mid-read is renewed': (reader) => readsThrough(reader, 'expired', { skip: 1, times: 1 }),

  'throttled without a word: waits by itself': async (reader) => {
    const { waitMs } = await stops(reader, 'throttled', ['throttled'])
    must((waitMs ?? 0) >= 1000, `it would wait ${waitMs} ms`)
  },

  'throttled with Retry-After: waits as long': async (reader) => {
    const { waitMs } = await stops(reader, 'throttled for 77 s', ['throttled'])
    must(waitMs !== undefined && waitMs >= 76_000 && waitMs <= 80_000, `it would wait ${waitMs} ms, not 77 s`)
  },

  'unavailable for a moment: reads on': (reader) => readsThrough(reader, 'unavailable', { skip: 1, times: 1 }),

  'unavailable for longer: fails as transient': async (reader) => {
    await stops(reader, 'unavailable', ['transient'])
  },

  'a page for people instead of records is an error': async (reader) => {
    await stops(reader, 'html', ['answer', 'transient'])
  },

  'a body that breaks off is read again': (reader) => readsThrough(reader, 'truncated', { skip: 1, times: 1 }),

  'a body that always breaks off is an error': async (reader) => {
    await stops(reader, 'truncated', ['answer', 'transient'])
  },

  'half a body that looks whole is an error': async (reader) => {
    await stops(reader, 'cut', ['answer', 'transient'])
  },

  'an abort ends a read that waits for its answer': async (reader) => {
    const plan = await reader.plan()
    await reader.harness.trouble('stall', { skip: 1, times: 1 })
    const reading = reader.read(plan).then(
      () => 'ended',
      () => 'failed',
    )
    await new Promise((resolve) => setTimeout(resolve, 100))
    reader.signal.abort(new Error('enough'))
    const late = new Promise<string>((resolve) => setTimeout(resolve, SOON_MS, 'went on').unref())
    const outcome = await Promise.race([reading, late])
    await reader.harness.calm()
    must(outcome === 'failed', `after an abort the read ${outcome}`)
  },
} satisfies Record<string, Case>

/** The trouble passes unseen: every record comes, once. */
async function readsThrough(reader: Reader, trouble: Trouble, when: { skip: number; times: number }): Promise<void> {
  const plan = await reader.plan()
  await reader.harness.trouble(trouble, when)
  const pages = await reader.read(plan).catch((error: unknown) => {
    throw new Unmet(`${trouble}: the read failed, ${String(error)}`, { cause: error })
  })
  sameRecords(flat(pages), await reader.expected(plan), trouble)
  await reader.harness.calm()
}

/** The trouble ends the read with an error; after it, the last cursor gives the rest. */
async function stops(reader: Reader, trouble: Trouble, kinds: ErrorKind[]) {
  const plan = await reader.plan()
  const [range] = plan.ranges
  const got: GotPage[] = []
  await reader.harness.trouble(trouble, { skip: 1, times: 0 })
  const reading = async (): Promise<void> => {
    for await (const page of reader.pages(plan, range!, null)) got.push(page)
  }
  const error = await refuses(reading(), kinds, trouble)
  await reader.harness.calm()
  const last = got.at(-1)
  must(last !== undefined && last.next !== null, `${trouble}: there is no cursor to go on from`)
  for await (const page of reader.pages(plan, range!, last!.next)) got.push(page)
  for (const other of plan.ranges.slice(1)) for await (const page of reader.pages(plan, other, null)) got.push(page)
  sameRecords(flat(got), await reader.expected(plan), `before and after: ${trouble}`)
  return error
}
