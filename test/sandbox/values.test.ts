import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isId, longId } from '../sandboxes/salesforce/ids.ts'
import { compareNumbers, jsonNumber, plainNumber } from '../sandboxes/salesforce/numbers.ts'
import { type Sandbox, startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import { TIED_STAMP } from '../sandboxes/salesforce/table.ts'
import { HURTING_DATES, HURTING_TEXT } from '../sandboxes/salesforce/values.ts'
import { type Client, DATA, login } from './org-client.ts'

let sandbox: Sandbox
let client: Client
beforeAll(async () => {
  sandbox = await startSalesforce({ accounts: 25_000, opportunities: 400, contacts: 200 })
  client = await login(sandbox)
})
afterAll(() => sandbox.stop())

interface Described {
  name: string
  type: string
  scale: number
  nillable: boolean
  length: number
  filterable: boolean
  soapType: string
}
const fieldsOf = async (object: string): Promise<Described[]> => {
  const body = (await (await client.get(`${DATA}/sobjects/${object}/describe`)).json()) as { fields: Described[] }
  return body.fields
}

describe('numbers', () => {
  it.each([
    ['0', '0.0'],
    ['5000', '5000.0'],
    ['-12.5', '-12.5'],
    ['9999999', '9999999.0'],
    ['10000000', '1.0E7'],
    ['99213206', '9.9213206E7'],
    ['-14412092.88', '-1.441209288E7'],
    ['0.001', '0.001'],
    ['0.00012', '1.2E-4'],
    ['123456789012345678', '123456789012345678'],
    ['-9999999999999999.99', '-9999999999999999.99'],
  ])('%s is written %s', (plain, written) => {
    expect(jsonNumber(plain)).toBe(written)
    expect(plainNumber(written)).toBe(plain)
    expect(compareNumbers(plain, plainNumber(written))).toBe(0)
  })

  it('compare beyond a double', () => {
    expect(compareNumbers('9007199254740993', '9007199254740992')).toBe(1)
    expect(compareNumbers('-0.010', '-0.01')).toBe(0)
  })
})

describe('ids', () => {
  it('have the documented suffix', () => {
    expect(longId('001D000000IRFma')).toBe('001D000000IRFmaIAH')
    expect(isId('001D000000IRFmaIAH')).toBe(true)
    expect(isId('001D000000IRFmaIAI')).toBe(false)
  })

  it('differ in case alone, and ascend', () => {
    const ids = sandbox.control.ids({ object: 'Account', limit: 100 })
    expect(new Set(ids.map((id) => id.slice(0, 15).toLowerCase())).size).toBeLessThan(ids.length)
    expect(ids).toEqual(ids.toSorted((a, b) => (a < b ? -1 : 1)))
  })
})

describe('data', () => {
  it('holds what hurts', () => {
    const rows = [...sandbox.control.truth('Account', { includeDeleted: true })]
    const texts = new Set(rows.flatMap((row) => [row['Name'], row['Fax'], row['BillingStreet']]))
    // There is no empty text: it is kept as null.
    for (const text of HURTING_TEXT) expect(texts, JSON.stringify(text)).toContain(text || null)
    for (const date of HURTING_DATES)
      expect(
        rows.some((row) => row['Founded__c'] === date),
        date,
      ).toBe(true)
    const values = (name: string): Set<string | null> => new Set(rows.map((row) => row[name]!))
    expect(values('AnnualRevenue')).toContain('-999999999999999999')
    expect(values('AnnualRevenue')).toContain('9007199254740993')
    expect(values('Contract_Value__c')).toContain('9999999999999999.99')
    expect(values('AccountNumber')).toContain('01234')
    expect(values('Fax')).toContain(null)
    const tied = rows.filter((row) => row['SystemModstamp'] === new Date(TIED_STAMP).toISOString())
    expect(tied.length).toBeGreaterThanOrEqual(10_000)
    expect(rows.filter((row) => row['IsDeleted'] === 'true').length).toBeGreaterThan(100)
  })

  it('is the same for a seed and another for another', async () => {
    const twin = await startSalesforce({ accounts: 40 })
    const other = await startSalesforce({ accounts: 40, seed: 2 })
    try {
      const rows = (one: Sandbox): unknown[] =>
        [...one.control.truth('Account')].map((row) => [row['Id'], row['Website']])
      const same = await startSalesforce({ accounts: 40 })
      expect(rows(twin)).toEqual(rows(same))
      expect(rows(twin)).not.toEqual(rows(other))
      await same.stop()
    } finally {
      await twin.stop()
      await other.stop()
    }
  })

  it.each(['Account', 'Opportunity', 'Contact', 'Invoice__c', 'AccountHistory', 'Ledger__x'])(
    'of %s is what its description and the truth say',
    async (object) => {
      const fields = await fieldsOf(object)
      const soql = `SELECT ${fields.map((field) => field.name).join()} FROM ${object}`
      const answer = await client.get(`${DATA}/query?q=${encodeURIComponent(`${soql} ORDER BY Id LIMIT 200`)}`)
      const text = await answer.text()
      const { records } = JSON.parse(text) as { records: Record<string, unknown>[] }
      const truth = new Map([...sandbox.control.truth(object)].map((row) => [row['Id'], row]))
      // Numbers as they stand in the body: JSON.parse would round them.
      const numbers = new Set(text.match(/(?<=":)-?[\d.]+(?:E-?\d+)?/g))
      for (const record of records) {
        const row = truth.get(record['Id'] as string)!
        for (const { name, type, scale, nillable, length } of fields) {
          const [value, exact] = [record[name], row[name]!]
          if (!nillable) expect(value, name).not.toBeNull()
          if (value === null) expect(exact).toBeNull()
          else if (type === 'address' || type === 'location') expect(JSON.parse(exact)).toEqual(value)
          else if (type === 'datetime') expect(value).toBe(exact.replace('Z', '+0000'))
          else if (type === 'boolean') expect(value).toBe(exact === 'true')
          else if (typeof value === 'number') {
            const plain = type === 'int' || scale === 0 ? exact : exact.replace(/\.?0+$/, '')
            expect(numbers, name).toContain(type === 'int' ? plain : jsonNumber(plain))
          } else {
            expect(value).toBe(exact)
            if (length > 0) expect(exact.length, name).toBeLessThanOrEqual(length)
          }
        }
      }
      expect(records.length).toBeGreaterThan(0)
    },
  )

  it('describes fields as a real org does', async () => {
    const fields = Object.fromEntries((await fieldsOf('Account')).map((field) => [field.name, field]))
    expect(Object.keys(fields).length).toBeGreaterThanOrEqual(40)
    // From a recorded description of a real org.
    expect(fields['AnnualRevenue']).toMatchObject({
      type: 'currency',
      soapType: 'xsd:double',
      precision: 18,
      scale: 0,
      byteLength: 0,
      groupable: false,
    })
    expect(fields['BillingLatitude']).toMatchObject({
      type: 'double',
      precision: 18,
      scale: 15,
      compoundFieldName: 'BillingAddress',
    })
    expect(fields['BillingAddress']).toMatchObject({
      type: 'address',
      soapType: 'urn:address',
      filterable: true,
      sortable: false,
    })
    expect(fields['Description']).toMatchObject({
      type: 'textarea',
      length: 32_000,
      byteLength: 96_000,
      filterable: false,
      sortable: false,
    })
    expect(fields['NumberOfEmployees']).toMatchObject({ type: 'int', soapType: 'xsd:int', digits: 8, precision: 0 })
    expect(fields['Name']).toMatchObject({ nameField: true, nillable: false, length: 255, byteLength: 765 })
    expect(fields['OwnerId']).toMatchObject({
      type: 'reference',
      soapType: 'tns:ID',
      referenceTo: ['User'],
      relationshipName: 'Owner',
      length: 18,
    })
    expect(fields['SystemModstamp']).toMatchObject({
      type: 'datetime',
      nillable: false,
      createable: false,
      updateable: false,
      filterable: true,
    })
    expect(fields['IsDeleted']).toMatchObject({ type: 'boolean', aggregatable: false, defaultedOnCreate: true })
  })
})
