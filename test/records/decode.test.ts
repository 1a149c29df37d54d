import { describe, expect, it } from 'vitest'
import type { Field, FieldType, Page } from '../../connectors/connector.ts'
import { decodePage } from '../../connectors/records/decode.ts'
import { PageError } from '../../connectors/records/page-error.ts'
import { decodedRows, fieldsOf, randoms, textRows } from './tables.ts'

const json = (text: string | Uint8Array, fields: Field[], op?: Page['op'], path: string[] = ['records']) => [
  ...decodePage({ body: Buffer.from(text), shape: { format: 'json', path }, op }, fields),
]
const one = (value: string, type: FieldType) => {
  const [decoded] = json(`{"records":[{"v":${value}}]}`, fieldsOf({ v: type }))
  const [reject] = decoded!.rejects
  return reject ? { refused: reject.reason } : textRows(decoded!.batch)[0]!['v']
}

describe('values of JSON', () => {
  it.each<[FieldType, string, string | null]>([
    ['string', '"a\\u00e9\\n\\"\\\\\\/b"', 'aé\n"\\/b'],
    ['string', '"\\ud83d\\ude00 \\ud83d \\ude00"', '😀 \ufffd \ufffd'],
    ['string', '"日本 😀"', '日本 😀'],
    ['string', '""', ''],
    ['string', '"N/A"', 'N/A'],
    ['string', '"01234"', '01234'],
    ['string', '12345678901234567890', '12345678901234567890'],
    ['string', 'true', 'true'],
    ['string', 'null', null],
    ['decimal(18,2)', '9999999999999999.99', '9999999999999999.99'],
    ['decimal(18,2)', '"12.5"', '12.50'],
    ['decimal(18,2)', '1.25e2', '125.00'],
    ['decimal(38,10)', '-1234567890123456789012345678.0123456789', '-1234567890123456789012345678.0123456789'],
    ['decimal(18,15)', '-122.419416000000000', '-122.419416000000000'],
    ['int32', '-2147483648', '-2147483648'],
    ['int32', '5.0', '5'],
    ['int64', '9223372036854775807', '9223372036854775807'],
    ['int64', '-9223372036854775808', '-9223372036854775808'],
    ['float64', '0.1', '0.1'],
    ['float64', '-0.0', '-0'],
    ['float64', '"1e21"', '1e+21'],
    ['boolean', 'false', 'false'],
    ['boolean', '"true"', 'true'],
    ['date', '"1700-01-01"', '1700-01-01'],
    ['time', '"10:15:00.000Z"', '10:15:00'],
    ['timestamp', '"2026-05-06T11:56:44.000+0000"', '2026-05-06T11:56:44Z'],
    ['timestamp', '"4000-12-31T23:59:59.999999Z"', '4000-12-31T23:59:59.999999Z'],
    ['binary', '"aGk="', 'aGk='],
    ['json', '{"a": [1, "x\\n", {}]}', '{"a": [1, "x\\n", {}]}'],
    ['json', '"text"', '"text"'],
    ['json', '1.50', '1.50'],
    ['json', 'null', null],
  ])('%s from %s', (type, value, shown) => expect(one(value, type)).toBe(shown))

  it.each<[FieldType, string, string]>([
    ['decimal(18,2)', '1.005', 'more digits behind the point'],
    ['decimal(18,2)', '10000000000000000', 'too large'],
    ['decimal(38,0)', '1e38', 'too large'],
    ['decimal(38,0)', '1e999999999', 'too large'],
    ['decimal(18,2)', '"N/A"', 'not a number'],
    ['decimal(18,2)', '""', 'not a number'],
    ['int32', '2147483648', 'too large'],
    ['int32', '1.5', 'more digits behind the point'],
    ['int32', 'true', 'true or false'],
    ['int64', '9223372036854775808', 'too large'],
    ['float64', '1e999', 'no double'],
    ['float64', '"abc"', 'not a number'],
    ['boolean', '1', 'a number where'],
    ['boolean', '"yes"', 'neither true nor false'],
    ['date', '"2026-02-30"', 'not a date'],
    ['date', '20260230', 'a number where'],
    ['time', '"25:00"', 'not a time'],
    ['timestamp', '"soon"', 'not a date and time'],
    ['timestamp', '1700000000', 'a number where'],
    ['binary', '"a"', 'not base64'],
    ['string', '{"a":1}', 'an object or array'],
    ['string', '[]', 'an object or array'],
  ])('%s refuses %s', (type, value, reason) =>
    expect(one(value, type)).toEqual({ refused: expect.stringContaining(reason) as string }),
  )
})

