/** Salesforce as records: by external id, by Id, and new ones, against the sandbox. */
import { afterAll, beforeAll, describe, it } from 'vitest'
import type { Row } from '../../connectors/connector.ts'
import type { RecordBatch, RecordWrite } from '../../connectors/record-sink.ts'
import { salesforce } from '../../connectors/salesforce/salesforce.ts'
import { recordConformance } from '../conformance/index.ts'
import { type Sandbox, startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import { connect, type Org } from './org.ts'

const sink = salesforce.destination!.record!
const object = 'Account'
let sandbox: Sandbox
let org: Org
let made = 0
beforeAll(async () => {
  sandbox = await startSalesforce({ accounts: 1, opportunities: 1 })
  sandbox.control.ingest({ polls: 1, chunkRows: 10 })
  org = connect(sandbox.url)
})
afterAll(async () => {
  await org.close()
  await sandbox.stop()
})

const KEYS: Record<RecordWrite, string | null> = { append: null, upsert: 'External_Key__c', update: 'Id', delete: 'Id' }

async function batchOf(write: RecordWrite, rows: Row[]): Promise<RecordBatch> {
  const names = Object.keys(rows[0]!)
  const target = await sink.target(org.session, object, names)
  const fields = names.map((name) => target.fields.find((field) => field.name === name)!)
  const ids = rows.map((_, at) => `${made}-${at}`)
  return { target, write, key: KEYS[write], fields, rows, ids, options: sink.options.parse({}) }
}

function rowsOf(write: RecordWrite, count: number): Row[] {
  const prefix = `conform-${++made}`
  const values = Array.from({ length: count }, (_, at) => ({
    External_Key__c: `${prefix}-${at}`,
    Name: `${prefix} ${at}`,
  }))
  if (write === 'append' || write === 'upsert') return values
  const { ids } = sandbox.control.insert({ object, rows: values })
  return ids.map((Id, at) => (write === 'delete' ? { Id } : { Id, Name: `${prefix} ${at} anew` }))
}

recordConformance(
  { describe, it },
  {
    name: 'Salesforce',
    open: async () => ({
      sink,
      session: org.session,
      batch: (write, count) => batchOf(write, rowsOf(write, count)),
      async spoilt(write, count, at) {
        const rows = rowsOf(write, count)
        rows[at] = write === 'delete' ? { Id: '0015g00000ZZZZZAAA' } : { ...rows[at], Name: null }
        return batchOf(write, rows)
      },
      async found({ write, rows }) {
        const there = [...sandbox.control.truth(object)]
        if (write === 'delete') return rows.map(({ Id }) => (there.some((one) => one['Id'] === Id) ? 0 : 1))
        const names = there.map((one) => one['Name'])
        return rows.map(({ Name }) => names.filter((name) => name === Name).length)
      },
      close: async () => {},
    }),
  },
)
