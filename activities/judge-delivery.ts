/**
 * Whether a run goes on after a delivery in which records were refused. The entry is settled by then: what was sent is
 * never sent again, and what was refused lies in quarantine.
 */
import { ApplicationFailure } from '@temporalio/common'
import { type Allowance, allowed } from '../connectors/allowance.ts'
import { laneKeys } from '../connectors/lake/keys.ts'
import type { Counts, LakeLane, Receipt } from '../connectors/lake/protocol.ts'
import type { OwedDelivery } from './deliver-unit.ts'

const MOST_REASONS = 5
const AGAIN = 'Runs do not send them again: once the cause is mended, `lakeward replay` does.'

/** A sentence for the run's report; undefined: nothing was refused. @throws where the flow wants the run to fail */
export function judgeDelivery(at: LakeLane, entry: OwedDelivery['entry'], receipt: Receipt): string | undefined {
  const { rejected } = receipt.result
  const { connection, target, records } = entry.delivery
  if (rejected === 0) return undefined
  const { written, read, quarantined } = entry.counts
  const show = (rows: number): string => rows.toLocaleString('en')
  const what = `${show(rejected)} of ${show(written)} records for ${target} were refused by ${connection}`
  const where = `They lie in ${at.store.name}/${laneKeys(at.lane).quarantine}`
  const told = `${what}: ${reasonsOf(receipt)}. ${where}, each with the reason.`
  if (records?.onReject === 'fail') {
    throw ApplicationFailure.nonRetryable(`${told} The others are written. ${AGAIN}`, 'RecordsRejected')
  }
  const most = records?.most && allowed(records.most, read)
  if (most !== undefined && rejected + quarantined > most) {
    const limit = `The flow allows ${show(most)} quarantined records (maxQuarantined).`
    throw ApplicationFailure.nonRetryable(`${told} ${limit} The others are written. ${AGAIN}`, 'TooManyQuarantined')
  }
  return `${told} ${AGAIN}`
}

/** Before anything is committed. */
export function judgeRead(most: Allowance | undefined, { read, quarantined }: Counts): void {
  const limit = most && allowed(most, read)
  if (limit === undefined || quarantined <= limit) return
  const show = (rows: number): string => rows.toLocaleString('en')
  throw ApplicationFailure.nonRetryable(
    `${show(quarantined)} of ${show(read)} records are invalid, and the flow allows ${show(limit)} (maxQuarantined). ` +
      'Nothing more was committed: mend the records at the source or the flow, or raise the limit, and run again.',
    'TooManyQuarantined',
  )
}

function reasonsOf({ reasons = {} }: Receipt): string {
  const all = Object.entries(reasons).toSorted(([, a], [, b]) => b - a)
  const told = all.slice(0, MOST_REASONS).map(([reason, rows]) => `${reason} (${rows.toLocaleString('en')})`)
  return all.length > MOST_REASONS
    ? `${told.join(', ')} and ${all.length - MOST_REASONS} other reasons`
    : told.join(', ')
}
