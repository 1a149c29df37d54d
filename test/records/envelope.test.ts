import { describe, expect, it } from 'vitest'
import { readEnvelope } from '../../connectors/records/envelope.ts'
import { PageError } from '../../connectors/records/page-error.ts'

const read = (text: string, path: string[]) => readEnvelope(Buffer.from(text), path)

describe('readEnvelope', () => {
  it('tells what stands beside the records, before and behind them', () => {
    const text = [
      '{"totalSize":3,"done":false,"records":[{"Id":"1"},{"Id":"2"},',
      ' {"Id":"3",',
      ' "x":{"y":[]}}],"nextRecordsUrl":"/q/01\\u00e9"}',
    ].join('\n')
    expect(read(text, ['records'])).toEqual({
      envelope: { totalSize: 3, done: false, nextRecordsUrl: '/q/01é' },
      records: { count: 3, first: '{"Id":"1"}', last: '{"Id":"3", "x":{"y":[]}}' },
    })
  })
  it('takes every level of the path, the deeper one first', () => {
    expect(read('{"a":1,"d":{"results":[],"a":2,"__next":"u"}}', ['d', 'results'])).toEqual({
      envelope: { a: 2, __next: 'u' },
      records: { count: 0, first: null, last: null },
    })
  })
  it('leaves out what is large, and takes a member called __proto__ for what it is', () => {
    const { envelope } = read(`{"big":"${'x'.repeat(20_000)}","__proto__":{"a":1},"records":[]}`, ['records'])
    expect(Object.keys(envelope)).toEqual(['__proto__'])
    expect((envelope as { a?: number }).a).toBeUndefined()
  })
  it.each(['{"records":[{}', '{}', '[]', '{"records":[{}]}}', '', '{"records":[{"a":01}]}'])('%s is no page', (text) =>
    expect(() => read(text, ['records'])).toThrow(PageError),
  )
})
