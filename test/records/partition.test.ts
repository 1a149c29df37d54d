import { describe, expect, it } from 'vitest'
import type { Row } from '../../connectors/connector.ts'
import type { Partition } from '../../connectors/flow-destination.ts'
import { partitioner } from '../../connectors/records/partition.ts'
import { pathSegment } from '../../connectors/records/path-segment.ts'
import { batchOf, fieldsOf } from './tables.ts'

const fields = fieldsOf({ Country: 'string', At: 'timestamp', D: 'date', n: 'int32' })
const context = {
  layout: 'lakeward',
  runInstant: '2026-11-23T10:05:59.999Z',
  runId: 'abc-1',
  schemaVersion: 2,
} as const
const folders = (by: Partition[], rows: Row[], layout: 'lakeward' | 'appflow' = 'lakeward') =>
  partitioner(by, fields, { ...context, layout })
    .split(batchOf(fields, rows))
    .map(({ folder, rows: chosen }) => [folder, chosen ? [...chosen] : 'all'])

describe('partitions', () => {
  it.each<[Partition, Row, string, string]>([
    [{ by: 'field', field: 'Country' }, { Country: 'DE' }, 'Country=DE', 'Country=DE'],
    [{ by: 'field', field: 'Country' }, {}, 'Country=__HIVE_DEFAULT_PARTITION__', 'Country=null'],
    [{ by: 'field', field: 'Country' }, { Country: '' }, 'Country=', 'Country='],
    [{ by: 'field', field: 'n' }, { n: -5 }, 'n=-5', 'n=-5'],
    [{ by: 'field', field: 'D' }, { D: '1700-01-01' }, 'D=1700-01-01', 'D=1700-01-01'],
    [
      { by: 'field', field: 'At' },
      { At: '2026-01-02T03:04:05Z' },
      'At=2026-01-02T03%3A04%3A05Z',
      'At=2026-01-02T03%3A04%3A05Z',
    ],
    [{ by: 'year', of: 'At' }, { At: '1969-12-31T23:59:59.999Z' }, 'At_year=1969', '1969'],
    [{ by: 'month', of: 'D' }, { D: '4000-12-31' }, 'D_month=4000-12', '4000/12'],
    [{ by: 'day', of: 'At' }, { At: '2026-11-23T00:00:00+02:00' }, 'At_day=2026-11-22', '2026/11/22'],
    [{ by: 'hour', of: 'At' }, { At: '2026-11-23T10:59:59Z' }, 'At_hour=2026-11-23-10', '2026/11/23/10'],
    [{ by: 'minute', of: 'At' }, { At: '2026-11-23T10:05:59Z' }, 'At_minute=2026-11-23-10-05', '2026/11/23/10/05'],
    [{ by: 'day', of: 'At' }, {}, 'At_day=__HIVE_DEFAULT_PARTITION__', '__HIVE_DEFAULT_PARTITION__'],
    [{ by: 'day', of: null }, {}, 'run_day=2026-11-23', '2026/11/23'],
    [{ by: 'minute', of: null }, {}, 'run_minute=2026-11-23-10-05', '2026/11/23/10/05'],
    [{ by: 'runId' }, {}, 'run_id=abc-1', 'abc-1'],
    [{ by: 'schemaVersion' }, {}, 'schema_version=2', 'schemaVersion_2'],
  ])('%o of %o', (by, row, lakeward, appflow) => {
    expect(folders([by], [row])).toEqual([[lakeward, 'all']])
    expect(folders([by], [row], 'appflow')).toEqual([[appflow, 'all']])
  })

  it('put every row into one folder, outermost first', () => {
    const by: Partition[] = [
      { by: 'day', of: null },
      { by: 'field', field: 'Country' },
    ]
    const rows = [{ Country: 'DE' }, { Country: 'FR' }, {}, { Country: 'DE' }]
    expect(folders(by, rows)).toEqual([
      ['run_day=2026-11-23/Country=DE', [0, 3]],
      ['run_day=2026-11-23/Country=FR', [1]],
      ['run_day=2026-11-23/Country=__HIVE_DEFAULT_PARTITION__', [2]],
    ])
  })

  it('none: one folder, whose name is empty', () => {
    expect(folders([], [{}, {}])).toEqual([['', 'all']])
    expect(partitioner([], fields, context).split({ fields, rows: 0, columns: [] })).toEqual([])
  })

  it('counts the folders it has seen', () => {
    const parts = partitioner([{ by: 'field', field: 'n' }], fields, context)
    for (let i = 0; i < 4; i++) parts.split(batchOf(fields, [{ n: i }, { n: 0 }]))
    expect(parts.folders).toBe(4)
  })
})

describe('names of folders', () => {
  it.each([
    ['a/b\\c', 'a%2Fb%5Cc'],
    ['.', '%2E'],
    ['..', '%2E%2E'],
    ['...', '%2E.%2E'],
    ['v1.2', 'v1.2'],
    [' x ', '%20x%20'],
    ['a b', 'a b'],
    ['50%', '50%25'],
    ['a=b:c*d?', 'a%3Db%3Ac%2Ad%3F'],
    ['\u0000\n\u007f', '%00%0A%7F'],
    ['"<>|~', '%22%3C%3E%7C%7E'],
    ['日本 😀', '日本 😀'],
    ['__HIVE_DEFAULT_PARTITION__', '%5F_HIVE_DEFAULT_PARTITION__'],
  ])('%j is %j', (value, name) => {
    expect(pathSegment(value)).toBe(name)
    expect(decodeURIComponent(name)).toBe(value)
  })

  it('are cut where they are too long, and still differ', () => {
    const names = ['x', 'y'].map((end) => pathSegment('日/'.repeat(200) + end, 'Country='))
    expect(new Set(names).size).toBe(2)
    for (const name of names) {
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(200)
      expect(name).toMatch(/^Country=(日%2F)+(日)?~[0-9a-f]{16}$/)
    }
    expect(pathSegment('x'.repeat(200))).toBe('x'.repeat(200))
  })
})
