/**
 * Brings an entry to the destination that is no lake, and then says so by its receipt.
 *
 * Laws
 * - Any number of attempts, by anyone: what was begun is remembered in the delivery's folder before it is used, and
 *   what is done already is found done.
 * - Waiting for the vendor is a failure with a delay: it holds no slot and leaves nothing in the history.
 * - Nothing that the entry says is changed by what the flow says now.
 */
import { ConnectorError } from '../connectors/errors.ts'
import { deliveredBefore, readReceipt, settleDelivery } from '../connectors/lake/deliveries.ts'
import { entryShape, readDocument, damaged } from '../connectors/lake/documents.ts'
import { laneKeys } from '../connectors/lake/keys.ts'
import { lakeIdentity } from '../connectors/lake/identity.ts'
import type { CommitEntry, LakeLane, Receipt } from '../connectors/lake/protocol.ts'
import { claimsOf } from './claims.ts'
import type { Connected, Deps } from './deps.ts'
import type { DeliverDigest, DeliverInput, LaneTask } from './digests.ts'
import { judgeDelivery } from './judge-delivery.ts'
import { connectEnd, lakeLane } from './lane.ts'
import { loadTable } from './load-table.ts'
import { sendRecords } from './send-records.ts'
import { step } from './step.ts'
import type { StepContext } from './step.ts'

export interface OwedDelivery extends Connected {
  at: LakeLane
  entry: CommitEntry & { delivery: NonNullable<CommitEntry['delivery']> }
  /** The entry that was delivered before it; 0: none. */
  after: number
  /** Names the lane at the destination: the ledger's lake and place. */
  lane: string
}

export const deliverUnit = (deps: Deps) =>
  step(async ({ task, n }: DeliverInput, context): Promise<DeliverDigest> => {
    const at = await lakeLane(deps, task, context)
    const entry = await owedEntry(at, n)
    const receipt = await readReceipt(at, n)
    const settled = await settleDelivery(at, entry, receipt ?? (await delivered(deps, task, at, entry, context)))
    const told = judgeDelivery(at, entry, settled)
    if (told !== undefined) context.notes.add(told)
    return { n, result: settled.result, notes: [...context.notes], calls: context.calls.made }
  })

async function delivered(
  deps: Deps,
  { lane: { flow, object } }: LaneTask,
  at: LakeLane,
  entry: OwedDelivery['entry'],
  context: StepContext,
): Promise<Pick<Receipt, 'result' | 'reasons'>> {
  const { kind, connection } = entry.delivery
  const none = entry.files.every(({ quarantine }) => quarantine)
  if (kind === 'records' && none) return { result: { inserted: 0, updated: 0, deleted: 0, rejected: 0 } }
  const connected = await reached(deps, entry, context)
  const lane = `${await lakeIdentity(at.store)}/${flow}/${object}`
  const after = await deliveredBefore(at, entry.n)
  const owed = { at, entry, after, lane, ...connected }
  if (kind === 'table') return { result: await loadTable(owed, context) }
  const claim = await claimsOf(deps, connection, at.lane)
  return sendRecords({ ...owed, ...(claim ? { claim } : {}) }, context)
}

export async function owedEntry(at: LakeLane, n: number): Promise<OwedDelivery['entry']> {
  const key = laneKeys(at.lane).entry(n)
  const entry = await readDocument(at.store, key, entryShape)
  if (entry?.kind === 'commit' && entry.delivery) return { ...entry, delivery: entry.delivery }
  throw damaged(`${at.store.name}/${key}`, `entry ${n} is to be delivered, and is gone or says nothing of it`)
}

/** The destination, if it is still the one that the entry was planned for. */
export async function reached(deps: Deps, { delivery, n }: OwedDelivery['entry'], context: StepContext) {
  const connected = await connectEnd(deps, delivery.connection, context)
  const identity = await connected.connector.identity(connected.session)
  if (identity === delivery.identity) return connected
  throw new ConnectorError({
    connector: connected.connector.name,
    doing: `deliver entry ${n}`,
    kind: 'moved',
    reason: `the connection reaches ${identity}, and the entry is for ${delivery.identity}`,
    advice: 'Point the connection back until it is delivered.',
  })
}
