import { describe, expect, it } from 'vitest'
import { ApiError } from '../sandboxes/salesforce/errors.ts'
import { SalesforceOrg } from '../sandboxes/salesforce/org.ts'
import { parseSoql } from '../sandboxes/salesforce/soql.ts'
import { runQuery } from '../sandboxes/salesforce/soql-run.ts'

const ROWS: [name: string, values: Record<string, unknown>][] = [
  ['a', { Name: 'Acme', Amount: '9007199254740993.01', CloseDate: '2024-02-29', IsPrivate: true, NextStep: null }],
  ['b', { Name: 'ACME', Amount: '9007199254740993.02', CloseDate: '1700-01-01', IsPrivate: false, NextStep: "it's" }],
  ['c', { Name: 'acmé', Amount: '-0.01', CloseDate: '4000-12-31', IsPrivate: false, NextStep: 'a\nb' }],
  ['d', { Name: '100%', Amount: '0', CloseDate: '2024-03-01', IsPrivate: true, NextStep: 'back\\slash' }],
  ['e', { Name: 'a_b', Amount: null, CloseDate: '2024-02-28', IsPrivate: true, NextStep: '' }],
  ['f', { Name: 'axb', Amount: '1.0E7', CloseDate: '2024-02-29', IsPrivate: false, NextStep: '株式会社' }],
]
const INSTANTS = ['2024-01-01T00:00:00Z', '2024-01-01T00:00:00Z', '2024-01-01T00:00:01Z', '2024-01-02T00:00:00Z']

const org = new SalesforceOrg({
  seed: 1,
  accounts: 30,
  opportunities: 0,
  contacts: 0,
  ties: 0,
  orgId: '00D5g000004XyZaEAK',
})
const table = org.table('Opportunity')!
const account = org.table('Account')!.id(7)
const ids = ROWS.map(([step, values], at) => {
  const row = table.insert(
    { AccountId: null, ...values, Kickoff__c: INSTANTS[at] ?? null },
    Date.UTC(2024, 0, 1 + (at % 3)),
  )
  if (step === 'f') table.update(row, { AccountId: account }, table.stamp(row))
  return [table.id(row), step] as const
})
table.setDeleted(table.insert({ Name: 'gone' }, 0), true, 0)
const steps = new Map<string, string>(ids)

/** The rows that a query finds, by their letters. */
function found(rest: string, all = false): string {
  const { rows } = runQuery(org, parseSoql(`SELECT Id FROM Opportunity ${rest}`), all, 1)
  return Array.from(rows, (row) => steps.get(table.id(row)) ?? '?').join('')
}

describe('WHERE', () => {
  it.each([
    [`Name = 'acme'`, 'ab'],
    [`Name != 'acme'`, 'cdef'],
    [`Name IN ('ACMÉ', '100%')`, 'cd'],
    [`Name NOT IN ('ACMÉ', '100%')`, 'abef'],
    [`Name LIKE 'a%'`, 'abcef'],
    [`Name LIKE 'A_B'`, 'ef'],
    [`Name LIKE 'a\\_b'`, 'e'],
    [`Name LIKE '%\\%'`, 'd'],
    [`(NOT Name LIKE 'a%')`, 'd'],
    [`NextStep = 'it\\'s'`, 'b'],
    [`NextStep = 'a\\nb'`, 'c'],
    [`NextStep = 'back\\\\slash'`, 'd'],
    [`NextStep = '\\u682a式会社'`, 'f'],
    [`NextStep LIKE 'back\\\\%'`, 'd'],
    [`NextStep = null`, 'ae'],
    [`NextStep = ''`, 'ae'],
    [`NextStep != null`, 'bcdf'],
    [`Amount > 9007199254740993.01`, 'b'],
    [`Amount = 9007199254740993.01`, 'a'],
    [`Amount <= 0`, 'cd'],
    [`Amount = 1e7`, 'f'],
    [`Amount != 0`, 'abcef'],
    [`Amount = null`, 'e'],
    [`CloseDate = 2024-02-29`, 'af'],
    [`CloseDate < 2024-02-29`, 'be'],
    [`CloseDate >= 4000-12-31`, 'c'],
    [`Kickoff__c = 2024-01-01T01:00:00+01:00`, 'ab'],
    [`Kickoff__c > 2024-01-01T00:00:00.000Z`, 'cd'],
    [`SystemModstamp < 2024-01-02T00:00:00Z`, 'ad'],
    [`IsPrivate = true`, 'ade'],
    [`IsPrivate != TRUE`, 'bcf'],
    [`AccountId = '${account}'`, 'f'],
    [`AccountId = '${account.slice(0, 15)}'`, 'f'],
    [`Id > '${ids[3]![0]}'`, 'ef'],
    [`Id IN ('${ids[1]![0]}', '${ids[2]![0].slice(0, 15)}')`, 'bc'],
    [`IsPrivate = true AND (Amount = 0 OR Amount = null)`, 'de'],
    [`name = 'acme' and ISPRIVATE = false`, 'b'],
    [`NOT (Name = 'acme' AND IsPrivate = true)`, 'bcdef'],
  ])('%s', (where, expected) => {
    expect(found(`WHERE ${where} ORDER BY Id`)).toBe(expected)
  })
})

