import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { FieldType, Row } from '../../connectors/connector.ts'
import { keyNames } from '../../connectors/records/recipe.ts'
import type { Step } from '../../connectors/records/recipe.ts'
import { apply, key, values } from './recipes.ts'
import type { Types } from './recipes.ts'

describe('steps', () => {
  it('keep: these fields, in this order', () => {
    expect(
      apply({ keep: ['c', 'a'] }, { a: 'string', b: 'string', c: 'int32' }, [{ a: 'x', b: 'y', c: 1 }]),
    ).toMatchObject({
      types: ['c int32', 'a string'],
      rows: [{ c: '1', a: 'x' }],
    })
  })
  it('drop and rename, also in a circle', () => {
    const steps: Step[] = [{ rename: { a: 'b', b: 'a' } }, { drop: ['c'] }]
    expect(apply(steps, { a: 'string', b: 'int32', c: 'string' }, [{ a: 'x', b: 1 }])).toMatchObject({
      types: ['b string', 'a int32'],
      rows: [{ b: 'x', a: '1' }],
    })
  })
  it('set: a new field by its value, an old one in its own type', () => {
    const step: Step = { set: { m: 1.5, s: 'x', n: 7, f: 0.5, b: true } }
    expect(apply(step, { m: 'decimal(18,2)' }, [{ m: 9 }, {}])).toMatchObject({
      types: ['m decimal(18,2)', 's string', 'n int64', 'f float64', 'b boolean'],
      rows: [
        { m: '1.50', s: 'x', n: '7', f: '0.5', b: 'true' },
        { m: '1.50', s: 'x', n: '7', f: '0.5', b: 'true' },
      ],
    })
  })
  it('concat: null parts are empty, all null is null, {{ is a brace', () => {
    const step: Step = { concat: { into: 'x', template: '{{{a}}: {n} {d}' } }
    const rows = [{ a: 'é', n: '1.50', d: '2026-01-02' }, { n: 2 }, {}]
    expect(apply(step, { a: 'string', n: 'decimal(5,2)', d: 'date' }, rows).rows.map(({ x }) => x)).toEqual([
      '{é}: 1.50 2026-01-02',
      '{}: 2.00 ',
      null,
    ])
  })
  it('truncate counts code points', () => {
    expect(values({ truncate: { fields: ['v'], length: 3 } }, 'string', 'ab', 'abcd', '日本😀語', '', null)).toEqual([
      'ab',
      'abc',
      '日本😀',
      '',
      null,
    ])
  })
  it.each<[Partial<Record<'hideFirst' | 'hideLast' | 'keepFirst' | 'keepLast', number>>, string[]]>([
    [{}, ['*****', '*', '']],
    [{ hideFirst: 2 }, ['**😀de', '*', '']],
    [{ hideLast: 2 }, ['ab😀**', '*', '']],
    [{ keepFirst: 2 }, ['ab***', 'x', '']],
    [{ keepLast: 2 }, ['***de', 'x', '']],
    [{ keepFirst: 1, keepLast: 2 }, ['a**de', 'x', '']],
  ])('mask %o', (parts, shown) => {
    const step: Step = { mask: { fields: ['v'], with: '*', ...parts } }
    expect(values(step, 'string', 'ab😀de', 'x', '', null)).toEqual([...shown, null])
  })
  it('hash is HMAC-SHA-256 of the text, and keeps null', () => {
    const hex = (text: string) => createHmac('sha256', key).update(text).digest('hex')
    const step: Step = { hash: { fields: ['v'], key: 'pii' } }
    expect(values(step, 'string', 'é', null)).toEqual([hex('é'), null])
    expect(values(step, 'decimal(5,2)', 1.5)).toEqual([hex('1.50')])
    expect(keyNames({ transform: [step, step] })).toEqual(['pii'])
  })
  it('mapValues keeps the type where it can', () => {
    const map = (
      table: Record<string, string | number | boolean | null>,
      otherwise?: string | number | null,
    ): Step => ({
      mapValues: { fields: ['v'], values: table, ...(otherwise === undefined ? {} : { otherwise }) },
    })
    expect(values(map({ a: 'b', '': 'empty', x: null }), 'string', 'a', '', 'x', 'c', null)).toEqual([
      'b',
      'empty',
      null,
      'c',
      null,
    ])
    expect(values(map({ a: 'b' }, null), 'string', 'a', 'c')).toEqual(['b', null])
    expect(apply(map({ '1.5': 2, '3': 4 }, 0), { v: 'decimal(5,2)' }, [{ v: 1.5 }, { v: 9 }])).toMatchObject({
      types: ['v decimal(5,2)'],
      rows: [{ v: '2.00' }, { v: '0.00' }],
    })
    expect(apply(map({ true: 'yes' }), { v: 'boolean' }, [{ v: true }, { v: false }, {}])).toMatchObject({
      types: ['v string'],
      rows: [{ v: 'yes' }, { v: 'false' }, { v: null }],
    })
  })
  it('formatDate in a zone, across a change of clocks', () => {
    const step: Step = {
      formatDate: { fields: ['v'], pattern: "EEE d MMM yyyy 'at' HH:mm:ss.SSS XXX", timezone: 'Europe/Berlin' },
    }
    expect(
      values(step, 'timestamp', '2026-03-29T00:59:59.999Z', '2026-03-29T01:00:00Z', '1700-01-01T00:00:00Z', null),
    ).toEqual([
      'Sun 29 Mar 2026 at 01:59:59.999 +01:00',
      'Sun 29 Mar 2026 at 03:00:00.000 +02:00',
      expect.stringMatching(/^Fri 1 Jan 1700 at 00:53:28.000/) as string,
      null,
    ])
    const short: Step = { formatDate: { fields: ['v'], pattern: "yy-M-d D h a ''X", timezone: 'America/New_York' } }
    expect(values(short, 'date', '2026-02-01', '4000-12-31')).toEqual(["26-2-1 32 12 AM 'Z", "00-12-31 366 12 AM 'Z"])
  })
})

