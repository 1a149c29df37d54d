/** Tables and views of Redshift as a source. */
import type { ObjectInfo, ObjectSchema, Session, Source } from '../connector.ts'
import { ConnectorError } from '../errors.ts'
import { choice, strict } from '../strict.ts'
import { dataApi } from './data-api.ts'
import { inspectTable } from './inspect.ts'
import { isLedger } from './ledger.ts'
import { readPages } from './paged-read.ts'
import type { Warehouse } from './settings.ts'
import { sourceField } from './source-columns.ts'
import { countRows, planRead, requestOf } from './source-plan.ts'
import { tableName } from './sql.ts'
import { unloadJob } from './unload.ts'
import { readUnloaded } from './unloaded-read.ts'

export const source: Source = {
  options: strict('options of a redshift source', {
    unload: choice('auto unloads many rows to the staging of the connection', ['auto', 'always', 'never']).default(
      'auto',
    ),
  }),
  // Rows become visible when their transaction ends, which may be long after they were stamped.
  settleMs: 60_000,
  objects,
  describe,
  plan: planRead,
  job: unloadJob,
  read: (session, plan, range, from) =>
    plan.job ? readUnloaded(session, plan, range, from) : readPages(session, plan, from),
  count(session, plan) {
    const { table, where } = requestOf(plan)
    return countRows(dataApi(session), table, where)
  },
}

// https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_TABLES.html
async function* objects(session: Session): AsyncGenerator<ObjectInfo> {
  const { schema } = session.settings as unknown as Warehouse
  const rows = await dataApi(session).run(
    `SELECT "table_schema", "table_name", "table_type" FROM "svv_tables" WHERE LEFT("table_schema", 3) <> 'pg_' ` +
      `AND "table_schema" <> 'information_schema' ORDER BY "table_schema", "table_name"`,
  )
  for (const [within = '', table = '', kind = ''] of rows as string[][]) {
    if (isLedger(table)) continue
    const name = within === schema.toLowerCase() ? table : `${within}.${table}`
    const dotted = within.includes('.') || table.includes('.')
    const label = kind === 'BASE TABLE' ? 'table' : kind.toLowerCase()
    yield { name, label, ...(dotted && { unreadable: 'it has a dot in its name' }) }
  }
}

async function describe(session: Session, object: string): Promise<ObjectSchema> {
  const { schema } = session.settings as unknown as Warehouse
  const { columns } = await inspectTable(dataApi(session), tableName(object, schema))
  if (columns === null) {
    throw new ConnectorError({
      connector: 'redshift',
      doing: `describe ${object}`,
      kind: 'missing',
      reason: 'there is no such table or view, or it is not shown to this user',
      advice: 'Write table, or schema.table; `lakeward objects CONNECTION` lists them.',
    })
  }
  const fields = columns.flatMap((column) => sourceField(column) ?? [])
  const left = columns.filter(({ name }) => !fields.some((field) => field.name === name))
  for (const { name, type } of left) session.note(`${object}: ${name} is ${type}, which cannot be read: left out.`)
  // Keys are not enforced there, and nothing tells which column moves with every change: the flow names both.
  return { object, fields, keys: [], cursors: [], deletes: false }
}
