/** objects, fields and preview against the sandbox: what is shown is what the org has, and nothing that it must not. */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { JsonObject } from '../../connectors/connector.ts'
import type { Sandbox } from '../sandboxes/salesforce/salesforce.ts'
import { startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import { flowOf } from './stand-in/flows.ts'
import type { Recorded } from './stand-in/recorder.ts'
import { recorded } from './stand-in/recorder.ts'

const SECRET = 'canary-4711-secret'
const folder = mkdtempSync(join(tmpdir(), 'lakeward-source-'))
const config = join(folder, 'lakeward.yaml')
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSalesforce({ accounts: 300, opportunities: 50, clientId: 'me', clientSecret: SECRET })
  writeFileSync(
    config,
    stringify({
      version: 1,
      connections: {
        crm: {
          connector: 'salesforce',
          loginUrl: sandbox.url,
          auth: { type: 'client_credentials', clientId: 'me', clientSecret: { env: 'LAKEWARD_TEST_SECRET' } },
        },
        lake: { connector: 'file', path: './lake' },
        inbox: { connector: 'file', path: './in' },
      },
      keys: { pii: { env: 'LAKEWARD_TEST_KEY' } },
    }),
  )
})

afterAll(async () => {
  await sandbox.stop()
  rmSync(folder, { recursive: true, force: true })
})

beforeEach(() => {
  process.env.LAKEWARD_TEST_SECRET = SECRET
  process.env.LAKEWARD_TEST_KEY = 'a key for hashes'
})

async function lakeward(...args: string[]): Promise<Recorded> {
  const told = await recorded(...args, '--config', config)
  expect(told.out + told.said).not.toContain(SECRET)
  return told
}

function flowFile(objects: JsonObject[]): string {
  const path = join(folder, 'flow.yaml')
  writeFileSync(path, stringify(flowOf('previewed', { source: { connection: 'crm', objects } })))
  return path
}

interface Shown {
  object: string
  read: number
  filtered: number
  rows: Record<string, unknown>[]
  rejects: { field: string; rule: string; record: Record<string, unknown> }[]
}

async function previewed(objects: JsonObject[], ...more: string[]): Promise<Shown[]> {
  const { code, out, said } = await lakeward('preview', flowFile(objects), '--json', ...more)
  expect([code, said]).toEqual([0, ''])
  return (JSON.parse(out) as { objects: Shown[] }).objects
}

test('objects and fields', async () => {
  const { out, said } = await lakeward('objects', 'crm')
  expect(out).toMatch(/^Account +Account$/m)
  expect(out).toMatch(/^AccountChangeEvent .* cannot be read: /m)
  expect(said).toMatch(/^\d+ objects$/)
  const matched = JSON.parse((await lakeward('objects', 'crm', '--match', 'OPPORT', '--json')).out) as {
    name: string
  }[]
  expect(matched.map(({ name }) => name)).toEqual(['Opportunity'])
  const fields = await lakeward('fields', 'crm', 'Opportunity')
  expect(fields.out).toMatch(/^Amount +decimal\(18,2\) +yes +currency\(18,2\) +Amount$/m)
  expect(fields.said).toContain('key Id; incremental by SystemModstamp')
})

test('preview shows rows after the transforms, digits and all, and moves nothing', async () => {
  const [account] = await previewed(
    [
      {
        object: 'Account',
        transform: [
          { keep: ['Id', 'Name', 'Phone', 'AnnualRevenue', 'Website'] },
          { rename: { AnnualRevenue: 'revenue' } },
          { mask: { fields: ['Phone'] } },
          { hash: { fields: ['Website'], key: 'pii' } },
        ],
      },
    ],
    '--rows',
    '40',
  )
  expect(account?.rows).toHaveLength(40)
  const truth = new Map([...sandbox.control.truth('Account', { includeDeleted: true })].map((row) => [row.Id, row]))
  for (const row of account?.rows ?? []) {
    const real = truth.get(row.Id as string)
    expect(Object.keys(row)).toEqual(['Id', 'Name', 'Phone', 'revenue', 'Website', '_lakeward_op'])
    expect(row.Name).toBe(real?.Name)
    if (row.Phone !== null) expect(row.Phone).toMatch(/^\*+$/)
    if (row.Website !== null) expect(row.Website).toMatch(/^[0-9a-f]{64}$/)
  }
  const [all] = await previewed([{ object: 'Account', includeDeleted: true }], '--rows', '300')
  const shown = (all?.rows ?? []).map(({ Id, AnnualRevenue }) => [Id, AnnualRevenue])
  const real = [...truth.values()].map(({ Id, AnnualRevenue }) => [Id, AnnualRevenue])
  const byId = (a: unknown[], b: unknown[]): number => ((a[0] as string) < (b[0] as string) ? -1 : 1)
  expect(shown.toSorted(byId)).toEqual(real.toSorted(byId))
})

