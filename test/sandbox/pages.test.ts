import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Sandbox, startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import { type Client, DATA, login, type Page } from './org-client.ts'

let sandbox: Sandbox
let client: Client
beforeAll(async () => {
  sandbox = await startSalesforce({ accounts: 4500, opportunities: 300, contacts: 10 })
})
afterAll(() => sandbox.stop())
beforeEach(async () => {
  sandbox.control.reset()
  client = await login(sandbox)
})

const idsOf = (pages: Page[]): unknown[] => pages.flatMap((page) => page.records.map((record) => record['Id']))

describe('paging', () => {
  it('gives every row once, and no cursor on the last page', async () => {
    const pages = [await client.queryAll('SELECT Id FROM Account ORDER BY SystemModstamp, Id')]
    while (!pages.at(-1)!.done) pages.push(await client.more(pages.at(-1)!))
    expect(pages.map((page) => page.records.length)).toEqual([2000, 2000, 500])
    expect(pages.map((page) => page.totalSize)).toEqual([4500, 4500, 4500])
    expect(pages[0]!.nextRecordsUrl).toMatch(/^\/services\/data\/v67\.0\/query\/0r8\w{15}-2000$/)
    expect(pages[2]).not.toHaveProperty('nextRecordsUrl')
    expect(new Set(idsOf(pages)).size).toBe(4500)
    expect(sandbox.control.served({ object: 'Account' })).toEqual({ rows: 4500, distinct: 4500, again: 0, pages: 3 })
  })

  it.each([
    ['SELECT Id FROM Account', { 'sforce-query-options': 'batchSize=250' }, 250],
    ['SELECT Id FROM Account', { 'sforce-query-options': 'batchSize=10' }, 200],
    ['SELECT Id FROM Account', { 'sforce-query-options': 'batchSize=9000' }, 2000],
    ['SELECT Id, Description FROM Account', {}, 1000],
    ['SELECT Id, Description FROM Account', { 'sforce-query-options': 'batchSize=2000' }, 1000],
  ] as const)('%s with %o: pages of %i', async (soql, headers, size) => {
    expect((await client.query(soql, { ...headers })).records).toHaveLength(size)
  })

  it('reads a page again by its locator', async () => {
    const first = await client.query('SELECT Id FROM Account ORDER BY Id')
    expect(await client.more(first)).toEqual(await client.more(first))
    expect(sandbox.control.served({ object: 'Account' }).again).toBe(2000)
  })

  it('counts without records', async () => {
    expect(await client.query('SELECT COUNT() FROM Account')).toEqual({
      totalSize: (await client.read('SELECT Id FROM Account')).length,
      done: true,
      records: [],
    })
  })

  it('fixes the rows of a query, not their values', async () => {
    const first = await client.query('SELECT Id, Name FROM Account ORDER BY Id')
    const { ids } = sandbox.control.insert({ object: 'Account', rows: [{ Name: 'new' }] })
    const [changed, gone] = sandbox.control.ids({ object: 'Account', offset: 3000, limit: 2, deleted: false })
    sandbox.control.update({ object: 'Account', ids: [changed!], values: { Name: 'changed' } })
    sandbox.control.delete({ object: 'Account', ids: [gone!] })
    const rest = [await client.more(first)]
    rest.push(await client.more(rest[0]!))
    const seen = new Map(rest.flatMap((page) => page.records.map((record) => [record['Id'], record['Name']])))
    expect(seen.get(changed)).toBe('changed')
    expect(seen.has(gone)).toBe(false)
    expect(seen.has(ids[0])).toBe(false)
    expect(first.records.length + seen.size).toBe(first.totalSize - 1)
    const all = await client.queryAll(`SELECT Id, IsDeleted FROM Account WHERE Id = '${gone}'`)
    expect(all.records[0]).toMatchObject({ Id: gone, IsDeleted: true })
    sandbox.control.purge({ object: 'Account', ids: [...ids, gone!] })
  })

  it.each(['0r8000000000000AAA-2000', '0r85g0000000APUAA2-99999999', 'nonsense'])(
    'refuses the locator %s',
    async (locator) => {
      const answer = await client.get(`${DATA}/query/${locator}`)
      expect([answer.status, await answer.json()]).toEqual([
        400,
        [{ message: 'invalid query locator', errorCode: 'INVALID_QUERY_LOCATOR' }],
      ])
    },
  )

  it('forgets locators when told to', async () => {
    const first = await client.query('SELECT Id FROM Account')
    sandbox.control.expireLocators()
    await expect(client.more(first)).rejects.toThrow('INVALID_QUERY_LOCATOR')
  })

  it('keeps a locator within its session where the org does', async () => {
    const strict = await startSalesforce({ accounts: 2500, locatorsPerSession: true })
    try {
      const one = await login(strict)
      const first = await one.query('SELECT Id FROM Account')
      await expect((await login(strict)).more(first)).rejects.toThrow('INVALID_QUERY_LOCATOR')
      expect((await one.more(first)).done).toBe(true)
    } finally {
      await strict.stop()
    }
  })
})

