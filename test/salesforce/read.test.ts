import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ReadRequest } from '../../connectors/salesforce/plan.ts'
import { salesforce } from '../../connectors/salesforce/salesforce.ts'
import { startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import type { Sandbox } from '../sandboxes/salesforce/salesforce.ts'
import { connect, idsOf, readAll, source } from './org.ts'
import type { Org } from './org.ts'

let sandbox: Sandbox
let org: Org
beforeAll(async () => {
  sandbox = await startSalesforce({ accounts: 3000, opportunities: 300, contacts: 50, ties: 2200 })
  org = connect(sandbox.url)
})
afterAll(async () => {
  await org.close()
  await sandbox.stop()
})
beforeEach(() => {
  sandbox.control.clearFaults()
  sandbox.control.clock({ offsetMs: 0 })
  org.notes.length = 0
})

const truth = (object = 'Account'): string[] =>
  [...sandbox.control.truth(object, { includeDeleted: true })].map(({ Id }) => Id!)
const sorted = (ids: string[]): string[] => ids.toSorted()

describe('objects', () => {
  it('are listed with why they cannot be read', async () => {
    const found = []
    for await (const object of source.objects(org.session)) found.push(object)
    expect(found).toContainEqual({ name: 'Account', label: 'Account' })
    expect(found.find(({ name }) => name === 'AccountChangeEvent')?.unreadable).toContain('queried')
  })

  it('that are not there are told with advice', async () => {
    await expect(source.describe(org.session, 'Nothing__c', {})).rejects.toMatchObject({
      kind: 'missing',
      advice: expect.stringContaining('no such object') as string,
    })
  })

  it('are read whole where they have no stamp', async () => {
    const plan = await source.plan(org.session, await org.ask('Ledger__x', { mode: 'incremental' }))
    expect(plan).toMatchObject({ bound: null, cursorField: null, order: 'key' })
    expect(plan.notes.join()).toContain('reads all of it')
    const { records } = await readAll(org.session, plan)
    expect(records).toHaveLength(plan.counted!)
  })
})

describe('a plan', () => {
  it('reads up to the source clock minus settle, and counts what is held back', async () => {
    sandbox.control.clock({ offsetMs: 10 * 60_000 })
    const late = connect(sandbox.url)
    try {
      sandbox.control.update({
        object: 'Opportunity',
        ids: sandbox.control.ids({ object: 'Opportunity', limit: 3 }),
        values: {},
      })
      const plan = await source.plan(late.session, await late.ask('Opportunity', { settleMs: 5 * 60_000 }))
      const bound = Date.parse(plan.bound!)
      // Their clock is ten minutes ahead of ours: ours would put the bound five minutes into the past.
      expect(bound - Date.now()).toBeGreaterThan(4 * 60_000)
      expect(bound - Date.now()).toBeLessThan(6 * 60_000)
      expect(bound % 1000).toBe(0)
      expect(plan.heldBack).toBe(3)
    } finally {
      await late.close()
    }
  })

  it('never ends before it begins, and never after the trigger', async () => {
    const from = new Date(Date.now() + 3_600_000).toISOString()
    expect(await source.plan(org.session, await org.ask('Account', { from }))).toMatchObject({
      bound: from,
      counted: 0,
    })
    const ceiling = Date.parse('2025-01-01T00:00:00.500Z')
    const plan = await source.plan(org.session, await org.ask('Account', { ceiling }))
    expect(plan).toMatchObject({ bound: '2025-01-01T00:00:00.000Z', heldBack: null })
  })

  it('cuts a window exactly', async () => {
    const ask = await org.ask('Account', { mode: 'window', from: '2024-01-01T00:00:00Z', to: '2025-01-01T00:00:00Z' })
    const { records } = await readAll(org.session, await source.plan(org.session, ask))
    const inside = [...sandbox.control.truth('Account', { includeDeleted: true })].filter(
      ({ SystemModstamp }) => SystemModstamp! >= '2024-01-01' && SystemModstamp! < '2025-01-01',
    )
    expect(inside.length).toBeGreaterThan(0)
    expect(sorted(idsOf(records))).toEqual(sorted(inside.map(({ Id }) => Id!)))
  })

  it.each(['Name', 'Nothing__c'])('refuses to go by %s', async (cursorField) => {
    await expect(source.plan(org.session, await org.ask('Account', { cursorField }))).rejects.toMatchObject({
      name: 'InputError',
      problems: [{ where: 'Account cursorField', advice: expect.stringContaining('SystemModstamp') as string }],
    })
  })

  it('reads records without a stamp in a full read by a field that may be null', async () => {
    const ask = await org.ask('Account', { mode: 'full', cursorField: 'Last_Audit__c' })
    const plan = await source.plan(org.session, ask)
    expect(plan).toMatchObject({ order: 'key', cursorField: 'Last_Audit__c' })
    const { records } = await readAll(org.session, plan)
    const nulls = records.filter(({ Last_Audit__c: value }) => value === null)
    expect(nulls.length).toBeGreaterThan(0)
    expect(new Set(idsOf(records)).size).toBe(records.length)
  })

  it('leaves deleted records out where they are not wanted', async () => {
    const plan = await source.plan(org.session, await org.ask('Account', { includeDeleted: false }))
    const { records } = await readAll(org.session, plan)
    expect(records.some(({ IsDeleted }) => IsDeleted)).toBe(false)
    expect(records).toHaveLength([...sandbox.control.truth('Account')].length)
  })
})

describe('reading', () => {
  it('brings everything once, with ties, and proves it by counts', async () => {
    const plan = await source.plan(org.session, await org.ask('Account'))
    const { records, pages } = await readAll(org.session, plan)
    expect(sorted(idsOf(records))).toEqual(sorted(truth()))
    expect(plan.counted).toBe(records.length)
    expect(await source.count!(org.session, plan)).toBe(records.length)
    expect(pages.at(-1)?.next).toBeNull()
    expect(pages[0]?.position).toMatch(/^1,000 of 3,000, at \d{4}-/)
  })

  it.each(['by the locator', 'by the order, once the locator has expired'])(
    'goes on from every cursor %s',
    async (how) => {
      const plan = await source.plan(org.session, await org.ask('Account'))
      const whole = await readAll(org.session, plan)
      const ids = idsOf(whole.records)
      for (const [index, page] of whole.pages.entries()) {
        if (page.next === null) continue
        if (how !== 'by the locator') sandbox.control.expireLocators()
        const before = whole.pages.slice(0, index + 1).flatMap(({ records }) => idsOf(records))
        // Through text, as it lies in a unit record.
        const rest = await readAll(org.session, plan, JSON.parse(JSON.stringify(page.next)) as typeof page.next)
        expect([...before, ...idsOf(rest.records)]).toEqual(ids)
      }
    },
  )

  it('goes on after the locator expired in mid-read, twice', async () => {
    const plan = await source.plan(org.session, await org.ask('Account'))
    sandbox.control.fault({ match: String.raw`/query/0r8\S+-1000`, do: { expireLocators: true }, times: 2 })
    const { records } = await readAll(org.session, plan)
    expect(sorted(idsOf(records))).toEqual(sorted(truth()))
    expect(org.notes.join()).toContain('locator had expired')
  })

  it('leaves a record that changes meanwhile to the next run, and brings it then', async () => {
    const first = await source.plan(org.session, await org.ask('Account'))
    const [victim, last] = [truth()[2500]!, truth().at(-1)!]
    const got: string[] = []
    let changed = false
    for await (const page of source.read(org.session, first, first.ranges[0]!, null)) {
      const { records } = JSON.parse(Buffer.from(page.body as Uint8Array).toString()) as { records: { Id: string }[] }
      got.push(...records.map(({ Id }) => Id))
      if (changed) continue
      changed = true
      const unread = [victim, last].filter((id) => !got.includes(id))
      expect(unread.length).toBeGreaterThan(0)
      sandbox.control.update({ object: 'Account', ids: unread, values: { Phone: '1' } })
    }
    await new Promise((resolve) => setTimeout(resolve, 1100))
    const second = await source.plan(org.session, await org.ask('Account', { from: first.bound! }))
    const next = idsOf((await readAll(org.session, second)).records)
    expect(new Set([...got, ...next]).size).toBe(got.length + next.length)
    expect(sorted([...got, ...next])).toEqual(sorted(truth()))
    expect(org.notes.join()).toContain('changed while they were read')
  })

  it('goes on over an empty page', async () => {
    const plan = await source.plan(org.session, await org.ask('Account'))
    sandbox.control.fault({ match: '/query/0r8', do: { emptyPage: true } })
    const { records, pages } = await readAll(org.session, plan)
    expect(pages.some((page) => page.records.length === 0)).toBe(true)
    expect(sorted(idsOf(records))).toEqual(sorted(truth()))
  })

  it.each([
    ['a cursor that repeats', { match: '/query/0r8', do: { repeatCursor: true } }],
    ['a first page that repeats', { match: 'queryAll', skip: 1, do: { repeatCursor: true } }],
    ['HTML again and again', { match: '/query/0r8', times: 0, do: { html: 200 } }],
    [
      'JSON that is cut but looks whole',
      { match: '/query/0r8', times: 0, do: { answer: { status: 200, body: '{"totalSize":1,"records":[{]}' } } },
    ],
    [
      'an end that comes early',
      { match: '/query/0r8', do: { answer: { status: 200, body: '{"totalSize":3000,"done":true,"records":[]}' } } },
    ],
    [
      'a next page elsewhere',
      {
        match: '/query/0r8',
        do: {
          answer: {
            status: 200,
            body: '{"totalSize":3000,"done":false,"nextRecordsUrl":"https://evil.example/x","records":[]}',
          },
        },
      },
    ],
    [
      'no next page',
      { match: '/query/0r8', do: { answer: { status: 200, body: '{"totalSize":3000,"done":false,"records":[]}' } } },
    ],
  ])('does not take for an answer: %s', async (_, fault) => {
    const ask = await org.ask('Account')
    sandbox.control.fault(fault)
    const plan = await source.plan(org.session, ask)
    await expect(readAll(org.session, plan)).rejects.toMatchObject({ kind: 'answer' })
  })

  it.each([
    ['a session that ends', { match: '/query/0r8', do: { expireTokens: true } }],
    ['one 503', { match: '/query/0r8', do: { answer: { status: 503 } } }],
    ['one HTML page', { match: '/query/0r8', do: { html: 200 } }],
    ['a cut body', { match: '/query/0r8', do: { truncate: 5000 } }],
    ['a body cut without a word', { match: '/query/0r8', do: { cut: 5000 } }],
    ['a wrong length', { match: '/query/0r8', do: { lengthOff: 10 } }],
    ['a closed connection', { match: '/query/0r8', do: { close: 'before' as const } }],
    ['a lost answer', { match: '/query/0r8', do: { close: 'after' as const } }],
    ['a short wait', { match: '/query/0r8', do: { answer: { status: 429, headers: { 'retry-after': '1' } } } }],
  ])('gets over %s', async (_, fault) => {
    const plan = await source.plan(org.session, await org.ask('Account'))
    sandbox.control.fault(fault)
    expect(sorted(idsOf((await readAll(org.session, plan)).records))).toEqual(sorted(truth()))
  })

  it.each([
    [
      403,
      '[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]',
      {},
      'quota',
      30 * 60_000,
    ],
    [
      403,
      '[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"ConcurrentPerOrgLongTxn Limit exceeded."}]',
      {},
      'throttled',
      120_000,
    ],
    [429, '', { 'retry-after': '90' }, 'throttled', 90_000],
    [429, '', {}, 'throttled', 30_000],
    [503, '', { 'retry-after': '60' }, 'transient', 60_000],
    [
      400,
      '[{"errorCode":"QUERY_TIMEOUT","message":"Your query request was running for too long."}]',
      {},
      'transient',
      60_000,
    ],
    [400, '[{"errorCode":"INVALID_FIELD","message":"No such column"}]', {}, 'missing', undefined],
    [403, '[{"errorCode":"API_DISABLED_FOR_ORG","message":"API is not enabled"}]', {}, 'forbidden', undefined],
    [410, '[{"errorCode":"UNSUPPORTED_API_VERSION","message":"gone"}]', {}, 'rejected', undefined],
  ])('throws what has to be waited for or mended: %i %s', async (status, body, headers, kind, waitMs) => {
    const plan = await source.plan(org.session, await org.ask('Account'))
    sandbox.control.fault({ match: '/queryAll', times: 0, do: { answer: { status, body, headers } } })
    await expect(readAll(org.session, plan)).rejects.toMatchObject({ kind, waitMs })
  })
})

describe('more fields than a URL holds', () => {
  const name = (index: number): string => `A_very_long_name_of_a_field_${String(index).padStart(3, '0')}__c`
  beforeAll(() => {
    for (let index = 0; index < 400; index++) {
      sandbox.control.addField({ object: 'Opportunity', name: name(index), type: 'string', fill: true })
    }
  })

  it('come in parts that are joined by Id', async () => {
    const wide = connect(sandbox.url)
    try {
      const plan = await source.plan(wide.session, await wide.ask('Opportunity'))
      expect((plan.request as unknown as ReadRequest).groups.length).toBeGreaterThan(1)
      const { records } = await readAll(wide.session, plan)
      const expected = new Map(
        [...sandbox.control.truth('Opportunity', { includeDeleted: true })]
          .filter(({ SystemModstamp }) => SystemModstamp! < plan.bound!)
          .map((record) => [record.Id!, record]),
      )
      expect(records).toHaveLength(expected.size)
      const members = ['attributes', ...(await wide.ask('Opportunity')).fields].toSorted()
      for (const record of records) {
        expect(Object.keys(record).toSorted()).toEqual(members)
        expect(record[name(0)]).toBe(expected.get(record.Id)?.[name(0)])
        expect(record[name(399)]).toBe(expected.get(record.Id)?.[name(399)])
        expect(record.StageName).toBe(expected.get(record.Id)?.StageName)
      }
    } finally {
      await wide.close()
    }
  })
})

describe('a record that changes between its parts', () => {
  /** Does something once, behind the first page of records. */
  function interrupted(on: Org, what: () => void): Org['session'] {
    const { http } = on.session
    let pages = 0
    return {
      ...on.session,
      http: {
        token: (name) => http.token(name),
        async request(asked) {
          const answer = await http.request(asked)
          if (asked.url.includes('query') && !asked.url.includes('COUNT') && ++pages === 1) what()
          return answer
        },
      },
    }
  }

  it('is left out whole, and nothing else is', async () => {
    const wide = connect(sandbox.url)
    try {
      const plan = await source.plan(wide.session, await wide.ask('Opportunity'))
      const [changed = ''] = sandbox.control.ids({ object: 'Opportunity', offset: 20, limit: 1 })
      const session = interrupted(wide, () =>
        sandbox.control.update({ object: 'Opportunity', ids: [changed], values: { StageName: 'Closed Won' } }),
      )
      const { records } = await readAll(session, plan)
      expect(records).toHaveLength(plan.counted! - 1)
      expect(idsOf(records)).not.toContain(changed)
      expect(wide.notes.join()).toContain('1 records were changed or removed')
    } finally {
      await wide.close()
    }
  })

  it('is not given out where its parts do not fit and it is still in the window', async () => {
    const wide = connect(sandbox.url)
    try {
      const plan = await source.plan(wide.session, await wide.ask('Opportunity'))
      const [changed = ''] = sandbox.control.ids({ object: 'Opportunity', offset: 30, limit: 1 })
      const session = interrupted(wide, () =>
        sandbox.control.update({ object: 'Opportunity', ids: [changed], values: {}, stamp: '2020-01-01T00:00:00Z' }),
      )
      await expect(readAll(session, plan)).rejects.toMatchObject({ kind: 'transient' })
      expect((await readAll(wide.session, plan)).records).toHaveLength(plan.counted!)
    } finally {
      await wide.close()
    }
  })
})

describe('who the connection reaches', () => {
  it('is told by organization and user, and changes with the org', async () => {
    const before = await salesforce.identity(org.session)
    sandbox.control.setOrg({ orgId: '00D5g00000ZZZZZEAK' })
    sandbox.control.expireTokens()
    // What was begun with one org is not ended with another.
    const ask = await org.ask('Account')
    await expect(source.plan(org.session, ask)).rejects.toMatchObject({ kind: 'moved' })
    const next = connect(sandbox.url)
    expect(await salesforce.identity(next.session)).not.toBe(before)
    await next.close()
    expect(before).toMatch(/^00D\w+\/005\w+$/)
  })
})
