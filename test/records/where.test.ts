import { describe, expect, it } from 'vitest'
import type { Filter, Row } from '../../connectors/connector.ts'
import { InputError } from '../../connectors/errors.ts'
import { compileWhere } from '../../connectors/records/where.ts'
import { batchOf, fieldsOf } from './tables.ts'

const fields = fieldsOf({
  s: 'string',
  b: 'boolean',
  i: 'int32',
  l: 'int64',
  m: 'decimal(18,2)',
  n: 'decimal(38,2)',
  f: 'float64',
  d: 'date',
  t: 'timestamp',
  c: 'time',
  j: 'json',
})
/** Rows that stay, by their position. */
const kept = (filter: Filter, rows: Row[], ops?: Uint8Array): number[] => {
  const found = compileWhere(filter, fields)(batchOf(fields, rows), ops)
  return found ? [...found] : rows.map((_, i) => i)
}
const column = (name: string, values: Row[string][]): Row[] => values.map((value) => ({ [name]: value }))

describe('a filter', () => {
  it.each<[string, Filter, Row[], number[]]>([
    ['eq', { s: { eq: 'a' } }, column('s', ['a', 'A', 'ab', '', null]), [0]],
    ['ne takes nulls', { s: { ne: 'a' } }, column('s', ['a', 'A', null]), [1, 2]],
    ['gt is the order of code points', { s: { gt: '\uffff' } }, column('s', ['a', '\ufffe', '😀', null]), [2]],
    ['gte, lt', { s: { gte: 'a', lt: 'b' } }, column('s', ['a', 'B', 'az', 'b', '']), [0, 2]],
    ['contains', { s: { contains: 'é"' } }, column('s', ['xé"y', 'xe"y', 'É"', null]), [0]],
    ['in', { s: { in: ['a', ''] } }, column('s', ['a', '', 'b', null]), [0, 1]],
    ['in nothing', { s: { in: [] } }, column('s', ['a', null]), []],
    ['isNull', { s: { isNull: true } }, column('s', ['a', '', null]), [2]],
    ['is not null', { s: { isNull: false } }, column('s', ['a', '', null]), [0, 1]],
    ['booleans', { b: { eq: true } }, column('b', [true, false, null]), [0]],
    ['booleans, ne', { b: { ne: true } }, column('b', [true, false, null]), [1, 2]],
    ['between is inclusive', { i: { between: [1, 3] } }, column('i', [0, 1, 2, 3, 4, null]), [1, 2, 3]],
    ['whole numbers against a fraction', { i: { gt: 1.5 } }, column('i', [1, 2, -1]), [1]],
    ['whole numbers against a negative fraction', { i: { lte: -1.5 } }, column('i', [-2, -1, 0]), [0]],
    ['nothing equals a fraction', { i: { eq: 1.5 } }, column('i', [1, 2]), []],
    ['everything differs from a fraction', { i: { ne: 1.5 } }, column('i', [1, 2, null]), [0, 1, 2]],
    ['beyond the range', { i: { lt: 1e10 } }, column('i', [2147483647]), [0]],
    [
      'int64 by all digits',
      { l: { gt: '9007199254740992' } },
      column('l', ['9007199254740993', '9007199254740992']),
      [0],
    ],
    ['decimals by all digits', { m: { gte: '0.30' } }, column('m', ['0.30', '0.29', '0.31']), [0, 2]],
    ['decimals against finer ones', { m: { gt: 0.295, lt: 0.305 } }, column('m', ['0.29', '0.30', '0.31']), [1]],
    [
      'long decimals',
      { n: { eq: '123456789012345678901234567890.12' } },
      column('n', ['123456789012345678901234567890.12', '123456789012345678901234567890.13']),
      [0],
    ],
    ['doubles', { f: { gte: 0.1 } }, column('f', [0.1, 0.09999, null]), [0]],
    ['dates', { d: { gt: '1969-12-31' } }, column('d', ['1969-12-31', '1970-01-01', '4000-12-31']), [1, 2]],
    [
      'instants, whatever their zone',
      { t: { eq: '2026-01-01T01:00:00+01:00' } },
      column('t', ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000001Z']),
      [0],
    ],
    [
      'a bare date is midnight UTC',
      { t: { gte: '2026-01-01' } },
      column('t', ['2025-12-31T23:59:59.999999Z', '2026-01-01T00:00:00Z']),
      [1],
    ],
    ['times of day', { c: { lt: '12:00' } }, column('c', ['11:59:59', '12:00:00']), [0]],
    ['json can be asked isNull', { j: { isNull: false } }, column('j', [{}, null]), [0]],
    ['fields are joined by AND', { s: { eq: 'a' }, i: { gt: 1 } }, [{ s: 'a', i: 1 }, { s: 'a', i: 2 }, { i: 2 }], [1]],
  ])('%s', (_, filter, rows, left) => expect(kept(filter, rows)).toEqual(left))

  it('keeps deletes', () => {
    expect(kept({ s: { eq: 'a' } }, column('s', ['b', 'b', null]), Uint8Array.of(0, 1, 1))).toEqual([1, 2])
  })

  it.each<[Filter, string, string]>([
    [{ S1: { eq: 'a' } }, 'where.S1', "no field 'S1'"],
    [{ nn: { eq: 'a' } }, 'where.nn', 'did you mean'],
    [{ s: { eq: 1 } }, 'where.s.eq', '1 is no text'],
    [{ i: { eq: 'a' } }, 'where.i.eq', "'a' is no number"],
    [{ i: { in: [1, true] } }, 'where.i.in', 'true is no number'],
    [{ b: { eq: 'true' } }, 'where.b.eq', 'neither true nor false'],
    [{ b: { gt: true } }, 'where.b.gt', 'has no order'],
    [{ d: { eq: '2026-02-30' } }, 'where.d.eq', 'is no date'],
    [{ t: { between: ['2026-01-01', 'now'] } }, 'where.t.between', 'is no timestamp'],
    [{ i: { contains: '1' } }, 'where.i.contains', 'contains asks text'],
    [{ j: { eq: '{}' } }, 'where.j.eq', 'only be asked isNull'],
  ])('%o is refused', (filter, where, what) => {
    try {
      compileWhere(filter, fields)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(InputError)
      const [problem] = (error as InputError).problems
      expect(problem).toMatchObject({ where, what: expect.stringContaining(what) as string })
      expect(problem!.advice).toBeTruthy()
    }
  })
})