describe('resources', () => {
  it('lists versions without a login, and knows which are gone', async () => {
    const versions = (await (await fetch(`${sandbox.url}/services/data`)).json()) as { version: string; url: string }[]
    expect(versions.map((one) => one.version)).toContain('67.0')
    expect((await client.get('/services/data/v30.0/sobjects')).status).toBe(410)
    expect((await client.get('/services/data/v99.0/sobjects')).status).toBe(404)
    expect((await client.get(`${DATA}/nothing`)).status).toBe(404)
  })

  it('lists objects that can and cannot be read', async () => {
    const { sobjects } = (await (await client.get(`${DATA}/sobjects`)).json()) as {
      sobjects: Record<string, unknown>[]
    }
    const queryable = Object.fromEntries(sobjects.map((one) => [one['name'], one['queryable']]))
    expect(queryable).toMatchObject({ Account: true, Group: true, Ledger__x: true, AccountChangeEvent: false })
    expect(await client.read('SELECT Id FROM Group')).toHaveLength(40)
    expect(await client.read('SELECT Id FROM acme__Order_Line_2024__c')).not.toHaveLength(0)
  })

  it('describes again only what changed', async () => {
    const path = `${DATA}/sobjects/Contact/describe`
    const first = await client.get(path)
    const since = { 'if-modified-since': first.headers.get('last-modified')! }
    const again = await client.get(path, since)
    expect([again.status, await again.text()]).toEqual([304, ''])
    sandbox.control.addField({ object: 'Contact', name: 'Level__c', type: 'picklist', options: { picklist: ['1'] } })
    const changed = await client.get(path, since)
    const { fields } = (await changed.json()) as { fields: { name: string }[] }
    expect(fields.at(-1)).toMatchObject({ name: 'Level__c', type: 'picklist', custom: true, nillable: true })
    sandbox.control.removeField({ object: 'Contact', name: 'Level__c' })
    expect((await client.get(path, { 'if-modified-since': changed.headers.get('last-modified')! })).status).toBe(200)
    await expect(client.query('SELECT Level__c FROM Contact')).rejects.toThrow('INVALID_FIELD')
  })

  it('gives one record, limits, and what was deleted or updated', async () => {
    const [id] = sandbox.control.ids({ object: 'Account', limit: 1, offset: 40, deleted: false })
    expect(await (await client.get(`${DATA}/sobjects/Account/${id}?fields=Id,IsDeleted`)).json()).toMatchObject({
      Id: id,
    })
    const answer = await client.get(`${DATA}/limits`)
    expect(await answer.json()).toHaveProperty('DailyApiRequests.Max', 100_000)
    expect(answer.headers.get('sforce-limit-info')).toMatch(/^api-usage=\d+\/100000$/)
    sandbox.control.delete({ object: 'Account', ids: [id!], stamp: new Date(Date.now() - 3_600_000).toISOString() })
    const window = `start=${new Date(Date.now() - 7_200_000).toISOString()}&end=${new Date().toISOString()}`
    const deleted = (await (await client.get(`${DATA}/sobjects/Account/deleted/?${window}`)).json()) as {
      deletedRecords: unknown[]
    }
    expect(deleted.deletedRecords).toContainEqual({ id, deletedDate: expect.stringMatching(/\+0000$/) })
    expect(await (await client.get(`${DATA}/sobjects/Account/updated/?${window}`)).json()).toHaveProperty(
      'latestDateCovered',
    )
    const ago = `start=2020-01-01T00:00:00Z&end=${new Date().toISOString()}`
    expect((await client.get(`${DATA}/sobjects/Account/deleted/?${ago}`)).status).toBe(400)
  })

  it('compresses, dates and refuses as documented', async () => {
    const path = `${DATA}/query?q=${encodeURIComponent('SELECT Id, Name FROM Account')}`
    expect((await client.get(path, { 'accept-encoding': 'gzip' })).headers.get('content-encoding')).toBe('gzip')
    expect((await client.get(path, { 'accept-encoding': 'identity' })).headers.get('content-encoding')).toBeNull()
    sandbox.control.clock({ offsetMs: -3_600_000 })
    const late = Date.parse((await client.get(`${DATA}/limits`)).headers.get('date')!)
    sandbox.control.clock({ offsetMs: 0 })
    expect(Math.abs(late + 3_600_000 - Date.now())).toBeLessThan(5000)
    expect((await client.get(`${DATA}/query?q=${'x'.repeat(16_400)}`)).status).toBe(414)
    expect((await client.get(`${DATA}/query`)).status).toBe(400)
    const lost = await fetch(`${client.instanceUrl}${DATA}/limits`, { headers: { authorization: 'Bearer x' } })
    expect([lost.status, await lost.json()]).toEqual([
      401,
      [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }],
    ])
  })

  it('runs out of requests', async () => {
    const { usedRequests } = sandbox.control.behave({})
    sandbox.control.behave({ maxRequests: usedRequests + 1 })
    expect((await client.get(`${DATA}/limits`)).status).toBe(200)
    const answer = await client.get(`${DATA}/limits`)
    sandbox.control.behave({ maxRequests: 100_000 })
    expect([answer.status, await answer.json()]).toEqual([
      403,
      [{ message: 'TotalRequests Limit exceeded.', errorCode: 'REQUEST_LIMIT_EXCEEDED' }],
    ])
    expect(answer.headers.get('retry-after')).toBeNull()
  })
})
