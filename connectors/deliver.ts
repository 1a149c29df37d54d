/**
 * A batch delivered to a record sink: sent, the vendor's `again` sent again, every row with its final outcome.
 *
 * Laws
 * - A job is remembered before it is given its records. A crash therefore finds each round either without a job, or
 *   with one that is resumed and asked for what became of its rows; the rounds before it answer as they did.
 * - What stands in the memory is the round's job, whoever opened it: another attempt's is never started here, and one
 *   of ours that was not remembered never is.
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
  /** Rounds that are made; jobs that a crash kept from being started do not count. */
  attempts?: number
  /** Before the second round, milliseconds; it doubles from round to round. */
  pauseMs?: number
  /** Waits for a job, or until the next one; may throw, since the memory says where to go on. */
  wait?: (what: string, ms: number) => Promise<void>
}

/** What is known of the jobs of one batch, by round. Kept where a crash does not reach. */
export interface JobMemory {
  read(round: number): Promise<Json | null>
  /** Answers what stands: the first that was written. */
  write(round: number, ref: Json): Promise<Json>
}

export async function deliver({ attempts = 6, pauseMs = 1000, ...delivery }: Delivery): Promise<Outcome[]> {
  const { batch } = delivery
  const outcomes: Outcome[] = []
  let open = Array.from(batch.rows.keys())
  for (let round = 0, made = 0; open.length > 0; round++) {
    const part = { ...batch, rows: open.map((row) => batch.rows[row]!), ids: open.map((row) => batch.ids[row]!) }
    const { told, came } = await once(delivery, part, round)
    open.forEach((row, at) => void (outcomes[row] = told[at]!))
    open = open.filter((_, at) => goesAgain(told[at]!))
    if (came === 'unstarted') continue
    if (++made === attempts) break
    if (came === 'made' && open.length > 0) await pause(delivery, open.length, pauseMs * 2 ** (made - 1))
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

/** Made here, or by an attempt before, which may not have come to start it. */
type Came = 'made' | 'resumed' | 'unstarted'

async function once(
  { sink, session, way, jobs, wait }: Delivery,
  batch: RecordBatch,
  round: number,
): Promise<{ told: Outcome[]; came: Came }> {
  if (way === 'send' || !sink.job) return { told: await sink.send(session, batch), came: 'made' }
  const { ref, came } = await started(sink.job, session, jobs, batch, round)
  for (;;) {
    const state = await sink.job.poll(session, ref)
    if (state === 'done') return { told: await sink.job.outcomes(session, ref, batch), came }
    const what = `waiting for the load of ${batch.rows.length} records`
    session.beat(what)
    await (wait ?? sleeper(session))(what, state.waitMs)
  }
}

async function started(
  job: RecordJob,
  session: Session,
  jobs: JobMemory,
  batch: RecordBatch,
  round: number,
): Promise<{ ref: Json; came: Came }> {
  const known = await jobs.read(round)
  if (known !== null) return resumed(job, session, known)
  const ref = await job.open(session, batch)
  const stands = await jobs.write(round, ref)
  if (JSON.stringify(stands) !== JSON.stringify(ref)) {
    await job.resume(session, ref)
    return resumed(job, session, stands)
  }
  await job.start(session, ref, batch)
  return { ref, came: 'made' }
}

async function resumed(job: RecordJob, session: Session, ref: Json): Promise<{ ref: Json; came: Came }> {
  return { ref, came: (await job.resume(session, ref)) ? 'resumed' : 'unstarted' }
}

/** Calls leave nothing to go on from, so whoever sends them waits here. */
async function pause({ way, session, wait }: Delivery, rows: number, ms: number): Promise<void> {
  const what = `${rows} records go again`
  await ((way === 'job' && wait) || sleeper(session))(what, ms)
}

function sleeper({ signal }: Session): (what: string, ms: number) => Promise<void> {
  return async (_what, ms) => sleep(ms, undefined, { signal })
}
