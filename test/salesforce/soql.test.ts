import { describe, expect, it } from 'vitest'
import * as soql from '../../connectors/salesforce/soql.ts'

describe('text literals', () => {
  it.each([
    ["O'Brien", String.raw`'O\'Brien'`],
    ['say "hi"', String.raw`'say \"hi\"'`],
    ['C:\\dir', String.raw`'C:\\dir'`],
    ['a\nb\rc\td', String.raw`'a\nb\rc\td'`],
    ["' OR Name != '", String.raw`'\' OR Name != \''`],
    ["\\' OR Id != NULL --", String.raw`'\\\' OR Id != NULL --'`],
    ['\u0000\u001b\u2028', String.raw`'\u0000\u001b\u2028'`],
    ['北京 😀', "'北京 😀'"],
    ['100%_', "'100%_'"],
    ['', "''"],
  ])('%j', (value, literal) => expect(soql.textLiteral(value)).toBe(literal))

  it.each([
    ['100%', String.raw`'%100\%%'`],
    ['a_b', String.raw`'%a\_b%'`],
    ["50% o'", String.raw`'%50\% o\'%'`],
    ['\\%', String.raw`'%\\\%%'`],
  ])('contains %j', (value, literal) => expect(soql.containsLiteral(value)).toBe(literal))

  it('leaves no quote that could end the literal', () => {
    for (const hostile of ["'", "\\'", "\\\\'", "\n'", "'--", "a'b'c", '\u0027'.repeat(3), '\\'.repeat(5) + "'"]) {
      const inside = soql.textLiteral(hostile).slice(1, -1)
      expect(inside.replaceAll(/\\u[0-9a-f]{4}|\\./g, '')).not.toMatch(/['\\]/)
    }
  })
})

describe('other literals', () => {
  it.each([
    [1000, '1000'],
    [-0.5, '-0.5'],
    [1e21, '1000000000000000000000.0'],
    [1.5e-7, '0.00000015'],
    [-2.5e22, '-25000000000000000000000.0'],
    ['123456789012345678', '123456789012345678'],
  ])('number %j', (value, literal) => expect(Number(soql.decimalLiteral(value))).toBe(Number(literal)))

  it.each([Number.NaN, Number.POSITIVE_INFINITY, '1e5', '1 OR 1=1', ''])('no number %j', (value) => {
    expect(() => soql.decimalLiteral(value)).toThrow('is no number')
  })

  it('writes instants in UTC with Z', () => {
    expect(soql.datetimeLiteral(Date.parse('2026-05-06T13:56:44+02:00'))).toBe('2026-05-06T11:56:44.000Z')
  })

  it.each(['2026-5-6', "2026-05-06' OR", '06.05.2026'])('no date %j', (value) => {
    expect(() => soql.dateLiteral(value)).toThrow('is no date')
  })

  it.each(['Name; DROP', 'A B', "x'", '', '1Name', 'Owner.Name', 'Größe__c'])('no name %j', (value) => {
    expect(() => soql.name(value)).toThrow('is no Salesforce name')
  })
})

describe('queries', () => {
  const position = { stamp: '2026-05-06T11:56:44.000Z', id: '0015g00000XyZ01AAF' }

  it('orders by stamp and Id, and goes on behind a position with ties', () => {
    const where = [
      soql.compare('SystemModstamp', '<', soql.datetimeLiteral(Date.UTC(2026, 5, 1))),
      soql.after('SystemModstamp', position),
    ]
    const orderBy = ['SystemModstamp', 'Id']
    expect(soql.select({ object: 'Account', fields: ['Id', 'Name'], where, orderBy })).toBe(
      'SELECT Id, Name FROM Account WHERE SystemModstamp < 2026-06-01T00:00:00.000Z AND ' +
        '(SystemModstamp > 2026-05-06T11:56:44.000Z OR ' +
        "(SystemModstamp = 2026-05-06T11:56:44.000Z AND Id > '0015g00000XyZ01AAF')) ORDER BY SystemModstamp, Id",
    )
  })

  it('goes on by Id alone where there is no stamp', () => {
    expect(soql.after(null, { stamp: null, id: 'a' })).toBe("Id > 'a'")
    expect(soql.upTo('SystemModstamp', position)).toBe(
      "(SystemModstamp < 2026-05-06T11:56:44.000Z OR (SystemModstamp = 2026-05-06T11:56:44.000Z AND Id <= '0015g00000XyZ01AAF'))",
    )
  })

  it('counts, and brackets what is joined', () => {
    const two = [soql.isNull('A'), soql.isNull('B', false)]
    const where = [soql.or(two)!, soql.and(two)!]
    expect(soql.select({ object: 'Case', fields: [], where, orderBy: [] })).toBe(
      'SELECT COUNT() FROM Case WHERE (A = NULL OR B != NULL) AND (A = NULL AND B != NULL)',
    )
    expect(soql.and([])).toBeUndefined()
  })

  it('escapes a URL so that + stays a plus', () => {
    expect(soql.queryUrl('v67.0', "SELECT Id FROM A WHERE B = 'x+y & z'", true)).toBe(
      "/services/data/v67.0/queryAll?q=SELECT+Id+FROM+A+WHERE+B+%3D+'x%2By+%26+z'",
    )
  })
})
