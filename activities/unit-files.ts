/**
 * The files of one unit: rows go through the flow's transforms, into a sink per partition, and from there to staged
 * files.
 *
 * Laws
 * - read = written + filtered + dropped + quarantined + repeated (by a lookback), for every page.
 * - At most 64 partitions are open at once; the one that was used longest ago is closed to open another. What all sinks
 *   hold back together is bounded too: the largest is flushed.
 * - A file without rows is never staged.
 */
import { ApplicationFailure } from '@temporalio/common'
import type { Field, Page } from '../connectors/connector.ts'
import { ConnectorError } from '../connectors/errors.ts'
import { noCounts } from '../connectors/lake/counts.ts'
import type { Counts, RunPlan } from '../connectors/lake/protocol.ts'
import type { ReplayRange } from '../connectors/lake/replay.ts'
import type { Lookback } from '../connectors/lake/seen.ts'
import type { StagedFileWriter, UnitWriter } from '../connectors/lake/units.ts'
import type { Batch } from '../connectors/records/batch.ts'
import { csvSink } from '../connectors/records/csv.ts'
import { decodePage } from '../connectors/records/decode.ts'
import { jsonlSink } from '../connectors/records/jsonl.ts'
import { PageError } from '../connectors/records/page-error.ts'
import { parquetSink } from '../connectors/records/parquet.ts'
import { partitioner } from '../connectors/records/partition.ts'
import type { Partitioner } from '../connectors/records/partition.ts'
import { quarantineLine } from '../connectors/records/quarantine.ts'
import type { Reject } from '../connectors/records/quarantine.ts'
import { InvalidRecord, compileRecipe, keyNames } from '../connectors/records/recipe.ts'
import type { Pipeline } from '../connectors/records/recipe.ts'
import type { Sink } from '../connectors/records/sink.ts'
import type { Deps } from './deps.ts'
import { freshRows } from './fresh-rows.ts'
import type { StoredRecipe } from './recipe.ts'

const MOST_OPEN = 64
const MOST_BUFFERED = 128 * 1024 * 1024
/** A quarantine is for people to look at; its lines go out in pieces of this size. */
const PIECE = 256 * 1024

const sinks: Record<StoredRecipe['format'], (fields: Field[]) => Sink> = {
  parquet: (fields) => parquetSink(fields),
  jsonl: jsonlSink,
  csv: csvSink,
}

/** What pages hold, and what becomes of it; `replay`: they are of quarantine. */
interface Reading {
  input: Field[]
  pipeline: Pipeline
  lookback: Lookback | null
  replay: ReplayRange | null
}

interface OpenFile {
  sink: Sink
  writer: StagedFileWriter
}

export class UnitFiles {
  readonly counts: Counts = noCounts()
  /** Bytes of the longest text of each field, for tables. */
  readonly widths: Record<string, number> = {}
  readonly #unit: UnitWriter
  readonly #plan: RunPlan
  readonly #recipe: StoredRecipe
  readonly #pipeline: Pipeline
  readonly #input: Field[]
  readonly #replay: ReplayRange | null
  readonly #fresh: ReturnType<typeof freshRows>
  readonly #partitions: Partitioner
  /** By folder, the one used longest ago first. */
  readonly #open = new Map<string, OpenFile>()
  #quarantine: { writer: StagedFileWriter; rows: number; waiting: string[]; length: number } | null = null
  #closedBytes = 0

  static async open(
    deps: Deps,
    unit: UnitWriter,
    plan: RunPlan,
    recipe: StoredRecipe,
    lookback: Lookback | null,
    replay: ReplayRange | null,
  ): Promise<UnitFiles> {
    const keys = new Map(await Promise.all(keyNames(recipe).map(async (name) => [name, await deps.key(name)] as const)))
    // What the destination refused is output already.
    const sent = replay?.by === 'destination'
    const input = sent ? plan.outputSchema : plan.sourceSchema
    const shape = sent ? { ...recipe, where: null, transform: [] } : recipe
    const pipeline = compileRecipe(shape, input, plan.outputSchema, (name) => keys.get(name)!)
    return new UnitFiles(unit, plan, recipe, { input, pipeline, lookback, replay })
  }

  private constructor(
    unit: UnitWriter,
    plan: RunPlan,
    recipe: StoredRecipe,
    { input, pipeline, lookback, replay }: Reading,
  ) {
    this.#unit = unit
    this.#plan = plan
    this.#recipe = recipe
    this.#pipeline = pipeline
    this.#input = input
    this.#replay = replay
    this.#fresh = freshRows(plan, lookback)
    const schemaVersion = plan.schema?.version ?? 1
    this.#partitions = partitioner(recipe.partitionBy, plan.outputSchema, { ...recipe, schemaVersion })
  }