describe('ORDER BY, LIMIT, OFFSET', () => {
  it.each([
    ['ORDER BY Amount', 'ecdfab'],
    ['ORDER BY Amount DESC NULLS LAST', 'bafdce'],
    ['ORDER BY Amount ASC NULLS LAST', 'cdfabe'],
    ['ORDER BY CloseDate DESC, Id ASC', 'cdafeb'],
    ['ORDER BY Name, Id', 'deabcf'],
    ['ORDER BY SystemModstamp, Id', 'adbecf'],
    ['ORDER BY SystemModstamp DESC, Id DESC', 'fcebda'],
    ['ORDER BY Id LIMIT 2', 'ab'],
    ['ORDER BY Id LIMIT 2 OFFSET 3', 'de'],
    ['ORDER BY Id LIMIT 0', ''],
    ['WHERE Amount > 0 ORDER BY SystemModstamp, Id LIMIT 2', 'ab'],
  ])('%s', (rest, expected) => {
    expect(found(rest)).toBe(expected)
  })

  it('shows deleted rows to queryAll only', () => {
    expect(found('')).toHaveLength(ROWS.length)
    expect(found('', true)).toHaveLength(ROWS.length + 1)
  })

  it('promises no order that the query does not ask for', () => {
    const orders = Array.from({ length: 8 }, (_, turn) => [
      ...runQuery(org, parseSoql('SELECT Id FROM Account'), false, turn).rows,
    ])
    expect(new Set(orders.map(String)).size).toBeGreaterThan(1)
    for (const order of orders) expect(order.toSorted((a, b) => a - b)).toEqual(orders[0]!.toSorted((a, b) => a - b))
  })
})

