/** Objects read by Bulk jobs: the same records as by pages, and what becomes of jobs that do not go well. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Ask, Plan } from '../../connectors/connector.ts'
import { decodePage } from '../../connectors/records/decode.ts'
import { rangesOf } from '../../connectors/salesforce/bulk/result-ranges.ts'
import { startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import type { Sandbox } from '../sandboxes/salesforce/salesforce.ts'
import { exported, rowsOf } from './bulk-reading.ts'
import { connect, source } from './org.ts'
import type { Org } from './org.ts'

const ROWS = 3000
const usual = { polls: 2, hang: false, fail: null, resultPages: true, pageRows: 250, mostRows: 50_000 }
let sandbox: Sandbox
let org: Org
beforeAll(async () => {
  sandbox = await startSalesforce({ accounts: ROWS, opportunities: 900, contacts: 700, ties: 800 })
  org = connect(sandbox.url)
})
afterAll(async () => {
  await org.close()
  await sandbox.stop()
})
beforeEach(() => {
  const { control } = sandbox
  control.clearFaults()
  control.forgetQueryJobs()
  control.bulk(usual)
  control.reset()
  org.notes.length = 0
})

const planOf = async (object: string, api: string, more: Partial<Ask> = {}): Promise<Plan> =>
  source.plan(org.session, await org.ask(object, { options: { api }, parallel: 4, ...more }))
const count = (route: string): number => sandbox.control.counts()[route] ?? 0

describe('the same records come by a job as by pages', () => {
  const OBJECTS = ['Account', 'Opportunity', 'Contact', 'Invoice__c', 'Group', 'User', 'acme__Order_Line_2024__c']
  it.each(OBJECTS)('%s: every value of every column', async (object) => {
    const { schema } = await org.ask(object)
    const ceiling = Date.UTC(2026, 0, 1)
    const pages = await planOf(object, 'rest', { ceiling })
    const job = await planOf(object, 'bulk', { ceiling })
    expect([pages.api, job.api, job.notes]).toEqual(['rest', 'bulk', []])
    const same = { api: '', request: null, ranges: [], order: '', job: null, expires: null }
    expect({ ...job, ...same }).toEqual({ ...pages, ...same })
    expect(Math.round((Date.parse(job.expires!) - Date.now()) / 86_400_000)).toBe(7)
    const rows = await rowsOf(org.session, pages, schema)
    expect(rows.length).toBe(pages.counted)
    expect(await rowsOf(org.session, await exported(org.session, job), schema)).toEqual(rows)
  })

  it('with numbers as doubles, without deleted records, within a window', async () => {
    const ask = { from: '2024-03-01T00:00:00.000Z', to: '2025-09-01T00:00:00.000Z', includeDeleted: false }
    const options = { numbers: 'float64' }
    const schema = await source.describe(org.session, 'Account', options)
    const [pages, job] = await Promise.all(
      ['rest', 'bulk'].map((api) => planOf('Account', '', { ...ask, schema, options: { ...options, api } })),
    )
    const rows = await rowsOf(org.session, pages!, schema)
    expect(rows.length).toBeGreaterThan(500)
    expect(await rowsOf(org.session, await exported(org.session, job!), schema)).toEqual(rows)
  })
})

describe('the way is chosen', () => {
  const ways: [what: string, more: Partial<Ask>, api: string, why: string | null][] = [
    ['few records', { options: {} }, 'rest', null],
    ['many records', { options: { bulkFrom: 1000 } }, 'bulk', null],
    ['many records, and pages asked for', { options: { bulkFrom: 1000, api: 'rest' } }, 'rest', null],
    ['a job that was refused', { options: { api: 'bulk' }, noJob: true }, 'rest', 'did not export it'],
    ['some records to look at', { options: { api: 'bulk' }, most: 10 }, 'rest', null],
    ['nothing to read', { options: { api: 'bulk' }, from: '2040-01-01T00:00:00.000Z' }, 'rest', null],
  ]
  it.each(ways)('%s', async (_, more, api, why) => {
    const plan = await planOf('Account', '', more)
    expect(plan.api).toBe(api)
    expect(plan.job).toBe(api === 'bulk' ? true : undefined)
    expect(plan.notes.filter((note) => note.includes('by pages'))).toEqual(
      why === null ? [] : [expect.stringContaining(why) as string],
    )
  })

  it('whole addresses, which jobs cannot give', async () => {
    const options = { api: 'bulk', compound: 'json' }
    const schema = await source.describe(org.session, 'Account', options)
    const plan = await planOf('Account', '', { options, schema })
    expect(plan.api).toBe('rest')
    expect(plan.notes).toEqual(['Account is read by pages of its records: Bulk jobs cannot give BillingAddress.'])
  })

  it('records that Salesforce could not count in time are many', async () => {
    const answer = { status: 400, body: '[{"message":"Your query request timed out","errorCode":"QUERY_TIMEOUT"}]' }
    sandbox.control.fault({ match: 'COUNT', times: 0, do: { answer } })
    expect(await planOf('Account', 'auto')).toMatchObject({ api: 'bulk', counted: null })
  })
})

describe('results', () => {
  it('are shared out by the pages that the org has, as many as it has', async () => {
    const plan = await exported(org.session, await planOf('Account', 'bulk'))
    expect(plan.ranges.map(({ id }) => id)).toEqual(['results-0', 'results-1', 'results-2', 'results-3'])
    expect(count('resultPages')).toBe(3)
    const { schema } = await org.ask('Account')
    sandbox.control.reset()
    expect(await rowsOf(org.session, plan, schema)).toHaveLength(ROWS)
    expect(count('results')).toBe(ROWS / 250)
  })

  it('come by one chain of locators where it has none, or where they are too large', async () => {
    sandbox.control.bulk({ resultPages: false, mostRows: 600 })
    const { schema } = await org.ask('Account')
    const one = await exported(org.session, await planOf('Account', 'bulk'))
    expect(one.ranges).toHaveLength(1)
    expect(await rowsOf(org.session, one, schema)).toHaveLength(ROWS)
    const answer = { status: 200, body: '{"resultPages":[{"resultUrl":"/a"},{"resultUrl":"/b"}],"done":true}' }
    sandbox.control.bulk({ resultPages: true })
    sandbox.control.fault({ match: 'resultPages', do: { answer } })
    const { results } = one.ranges[0]!.spec as { results: string }
    const url = results.replace('/results', '')
    const job = { id: '', apiVersion: 'v67.0', object: 'Account', parallel: 4, url, rows: 10_000_000 }
    expect(await rangesOf(org.session, job)).toHaveLength(1)
  })

  it('of a page that has lost or gained records, or ends within a line, are an error', async () => {
    const { schema } = await org.ask('Account')
    for (const fault of [{ recordsOff: 1 }, { recordsOff: -1 }, { cut: 20_000 }]) {
      const plan = await exported(org.session, await planOf('Account', 'bulk'))
      sandbox.control.fault({ match: '/results', skip: 3, do: fault })
      await expect(rowsOf(org.session, plan, schema)).rejects.toThrow(/has \d+ records, and|ends within a line/)
    }
  })

  it('of a chain that ends before its time are an error', async () => {
    sandbox.control.bulk({ resultPages: false, mostRows: 400 })
    const { schema } = await org.ask('Contact')
    const plan = await exported(org.session, await planOf('Contact', 'bulk'))
    const headers = { 'sforce-numberofrecords': '0', 'sforce-locator': 'null' }
    sandbox.control.fault({ match: '/results', skip: 1, do: { answer: { status: 200, headers } } })
    await expect(rowsOf(org.session, plan, schema)).rejects.toThrow(
      'found 700 records, and its results ended after 400',
    )
  })

  it('have names of columns on every page, or on the first alone', async () => {
    sandbox.control.bulk({ resultPages: false, mostRows: 1000 })
    const { schema } = await org.ask('Group')
    const plan = await exported(org.session, await planOf('Group', 'bulk'))
    const pages = []
    for await (const page of source.read(org.session, plan, plan.ranges[0]!, null)) pages.push(page)
    const bare = { status: 200, headers: { 'sforce-numberofrecords': String(pages[0]!.records) } }
    const body = Buffer.from(pages[0]!.body as Uint8Array).toString()
    sandbox.control.fault({ match: '/results', do: { answer: { ...bare, body } } })
    const again = []
    for await (const page of source.read(org.session, plan, plan.ranges[0]!, null)) again.push(page)
    const decoded = [pages, again].map((found) => found.flatMap((page) => [...decodePage(page, schema.fields)]))
    expect(decoded[1]!.map(({ batch }) => batch.rows)).toEqual(decoded[0]!.map(({ batch }) => batch.rows))
    expect(again[0]!.body).toEqual(pages[0]!.body)
  })

  it('leave out what was changed while the job ran: the next run has it', async () => {
    const { control } = sandbox
    const { schema } = await org.ask('Account')
    const plan = await planOf('Account', 'bulk')
    const ref = await source.job!.submit(org.session, plan, 'run')
    expect(await source.job!.poll(org.session, ref)).toMatchObject({ waitMs: 2000 })
    const [changed, tied] = control.ids({ object: 'Account', limit: 2, deleted: false })
    control.update({ object: 'Account', ids: [changed!], values: { Name: 'late "one",\n' } })
    control.update({ object: 'Account', ids: [tied!], values: {}, stamp: plan.bound! })
    const state = await source.job!.poll(org.session, ref)
    const ready = { ...plan, ranges: 'ready' in state ? state.ready : [] }
    const ids = (await rowsOf(org.session, ready, schema)).map(({ Id }) => Id)
    expect(ids).toHaveLength(ROWS - 2)
    expect(ids.includes(changed) || ids.includes(tied)).toBe(false)
    expect(new Set(org.notes)).toEqual(
      new Set(['Account: some records were changed while they were read; the next run brings them.']),
    )
    control.clock({ offsetMs: 5000 })
    const later = connect(sandbox.url)
    const next = await source.plan(later.session, await later.ask('Account', { from: plan.bound! }))
    expect(next.counted).toBe(2)
    await later.close()
    control.clock({ offsetMs: 0 })
  })
})

describe('a job', () => {
  it('that Salesforce will not do is refused, with its reason', async () => {
    const ledger = await planOf('Ledger__x', 'bulk')
    await expect(exported(org.session, ledger)).rejects.toThrow(
      /Ledger__x by a Bulk job: .*not supported by the Bulk API/,
    )
    sandbox.control.bulk({ fail: 'InternalServerError: Retried more than 15 times' })
    await expect(exported(org.session, await planOf('Group', 'bulk'))).rejects.toThrow('Retried more than 15 times')
    const message = 'Max bulk v2 query jobs (10000) per 24 hrs has been reached'
    const answer = { status: 403, body: JSON.stringify([{ errorCode: 'REQUEST_LIMIT_EXCEEDED', message }]) }
    sandbox.control.fault({ match: 'POST .*jobs/query', do: { answer } })
    await expect(exported(org.session, await planOf('Group', 'bulk'))).rejects.toThrow(message)
  })

  it('is asked for ever more rarely, as long as it runs', async () => {
    sandbox.control.bulk({ hang: true })
    const ref = await source.job!.submit(org.session, await planOf('Group', 'bulk'), 'run')
    const waits: unknown[] = []
    for (const minutes of [0, 1, 60]) {
      sandbox.control.clock({ offsetMs: minutes * 60_000 })
      const fresh = connect(sandbox.url)
      const state = await source.job!.poll(fresh.session, ref)
      waits.push('waitMs' in state ? Math.round(state.waitMs / 1000) : state)
      await fresh.close()
    }
    sandbox.control.clock({ offsetMs: 0 })
    expect(waits).toEqual([2, 6, 60])
  })

  it('that is gone, or was aborted, is begun again by the lane; so is one whose results are gone', async () => {
    const plan = await planOf('Group', 'bulk')
    const expired = { kind: 'cursor-expired' }
    const ref = (await source.job!.submit(org.session, plan, 'run')) as { id: string }
    const url = `/services/data/v67.0/jobs/query/${ref.id}`
    await org.session.http.request({ method: 'PATCH', url, body: '{"state":"Aborted"}', doing: 'abort' })
    await expect(source.job!.poll(org.session, ref)).rejects.toMatchObject(expired)
    const ready = await exported(org.session, plan)
    sandbox.control.forgetQueryJobs()
    await expect(source.job!.poll(org.session, ready.ref)).rejects.toMatchObject(expired)
    const { schema } = await org.ask('Group')
    await expect(rowsOf(org.session, ready, schema)).rejects.toMatchObject(expired)
  })

  it('is aborted and removed, whatever has become of it, any number of times', async () => {
    const { control } = sandbox
    const plan = await planOf('Group', 'bulk')
    const done = await exported(org.session, plan)
    control.bulk({ hang: true })
    const running = await source.job!.submit(org.session, plan, 'run')
    await source.job!.poll(org.session, running)
    const waiting = await source.job!.submit(org.session, plan, 'run')
    expect(control.queryJobs().map(({ state }) => state)).toEqual(['JobComplete', 'InProgress', 'UploadComplete'])
    for (const ref of [done.ref, running, waiting, running]) await source.job!.cancel(org.session, ref)
    expect(control.queryJobs()).toEqual([])
  })
})
