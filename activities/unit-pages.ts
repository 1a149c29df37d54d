/**
 * The records of one unit, from pages to the bytes of its files: decoded, looked back at, through the flow's
 * transforms, into a sink per partition. Synchronous and pure: it runs in a thread (`unit-thread.ts`), and what it
 * gives is staged elsewhere (`unit-files.ts`).
 *
 * Laws
 * - It loads nothing of Temporal and opens nothing: all it knows came with `UnitWork`, all it does is in its outputs,
 *   which are carried out in their order.
 * - read = written + filtered + dropped + quarantined + repeated (by a lookback), for every page.
 * - At most 64 partitions are open at once; the one that was used longest ago is closed to open another. What all sinks
 *   hold back together is bounded by what every page is allowed: the largest is flushed.
 */
import type { KeyObject } from 'node:crypto'
import type { Field, Page } from '../connectors/connector.ts'
import { noCounts } from '../connectors/lake/counts.ts'
import { lookback } from '../connectors/lake/lookback.ts'
import type { Lookback, LookbackStart } from '../connectors/lake/lookback.ts'
import type { Counts, Lane, RunPlan, SeenPart } from '../connectors/lake/protocol.ts'
import type { ReplayRange } from '../connectors/lake/replay.ts'
import type { Batch } from '../connectors/records/batch.ts'
import { csvSink } from '../connectors/records/csv.ts'
import { decodePage } from '../connectors/records/decode.ts'
import { jsonlSink } from '../connectors/records/jsonl.ts'
import { parquetSink } from '../connectors/records/parquet.ts'
import { partitioner } from '../connectors/records/partition.ts'
import type { Partitioner } from '../connectors/records/partition.ts'
import { quarantineLine } from '../connectors/records/quarantine.ts'
import type { Reject } from '../connectors/records/quarantine.ts'
import { RecordBuilder } from '../connectors/records/record-builder.ts'
import { compileRecipe } from '../connectors/records/recipe.ts'
import type { Pipeline } from '../connectors/records/recipe.ts'
import type { Sink } from '../connectors/records/sink.ts'
import { freshRows } from './fresh-rows.ts'
import type { StoredRecipe } from './recipe.ts'

const MOST_OPEN = 64
/** A quarantine is for people to look at; its lines go out in pieces of this size. */
const PIECE = 256 * 1024

const sinks: Record<StoredRecipe['format'], (fields: Field[]) => Sink> = {
  parquet: (fields) => parquetSink(fields),
  jsonl: jsonlSink,
  csv: csvSink,
}

/** All that the records of a unit are worked on with; it can be cloned into a thread. */
export interface UnitWork {
  lane: Pick<Lane, 'flow' | 'object'>
  plan: RunPlan
  recipe: StoredRecipe
  /** Of keyed hashes, by name. */
  keys: Map<string, KeyObject>
  lookback: LookbackStart | null
  /** The pages are of quarantine. */
  replay: Pick<ReplayRange, 'by' | 'attempt'> | null
}

/** What is to be done with a file; `file` counts from 0 in a unit. */
export type UnitOutput =
  | { kind: 'open'; file: number; folder: string; quarantine: boolean }
  | { kind: 'bytes'; file: number; pieces: Uint8Array[] }
  | { kind: 'close'; file: number; rows: number }

export interface UnitResult {
  /** Without `bytes`, which the files have. */
  counts: Counts
  /** Bytes of the longest text of each field, for tables. */
  widths: Record<string, number>
  seen: SeenPart | null
}

/** What of a page its records are decoded by. */
export type WorkedPage = Pick<Page, 'body' | 'shape' | 'op' | 'records'>

interface OpenFile {
  file: number
  sink: Sink
}

export class UnitPages {
  readonly #counts = noCounts()
  readonly #widths: Record<string, number> = {}
  readonly #work: UnitWork
  readonly #input: Field[]
  readonly #pipeline: Pipeline
  readonly #lookback: Lookback | null
  readonly #fresh: ReturnType<typeof freshRows>
  readonly #partitions: Partitioner
  /** By folder, the one used longest ago first. */
  readonly #open = new Map<string, OpenFile>()
  #quarantine: { file: number; rows: number; waiting: string[]; length: number } | null = null
  #records: { op: string; builder: RecordBuilder } | null = null
  #files = 0
  #closedBytes = 0

  constructor(work: UnitWork) {
    const { plan, recipe, keys, replay } = work
    this.#work = work
    // What the destination refused is output already.
    const sent = replay?.by === 'destination'
    this.#input = sent ? plan.outputSchema : plan.sourceSchema
    const shape = sent ? { ...recipe, where: null, transform: [] } : recipe
    this.#pipeline = compileRecipe(shape, this.#input, plan.outputSchema, (name) => keys.get(name)!)
    this.#lookback = work.lookback && lookback(work.lookback)
    this.#fresh = freshRows(plan, this.#lookback)
    const schemaVersion = plan.schema?.version ?? 1
    this.#partitions = partitioner(recipe.partitionBy, plan.outputSchema, { ...recipe, schemaVersion })
  }