test('preview shows what a filter leaves and what is set aside', async () => {
  const [account, opportunity] = await previewed([
    {
      object: 'Account',
      where: { Active__c: { eq: true } },
      transform: [{ validate: { fields: ['Phone'], rule: 'notNull' } }],
    },
    { object: 'Opportunity' },
  ])
  expect(account?.rows.length).toBeGreaterThan(0)
  for (const row of account?.rows ?? []) if (row['_lakeward_op'] === 'upsert') expect(row.Active__c).toBe(true)
  expect(account?.rejects.length).toBeGreaterThan(0)
  for (const { field, rule, record } of account?.rejects ?? []) {
    expect([field, rule, record.Phone]).toEqual(['Phone', 'notNull', null])
  }
  expect(opportunity?.rows).toHaveLength(10)
  const people = await lakeward('preview', flowFile([{ object: 'Opportunity' }]), '--rows', '2')
  expect(people.out.split('\n')).toHaveLength(3)
  expect(people.said).toMatch(/2 rows of \d+ read/)
})

test('names that nothing has are told with the nearest', async () => {
  const flow = (object: JsonObject): string[] => ['preview', flowFile([object])]
  const cases: [() => string[], string][] = [
    [() => ['fields', 'crm', 'Acount'], "did you mean 'Account'?"],
    [() => ['objects', 'cmr'], "did you mean 'crm'?"],
    [() => flow({ object: 'Oportunity' }), "did you mean 'Opportunity'?"],
    [() => [...flow({ object: 'Account' }), '--object', 'Acct'], 'the flow has no object Acct'],
    [() => flow({ object: 'Account', transform: [{ drop: ['Nmae'] }] }), 'Nmae'],
    [() => flow({ object: 'Account', transform: [{ hash: { fields: ['Name'], key: 'no' } }] }), 'no key no'],
  ]
  for (const [args, message] of cases) {
    const { code, said } = await lakeward(...args())
    expect([code, said.includes(message)], said).toEqual([2, true])
  }
})

test('check compares objects, filters and transforms with the source, all at once', async () => {
  const path = flowFile([
    { object: 'Acount' },
    { object: 'Account', where: { Nmae: { eq: 'x' } } },
    { object: 'Opportunity', transform: [{ rename: { Amount: 'Name' } }] },
  ])
  const { code, said } = await lakeward('check', path)
  expect(code).toBe(2)
  expect(said).toMatch(/flow\.yaml:\d+ source\.objects\[0\]: .*Acount/)
  expect(said).toMatch(/flow\.yaml:\d+ source\.objects\[1\]\.where.*Nmae/)
  expect(said).toMatch(/flow\.yaml:\d+ source\.objects\[2\]\.transform\[0\]/)
  expect(said).toMatch(/3 problems$/)
  expect((await lakeward('check', path, '--offline')).code).toBe(0)
  const fine = await lakeward('check', flowFile([{ object: 'Account' }]))
  expect(fine).toMatchObject({ code: 0, said: expect.stringContaining('objects and fields fit the source') })
})

test('patterns: what they take is listed, shown and compared', async () => {
  const names = (await lakeward('objects', 'crm', 'A*t*')).out.match(/^A\w+/gm)
  expect(names?.toSorted()).toEqual(['Account', 'AccountChangeEvent', 'AccountHistory'])
  const { code, said } = await lakeward('fields', 'crm', 'Opp*')
  expect([code, said]).toEqual([2, expect.stringContaining('Opp* matches Opportunity')])

  const path = flowFile([{ object: 'Account*' }, { object: 'Opp*' }])
  const shown = await lakeward('preview', path, '--rows', '2')
  expect(shown.said).toContain('Account* takes 2 objects: Account, AccountHistory; left out: AccountChangeEvent (')
  expect(shown.said).toMatch(/^Account$[^]*^AccountHistory$[^]*^Opportunity$/m)
  const one = JSON.parse((await lakeward('preview', path, '--json', '--object', 'Opportunity')).out) as object
  expect(one).toMatchObject({ objects: [{ object: 'Opportunity' }] })

  const fine = await lakeward('check', path)
  expect([fine.code, fine.said]).toEqual([
    0,
    expect.stringMatching(/fields fit the source[^]*Opp\* takes 1 object: Opp/),
  ])
  const wrong = await lakeward('check', flowFile([{ object: 'Account' }, { object: 'opp*' }]))
  expect([wrong.code, wrong.said]).toEqual([
    2,
    expect.stringMatching(/flow\.yaml:\d+ source\.objects\[1\]: .*Opportunity/),
  ])
})

