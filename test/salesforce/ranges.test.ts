/** Windows cut into ranges that are read side by side. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Plan, Range } from '../../connectors/connector.ts'
import type { ReadRequest } from '../../connectors/salesforce/plan.ts'
import { splitRanges } from '../../connectors/salesforce/ranges.ts'
import type { Span } from '../../connectors/salesforce/spans.ts'
import { startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import type { Sandbox } from '../sandboxes/salesforce/salesforce.ts'
import { connect, idsOf, recordsOf, source } from './org.ts'
import type { Org } from './org.ts'

const ROWS = 9000
let sandbox: Sandbox
let org: Org
beforeAll(async () => {
  sandbox = await startSalesforce({ accounts: ROWS, opportunities: 40, contacts: 400, ties: 1500 })
  org = connect(sandbox.url)
})
afterAll(async () => {
  await org.close()
  await sandbox.stop()
})
beforeEach(() => void sandbox.control.reset())

const spansOf = (ranges: Range[]): Span[] => ranges.map(({ spec }) => spec as unknown as Span)
const split = (plan: Plan, parallel = 4) =>
  splitRanges(org.session, plan.request as unknown as ReadRequest, plan.counted, parallel, 100)
const calls = (): number => Object.values(sandbox.control.counts()).reduce((sum, one) => sum + one, 0)

async function read(plan: Plan): Promise<string[][]> {
  const parts = plan.ranges.map(async (range) => {
    const ids: string[] = []
    for await (const page of source.read(org.session, plan, range, null)) ids.push(...idsOf(recordsOf(page)))
    return ids
  })
  return Promise.all(parts)
}

it.each(['SystemModstamp', 'CreatedDate'])('by %s: as many records in each, all of them once', async (cursorField) => {
  const plan = await source.plan(org.session, await org.ask('Account', { cursorField }))
  sandbox.control.reset()
  const ranges = await split(plan)
  expect(calls()).toBeLessThanOrEqual(8)
  const spans = spansOf(ranges)
  expect(ranges.map(({ id }) => id)).toEqual(['part-0', 'part-1', 'part-2', 'part-3'])
  expect([spans[0]!.from, spans.at(-1)!.to]).toEqual([null, null])
  expect(spans.slice(1).map(({ from }) => from)).toEqual(spans.slice(0, -1).map(({ to }) => to))
  const parts = await read({ ...plan, ranges })
  expect(parts.map(({ length }) => length)).toEqual(spans.map(({ rows }) => rows))
  for (const { length } of parts) expect(Math.abs(length - ROWS / 4)).toBeLessThan(ROWS / 8)
  expect(new Set(parts.flat()).size).toBe(ROWS)
})

it('by Id where there is no stamp', async () => {
  const plan = await source.plan(org.session, await org.ask('Ledger__x', { mode: 'full' }))
  const ranges = await splitRanges(org.session, plan.request as unknown as ReadRequest, plan.counted, 3, 30)
  expect(ranges).toHaveLength(3)
  const parts = await read({ ...plan, ranges })
  expect(new Set(parts.flat()).size).toBe(plan.counted)
  expect(parts.map(({ length }) => length)).toEqual(spansOf(ranges).map(({ rows }) => rows))
})

it('records of one stamp stay one range, and few records too', async () => {
  const stamp = '2026-01-01T00:00:00.000Z'
  const ids = sandbox.control.ids({ object: 'Contact', limit: 1000 })
  sandbox.control.update({ object: 'Contact', ids, values: {}, stamp })
  const plan = await source.plan(org.session, await org.ask('Contact'))
  expect(await split(plan)).toEqual([{ id: 'all', spec: null }])
  const few = await source.plan(org.session, await org.ask('Account', { parallel: 4 }))
  expect(few.ranges).toEqual([{ id: 'all', spec: null }])
})

it('a plan of many records has ranges, and one of more fields than a query names reads each of them whole', async () => {
  const large = await startSalesforce({ accounts: 52_000, opportunities: 1, contacts: 1 })
  const reached = connect(large.url)
  try {
    const plan = await source.plan(reached.session, await reached.ask('Account', { parallel: 16 }))
    expect(plan.ranges.map(({ id }) => id)).toEqual(['part-0', 'part-1'])
    expect(spansOf(plan.ranges).reduce((sum, { rows }) => sum + rows, 0)).toBe(plan.counted)
    expect(plan.counted).toBe(52_000)
  } finally {
    await reached.close()
    await large.stop()
  }
  const plan = await source.plan(org.session, await org.ask('Contact', { mode: 'full' }))
  const request = plan.request as unknown as ReadRequest
  const [first = [], ...rest] = request.groups
  const half = Math.ceil(first.length / 2)
  const groups = [first.slice(0, half), ['Id', request.cursorField!, ...first.slice(half)], ...rest]
  const ids = sandbox.control.ids({ object: 'Contact', limit: 1000 })
  ids.forEach((id, at) => {
    const stamp = new Date(Date.UTC(2024, 0, 1, 0, 0, at)).toISOString()
    sandbox.control.update({ object: 'Contact', ids: [id], values: {}, stamp })
  })
  const ranges = await split(plan, 3)
  expect(ranges).toHaveLength(3)
  const wide = { ...plan, request: { ...request, groups } as unknown as Plan['request'] }
  for (const range of ranges) {
    const records = async (of: Plan) => {
      const found = []
      for await (const page of source.read(org.session, of, range, null)) found.push(...recordsOf(page))
      return found.map((record) => ({ ...record, attributes: null }))
    }
    expect(await records(wide)).toEqual(await records(plan))
  }
})

it('what a range lacks at its end is found, and every range goes on from any of its pages', async () => {
  const plan = await source.plan(org.session, await org.ask('Account'))
  const ranges = (await split(plan)).slice(1, 3)
  for (const range of ranges) {
    const pages = []
    for await (const page of source.read(org.session, plan, range, null)) pages.push(page)
    sandbox.control.expireLocators()
    const rest = []
    for await (const page of source.read(org.session, plan, range, pages[0]!.next)) rest.push(...idsOf(recordsOf(page)))
    expect(rest).toEqual(pages.slice(1).flatMap((page) => idsOf(recordsOf(page))))
    expect(pages.at(-1)!.position).toMatch(
      new RegExp(`of ${(range.spec as { rows: number }).rows.toLocaleString('en')}`),
    )
  }
  const lying = { status: 200, body: '{"totalSize":99999,"done":true,"records":[]}' }
  sandbox.control.fault({ match: 'query.*q=SELECT Id', do: { answer: lying } })
  await expect(read({ ...plan, ranges })).rejects.toThrow('promised 99999 records')
})
