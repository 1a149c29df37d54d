/**
 * Amazon Redshift, provisioned or Serverless, through its Data API: tables as a destination and as a source. Files are
 * staged on S3 in the region of the warehouse.
 */
import type { Connector, Session, Table } from '../connector.ts'
import { columnType, fieldOf } from './column-types.ts'
import { dataApi } from './data-api.ts'
import { inspectTable } from './inspect.ts'
import { loadJob, newestEntry } from './load.ts'
import { shapeOf, type Target } from './load-statements.ts'
import { settings, type Warehouse } from './settings.ts'
import { source } from './source.ts'
import { tableName } from './sql.ts'

const targetOf = (session: Session, table: string): Promise<Target> => {
  const { schema } = session.settings as unknown as Warehouse
  return inspectTable(dataApi(session), tableName(table, schema))
}

const FIELD_TYPES = ['string', 'json', 'boolean', 'int32', 'int64', 'float64', 'date', 'timestamp', 'binary'] as const

const table: Table = {
  types: {
    ...Object.fromEntries(FIELD_TYPES.map((type) => [type, columnType(type)!])),
    decimal: 'DECIMAL(p,s), s to 37',
  },
  // https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html
  manifest: (files) =>
    JSON.stringify({
      entries: files.map(({ url, bytes }) => ({ url, mandatory: true, meta: { content_length: bytes } })),
    }),
  async inspect(session, named) {
    const { columns } = await targetOf(session, named)
    return columns && { object: named, fields: columns.map(fieldOf), keys: [], cursors: [], deletes: false }
  },
  async check(session, shape) {
    shapeOf(shape, await targetOf(session, shape.table))
  },
  newest: newestEntry,
  load: loadJob,
}

export const redshift: Connector = {
  name: 'redshift',
  title: 'Tables of Amazon Redshift, provisioned or Serverless',
  settings,
  staging: 'Files on their way to its tables, or from them',
  auth: [{ type: 'aws_keys', send: 'none', optional: true }],
  // https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
  limits: [],
  errors: [],
  identity(session) {
    const { endpoint, region, workgroup, clusterIdentifier, database } = session.settings as unknown as Warehouse
    return Promise.resolve([endpoint ?? region ?? 'redshift', workgroup ?? clusterIdentifier, database].join('/'))
  },
  // The database user that the login becomes.
  async account(session) {
    const [row] = await dataApi(session).run('SELECT CURRENT_USER AS "user"')
    return { user: row?.[0] ?? '' }
  },
  source,
  destination: { table },
}