test('fields of files: a guess that a flow takes as it is, and preview reads', async () => {
  mkdirSync(join(folder, 'in/orders'), { recursive: true })
  const lines = ['id;zip;amount;day;note', '1;01234;12.50;2026-05-06;"a;b"', '2;99999;3;2026-05-07;']
  writeFileSync(join(folder, 'in/orders/1.csv'), lines.join('\n'))
  // Younger than a minute it would wait.
  utimesSync(join(folder, 'in/orders/1.csv'), 1_700_000_000, 1_700_000_000)
  writeFileSync(
    join(folder, 'in/x.jsonl'),
    '{"id":1,"at":"2026-05-06T11:56:44Z","tags":[1],"n":1.5}\n{"id":9007199254740993}\n',
  )
  expect((await lakeward('objects', 'inbox')).out).toMatch(/orders\/\*\.csv +1 file/)
  const { out } = await lakeward('fields', 'inbox', 'orders/*.csv')
  const { objects } = parse(out) as { objects: JsonObject[] }
  expect(objects).toEqual([
    {
      object: 'orders/*.csv',
      into: 'orders',
      format: 'csv',
      csv: { delimiter: ';' },
      schema: { id: 'int64', zip: 'string', amount: 'decimal(18,2)', day: 'date', note: 'string' },
    },
  ])
  const { schema } = JSON.parse((await lakeward('fields', 'inbox', 'x.jsonl', '--json')).out) as JsonObject
  expect(schema).toEqual({ id: 'int64', at: 'timestamp', tags: 'json', n: 'decimal(18,1)' })

  const path = join(folder, 'files.yaml')
  writeFileSync(path, stringify(flowOf('files', { source: { connection: 'inbox', objects } })))
  const shown = await lakeward('preview', path)
  expect(shown.out).toMatch(/1 +01234 +12\.50 +2026-05-06 +a;b/)
  expect(await lakeward('fields', 'inbox', 'nothing/*.csv')).toMatchObject({
    code: 1,
    said: expect.stringMatching(/no file of/),
  })
})

test('connectors: what can be reached, and what is written for it', async () => {
  const { out } = await lakeward('connectors')
  expect(out).toMatch(/^salesforce +source, records +client_credentials, .*Salesforce: objects of an org/m)
  const one = await lakeward('connectors', 'salesforce')
  expect(one.out).toMatch(/^ {2}loginUrl ! +address of your org/m)
  expect(one.out).toMatch(/auth of type refresh_token\n[^]*?refreshToken ! +A reference to a secret/)
  expect(one.out).toMatch(/compound .*parts \| json \(default parts\)/)
  expect(one.out).toMatch(/requests per day +16 in flight.*dailyCalls/)
  const all = JSON.parse((await lakeward('connectors', '--json')).out) as object[]
  expect(all).toContainEqual(expect.objectContaining({ name: 'file', auth: [], options: [], limits: [] }))
  expect(await lakeward('connectors', 'salesforse')).toMatchObject({
    code: 2,
    said: expect.stringContaining('Did you mean salesforce?'),
  })
})

test('credentials that are refused, or not there, have their own exit code', async () => {
  process.env.LAKEWARD_TEST_SECRET = 'canary-of-another'
  sandbox.control.expireTokens()
  rmSync(join(folder, '.lakeward'), { recursive: true, force: true })
  const refused = await lakeward('objects', 'crm')
  expect(refused.code).toBe(4)
  expect(refused.said).toMatch(/^error: \[salesforce\] log in to crm failed: .*\n {2}Check clientId and clientSecret/)
  expect(refused.said).not.toContain('canary-of-another')
  delete process.env.LAKEWARD_TEST_SECRET
  const check = await lakeward('check', flowFile([{ object: 'Account' }]))
  expect([check.code, check.said]).toEqual([0, expect.stringContaining('not compared with the source')])
  const absent = await lakeward('objects', 'crm')
  expect([absent.code, absent.said]).toEqual([4, expect.stringContaining('LAKEWARD_TEST_SECRET')])
})
