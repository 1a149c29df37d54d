import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Sandbox, startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import { type Client, DATA, login } from './org-client.ts'

let sandbox: Sandbox
let client: Client
beforeAll(async () => {
  sandbox = await startSalesforce({ accounts: 4500, opportunities: 1, contacts: 1 })
})
afterAll(() => sandbox.stop())
beforeEach(async () => {
  client = await login(sandbox)
})
afterEach(() => {
  expect(sandbox.control.pendingFaults()).toBe(0)
})

const SOQL = 'SELECT Id FROM Account ORDER BY Id'
const PATH = `${DATA}/query?q=${encodeURIComponent(SOQL)}`
const QUERY = 'GET /services/data/[^/]+/query'

describe('faults', () => {
  it('answer something else, for as many requests as they were told, and let others pass', async () => {
    sandbox.control.fault({ match: QUERY, times: 2, do: { answer: { status: 429, headers: { 'retry-after': '3' } } } })
    expect((await client.get(`${DATA}/limits`)).status).toBe(200)
    const answer = await client.get(PATH)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '3'])
    expect((await client.get(PATH)).status).toBe(429)
    expect((await client.get(PATH)).status).toBe(200)
  })

  it('skip, and match the decoded query', async () => {
    sandbox.control.fault({ match: 'FROM Account', skip: 1, do: { answer: { status: 503 } } })
    expect((await client.get(PATH)).status).toBe(200)
    expect((await client.get(PATH)).status).toBe(503)
  })

  it.each([200, 503])('answer HTML with %i', async (status) => {
    sandbox.control.fault({ match: QUERY, do: { html: status } })
    const answer = await client.get(PATH)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'text/html;charset=UTF-8'])
    expect(await answer.text()).toContain('<html>')
  })

  it('cut the body as if it were whole', async () => {
    sandbox.control.fault({ match: QUERY, do: { cut: 500 } })
    const text = await (await client.get(PATH)).text()
    expect(text).toHaveLength(500)
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError)
  })

  it.each([{ truncate: 500 }, { lengthOff: 10 }])('break the connection in mid-body: %o', async (action) => {
    sandbox.control.fault({ match: QUERY, do: action })
    const answer = await client.get(PATH)
    expect(answer.status).toBe(200)
    await expect(answer.text()).rejects.toThrow()
  })

  it.each(['before', 'after'] as const)('close the connection %s the work was done', async (close) => {
    sandbox.control.reset()
    sandbox.control.fault({ match: QUERY, do: { close } })
    await expect(client.get(PATH)).rejects.toThrow()
    expect(sandbox.control.counts()).toEqual(close === 'before' ? { closed: 1 } : { query: 1 })
  })

  it('make an answer wait', async () => {
    sandbox.control.fault({ match: QUERY, do: { delayMs: 120 } })
    const from = Date.now()
    expect((await client.get(PATH)).status).toBe(200)
    expect(Date.now() - from).toBeGreaterThanOrEqual(115)
  })

  it('hold an answer until they are cleared', async () => {
    sandbox.control.fault({ match: QUERY, do: { stall: true } })
    const held = client.get(PATH)
    expect(await Promise.race([held, new Promise((resolve) => setTimeout(resolve, 80, 'held'))])).toBe('held')
    sandbox.control.clearFaults()
    expect((await held).status).toBe(200)
  })

  it('end every session in mid-read', async () => {
    const first = await client.query(SOQL)
    sandbox.control.fault({ match: `${QUERY}/0r8`, do: { expireTokens: true } })
    await expect(client.more(first)).rejects.toThrow('INVALID_SESSION_ID')
    expect((await (await login(sandbox)).more(first)).records).toHaveLength(2000)
  })

  it('give an empty page that leads on', async () => {
    const whole = await client.read(SOQL)
    sandbox.control.fault({ match: QUERY, do: { emptyPage: true } })
    sandbox.control.fault({ match: QUERY, skip: 1, do: { emptyPage: true } })
    const first = await client.query(SOQL)
    expect([first.records.length, first.done]).toEqual([0, false])
    const second = await client.more(first)
    expect(second.records).toHaveLength(2000)
    const third = await client.more(second)
    expect([third.records.length, third.done]).toEqual([0, false])
    expect(third.nextRecordsUrl).not.toBe(second.nextRecordsUrl)
    const rest = []
    for (let page = third; !page.done;) {
      page = await client.more(page)
      rest.push(...page.records)
    }
    expect([...second.records, ...rest]).toEqual(whole)
  })

  it('repeat a cursor', async () => {
    const first = await client.query(SOQL)
    sandbox.control.fault({ match: QUERY, do: { repeatCursor: true } })
    const second = await client.more(first)
    expect([second.done, second.nextRecordsUrl]).toEqual([false, first.nextRecordsUrl])
  })
})
