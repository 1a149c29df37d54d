/**
 * A batch delivered to a record sink: sent, the vendor's `again` sent again, every row with its final outcome.
 *
 * Law: a job is remembered before it is given its records. A crash therefore finds each round either without a job,
 * or with one that is resumed and asked for what became of its rows; the rounds before it answer as they did.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Json, Session } from './connector.ts'
import type { Outcome, RecordBatch, RecordJob, RecordSink } from './record-sink.ts'

export interface Delivery {
  sink: RecordSink
  session: Session
  batch: RecordBatch
  way: 'send' | 'job'
  jobs: JobMemory
  /** Rounds that are made here; those that a crash left behind do not count. */
  attempts?: number
  /** Before the second round, milliseconds; it doubles from round to round. */
  pauseMs?: number
}

/** What is known of the jobs of one batch, by round. Kept where a crash does not reach. */
export interface JobMemory {
  read(round: number): Promise<Json | null>
  write(round: number, ref: Json): Promise<void>
}

export async function deliver({ attempts = 6, pauseMs = 1000, ...delivery }: Delivery): Promise<Outcome[]> {
  const { batch, session } = delivery
  const outcomes: Outcome[] = []
  let open = Array.from(batch.rows.keys())
  for (let round = 0, made = 0; open.length > 0; round++) {
    const resumed = (await delivery.jobs.read(round)) !== null
    const part = { ...batch, rows: open.map((row) => batch.rows[row]!), ids: open.map((row) => batch.ids[row]!) }
    const told = await once(delivery, part, round)
    open.forEach((row, at) => void (outcomes[row] = told[at]!))
    open = open.filter((_, at) => goesAgain(told[at]!))
    if (resumed) continue
    if (++made === attempts) break
    if (open.length > 0) await sleep(pauseMs * 2 ** (made - 1), undefined, { signal: session.signal })
  }
  return outcomes
}

/** Jobs whose outcomes are kept elsewhere by now. */
export async function release({ sink, session, jobs }: Pick<Delivery, 'sink' | 'session' | 'jobs'>): Promise<void> {
  for (let round = 0; ; round++) {
    const ref = await jobs.read(round)
    if (ref === null) return
    await sink.job?.release(session, ref)
  }
}

function goesAgain(outcome: Outcome): boolean {
  return !outcome.ok && outcome.again
}

async function once({ sink, session, way, jobs }: Delivery, batch: RecordBatch, round: number): Promise<Outcome[]> {
  if (way === 'send' || !sink.job) return sink.send(session, batch)
  const ref = await started(sink.job, session, jobs, batch, round)
  for (;;) {
    const state = await sink.job.poll(session, ref)
    if (state === 'done') return sink.job.outcomes(session, ref, batch)
    session.beat(`waiting for the load of ${batch.rows.length} records`)
    await sleep(state.waitMs, undefined, { signal: session.signal })
  }
}

async function started(
  job: RecordJob,
  session: Session,
  jobs: JobMemory,
  batch: RecordBatch,
  round: number,
): Promise<Json> {
  const known = await jobs.read(round)
  if (known !== null) {
    await job.resume(session, known)
    return known
  }
  const ref = await job.open(session, batch)
  await jobs.write(round, ref)
  await job.start(session, ref, batch)
  return ref
}
