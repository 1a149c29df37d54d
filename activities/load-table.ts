/**
 * An entry loaded into a table: its files, which are completed in the staging lake, in one transaction with the lane's
 * ledger row at the destination.
 *
 * Law: tries are counted. One that is remembered is asked what became of it; only after the vendor has said that it
 * failed and left nothing does the next one begin, under a token of its own.
 */
import type { Json, Load, Session, Table } from '../connectors/connector.ts'
import { ConnectorError } from '../connectors/errors.ts'
import { createOnce, jsonShape, readDocument } from '../connectors/lake/documents.ts'
import { laneKeys } from '../connectors/lake/keys.ts'
import type { Delivered } from '../connectors/lake/protocol.ts'
import type { OwedDelivery } from './deliver-unit.ts'
import type { StepContext } from './step.ts'
import { waiting } from './waiting.ts'

export async function loadTable(owed: OwedDelivery, context: StepContext): Promise<Delivered> {
  const { connector, session, entry } = owed
  const table = connector.destination!.table!
  const { number, ref: known } = await newestTry(owed)
  const ref = known ?? (await begin(owed, table, session, number))
  context.beat(`loading ${entry.counts.written.toLocaleString('en')} rows into ${entry.delivery.target}`)
  try {
    const state = await table.load.poll(session, ref)
    if ('ready' in state) return { ...state.ready, rejected: 0 }
    if ('waitMs' in state) throw waiting(`${entry.delivery.target} is loading`, state.waitMs)
    throw new Error(state.refused)
  } catch (error) {
    // Nothing of it is in the table: the next attempt is another try.
    if (error instanceof ConnectorError && error.kind === 'transient')
      await remember(owed, `${number}-over`, error.message)
    throw error
  }
}

/** Stops what was begun, if it still runs; the entry stays owed. */
export async function cancelLoad(owed: OwedDelivery): Promise<void> {
  const { ref } = await newestTry(owed)
  if (ref !== null) await owed.connector.destination!.table!.load.cancel(owed.session, ref)
}

async function newestTry(owed: OwedDelivery): Promise<{ number: number; ref: Json | null }> {
  for (let number = 1; ; number++) {
    if ((await recall(owed, `${number}-over`)) === null) return { number, ref: await recall(owed, `${number}`) }
  }
}

async function begin(owed: OwedDelivery, table: Table, session: Session, number: number): Promise<Json> {
  const load = await loadOf(owed, table)
  const token = `${load.run}-${load.n}-${number}`
  const found = await table.load.find?.(session, load, token)
  return remember(owed, `${number}`, found ?? (await table.load.submit(session, load, token)))
}

async function loadOf({ at, entry, after, lane }: OwedDelivery, table: Table): Promise<Load> {
  const { delivery, n, run, outputSchema } = entry
  const files = entry.files
    .filter((file) => !file.quarantine)
    .map(({ key, rows, bytes }) => ({ url: `${at.store.name}/${key}`, rows, bytes }))
  const manifest = `${laneKeys(at.lane).delivery(n)}manifest`
  await at.store.put(manifest, Buffer.from(table.manifest(files)))
  const { target, keys, order, widths } = delivery
  const write = delivery.write as Load['write']
  return {
    table: target,
    n,
    // What is replaced whole rests on nothing that was there.
    after: write === 'replace' ? null : after,
    lane,
    run,
    watermark: entry.after.watermark,
    files,
    manifest: `${at.store.name}/${manifest}`,
    schema: outputSchema,
    keys,
    write,
    order,
    ...(widths ? { widths } : {}),
  }
}

const keyOf = ({ at, entry }: OwedDelivery, name: string): string =>
  `${laneKeys(at.lane).delivery(entry.n)}try-${name}.json`

async function recall(owed: OwedDelivery, name: string): Promise<Json | null> {
  return (await readDocument(owed.at.store, keyOf(owed, name), jsonShape))?.value ?? null
}

async function remember(owed: OwedDelivery, name: string, value: Json): Promise<Json> {
  return (await createOnce(owed.at.store, keyOf(owed, name), { version: 1 as const, value }, jsonShape)).value
}
