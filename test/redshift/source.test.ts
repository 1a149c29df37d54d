/** Redshift as a source: the suite of sources over a table of every type, and what is odd about it. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { JsonObject, Session } from '../../connectors/connector.ts'
import { redshift } from '../../connectors/redshift/redshift.ts'
import { sourceConformance, type SourceHarness } from '../conformance/index.ts'
import { Reader } from '../conformance/reading.ts'
import { sessionOf } from './loads.ts'
import { openTable } from './source-harness.ts'
import { batch, vendorClient } from './vendor-client.ts'
import { useWarehouse } from './warehouse.ts'

const warehouse = useWarehouse()

sourceConformance(
  { describe, it },
  {
    name: 'Redshift',
    connector: redshift,
    open: () => openTable(warehouse),
    waive: {
      'deleted records come as deletes, where they are asked for': 'a table does not show what was deleted',
      'a token that ends in mid-read is renewed': 'keys of AWS are renewed by their provider, before they end',
      ...(!process.env['LAKEWARD_THOROUGH'] && {
        'a filter that is pushed down leaves out nothing that ours lets through':
          'it takes hundreds of statements: LAKEWARD_THOROUGH=1',
      }),
      'throttled with Retry-After: waits as long': 'the Data API does not say how long',
    },
  },
)

describe('a read', () => {
  const signal = new AbortController().signal
  const session = (more: JsonObject = {}): Session => ({ ...sessionOf(warehouse, more), signal })
  const reader = async (object: string, more: Partial<SourceHarness> = {}) => {
    const harness = { ...(await openTable(warehouse)), object, ...more }
    return new Reader(redshift, harness)
  }
  let table = ''
  beforeEach(async () => {
    table = `odd_${++made}`
    const client = vendorClient(warehouse.redshift.url)
    const columns = '"id" VARCHAR(9), "day" DATE, "at" TIMESTAMP, "amount" DECIMAL(9,2)'
    await batch(client, `CREATE TABLE "${table}" (${columns})`)
    const rows = `('a', '2024-01-01', '2024-01-01', 1), ('b', NULL, NULL, NULL)`
    await warehouse.redshift.look(`INSERT INTO ${table} VALUES ${rows}`)
  })

  it.each<[string, (reader: Reader) => unknown, RegExp]>([
    ['a table that is not there', (one) => one.describe(), /no such table or view/],
    ['no cursor field', (one) => one.plan({ cursorField: null }), /nothing says what changed.*cursorField.*: at\./s],
    ['a cursor field that is not there', (one) => one.plan({ cursorField: 'nope' }), /there is no column nope/],
    ['a cursor field of days', (one) => one.plan({ cursorField: 'day' }), /day is date, and no date-time.*: at\./s],
    ['a cursor field of numbers', (one) => one.plan({ cursorField: 'amount' }), /amount is numeric\(9,2\)/],
    [
      'rows without a stamp',
      (one) => one.plan({ cursorField: 'at' }),
      /rows without at \(1\) would never be read.*isNull: false/s,
    ],
  ])('of %s says so', async (what, work, pattern) => {
    const one = await reader(what === 'a table that is not there' ? 'nowhere' : table, { cursorField: 'at' })
    await expect((async () => work(one))()).rejects.toSatisfy((error: Error) => pattern.test(textOf(error)))
  })

  it('leaves rows without a stamp out where it is told to, and brings them in a full read', async () => {
    const one = await reader(table, { cursorField: 'at', keys: ['id'] })
    const stamped = await one.plan({ filter: { at: { isNull: false } } })
    expect((await one.read(stamped)).flatMap(({ records }) => records.map(({ key }) => key))).toEqual(['a'])
    const full = await one.plan({ mode: 'full' })
    expect((await one.read(full)).flatMap(({ records }) => records)).toHaveLength(2)
    expect((await one.read(await one.plan({ mode: 'full', most: 1 }))).flatMap(({ records }) => records)).toHaveLength(
      1,
    )
  })

  it('without the right to the table names the right', async () => {
    const source = redshift.source!
    const asked = session({ workgroup: 'reading' })
    await warehouse.redshift.look(`GRANT USAGE ON SCHEMA public TO reader`)
    const schema = await source.describe(asked, table, {})
    const one = await reader(table, { cursorField: 'at', keys: ['id'], session: () => asked })
    const refused = await one.plan({ mode: 'full', schema }).catch(textOf)
    expect(refused).toMatch(/permission denied.*SELECT on the table/s)
    await warehouse.redshift.look(`GRANT SELECT ON ${table} TO reader`)
    expect((await one.plan({ mode: 'full', schema })).counted).toBe(2)
  })

  it('whose result is no longer kept begins again, and one whose table went says what is missing', async () => {
    const harness = await openTable(warehouse)
    const one = new Reader(redshift, harness)
    const plan = await one.plan()
    const [first] = plan.ranges
    const pages = one.pages(plan, first!, null)
    const { value } = await pages.next()
    await warehouse.redshift.advance(25 * 3_600_000)
    const rest = one.pages(plan, first!, value!.next).next()
    await expect(rest).rejects.toMatchObject({ kind: 'cursor-expired' })
    await harness.close()
    await expect(one.read(plan)).rejects.toMatchObject({ kind: 'missing' })
  })

  it('lists tables and views, but no ledgers, and leaves columns out that have no text', async () => {
    const { look } = warehouse.redshift
    await look(`CREATE VIEW seen_${made} AS SELECT id FROM ${table}`)
    await look(`CREATE TABLE lakeward_ledger_0123456789abcdef (n bigint)`)
    await look(`CREATE TABLE shapes_${made} (id text, shape point)`)
    const names: string[] = []
    for await (const { name } of redshift.source!.objects(session())) names.push(name)
    expect(names).toEqual(expect.arrayContaining([table, `seen_${made}`]))
    expect(names.filter((name) => name.includes('ledger'))).toEqual([])
    const notes: string[] = []
    const noting = { ...session(), note: (text: string) => void notes.push(text) }
    await redshift.source!.describe(noting, `shapes_${made}`, {})
    expect(notes.join()).toContain('shape is point')
  })
})

const textOf = (error: Error): string => `${error.message} ${(error as { advice?: string }).advice ?? ''}`
let made = 0