describe('cast', () => {
  it.each<[FieldType, FieldType, Row[string], string]>([
    ['string', 'int32', '42', '42'],
    ['string', 'decimal(18,2)', '1.005', '1.01'],
    ['string', 'boolean', 'true', 'true'],
    ['string', 'timestamp', '2026-01-01T00:00:00+02:00', '2025-12-31T22:00:00Z'],
    ['string', 'date', '2026-01-01', '2026-01-01'],
    ['string', 'json', '{"a":1}', '{"a":1}'],
    ['int32', 'string', 7, '7'],
    ['int32', 'float64', 7, '7'],
    ['int64', 'int32', 7, '7'],
    ['int64', 'decimal(38,4)', '9223372036854775807', '9223372036854775807.0000'],
    ['decimal(18,2)', 'int32', '-2.50', '-3'],
    ['decimal(18,2)', 'decimal(18,4)', '1.25', '1.2500'],
    ['decimal(38,4)', 'decimal(18,1)', '1.2500', '1.3'],
    ['decimal(18,2)', 'float64', '0.10', '0.1'],
    ['float64', 'decimal(18,2)', 0.145, '0.15'],
    ['float64', 'int64', 1e15, '1000000000000000'],
    ['date', 'timestamp', '1969-12-31', '1969-12-31T00:00:00Z'],
    ['timestamp', 'date', '1969-12-31T23:59:59.999999Z', '1969-12-31'],
    ['timestamp', 'time', '1969-12-31T23:59:59.999999Z', '23:59:59.999999'],
    ['timestamp', 'string', '2026-01-01T00:00:00.5Z', '2026-01-01T00:00:00.500Z'],
    ['boolean', 'string', false, 'false'],
    ['boolean', 'json', false, 'false'],
    ['binary', 'string', Uint8Array.of(255), '/w=='],
    ['json', 'string', { a: [] }, '{"a":[]}'],
  ])('%s to %s: %s is %s', (from, to, value, shown) => {
    expect(apply({ cast: { v: to } }, { v: from }, [{ v: value }, {}])).toMatchObject({
      types: [`v ${to}`],
      rows: [{ v: shown }, { v: null }],
      rejects: [],
    })
  })
  it.each<[FieldType, FieldType, Row[string], string]>([
    ['string', 'int32', 'x', 'not a number'],
    ['string', 'int32', '', 'not a number'],
    ['string', 'json', '{', 'not JSON'],
    ['int64', 'int32', '2147483648', 'too large'],
    ['decimal(18,2)', 'decimal(4,2)', '100', 'too large'],
    ['decimal(18,2)', 'decimal(3,1)', '99.95', 'too large'],
    ['float64', 'int32', 1e300, 'too large'],
  ])('%s to %s: %s is invalid', (from, to, value, reason) => {
    const { rows, rejects } = apply({ cast: { v: to } }, { v: from }, [{ v: value }])
    expect(rows).toEqual([])
    expect(rejects).toMatchObject([{ field: 'v', rule: 'cast', reason: expect.stringContaining(reason) as string }])
  })
})

describe('arithmetic', () => {
  const sum = (operator: 'add' | 'subtract' | 'multiply' | 'divide', ...operands: (string | number)[]): Step => ({
    arithmetic: { into: 'x', operator, operands },
  })
  const types: Types = { i: 'int32', l: 'int64', m: 'decimal(18,2)', n: 'decimal(18,4)', f: 'float64' }
  const row = { i: 7, l: '9007199254740993', m: '0.10', n: '0.2000', f: 0.5 }
  it.each<[Step, string, string]>([
    [sum('add', 'i', 'l'), 'int64', '9007199254741000'],
    [sum('multiply', 'i', 2), 'int64', '14'],
    [sum('add', 'm', 'n'), 'decimal(21,4)', '0.3000'],
    [sum('subtract', 'm', 'n', 1), 'decimal(21,4)', '-1.1000'],
    [sum('add', 'i', 0.25), 'decimal(13,2)', '7.25'],
    [sum('multiply', 'm', 'n'), 'decimal(36,6)', '0.020000'],
    [sum('divide', 'm', 'n'), 'decimal(26,6)', '0.500000'],
    [sum('divide', 'i', 3), 'decimal(16,6)', '2.333333'],
    [sum('divide', 'i', 3, -2), 'decimal(16,6)', '-1.166667'],
    [sum('divide', 100, 'i'), 'decimal(9,6)', '14.285714'],
    [sum('add', 'f', 'm'), 'float64', '0.6'],
    [sum('divide', 'i', 'f'), 'float64', '14'],
  ])('%o', (step, type, value) => {
    const { types: made, rows } = apply(step, types, [row, {}])
    expect(made.at(-1)).toBe(`x ${type}`)
    expect(rows.map(({ x }) => x)).toEqual([value, null])
  })
  it.each<[Step, Row, string]>([
    [sum('divide', 'i', 'l'), { i: 1, l: 0 }, 'divided by zero'],
    [sum('divide', 'f', 'i'), { f: 1, i: 0 }, 'divided by zero'],
    [sum('multiply', 'l', 'l'), { l: '9007199254740993' }, 'too large'],
    [sum('multiply', 'f', 1e300), { f: 1e300 }, 'no double'],
  ])('%o is invalid', (step, values_, reason) => {
    expect(apply(step, types, [values_]).rejects).toMatchObject([
      { field: 'x', rule: 'arithmetic', reason: expect.stringContaining(reason) as string },
    ])
  })
})