describe('records of JSON', () => {
  const fields = fieldsOf({ a: 'string', b: 'int32', c: 'string' })
  const rows = (text: string) => json(`{"records":[${text}]}`, fields).flatMap(({ batch }) => textRows(batch))

  it('finds members in any order, skips what it does not know, and fills what is missing with null', () => {
    expect(rows('{"attributes":{"x":[{}]},"c":"3","a":"1","d":[1,2],"b":2},{},{"c":"9"}')).toEqual([
      { a: '1', b: '2', c: '3' },
      { a: null, b: null, c: null },
      { a: null, b: null, c: '9' },
    ])
  })
  it('takes the last of two members with one name, as JSON.parse does', () => {
    expect(rows('{"a":"1","b":5,"a":"2","b":null}')).toEqual([{ a: '2', b: null, c: null }])
  })
  it('knows a name with escapes', () => expect(rows('{"\\u0061":"x"}')).toEqual([{ a: 'x', b: null, c: null }]))

  it('rejects a record alone, and its row is used again', () => {
    const [decoded] = json('{"records":[{"a":"1","b":1},{"a":"bad","c":"x",\n"b":"N/A"},{"a":"3"}]}', fields)
    expect(textRows(decoded!.batch)).toEqual([
      { a: '1', b: '1', c: null },
      { a: '3', b: null, c: null },
    ])
    expect(decoded!.rejects).toEqual([
      { row: '{"a":"bad","c":"x", "b":"N/A"}', field: 'b', rule: 'type', reason: 'it is not a number', deleted: false },
    ])
  })

  it('cuts pages into batches of 1024', () => {
    const many = Array.from({ length: 2500 }, (_, i) => `{"a":"${'x'.repeat(i % 90)}","b":${i}}`)
    const decoded = json(`{"records":[${many.join()}]}`, fields)
    expect(decoded.map(({ batch }) => batch.rows)).toEqual([1024, 1024, 452])
    const all = decoded.flatMap(({ batch }) => textRows(batch))
    expect(all.every((row, i) => row['b'] === String(i) && row['a']!.length === i % 90)).toBe(true)
  })

  it('finds the array at a path, and at the root', () => {
    expect(json('{"d":{"x":1,"results":[{"b":1}]}}', fields, undefined, ['d', 'results'])[0]!.batch.rows).toBe(1)
    expect(json('\ufeff [{"b":1}] ', fields, undefined, [])[0]!.batch.rows).toBe(1)
    expect(json('{"records":[ ]}', fields)).toEqual([])
  })

  it.each([
    ['{"rows":[]}', 'no array at records'],
    ['{"records":null}', 'no array at records'],
    ['{"records":{}}', 'no array at records'],
    ['{"records":[],"records":[]}', 'records twice'],
    ['<html></html>', 'no array at records'],
    ['', 'no array'],
    ['{"records":[1]}', 'malformed'],
    ['{"records":[{}]} x', 'malformed'],
  ])('%s is no page', (text, reason) => expect(() => json(text, fields)).toThrow(reason))

  it('refuses bytes that are not UTF-8', () => {
    const body = Buffer.concat([Buffer.from('{"records":[{"a":"'), Buffer.of(0xc3, 0x28), Buffer.from('"}]}')])
    expect(() => json(body, fields)).toThrow('not valid UTF-8')
  })

  it('nests deeper than the stack', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
    expect(rows(`{"x":${deep},"a":"1"}`)[0]!['a']).toBe('1')
  })
})

describe('what happened to a record', () => {
  const op: Page['op'] = { field: 'IsDeleted', map: { true: 'delete', false: 'upsert', skip: 'drop' } }
  const text =
    '{"records":[{"a":"1","IsDeleted":true},{"a":"2","IsDeleted":false},{"a":"3","IsDeleted":"skip"},{"a":"4"}]}'

  it.each<Record<string, FieldType>>([{ a: 'string' }, { a: 'string', IsDeleted: 'string' }])(
    'is told by %o',
    (types) => {
      const [decoded] = json(text, fieldsOf(types), op)
      expect([...decoded!.ops!]).toEqual([1, 0])
      expect(decoded!.dropped).toBe(1)
      expect(decoded!.rejects.map(({ field, rule }) => [field, rule])).toEqual([['IsDeleted', 'op']])
      expect(decoded!.batch.fields.map(({ name }) => name)).toEqual(Object.keys(types))
    },
  )
  it('holds for a whole page', () => {
    const [decoded] = json(text, fieldsOf({ a: 'string' }), 'delete')
    expect([...decoded!.ops!]).toEqual([1, 1, 1, 1])
    expect(json(text, fieldsOf({ a: 'string' }), 'upsert')[0]!.ops).toBeUndefined()
  })
})

it('reads JSON lines', () => {
  const fields = fieldsOf({ a: 'int32' })
  const read = (text: string) =>
    [...decodePage({ body: Buffer.from(text), shape: { format: 'jsonl' } }, fields)].flatMap(({ batch }) =>
      textRows(batch),
    )
  expect(read('{"a":1}\n\n{"a":2}\r\n{"a":null}')).toEqual([{ a: '1' }, { a: '2' }, { a: null }])
  expect(read('')).toEqual([])
  expect(() => read('{"a":1} {"a":2}')).toThrow(PageError)
  expect(() => read('{"a":1}\n{"a"')).toThrow('cut off')
})

