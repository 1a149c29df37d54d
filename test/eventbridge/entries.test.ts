/** The pure parts of sending events: what stands in one, how large it is, and how many go together. */
import { describe, expect, it } from 'vitest'
import type { Field, Row } from '../../connectors/connector.ts'
import { claimDetail, detailOf, entryBytes, requestsOf } from '../../connectors/eventbridge/entries.ts'
import { options } from '../../connectors/eventbridge/settings.ts'
import { validate } from '../../connectors/validate.ts'

const field = (name: string, type: Field['type']): Field => ({ name, type, nullable: true })

describe('the detail of an event', () => {
  it.each<[Field['type'], Row[string], string]>([
    ['string', 'a "b"\n', '"a \\"b\\"\\n"'],
    ['string', '01234', '"01234"'],
    ['string', '', '""'],
    ['string', null, 'null'],
    ['string', undefined, 'null'],
    ['int32', -5, '-5'],
    ['int64', 9_007_199_254_740_993n, '9007199254740993'],
    ['int64', '9007199254740993', '9007199254740993'],
    ['decimal(18,2)', '1234567890123456.70', '"1234567890123456.70"'],
    ['decimal(4,2)', 1.5, '1.5'],
    ['boolean', false, 'false'],
    ['timestamp', '2024-02-29T23:59:59.123456Z', '"2024-02-29T23:59:59.123456Z"'],
    ['binary', new Uint8Array([1, 2]), '"AQI="'],
    ['json', { a: [1, null] }, '{"a":[1,null]}'],
  ])('holds a %s as JSON lines write it', (type, cell, text) => {
    expect(detailOf([field('F', type)], { F: cell }, 'id-1')).toBe(`{"_lakeward_id":"id-1","F":${text}}`)
  })

  it('holds the id alone where a record has nothing', () => {
    expect(detailOf([], {}, 'id-1')).toBe('{"_lakeward_id":"id-1"}')
  })

  it('names what lies elsewhere, by bucket and key where there are such', () => {
    const body = Buffer.from('{}')
    const sha256 = '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'
    const said = { bytes: 2, sha256 }
    expect(JSON.parse(claimDetail('id-1', 's3://lake/a/b.json', body))).toEqual({
      _lakeward_id: 'id-1',
      _lakeward_claim: { url: 's3://lake/a/b.json', bucket: 'lake', key: 'a/b.json', ...said },
    })
    expect(JSON.parse(claimDetail('id-1', '/lake/b.json', body))).toMatchObject({
      _lakeward_claim: { url: '/lake/b.json', ...said },
    })
  })
})

describe('requests', () => {
  it('count bytes as AWS does, in UTF-8', () => {
    expect(entryBytes({ Source: 'é', DetailType: 'ab', Detail: '{}' })).toBe(6)
  })

  it('have ten entries at most, stay below the limit, and keep the order', () => {
    expect(
      requestsOf(
        Array.from({ length: 23 }, () => 1),
        100,
      ).map((one) => one.length),
    ).toEqual([10, 10, 3])
    expect(requestsOf([40, 59, 40, 60, 99, 1], 100)).toEqual([[0, 1], [2], [3], [4], [5]])
    expect(requestsOf([], 100)).toEqual([])
  })
})

describe('options of a flow', () => {
  it.each([
    [{ source: 'aws.mine' }, 'source', /begins with aws\./],
    [{ source: '' }, 'source', /./],
    [{ detailType: 'x'.repeat(129) }, 'detailType', /128/],
    [{ detailtype: 'x' }, 'detailtype', /did you mean 'detailType'/],
    [{ bus: 'other' }, 'bus', /unknown key 'bus'/],
  ])('%j is refused', (written, key, what) => {
    const read = validate(options, written, ['destination', 'options'])
    if (!('found' in read)) throw new Error('it was taken')
    expect(read.found[0]).toMatchObject({ path: ['destination', 'options', key], what: expect.stringMatching(what) })
  })

  it('may be left out', () => {
    expect(options.parse({})).toEqual({ source: 'lakeward' })
  })
})
