import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Condition, Field, Filter } from '../../connectors/connector.ts'
import { pushDown } from '../../connectors/salesforce/push-down.ts'
import { startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import type { Sandbox } from '../sandboxes/salesforce/salesforce.ts'
import { connect, readAll, source } from './org.ts'
import type { Org, Values } from './org.ts'

const field = (type: Field['type'], sourceType: string, filterable = true): Field => ({
  name: 'F',
  type,
  sourceType,
  nullable: true,
  filterable,
})
const text = field('string', 'string(255)')
const money = field('decimal(18,2)', 'currency(18,2)')
const whole = field('int32', 'int')
const day = field('date', 'date')
const instant = field('timestamp', 'datetime')
const id = field('string', 'reference(18)')

describe('what is pushed', () => {
  it.each<[Field, Condition, string]>([
    [text, { eq: 'Acme' }, "F = 'Acme'"],
    [text, { in: ['a', 'b'] }, "F IN ('a', 'b')"],
    [text, { contains: '50%' }, String.raw`F LIKE '%50\%%'`],
    [text, { isNull: true }, 'F = NULL'],
    [text, { isNull: false }, 'F != NULL'],
    [id, { eq: '0015g00000XyZ01AAF' }, "F = '0015g00000XyZ01AAF'"],
    [money, { gt: 1000 }, 'F >= 1000'],
    [money, { lt: '0.10' }, 'F <= 0.10'],
    [money, { eq: 5 }, '(F >= 5 AND F <= 5)'],
    [money, { between: [1, 2] }, '(F >= 1 AND F <= 2)'],
    [whole, { gt: 3, lte: 9 }, 'F > 3 AND F <= 9'],
    [whole, { eq: 3 }, 'F = 3'],
    [whole, { ne: 3 }, '(F != 3 OR F = NULL)'],
    [whole, { in: [1, 2] }, 'F IN (1, 2)'],
    [day, { gte: '2026-01-31' }, 'F >= 2026-01-31'],
    [day, { ne: '2026-01-31' }, '(F != 2026-01-31 OR F = NULL)'],
    [instant, { gt: '2026-01-31T10:00:00.500Z' }, 'F >= 2026-01-31T10:00:00.000Z'],
    [instant, { lt: '2026-01-31T10:00:00.500+01:00' }, 'F <= 2026-01-31T09:00:01.000Z'],
    [instant, { gte: '2026-01-31' }, 'F >= 2026-01-31T00:00:00.000Z'],
    [field('boolean', 'boolean'), { eq: true }, 'F = TRUE'],
  ])('%j %j', (on, condition, soql) => {
    const found = pushDown({ F: condition }, [on])
    expect(found.conditions.join(' AND ')).toBe(soql)
    expect(found.pushed).toEqual({ F: condition })
  })

  it.each<[Field, Condition, string]>([
    [text, { ne: 'Acme' }, 'SOQL would also leave out ACME'],
    [text, { gt: 'a' }, 'text is ordered by language there'],
    [text, { eq: ' a' }, 'blank ends are cut there'],
    [text, { contains: 'a\nb' }, 'line ends are changed there'],
    [text, { contains: '' }, 'everything has it'],
    [text, { in: ['x'.repeat(4000)] }, 'too long for a URL'],
    [text, { in: [] }, 'no list'],
    [id, { eq: '0015g00000XyZ01' }, 'never equal to 18 characters'],
    [id, { eq: '0015g00000XyZ01AAA' }, 'its check letters are wrong: an error there'],
    [id, { contains: '001' }, 'LIKE is an error on ids'],
    [money, { ne: 5 }, 'precision differs'],
    [money, { eq: 1e21 }, 'too many digits there'],
    [whole, { gt: 1.5 }, 'an error there'],
    [whole, { eq: 2 ** 40 }, 'an error there'],
    [instant, { eq: 'yesterday' }, 'no instant'],
    [field('string', 'textarea(32000)', false), { eq: 'a' }, 'not filterable'],
    [field('string', 'multipicklist(99)'), { eq: 'A;B' }, 'order of values'],
    [field('boolean', 'boolean'), { isNull: true }, 'never null there'],
    [field('time', 'time'), { eq: '10:00:00' }, 'not worth it'],
    [field('json', 'address'), { isNull: true }, 'compound'],
  ])('%j %j is not: %s', (on, condition) => {
    expect(pushDown({ F: condition }, [on])).toEqual({ conditions: [], pushed: null })
  })

  it('pushes what it can and says so', () => {
    const found = pushDown({ F: { gte: 5, ne: 7 }, Unknown: { eq: 1 } }, [money])
    expect(found).toEqual({ conditions: ['F >= 5'], pushed: { F: { gte: 5 } } })
  })
})

/** Our own meaning of a filter, spelled out once more and slowly. */
function matches(record: Values, filter: Filter): boolean {
  return Object.entries(filter).every(([name, condition]) => {
    const value = record[name] as string | number | boolean | null
    return Object.entries(condition as Record<string, unknown>).every(([operator, wanted]) => {
      if (operator === 'isNull') return (value === null) === wanted
      if (operator === 'ne') return value === null || value !== wanted
      if (value === null) return false
      if (operator === 'eq') return value === wanted
      if (operator === 'in') return (wanted as unknown[]).includes(value)
      if (operator === 'contains') return String(value).includes(String(wanted))
      const least = wanted as number
      if (operator === 'gt') return (value as number) > least
      if (operator === 'gte') return (value as number) >= least
      if (operator === 'lt') return (value as number) < least
      return (value as number) <= least
    })
  })
}

describe('on an org', () => {
  let sandbox: Sandbox
  let org: Org
  let all: Values[]
  beforeAll(async () => {
    sandbox = await startSalesforce({ accounts: 1500, opportunities: 10, contacts: 10 })
    org = connect(sandbox.url)
    all = (await readAll(org.session, await source.plan(org.session, await org.ask('Account')))).records
  })
  afterAll(async () => {
    await org.close()
    await sandbox.stop()
  })

  const named = (): string[] => [...new Set(all.map(({ Name }) => Name).filter((name) => typeof name === 'string'))]

  it('the pushed part lets everything through that the filter does', async () => {
    const hostile = named().filter((name) => /['"\\%_\n]|\P{ASCII}/u.test(name))
    expect(hostile.length).toBeGreaterThan(5)
    const filters: Filter[] = [
      ...hostile.slice(0, 25).map((name) => ({ Name: { eq: name } })),
      ...hostile.slice(0, 10).map((name) => ({ Name: { contains: name.slice(1, 6) } })),
      { Name: { in: hostile.slice(0, 8) } },
      { Name: { ne: named()[0]! } },
      { Name: { contains: "'" } },
      { Name: { contains: '\\' } },
      { Name: { contains: '%' } },
      { Name: { contains: '_' } },
      { Industry: { isNull: true } },
      { AnnualRevenue: { gt: 1000, lt: 10_000_000 } },
      { NumberOfEmployees: { ne: 50, lte: 5000 } },
      { IsDeleted: { eq: false }, Active__c: { eq: true } },
      { OwnerId: { eq: String(all[0]!.OwnerId) } },
    ]
    for (const filter of filters) {
      const plan = await source.plan(org.session, await org.ask('Account', { filter }))
      const got = new Set((await readAll(org.session, plan)).records.map(({ Id }) => Id))
      const lost = all.filter((record) => matches(record, filter) && !got.has(record.Id))
      expect(
        lost.map(({ Id }) => Id),
        JSON.stringify(filter),
      ).toEqual([])
    }
  })

  it('deleted records come whether they match or not', async () => {
    const gone = all.filter(({ IsDeleted }) => IsDeleted).map(({ Id }) => Id)
    expect(gone.length).toBeGreaterThan(0)
    const filter: Filter = { AnnualRevenue: { gte: 999_999_999 } }
    const plan = await source.plan(org.session, await org.ask('Account', { filter }))
    const { records } = await readAll(org.session, plan)
    expect(plan.pushed).toEqual(filter)
    expect(records.length).toBeLessThan(all.length)
    const got = new Set(records.map(({ Id }) => Id))
    expect(gone.filter((one) => !got.has(one))).toEqual([])
  })
})
