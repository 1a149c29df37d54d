/** What Redshift is asked of a filter, and the text of the statements that read. */
import { describe, expect, it } from 'vitest'
import type { Condition, Field } from '../../connectors/connector.ts'
import { pushDown } from '../../connectors/redshift/push-down.ts'
import { sourceField } from '../../connectors/redshift/source-columns.ts'
import { type ReadRequest, selectOf } from '../../connectors/redshift/source-plan.ts'
import { unloadStatement } from '../../connectors/redshift/unload.ts'
import { orSkip, sqlglotPython } from '../components.ts'
import { unparsed } from './sqlglot.ts'

const field = (name: string, type: string, digits: [number, number] | null = null): Field =>
  sourceField({
    ...{ name, type, length: null, nullable: true, hasDefault: false },
    precision: digits?.[0] ?? null,
    scale: digits?.[1] ?? null,
  })!
const KINDS = [
  ...['boolean', 'smallint', 'integer', 'bigint', 'real', 'double precision', 'character varying', 'character', 'date'],
  ...['timestamp without time zone', 'timestamp with time zone', 'time without time zone', 'time with time zone'],
  ...['super', 'varbyte'],
]
const fields = [field('n', 'numeric', [9, 2]), ...KINDS.map((kind) => field(`a "${kind}"`, kind))]
const of = (kind: string): string => `a "${kind}"`

const CASES: [string, Condition, string | null][] = [
  ['character varying', { eq: `it's \\` }, `"a ""character varying""" = 'it''s \\\\'`],
  ['character varying', { in: ['a', 'b'] }, `"a ""character varying""" IN ('a', 'b')`],
  // Trailing blanks and collations: the order of texts is not ours.
  ['character varying', { gt: 'a' }, null],
  ['character varying', { ne: 'a' }, null],
  ['character varying', { contains: 'a' }, null],
  ['character varying', { isNull: true }, `"a ""character varying""" IS NULL`],
  ['super', { isNull: false }, `"a ""super""" IS NOT NULL`],
  ['super', { eq: 'a' }, null],
  ['boolean', { eq: true }, `"a ""boolean""" = TRUE`],
  ['boolean', { eq: 'true' }, null],
  ['integer', { between: [-5, 5] }, `"a ""integer""" BETWEEN -5 AND 5`],
  ['integer', { gte: 0.5 }, null],
  ['bigint', { lt: '9223372036854775807' }, `"a ""bigint""" < 9223372036854775807`],
  ['bigint', { lt: '99999999999999999999' }, null],
  ['bigint', { ne: 5 }, null],
  ['double precision', { gt: 1 }, null],
  ['date', { lte: '2024-02-29' }, `"a ""date""" <= CAST('2024-02-29' AS DATE)`],
  ['date', { lte: '2023-02-29' }, null],
  ['date', { lte: '0000-01-01' }, null],
  [
    'timestamp without time zone',
    { gt: '2024-02-29T01:02:03.123456Z' },
    `"a ""timestamp without time zone""" > CAST('2024-02-29 01:02:03.123456' AS TIMESTAMP)`,
  ],
  [
    'timestamp with time zone',
    { eq: '2024-02-29T01:02:03Z' },
    `"a ""timestamp with time zone""" = CAST('2024-02-29 01:02:03+00' AS TIMESTAMPTZ)`,
  ],
  ['timestamp with time zone', { eq: '2024-02-29T01:02:03+01:00' }, null],
]

describe('a filter', () => {
  it.each(CASES)('on %s: %j', (kind, condition, expected) => {
    const found = pushDown({ [of(kind)]: condition }, fields)
    expect(found.conditions).toEqual(expected === null ? [] : [expected])
    expect(found.pushed).toEqual(expected === null ? null : { [of(kind)]: condition })
  })

  it('of a decimal has no more digits than its column: Redshift would widen the column, to overflow', () => {
    const pushed = (value: number | string) => pushDown({ n: { gte: value } }, fields).conditions
    expect(pushed('1234567.89')).toEqual(['"n" >= 1234567.89'])
    expect(pushed(-0.5)).toEqual(['"n" >= -0.5'])
    for (const wrong of ['12345678', '0.125', 1e21, 'x']) expect(pushed(wrong), String(wrong)).toEqual([])
  })
})

it('what reads is Redshift’s to sqlglot, every type of column both ways', async (test) => {
  const python = await orSkip(sqlglotPython(), 'sqlglot')
  test.skip(python === null, 'there is no sqlglot here')
  const where = CASES.flatMap(([kind, condition]) => pushDown({ [of(kind)]: condition }, fields).conditions)
  const request: ReadRequest = { version: 1, object: 'o', table: '"s"."t"', fields, where, most: null, parallel: 4 }
  const sqls = [selectOf(request, 'pages'), selectOf({ ...request, where: [], most: 7 }, 'files')]
  // UNLOAD itself is none of what it parses: its query is.
  const unload = unloadStatement(request, "s3://b/it's/", undefined)
  const query = /^UNLOAD \('((?:[^'\\]|''|\\.)*)'\) TO 's3:\/\/b\/it''s\/' IAM_ROLE DEFAULT FORMAT AS PARQUET/s.exec(
    unload,
  )
  sqls.push(query![1]!.replaceAll("''", "'").replaceAll('\\\\', '\\'))
  expect(sqls[2]).toBe(selectOf(request, 'files'))
  expect(await unparsed(python!, sqls)).toEqual([])
})
