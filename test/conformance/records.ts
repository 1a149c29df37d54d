/**
 * The suite that every destination of records passes, against `connectors/record-sink.ts`. It knows no system: which
 * rows it takes, and what lies there afterwards, is the harness's business. A connector's own test is one call.
 *
 *     recordConformance({ describe, it }, { name: 'Salesforce', open })
 */
import type { Json, Session } from '../../connectors/connector.ts'
import { deliver, type JobMemory } from '../../connectors/deliver.ts'
import type { Outcome, RecordBatch, RecordSink, RecordWrite } from '../../connectors/record-sink.ts'
import { same, Unmet } from './expect.ts'
import { runCases, type Runner, type Waived } from './cases.ts'

/** A system that takes records. */
export interface RecordHarness {
  sink: RecordSink
  session: Session
  /** `count` rows that are all taken, of new records or of some that are there, as the write needs. */
  batch(write: RecordWrite, count: number): Promise<RecordBatch>
  /** The same with one row, the `at`th, that is refused for good; null: the system looks at no row. */
  spoilt(write: RecordWrite, count: number, at: number): Promise<RecordBatch | null>
  /** How often each row lies there as the batch writes it; a row that deletes: 1, where it is gone. */
  found(batch: RecordBatch): Promise<number[]>
  close(): Promise<void>
}

export interface RecordConformance {
  name: string
  open: () => Promise<RecordHarness>
  waive?: Waived<RecordCase>
}

export type RecordCase = keyof typeof recordCases
type Check = (harness: RecordHarness) => Promise<void>

const ROWS = 23

export const recordCases = {
  async 'each write brings every row once, with an outcome for each'(harness) {
    for (const { write } of harness.sink.writes) {
      const batch = await harness.batch(write, ROWS)
      const outcomes = await delivered(harness, batch)
      allTaken(outcomes, batch)
      await eachOnce(harness, batch)
    }
  },
  async 'a row that is refused is told in its place, and the others are written'(harness) {
    for (const { write } of harness.sink.writes) {
      const batch = await harness.spoilt(write, ROWS, 7)
      if (batch === null) continue
      const outcomes = await delivered(harness, batch)
      same(
        outcomes.map(({ ok }) => ok),
        batch.rows.map((_, at) => at !== 7),
        write,
      )
      const refusal = outcomes[7]!
      if (refusal.ok || refusal.again || refusal.reason === '') throw new Unmet(`${write}: refused without a word`)
    }
  },
  async 'what may be repeated changes nothing when it is'(harness) {
    for (const { write } of harness.sink.writes.filter(({ repeatable }) => repeatable)) {
      const batch = await harness.batch(write, ROWS)
      await delivered(harness, batch)
      await delivered(harness, batch)
      await eachOnce(harness, batch)
    }
  },
  async 'what may not be repeated goes by jobs alone'({ sink }) {
    for (const { write, repeatable } of sink.writes) {
      const options = sink.options.parse({})
      if (repeatable) continue
      for (const rows of [1, 199, 1_000_000]) same(sink.way(options, write, rows), 'job', write)
      if (!sink.job) throw new Unmet(`${write} may not be repeated, and there are no jobs`)
    }
  },
  async 'a job that was opened and not started writes nothing; its records go with the next'(harness) {
    const { sink, session } = harness
    if (!sink.job) return
    for (const { write } of sink.writes) {
      const batch = await harness.batch(write, ROWS)
      const jobs = memory()
      await jobs.write(0, await sink.job.open(session, batch))
      const outcomes = await delivered(harness, batch, 'job', jobs)
      allTaken(outcomes, batch)
      await eachOnce(harness, batch)
      same(jobs.refs.length, 2, write)
    }
  },
  async 'a job that was started is found again and asked for its outcomes, never sent twice'(harness) {
    const { sink, session } = harness
    if (!sink.job) return
    for (const { write } of sink.writes) {
      const batch = await harness.batch(write, ROWS)
      const jobs = memory()
      const ref = await sink.job.open(session, batch)
      await jobs.write(0, ref)
      await sink.job.start(session, ref, batch)
      for (const _ of [1, 2]) {
        const outcomes = await delivered(harness, batch, 'job', jobs)
        allTaken(outcomes, batch)
      }
      await eachOnce(harness, batch)
    }
  },
} satisfies Record<string, Check>

export function recordConformance(runner: Runner, { name, open, waive }: RecordConformance): void {
  runCases(runner, `${name} as records`, { cases: recordCases, open, ...(waive ? { waive } : {}) })
}

function allTaken(outcomes: Outcome[], { rows, write }: RecordBatch): void {
  const taken = outcomes.map(({ ok }) => ok)
  same(
    taken,
    Array.from(rows, () => true),
    write,
  )
}

async function eachOnce(harness: RecordHarness, batch: RecordBatch): Promise<void> {
  const found = await harness.found(batch)
  same(
    found,
    Array.from(batch.rows, () => 1),
    batch.write,
  )
}

function delivered(
  { sink, session }: RecordHarness,
  batch: RecordBatch,
  way = sink.way(batch.options, batch.write, batch.rows.length),
  jobs: JobMemory = memory(),
): Promise<Outcome[]> {
  return deliver({ sink, session, batch, way, jobs, pauseMs: 1 })
}

function memory(): JobMemory & { refs: Json[] } {
  const refs: Json[] = []
  return { refs, read: async (round) => refs[round] ?? null, write: async (round, ref) => (refs[round] ??= ref) }
}