describe('refusals', () => {
  it.each([
    ['SELECT Nam FROM Opportunity', 'INVALID_FIELD', `No such column 'Nam' on entity 'Opportunity'`],
    ['SELECT Id FROM Oportunity', 'INVALID_TYPE', `sObject type 'Oportunity' is not supported`],
    ['SELECT Id FROM AccountChangeEvent', 'INVALID_TYPE_FOR_OPERATION', 'does not support query'],
    ['SELECT * FROM Opportunity', 'MALFORMED_QUERY', `no viable alternative at character '*'`],
    ['SELECT Id, FROM Opportunity', 'MALFORMED_QUERY', 'unexpected token'],
    ['SELECT Id FROM Opportunity WHERE', 'MALFORMED_QUERY', `unexpected token: '<EOF>'`],
    ['SELECT Id, Id FROM Opportunity', 'MALFORMED_QUERY', 'duplicate field selected: Id'],
    ['SELECT Account.Name FROM Opportunity', 'MALFORMED_QUERY', 'no viable alternative'],
    ['SELECT MAX(Amount) FROM Opportunity', 'MALFORMED_QUERY', `unexpected token: '('`],
    ['SELECT Id FROM Opportunity GROUP BY Name', 'MALFORMED_QUERY', `unexpected token: 'GROUP'`],
    ['SELECT Id FROM Opportunity LIMIT -1', 'MALFORMED_QUERY', 'unexpected token'],
    ['SELECT Id FROM Opportunity OFFSET 2001', 'NUMBER_OUTSIDE_VALID_RANGE', 'Maximum SOQL offset allowed is 2000'],
    [`SELECT Id FROM Opportunity WHERE Name = 'a`, 'MALFORMED_QUERY', `character '<EOF>'`],
    [`SELECT Id FROM Opportunity WHERE Name = 'a\\qb'`, 'MALFORMED_QUERY', 'Illegal character sequence'],
    [`SELECT Id FROM Opportunity WHERE Name = "a"`, 'MALFORMED_QUERY', 'no viable alternative'],
    [
      `SELECT Id FROM Opportunity WHERE Name = 1`,
      'INVALID_FIELD',
      'must be of type string and should be enclosed in quotes',
    ],
    [
      `SELECT Id FROM Opportunity WHERE Amount = '1'`,
      'INVALID_FIELD',
      'must be of type double and should not be enclosed',
    ],
    [`SELECT Id FROM Opportunity WHERE IsPrivate = 'true'`, 'INVALID_FIELD', 'must be of type boolean'],
    [`SELECT Id FROM Opportunity WHERE CloseDate = '2024-01-01'`, 'INVALID_FIELD', 'must be of type date and'],
    [`SELECT Id FROM Opportunity WHERE CloseDate = 2024-01-01T00:00:00Z`, 'INVALID_FIELD', 'must be of type date and'],
    [
      `SELECT Id FROM Opportunity WHERE SystemModstamp > '2024-01-01T00:00:00Z'`,
      'INVALID_FIELD',
      'must be of type dateTime',
    ],
    [`SELECT Id FROM Opportunity WHERE SystemModstamp > 2024-01-01`, 'INVALID_FIELD', 'must be of type dateTime'],
    // A plus sign that nobody encoded arrives as a space.
    [
      `SELECT Id FROM Opportunity WHERE SystemModstamp > 2024-01-01T00:00:00 00:00`,
      'MALFORMED_QUERY',
      'no viable alternative',
    ],
    [`SELECT Id FROM Opportunity WHERE CloseDate = 2024-02-30`, 'MALFORMED_QUERY', 'Invalid date: 2024-02-30'],
    [`SELECT Id FROM Opportunity WHERE CloseDate = 4001-01-01`, 'MALFORMED_QUERY', 'Invalid date'],
    [`SELECT Id FROM Opportunity WHERE Id = 'nonsense'`, 'INVALID_QUERY_FILTER_OPERATOR', 'invalid ID field: nonsense'],
    [
      `SELECT Id FROM Opportunity WHERE Id LIKE '006%'`,
      'INVALID_QUERY_FILTER_OPERATOR',
      'invalid operator on id field',
    ],
    [
      `SELECT Id FROM Opportunity WHERE IsPrivate > false`,
      'INVALID_QUERY_FILTER_OPERATOR',
      'invalid operator on boolean',
    ],
    [`SELECT Id FROM Opportunity WHERE Description = 'x'`, 'INVALID_FIELD', `field 'Description' can not be filtered`],
    [`SELECT Id FROM Opportunity ORDER BY Description`, 'INVALID_FIELD', `field 'Description' can not be sorted`],
    [`SELECT Id FROM Account ORDER BY BillingAddress`, 'INVALID_FIELD', 'can not be sorted'],
    [`SELECT Id FROM Account WHERE BillingAddress = 'x'`, 'INVALID_FIELD', 'can not be filtered'],
    [
      `SELECT Id FROM Opportunity WHERE Name = 'a' AND Name = 'b' OR Name = 'c'`,
      'MALFORMED_QUERY',
      `unexpected token: 'OR'`,
    ],
    [`SELECT Id FROM Opportunity WHERE Name = 'a' AND NOT Name = 'b'`, 'MALFORMED_QUERY', `unexpected token: 'NOT'`],
    [`SELECT Id FROM Opportunity WHERE CloseDate = TODAY`, 'MALFORMED_QUERY', `unexpected token: 'TODAY'`],
  ])('%s', (soql, code, message) => {
    let error: unknown
    try {
      runQuery(org, parseSoql(soql), false, 1)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(ApiError)
    expect((error as ApiError).errorCode).toBe(code)
    expect((error as ApiError).message).toContain(message)
  })

  it('points at the place', () => {
    expect(() => parseSoql('SELECT Id FRM Account')).toThrow(
      '\nSELECT Id FRM Account\n          ^\nERROR at Row:1:Column:11\n',
    )
  })
})