  /** Of all files so far: an estimate for what is not encoded yet. */
  get bytes(): number {
    let bytes = this.#closedBytes
    for (const { sink } of this.#open.values()) bytes += sink.bytes
    return bytes
  }

  /** `mostHeld`: bytes that the sinks may hold back behind it. @throws PageError, InvalidRecord */
  *page(page: WorkedPage, mostHeld: number): Generator<UnitOutput> {
    const counts = this.#counts
    counts.pages++
    for (const found of decodePage(page, this.#input, this.#recordsOf(page.op))) {
      const { decoded, repeated } = this.#fresh(found)
      const { batch, read, filtered, dropped, rejects } = this.#pipeline.run(decoded)
      counts.read += read + repeated
      if (repeated > 0) counts.repeated = (counts.repeated ?? 0) + repeated
      counts.filtered += filtered
      counts.dropped += dropped
      counts.quarantined += rejects.length
      counts.written += batch.rows
      yield* this.#write(batch)
      if (rejects.length > 0) yield* this.#reject(rejects)
    }
    yield* this.#relieve(mostHeld)
  }

  /**
   * A batch goes to the sinks before the next one is decoded, and they keep nothing of it: its memory is used again.
   */
  #recordsOf(op: Page['op']): RecordBuilder {
    const told = JSON.stringify(op ?? null)
    if (this.#records?.op !== told) this.#records = { op: told, builder: new RecordBuilder(this.#input, op, true) }
    return this.#records.builder
  }

  /** Closes every file; `result` is final behind it. */
  *close(): Generator<UnitOutput> {
    for (const folder of this.#open.keys()) yield* this.#closeFile(folder)
    if (this.#quarantine) {
      const { file, rows, waiting } = this.#quarantine
      yield { kind: 'bytes', file, pieces: [Buffer.from(waiting.join(''))] }
      yield { kind: 'close', file, rows }
    }
    const { read, written, filtered, dropped, quarantined, repeated = 0 } = this.#counts
    if (read !== written + filtered + dropped + quarantined + repeated) {
      throw new Error(
        `${read} read, but ${written} written + ${filtered} filtered + ${dropped} + ${quarantined} + ${repeated}`,
      )
    }
  }

  result(): UnitResult {
    return { counts: this.#counts, widths: this.#widths, seen: this.#lookback?.part() ?? null }
  }

  *#write(batch: Batch): Generator<UnitOutput> {
    if (this.#work.plan.delivery?.kind === 'table') this.#measure(batch)
    for (const { folder, rows } of this.#partitions.split(batch)) {
      let open = this.#open.get(folder)
      if (open) this.#open.delete(folder)
      else {
        const [oldest] = this.#open.keys()
        if (oldest !== undefined && this.#open.size >= MOST_OPEN) yield* this.#closeFile(oldest)
        open = { file: this.#files++, sink: sinks[this.#work.recipe.format](this.#work.plan.outputSchema) }
        yield { kind: 'open', file: open.file, folder, quarantine: false }
      }
      this.#open.set(folder, open)
      open.sink.append(batch, rows)
      yield* bytesOf(open.file, open.sink.drain())
    }
  }

  /** A table has columns of a width. */
  #measure({ fields, columns }: Batch): void {
    for (const [at, { data }] of columns.entries()) {
      if (data.kind !== 'bytes') continue
      const { name } = fields[at]!
      let widest = this.#widths[name] ?? 0
      const { offsets } = data
      for (let row = 1; row < offsets.length; row++) widest = Math.max(widest, offsets[row]! - offsets[row - 1]!)
      this.#widths[name] = widest
    }
  }

  *#closeFile(folder: string): Generator<UnitOutput> {
    const { file, sink } = this.#open.get(folder)!
    this.#open.delete(folder)
    yield* bytesOf(file, sink.finish())
    yield { kind: 'close', file, rows: sink.rows }
    this.#closedBytes += sink.bytes
  }

  *#relieve(mostHeld: number): Generator<UnitOutput> {
    for (;;) {
      const open = [...this.#open.values()]
      const held = open.reduce((sum, { sink }) => sum + sink.buffered, 0)
      if (held <= mostHeld) return
      const { file, sink } = open.reduce((most, one) => (one.sink.buffered > most.sink.buffered ? one : most))
      sink.flush()
      yield* bytesOf(file, sink.drain())
    }
  }

  *#reject(rejects: Reject[]): Generator<UnitOutput> {
    const { lane, plan, replay } = this.#work
    if (!this.#quarantine) {
      this.#quarantine = { file: this.#files++, rows: 0, waiting: [], length: 0 }
      yield { kind: 'open', file: this.#quarantine.file, folder: '', quarantine: true }
    }
    const kept = this.#quarantine
    const { by, attempt } = replay ?? { by: 'flow', attempt: 0 }
    const about = { ...lane, run: plan.run, attempt: attempt + 1, by }
    for (const reject of rejects) {
      const line = quarantineLine(reject, about)
      kept.waiting.push(line)
      kept.length += line.length
      kept.rows++
      if (kept.length < PIECE) continue
      yield { kind: 'bytes', file: kept.file, pieces: [Buffer.from(kept.waiting.join(''))] }
      kept.waiting = []
      kept.length = 0
    }
  }
}

function* bytesOf(file: number, pieces: Uint8Array[]): Generator<UnitOutput> {
  if (pieces.length > 0) yield { kind: 'bytes', file, pieces }
}