  /** The target size is reached: the unit should end, and with it its files. */
  get full(): boolean {
    let bytes = this.#closedBytes
    for (const { sink } of this.#open.values()) bytes += sink.bytes
    return bytes >= this.#recipe.fileSizeBytes
  }

  async page(page: Page): Promise<void> {
    this.counts.pages++
    try {
      for (const found of decodePage(page, this.#input)) {
        const { decoded, repeated } = this.#fresh(found)
        const { batch, read, filtered, dropped, rejects } = this.#pipeline.run(decoded)
        this.counts.read += read + repeated
        if (repeated > 0) this.counts.repeated = (this.counts.repeated ?? 0) + repeated
        this.counts.filtered += filtered
        this.counts.dropped += dropped
        this.counts.quarantined += rejects.length
        this.counts.written += batch.rows
        await this.#write(batch)
        if (rejects.length > 0) await this.#reject(rejects)
      }
    } catch (error) {
      throw this.#told(error)
    }
    await this.#relieve()
  }

  /** Closes every file; the counts are final. */
  async close(): Promise<Counts> {
    for (const folder of this.#open.keys()) await this.#closeFile(folder)
    if (this.#quarantine) {
      await this.#quarantine.writer.write(Buffer.from(this.#quarantine.waiting.join('')))
      await this.#quarantine.writer.close(this.#quarantine.rows)
    }
    const { read, written, filtered, dropped, quarantined, repeated = 0 } = this.counts
    if (read !== written + filtered + dropped + quarantined + repeated) {
      throw new Error(
        `${read} read, but ${written} written + ${filtered} filtered + ${dropped} + ${quarantined} + ${repeated}`,
      )
    }
    return this.counts
  }

  async #write(batch: Batch): Promise<void> {
    if (this.#plan.delivery?.kind === 'table') this.#measure(batch)
    for (const { folder, rows } of this.#partitions.split(batch)) {
      const file = await this.#file(folder)
      file.sink.append(batch, rows)
      for (const chunk of file.sink.drain()) await file.writer.write(chunk)
    }
  }

  /** A table has columns of a width. */
  #measure({ fields, columns }: Batch): void {
    for (const [at, { data }] of columns.entries()) {
      if (data.kind !== 'bytes') continue
      const { name } = fields[at]!
      let widest = this.widths[name] ?? 0
      const { offsets } = data
      for (let row = 1; row < offsets.length; row++) widest = Math.max(widest, offsets[row]! - offsets[row - 1]!)
      this.widths[name] = widest
    }
  }

  async #file(folder: string): Promise<OpenFile> {
    let file = this.#open.get(folder)
    if (file) this.#open.delete(folder)
    else {
      const [oldest] = this.#open.keys()
      if (oldest !== undefined && this.#open.size >= MOST_OPEN) await this.#closeFile(oldest)
      const { format } = this.#recipe
      const refused = this.#replay?.attempt ?? 0
      const writer = await this.#unit.file(folder, format, { refused })
      file = { sink: sinks[format](this.#plan.outputSchema), writer }
    }
    this.#open.set(folder, file)
    return file
  }

  async #closeFile(folder: string): Promise<void> {
    const { sink, writer } = this.#open.get(folder)!
    this.#open.delete(folder)
    for (const chunk of sink.finish()) await writer.write(chunk)
    await writer.close(sink.rows)
    this.#closedBytes += sink.bytes
  }

  async #relieve(): Promise<void> {
    for (;;) {
      const files = [...this.#open.values()]
      const buffered = files.reduce((sum, { sink }) => sum + sink.buffered, 0)
      if (buffered <= MOST_BUFFERED) return
      const { sink, writer } = files.reduce((most, file) => (file.sink.buffered > most.sink.buffered ? file : most))
      sink.flush()
      for (const chunk of sink.drain()) await writer.write(chunk)
    }
  }

  async #reject(rejects: Reject[]): Promise<void> {
    this.#quarantine ??= {
      writer: await this.#unit.file('', 'jsonl', { quarantine: true }),
      rows: 0,
      waiting: [],
      length: 0,
    }
    const kept = this.#quarantine
    const { by, attempt } = this.#replay ?? { by: 'flow', attempt: 0 }
    const about = { ...this.#unit.lane, run: this.#plan.run, attempt: attempt + 1, by }
    for (const reject of rejects) {
      const line = quarantineLine(reject, about)
      kept.waiting.push(line)
      kept.length += line.length
      kept.rows++
      if (kept.length < PIECE) continue
      await kept.writer.write(Buffer.from(kept.waiting.join('')))
      kept.waiting = []
      kept.length = 0
    }
  }

  #told(error: unknown): unknown {
    const { connector, object } = this.#plan.source
    if (error instanceof PageError) {
      return new ConnectorError({ connector, doing: `read ${object}`, kind: 'answer', reason: error.message })
    }
    if (!(error instanceof InvalidRecord)) return error
    return ApplicationFailure.nonRetryable(
      `${object}: ${error.message}. Mend the record at the source, or let onInvalid quarantine it.`,
      'RecordInvalid',
    )
  }
}
