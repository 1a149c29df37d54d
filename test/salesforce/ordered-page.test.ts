import { describe, expect, it } from 'vitest'
import { orderedPage } from '../../connectors/salesforce/ordered-page.ts'
import { readPage } from '../../connectors/salesforce/page.ts'

const window = { cursorField: 'SystemModstamp', order: 'stamp', bound: '2026-05-07T00:00:00.000Z' } as const
const page = (stamps: (string | null)[]) =>
  readPage(
    Buffer.from(
      JSON.stringify({
        totalSize: stamps.length,
        done: true,
        records: stamps.map((SystemModstamp, i) => ({
          attributes: { type: 'Account' },
          Id: `00${i}`,
          // What looks like the member, in a text.
          Name: `"SystemModstamp":"2030-01-01T00:00:00.000Z" {"attributes":`,
          SystemModstamp,
        })),
      }),
    ),
  )
const at = (second: string, end = '+0000'): string => `2026-05-06T11:56:${second}.000${end}`

describe('a page in order', () => {
  it('tells its first record, and the place of its last', () => {
    const found = page([at('01'), at('01'), at('07')])
    expect(orderedPage(window, found, null)).toEqual({
      records: found.records,
      first: '000',
      last: { stamp: '2026-05-06T11:56:07.000Z', id: '002' },
    })
    const after = { stamp: '2026-05-06T11:56:01.000Z', id: '00x' }
    expect(orderedPage(window, page([at('01', 'Z')]), after)?.last).toEqual({ stamp: at('01', 'Z'), id: '000' })
  })

  it.each<[string, (string | null)[], string | null]>([
    ['with a record beyond the bound', [at('01'), '2026-05-07T00:00:00.000+0000'], null],
    ['with a record out of order', [at('05'), at('04')], null],
    ['that begins before the place it goes on from', [at('05')], '2026-05-06T11:56:06.000Z'],
    ['with a record that has no stamp', [at('01'), null, at('02')], null],
    ['whose last record has no stamp', [at('01'), null], null],
    ['with a stamp of another zone', [at('01', '+0200')], null],
    ['with a stamp of another form', ['2026-05-06T11:56:01Z'], null],
    ['without records', [], null],
  ])('is none: one %s', (_, stamps, since) => {
    expect(orderedPage(window, page(stamps), since === null ? null : { stamp: since, id: '0' })).toBeNull()
  })

  it('is none where records are in the order of their Ids', () => {
    expect(orderedPage({ ...window, order: 'key' }, page([at('01')]), null)).toBeNull()
    expect(orderedPage({ ...window, bound: null }, page([at('01')]), null)).toBeNull()
  })
})