it('reads rows', () => {
  const fields = fieldsOf({
    s: 'string',
    i: 'int64',
    f: 'float64',
    b: 'boolean',
    j: 'json',
    x: 'binary',
    t: 'timestamp',
  })
  const rows = [
    { s: 'a\ud800', i: 2n ** 62n, f: 0.1, b: true, j: { a: [1] }, x: Uint8Array.of(1, 2), t: '2026-01-01', extra: 1 },
    { s: 1, i: 'x' },
    { s: null, f: Number.NaN },
  ]
  const [decoded] = decodedRows(fields, rows)
  expect(textRows(decoded!.batch)).toEqual([
    {
      s: 'a\ufffd',
      i: '4611686018427387904',
      f: '0.1',
      b: 'true',
      j: '{"a":[1]}',
      x: 'AQI=',
      t: '2026-01-01T00:00:00Z',
    },
  ])
  expect(decoded!.rejects.map(({ field }) => field)).toEqual(['i', 'f'])
})

describe('against JSON.parse', () => {
  const fields = fieldsOf({ a: 'json', b: 'string', c: 'float64', d: 'boolean' })
  const valid = (text: string): boolean => {
    try {
      const { records } = JSON.parse(text) as { records?: unknown }
      return (
        Array.isArray(records) && records.every((row) => typeof row === 'object' && row !== null && !Array.isArray(row))
      )
    } catch {
      return false
    }
  }
  const accepts = (text: string): boolean => {
    try {
      json(text, fields)
      return true
    } catch (error) {
      if (error instanceof PageError) return false
      throw error
    }
  }

  it('refuses a page that is cut at any byte', () => {
    const text = [
      ' {"x":{"y":[1,-2.5e+3,null]},"records":[{"a":{"k":"\\u00e9\\"]"},',
      '"b":"\\ud83d\\ude00","c":-1.5e-3,"d":true},{"a":[]}],"done":false}',
    ].join('')
    for (let cut = 0; cut < text.length; cut++) {
      expect(() => json(text.slice(0, cut), fields), text.slice(0, cut)).toThrow(PageError)
    }
    expect(accepts(text)).toBe(true)
  })

  it('accepts and refuses the same pages when a byte is changed', () => {
    const random = randoms(5)
    const text = [
      '{"n":[0,-1.5e+3],"records":[{"a":{"k":[1,{"z":""}]},"b":"t\\n\\u0041","c":12.5,"d":true},',
      '{"b":null,"zz":[[],{}]}]}',
    ].join('')
    const bytes = '{}[]":,\\ \n0123456789.eE+-truefalsn\u0001ux'
    let refused = 0
    for (let i = 0; i < 8000; i++) {
      const at = Math.floor(random() * text.length)
      const byte = bytes[Math.floor(random() * bytes.length)]!
      const changed = text.slice(0, at) + byte + text.slice(random() < 0.5 ? at : at + 1)
      const good = valid(changed)
      if (accepts(changed) !== good) expect.unreachable(changed)
      if (!good) refused++
    }
    expect(refused).toBeGreaterThan(3000)
    expect(refused).toBeLessThan(7500)
  })

  it('reads the same values from random records', () => {
    const random = randoms(9)
    const pick = <T>(from: T[]): T => from[Math.floor(random() * from.length)]!
    const strings = ['', 'a', 'é日😀', 'q"\\/\b\f\n\r\t', '\u0000\u001f', '\ud83d', 'x'.repeat(100), '{"a":1}']
    const value = (depth: number): unknown =>
      pick([
        () => null,
        () => pick(strings),
        () => random() * 1e6,
        () => random() < 0.5,
        () => (depth > 3 ? 1 : Array.from({ length: random() * 4 }, () => value(depth + 1))),
        () =>
          depth > 3
            ? 2
            : Object.fromEntries(Array.from({ length: random() * 4 }, () => [pick(strings), value(depth + 1)])),
      ])()
    for (let i = 0; i < 150; i++) {
      const records = Array.from({ length: random() * 20 }, () => {
        const record = [
          ['a', value(0)],
          ['b', pick([null, ...strings])],
          ['c', pick([null, random(), -1e300])],
          ['d', pick([null, true, false])],
          ['e', value(0)],
        ]
        return Object.fromEntries(record.filter(() => random() < 0.9).sort(() => random() - 0.5)) as Record<
          string,
          unknown
        >
      })
      const read = json(JSON.stringify({ v: value(0), records }, null, pick([0, 2])), fields).flatMap(({ batch }) =>
        textRows(batch),
      )
      const wellFormed = (text: unknown) => Buffer.from(text as string).toString()
      expect(read.length).toBe(records.length)
      read.forEach((row, r) => {
        const record = records[r]!
        expect(row['a'] === null ? null : JSON.parse(row['a']!)).toEqual(record['a'] ?? null)
        expect(row['b']).toBe(record['b'] == null ? null : wellFormed(record['b']))
        expect(row['c'] === null ? null : Number(row['c'])).toBe(record['c'] ?? null)
        expect(row['d']).toBe(record['d'] == null ? null : JSON.stringify(record['d']))
      })
    }
  })
})
