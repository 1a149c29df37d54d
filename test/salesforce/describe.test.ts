import { describe, expect, it } from 'vitest'
import { schemaOf } from '../../connectors/salesforce/describe.ts'
import type { DescribedField } from '../../connectors/salesforce/describe.ts'
import { salesforce } from '../../connectors/salesforce/salesforce.ts'

const parts = { compound: 'parts', numbers: 'decimal' } as const

/** Members as real descriptions have them; only what matters to us. */
function field(name: string, type: string, more: Partial<DescribedField> = {}): DescribedField {
  return {
    name,
    label: name,
    type,
    nillable: true,
    precision: 0,
    scale: 0,
    length: 0,
    filterable: true,
    sortable: true,
    ...more,
  }
}

function schema(fields: DescribedField[], options: Parameters<typeof schemaOf>[1] = parts) {
  return schemaOf({ name: 'Account', queryable: true, fields }, options)
}

describe('types', () => {
  it.each([
    [field('Id', 'id', { length: 18, nillable: false }), 'string', 'id(18)'],
    [field('OwnerId', 'reference', { length: 18 }), 'string', 'reference(18)'],
    [field('Name', 'string', { length: 255, compoundFieldName: 'Name' }), 'string', 'string(255)'],
    [field('Description', 'textarea', { length: 32000 }), 'string', 'textarea(32000)'],
    [field('Regions__c', 'multipicklist', { length: 4099 }), 'string', 'multipicklist(4099)'],
    [field('Secret__c', 'encryptedstring', { length: 175 }), 'string', 'encryptedstring(175)'],
    [field('Body', 'base64'), 'string', 'base64'],
    [field('IsDeleted', 'boolean', { nillable: false }), 'boolean', 'boolean'],
    [field('NumberOfEmployees', 'int'), 'int32', 'int'],
    [field('Big__c', 'long'), 'int64', 'long'],
    [field('AnnualRevenue', 'currency', { precision: 18, scale: 0 }), 'decimal(18,0)', 'currency(18,0)'],
    [field('Amount', 'currency', { precision: 18, scale: 2 }), 'decimal(18,2)', 'currency(18,2)'],
    [field('BillingLatitude', 'double', { precision: 18, scale: 15 }), 'decimal(18,15)', 'double(18,15)'],
    [field('Probability', 'percent', { precision: 3, scale: 0 }), 'decimal(3,0)', 'percent(3,0)'],
    [field('Odd__c', 'double', { precision: 0, scale: 0 }), 'float64', 'double(0,0)'],
    [field('Odder__c', 'double', { precision: 2, scale: 5 }), 'float64', 'double(2,5)'],
    [field('CloseDate', 'date'), 'date', 'date'],
    [field('SystemModstamp', 'datetime', { nillable: false }), 'timestamp', 'datetime'],
    [field('Opens__c', 'time'), 'time', 'time'],
    [field('Anything', 'anyType'), 'json', 'anyType'],
    [field('New__c', 'a type of next year'), 'json', 'a type of next year'],
  ])('$name $type', (described, type, sourceType) => {
    expect(schema([described]).fields[0]).toMatchObject({ type, sourceType })
  })

  it('gives doubles where they are asked for', () => {
    const [amount] = schema([field('Amount', 'currency', { precision: 18, scale: 2 })], {
      ...parts,
      numbers: 'float64',
    }).fields
    expect(amount?.type).toBe('float64')
  })

  it('trusts only the system about what is never null', () => {
    const { fields } = schema([
      field('Id', 'id', { nillable: false }),
      field('Name', 'string', { nillable: false }),
      field('CreatedDate', 'datetime', { nillable: false }),
      field('Active__c', 'boolean', { nillable: false }),
    ])
    expect(fields.map(({ nullable }) => nullable)).toEqual([false, true, false, false])
  })
})

describe('compound fields', () => {
  const address = field('BillingAddress', 'address', { sortable: false })
  const city = field('BillingCity', 'string', { compoundFieldName: 'BillingAddress' })
  const lonely = field('Place__c', 'location')

  it('come as their parts, and whole only where they have none', () => {
    expect(schema([address, city, lonely]).fields.map(({ name }) => name)).toEqual(['BillingCity', 'Place__c'])
  })

  it('come whole as JSON where that is asked for', () => {
    const { fields } = schema([address, city], { ...parts, compound: 'json' })
    expect(fields.map(({ name, type }) => `${name} ${type}`)).toEqual(['BillingAddress json', 'BillingCity string'])
  })
})

describe('keys, cursors and deletes', () => {
  it('orders by the best stamp that can be ordered by', () => {
    const { cursors, keys, deletes } = schema([
      field('CreatedDate', 'datetime'),
      field('LastModifiedDate', 'datetime', { sortable: false }),
      field('SystemModstamp', 'datetime'),
      field('Id', 'id'),
      field('IsDeleted', 'boolean'),
    ])
    expect({ cursors, keys, deletes }).toEqual({
      cursors: ['SystemModstamp', 'CreatedDate'],
      keys: ['Id'],
      deletes: true,
    })
  })

  it('knows objects without any', () => {
    const { cursors, keys, deletes } = schema([field('DurableId', 'string')])
    expect({ cursors, keys, deletes }).toEqual({ cursors: [], keys: [], deletes: false })
  })

  it('leaves out fields that are gone but for their name', () => {
    expect(schema([field('Old__c', 'string', { deprecatedAndHidden: true })]).fields).toEqual([])
  })
})

describe('settings', () => {
  it.each([
    ['https://acme.my.salesforce.com', undefined, 'v67.0'],
    ['https://acme.my.salesforce.com/', '62.0', 'v62.0'],
    ['https://acme.my.salesforce.com', 'v60.0', 'v60.0'],
  ])('%s %s', (loginUrl, apiVersion, expected) => {
    expect(salesforce.settings.parse({ loginUrl, ...(apiVersion ? { apiVersion } : {}) })).toEqual({
      loginUrl: 'https://acme.my.salesforce.com',
      apiVersion: expected,
    })
  })

  it.each([
    [{}, 'loginUrl'],
    [{ loginUrl: 'acme.my.salesforce.com' }, 'must be an https address'],
    [{ loginUrl: 'https://acme.my.salesforce.com/services' }, 'must be an address alone'],
    [{ loginUrl: 'https://u:p@acme.my.salesforce.com' }, 'must be an address alone'],
    [{ loginUrl: 'https://a.b', apiVersion: '29.0' }, 'too old'],
    [{ loginUrl: 'https://a.b', apiVersion: 'latest' }, 'must look like'],
    [{ loginUrl: 'https://a.b', loginurl: 'x' }, 'loginUrl'],
  ])('refuses %j', (written, message) => {
    expect(() => salesforce.settings.parse(written)).toThrow(message)
  })
})
