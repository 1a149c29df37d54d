/** Salesforce as a destination: records by calls or by jobs, to the same end. */
import type { RecordSink, WriteKind } from '../../record-sink.ts'
import { choice, strict } from '../../strict.ts'
import { sendCollections } from './collections.ts'
import { ingest } from './ingest.ts'
import { describeTarget } from './target.ts'

/** Below it, ten or so calls are done before a job has begun. */
const MANY = 2000

/** Rows of a job are cut into pieces of 10,000 by Salesforce; a file may have 100 MB, and our memory has a say too. */
const job = { maxRows: 50_000, maxBytes: 50_000_000 }

const writes: WriteKind[] = [
  { write: 'upsert', repeatable: true, key: 'any', ...job },
  { write: 'update', repeatable: true, key: { named: 'Id' }, ...job },
  { write: 'delete', repeatable: true, key: { named: 'Id' }, ...job },
  { write: 'append', repeatable: false, ...job },
]

export const sink: RecordSink = {
  options: strict('options of a Salesforce destination', {
    api: choice('calls of 200 records, Bulk jobs, or by their number', ['auto', 'rest', 'bulk']).default('auto'),
    nulls: choice('what a field without a value does: clear the one there is, or keep it', ['clear', 'keep']).default(
      'clear',
    ),
  }),
  writes,
  target: describeTarget,
  way: ({ api = 'auto' }, write, rows) =>
    write === 'append' || api === 'bulk' || (api === 'auto' && rows >= MANY) ? 'job' : 'send',
  send: sendCollections,
  job: ingest,
}
