/**
 * An entry sent record by record: chunk after chunk, and of each what became of its records.
 *
 * Laws
 * - A chunk whose document stands is never sent again. One without goes again where its write may be repeated; where it
 *   may not, it goes by jobs, which are remembered before they have its records (`deliver.ts`).
 * - What was refused is in quarantine before the chunk after it is sent, and so before the receipt.
 */
import { createHash } from 'node:crypto'
import type { Row } from '../connectors/connector.ts'
import { deliver, release } from '../connectors/deliver.ts'
import { damaged } from '../connectors/lake/documents.ts'
import { type Chunk, chunkReader } from '../connectors/lake/entry-chunks.ts'
import type { ChunkPlace, Delivered, DeliveryWay, RecordsDelivery, SentChunk } from '../connectors/lake/protocol.ts'
import { sentRecords, type SentRecords } from '../connectors/lake/sent-records.ts'
import type { Outcome, RecordBatch, RecordSink, RecordWrite } from '../connectors/record-sink.ts'
import { batchRows } from '../connectors/records/batch-rows.ts'
import { decodePage } from '../connectors/records/decode.ts'
import type { OwedDelivery } from './deliver-unit.ts'
import type { StepContext } from './step.ts'
import { waiting } from './waiting.ts'

/** Calls are cut finer than jobs: a crash repeats so many at most. */
const MOST_SENT = 5_000
/** A shorter wait is slept through. */
const SHORT_MS = 1_500
/** A code in front of a vendor's reason; all else of it may hold values. */
const CODE = /^[A-Za-z][\w.]{0,79}(?=:)/

export type Sent = { result: Delivered; reasons: Record<string, number> }

export async function sendRecords(
  owed: OwedDelivery & { claim?: RecordBatch['claim'] },
  context: StepContext,
): Promise<Sent> {
  const { at, entry, connector } = owed
  const sink = connector.destination!.record!
  const memory = sentRecords(at, entry)
  const limits = await memory.way(proposed(sink, entry))
  const chunks = chunkReader(at.store, entry, limits)
  const sent: Sent = { result: { inserted: 0, updated: 0, deleted: 0, rejected: 0 }, reasons: {} }
  let place: ChunkPlace | null = chunks.start
  for (let number = 1; place !== null; number++) {
    const read = held(() => chunks.read(place!))
    const known = await memory.chunk(number)
    const chunk = known ?? (await sendChunk(owed, { ...limits, sink, memory, number, place }, await read(), context))
    if (!(await memory.isKept(number, chunk.rejects))) {
      const from = await read()
      await memory.keep(number, chunk.rejects, linesOf(from), from.refused)
    }
    add(sent, chunk)
    place = chunk.next
    context.beat(
      `${(place?.row ?? entry.counts.written).toLocaleString('en')} records sent to ${entry.delivery.target}`,
    )
  }
  return sent
}

function proposed(sink: RecordSink, { delivery, counts }: OwedDelivery['entry']): Omit<DeliveryWay, 'version'> {
  const write = delivery.write as RecordWrite
  const { repeatable, maxRows, maxBytes } = sink.writes.find((one) => one.write === write)!
  const chosen = sink.way(delivery.records!.options, write, counts.written)
  if (chosen === 'send' && !repeatable) throw new Error(`${write} of ${delivery.target} may not be repeated by calls`)
  return { way: chosen, maxRows: chosen === 'send' ? Math.min(maxRows, MOST_SENT) : maxRows, maxBytes }
}

interface Sending {
  sink: RecordSink
  memory: SentRecords
  way: DeliveryWay['way']
  number: number
  place: ChunkPlace
}

async function sendChunk(
  owed: OwedDelivery & { claim?: RecordBatch['claim'] },
  { sink, memory, way, number, place }: Sending,
  chunk: Chunk,
  context: StepContext,
): Promise<SentChunk> {
  const { session } = owed
  const jobs = memory.jobs(number)
  const wait = async (what: string, ms: number): Promise<void> => {
    if (ms > SHORT_MS) throw waiting(what, ms)
    await context.sleep(ms)
  }
  const outcomes = await deliver({ sink, session, way, jobs, wait, batch: batchOf(owed, chunk, place.row) })
  const result = countsOf(outcomes, owed.entry.delivery.write as RecordWrite)
  const rejects = outcomes.flatMap((one, row) =>
    one.ok ? [] : [{ row, reason: one.reason, ...(one.unknown ? { unknown: true as const } : {}) }],
  )
  const stands = await memory.settle(number, { result, rejects, next: chunk.next })
  await release({ sink, session, jobs })
  return stands
}

function batchOf(
  { at, entry, lane, claim }: OwedDelivery & { claim?: RecordBatch['claim'] },
  chunk: Chunk,
  first: number,
) {
  const { delivery, outputSchema, n } = entry
  const { target, options } = delivery.records as RecordsDelivery
  const rows: Row[] = []
  for (const { batch } of decodePage({ body: chunk.body, shape: { format: 'jsonl' } }, outputSchema)) {
    rows.push(...batchRows(batch))
  }
  if (rows.length !== chunk.rows) {
    throw damaged(at.store.name, `${chunk.rows} records of entry ${n} read as ${rows.length}`)
  }
  const named = new Set(target.fields.map(({ name }) => name))
  return {
    target,
    write: delivery.write as RecordWrite,
    key: delivery.keys[0] ?? null,
    fields: target.open ? outputSchema : outputSchema.filter(({ name }) => named.has(name)),
    rows,
    ids: rows.map((_, row) => idOf(lane, n, first + row)),
    options,
    ...(claim ? { claim } : {}),
  }
}

/** The same in every attempt, and no other record's: lane, entry and place in it. */
function idOf(lane: string, n: number, row: number): string {
  return createHash('sha256').update(`${lane}\n${n}\n${row}`).digest('hex').slice(0, 32)
}

function countsOf(outcomes: Outcome[], write: RecordWrite): Delivered {
  const result: Delivered = { inserted: 0, updated: 0, deleted: 0, rejected: 0 }
  for (const one of outcomes) {
    if (!one.ok) result.rejected++
    else if (write === 'delete') result.deleted++
    else if (write === 'append' || one.created) result.inserted++
    else result.updated++
  }
  return result
}

function add({ result, reasons }: Sent, chunk: SentChunk): void {
  result.inserted += chunk.result.inserted
  result.updated += chunk.result.updated
  result.deleted += chunk.result.deleted
  result.rejected += chunk.result.rejected
  for (const { reason } of chunk.rejects) {
    const code = CODE.exec(reason)?.[0] ?? 'other'
    reasons[code] = (reasons[code] ?? 0) + 1
  }
}

const linesOf = ({ body }: Chunk): string[] => Buffer.from(body).toString('utf8').split('\n')

/** Asked for once. */
function held<T>(read: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined
  return () => (answer ??= read())
}
