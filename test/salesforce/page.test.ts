import { describe, expect, it } from 'vitest'
import { CutJson, elementsOf, looksLikeJson, membersOf, text } from '../../connectors/json-span.ts'
import { bodyOf, idReader, joined, memberReader, readPage } from '../../connectors/salesforce/page.ts'

const bytes = (value: unknown): Uint8Array => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))

const hostile = [
  { Id: 'a', Name: '"SystemModstamp": "2001"', SystemModstamp: '2026-01-01T00:00:00.000+0000', X: [1, { y: '}]"' }] },
  { Id: 'b', Name: 'records', SystemModstamp: '2026-01-02T00:00:00.000+0000', X: 'ends with \\' },
  { Id: 'c', Name: 'SystemModstamp', SystemModstamp: null, X: '\\"' },
]

describe('a page', () => {
  it('is read whatever the order of its members', () => {
    const envelope = { totalSize: 3, done: false, nextRecordsUrl: '/services/data/v67.0/query/0r8-2000' }
    for (const page of [
      { ...envelope, records: hostile },
      { records: hostile, ...envelope },
    ]) {
      const read = readPage(bytes(page))
      expect(read).toMatchObject({ totalSize: 3, done: false, next: envelope.nextRecordsUrl })
      expect(read.records.map((span) => JSON.parse(text(read.body, span)) as unknown)).toEqual(hostile)
    }
  })

  it('may be written prettily, empty, and name no next page', () => {
    const pretty = '{\n  "totalSize" : 0,\n  "done" : true,\n  "records" : [  ]\n}\n'
    expect(readPage(bytes(pretty))).toMatchObject({ totalSize: 0, done: true, next: null, records: [] })
    expect(readPage(bytes({ totalSize: 1, done: true, nextRecordsUrl: '/x', records: [] })).next).toBeNull()
  })

  it('is not accepted when it is cut anywhere', () => {
    const whole = bytes({ totalSize: 3, records: hostile, done: true })
    for (let length = 0; length < whole.length; length++) {
      expect(() => readPage(whole.subarray(0, length)), `${length} bytes`).toThrow()
    }
    expect(readPage(whole).records).toHaveLength(3)
  })

  it.each([
    [{ done: true, records: [] }, 'totalSize'],
    [{ totalSize: '3', done: true, records: [] }, 'a number is due'],
    [{ totalSize: 3, done: false, records: [] }, 'no nextRecordsUrl'],
    [{ totalSize: 3, done: true, records: {} }, '"["'],
    [[{ errorCode: 'X' }], '"{"'],
  ])('is not %j', (page, message) => {
    expect(() => readPage(bytes(page))).toThrow(message)
  })
})

describe('members', () => {
  it('are found by name, and not where the name is a text', () => {
    const { body, records } = readPage(bytes({ totalSize: 3, done: true, records: hostile }))
    expect(records.map(memberReader(body, 'SystemModstamp'))).toEqual([
      '2026-01-01T00:00:00.000+0000',
      '2026-01-02T00:00:00.000+0000',
      null,
    ])
    expect(records.map(idReader(body))).toEqual(['a', 'b', 'c'])
    expect(() => records.map(memberReader(body, 'Gone'))).toThrow(CutJson)
  })

  it('keep every digit when records are joined', () => {
    const one = bytes('{"attributes":{"type":"A"},"Id":"a","S":"t","Amount":123456789012345678.90}')
    const two = bytes('{"attributes":{"type":"A"},"Id":"a","S":"t","Rate":0.10000000000000000001,"Text":"\\u00e9"}')
    const span = (body: Uint8Array) => ({ body, record: { start: 0, end: body.length } })
    const whole = joined([span(one), span(two)], new Set(['attributes', 'Id', 'S']))
    const expected =
      '{"attributes":{"type":"A"},"Id":"a","S":"t","Amount":123456789012345678.90,' +
      '"Rate":0.10000000000000000001,"Text":"\\u00e9"}'
    expect(Buffer.from(bodyOf([whole, whole])).toString()).toBe(`{"records":[${expected},${expected}]}`)
    expect(Buffer.from(bodyOf([])).toString()).toBe('{"records":[]}')
  })
})

describe('spans', () => {
  it('agree with JSON.parse', () => {
    const value = { 'a"b': ['x', '\\', '{', 1.5e3, null, true, [], {}], '': { deep: [[[]]] } }
    for (const written of [JSON.stringify(value), JSON.stringify(value, null, 2)]) {
      const body = bytes(written)
      const read = [...membersOf(body)].map(([name, span]) => [name, JSON.parse(text(body, span)) as unknown])
      expect(Object.fromEntries(read)).toEqual(value)
      const [, list] = [...membersOf(body)][0]!
      expect([...elementsOf(body, list.start)].map((span) => JSON.parse(text(body, span)) as unknown)).toEqual(
        value['a"b'],
      )
    }
  })

  it.each([
    ['{}', true],
    [' [1]\n', true],
    ['{"a":1', false],
    ['', false],
    ['<html></html>', false],
    ['null', false],
    ['[1}', false],
  ])('%j looks whole: %s', (written, whole) => expect(looksLikeJson(bytes(written))).toBe(whole))
})
