/**
 * A real Redshift, where one is named: what no stand-in proves (permissions, COPY's own eyes, the words of errors).
 *
 * LAKEWARD_LIVE_REDSHIFT: the settings of the connection as JSON (`{"workgroup": …, "database": …, "region": …,
 * "copyRole": …}`); LAKEWARD_LIVE_BUCKET: a bucket of the same region. Logins are the default chain's.
 */
import { randomUUID } from 'node:crypto'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { expect, it } from 'vitest'
import type { JsonObject, Session } from '../../connectors/connector.ts'
import { s3Store } from '../../connectors/lake/s3/s3-store.ts'
import { dataApi } from '../../connectors/redshift/data-api.ts'
import { Ledger } from '../../connectors/redshift/ledger.ts'
import { redshift } from '../../connectors/redshift/redshift.ts'
import { Reader } from '../conformance/reading.ts'
import { fieldsOf } from '../records/tables.ts'
import { loaded, loadOf, table } from './loads.ts'

const { LAKEWARD_LIVE_REDSHIFT: written, LAKEWARD_LIVE_BUCKET: bucket } = process.env

it.skipIf(!written || !bucket)(
  'a real warehouse upserts, deletes, adds a column, widens a text, and gives it back',
  async () => {
    const settings = redshift.settings.parse(JSON.parse(written!)) as JsonObject
    const { region, schema: inSchema } = settings as { region?: string; schema: string }
    const session: Session = {
      connection: 'live',
      settings,
      http: { request: () => Promise.reject(new Error('no HTTP here')), token: async () => undefined },
      signal: new AbortController().signal,
      now: () => Promise.resolve(Date.now()),
      beat: () => {},
      note: () => {},
    }
    const s3 = new S3Client(region === undefined ? {} : { region })
    const prefix = `lakeward-live-${randomUUID()}`
    const put = async (key: string, Body: Uint8Array | string): Promise<string> => {
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}/${key}`, Body }))
      return `s3://${bucket}/${prefix}/${key}`
    }
    const name = prefix.replaceAll('-', '_')
    const store = s3Store({ bucket: bucket!, path: prefix, settleMs: 0, ...(region === undefined ? {} : { region }) })
    session.staging = () => Promise.resolve({ store, folder: 'exports' })
    const read = async (object: string, unload: string) => {
      const reader = new Reader(redshift, { object, options: { unload }, session: () => session } as never)
      const pages = await reader.read(await reader.plan({ mode: 'full', cursorField: null }))
      const rows = pages.flatMap(({ records }) => records.map(({ values }) => values))
      return rows.toSorted((one, two) => (String(one['id']) < String(two['id']) ? -1 : 1))
    }
    const schema = fieldsOf({ id: 'string', amount: 'decimal(20,2)', at: 'timestamp', _lakeward_op: 'string' })
    const more = { table: name, write: 'upsert' as const, keys: ['id'], order: ['at'] }
    const row = (id: string, second: number, op = 'upsert') => ({
      ...{ id, amount: '123456789012345678.90', at: `2026-01-01T00:00:0${second}.123456Z`, _lakeward_op: op },
    })
    try {
      const first = [row('a', 1), row('b', 1), row('a', 2)]
      await loaded(session, await loadOf({ put }, schema, first, { n: 1, widths: { id: 1 }, ...more }))
      const wider = [...schema, ...fieldsOf({ raw: 'json', long: 'decimal(38,10)' })]
      const long = 'é'.repeat(300)
      const second = [row('b', 3, 'delete'), { ...row(long, 3), raw: { a: [1] }, long: '1.5' }]
      const result = await loaded(session, await loadOf({ put }, wider, second, { n: 2, widths: { id: 600 }, ...more }))
      expect(result).toEqual({ inserted: 1, updated: 0, deleted: 1 })
      const rows = await dataApi(session).run(`SELECT "id", "amount", "long" FROM "${name}" ORDER BY "id"`)
      expect(rows).toEqual([
        ['a', '123456789012345678.90', null],
        [long, '123456789012345678.90', '1.5000000000'],
      ])
      expect((await table.newest(session, name))?.n).toBe(2)
      const pages = await read(name, 'never')
      expect(pages.map(({ id, long: number }) => [id, number])).toEqual(
        expect.arrayContaining([[long, '1.5000000000']]),
      )
      expect(await read(name, 'always')).toEqual(pages)
    } finally {
      const ledger = new Ledger(inSchema, name)
      for (const drop of [`"${name}"`, ledger.table]) await dataApi(session).run(`DROP TABLE IF EXISTS ${drop}`)
      s3.destroy()
    }
  },
)
