/** Options of a Salesforce source. */
import type { JsonObject } from '../connector.ts'
import { choice, integer, strict } from '../strict.ts'

/**
 * A job costs some calls and a wait in Salesforce's queue; pages of 2,000 cost a call each, and are read in up to four
 * ranges at once. 200,000 rows are a hundred calls and about a minute by pages, and about a minute by a job, which took
 * 64 s for 449,464 records where it was measured. Amazon AppFlow waits until 1,000,000, which are 500 calls.
 */
const BULK_FROM = 200_000

export const options = strict('options of a Salesforce source', {
  api: choice('how records are read: by pages, by a Bulk job, or by how many they are', [
    'auto',
    'rest',
    'bulk',
  ]).default('auto'),
  bulkFrom: integer('rows from which api: auto takes a Bulk job', 1).default(BULK_FROM),
  compound: choice('addresses and locations: as their parts, or whole', ['parts', 'json']).default('parts'),
  numbers: choice('numbers with decimals: exact, or as doubles', ['decimal', 'float64']).default('decimal'),
})

export interface ReadOptions {
  api: 'auto' | 'rest' | 'bulk'
  bulkFrom: number
  compound: 'parts' | 'json'
  numbers: 'decimal' | 'float64'
}

export const readOptions = (asked: JsonObject): ReadOptions => options.parse(asked)
