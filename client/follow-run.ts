/**
 * How far a run is, asked again and again until it has ended.
 *
 * Law: nothing that is missing ends it. No worker, a worker that does not answer, a server that is away for a while are
 * states that are told; only the end of the run, or of the caller's patience, ends the stream.
 */
import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { QueryNotRegisteredError, isGrpcCancelledError } from '@temporalio/client'
import type { Client, WorkflowHandle } from '@temporalio/client'
import type { LaneProgress, RunProgress } from '../activities/digests.ts'
import { refused } from './connect.ts'
import type { RunOutcome } from './run-outcome.ts'
import { runOutcome } from './run-outcome.ts'
import { inTurns } from './runs.ts'
import { hasWorker, isUnclaimed, laneSight } from './waiting.ts'

export interface RunState {
  workflowId: string
  /**
   * `unclaimed`: no worker has taken it up; `silent`: a worker had it, and none answers now; `away`: Temporal itself
   * does not answer.
   */
  stage: 'unclaimed' | 'starting' | 'running' | 'silent' | 'away' | 'ended'
  taskQueue: string
  objects: ObjectState[]
  /** Once it has ended. */
  outcome?: RunOutcome
}

export interface ObjectState extends LaneProgress {
  /** Rows per second read since the stream before; null at first. */
  rate: number | null
  /** Why it does not move, where that is known. */
  held?: string
}

export interface FollowOptions {
  /** Milliseconds between two looks; default 1,000. */
  everyMs?: number
  signal?: AbortSignal
}

interface Seen {
  progress: LaneProgress
  at: number
  /** When its rows last became more. */
  moved: number
  rate: number | null
}

/** A worker that holds the run answers in milliseconds; a busy one in a second or two. */
const ANSWER_MS = 3_000
const STILL_MS = 5_000

export async function* followRun(
  client: Client,
  run: { workflowId: string; taskQueue: string },
  options: FollowOptions = {},
): AsyncGenerator<RunState, void, void> {
  const { everyMs = 1_000, signal } = options
  const handle = client.workflow.getHandle(run.workflowId)
  const left = new AbortController()
  const stop = signal ? AbortSignal.any([signal, left.signal]) : left.signal
  const call = <T>(work: () => Promise<T>): Promise<T> => until(stop, (own) => client.withAbortSignal(own, work))
  let outcome: RunOutcome | undefined
  let broken: unknown
  const end = persist(() => call(() => runOutcome(handle)), stop).then(
    (value) => (outcome = value),
    (error: unknown) => (broken = error),
  )
  const watch = new Watch(client, handle, run.taskQueue)
  try {
    for (;;) {
      const state = await call(() => watch.look())
      if (stop.aborted) return
      if (outcome) break
      if (broken) throw refused(broken, run.workflowId) ?? broken
      yield state
      await until(stop, (own) => Promise.race([end, sleep(everyMs, undefined, { signal: own }).catch(() => {})]))
    }
    yield { ...watch.state, stage: 'ended', objects: final(watch.state.objects, outcome), outcome }
  } finally {
    // Nothing of this may still be asked for when the caller closes the connection.
    left.abort()
    await end
  }
}

class Watch {
  readonly client: Client
  readonly handle: WorkflowHandle
  state: RunState
  #claimed = false
  #before = new Map<string, Seen>()

  constructor(client: Client, handle: WorkflowHandle, taskQueue: string) {
    this.client = client
    this.handle = handle
    this.state = { workflowId: handle.workflowId, stage: 'starting', taskQueue, objects: [] }
  }

  async look(): Promise<RunState> {
    try {
      this.state = { ...this.state, ...(await this.ask()) }
    } catch (error) {
      if (isGrpcCancelledError(error)) return this.state
      const problem = refused(error, this.handle.workflowId)
      if (problem?.kind !== 'server') throw problem ?? error
      this.state = { ...this.state, stage: 'away' }
    }
    return this.state
  }

  private async ask(): Promise<Pick<RunState, 'stage'> & Partial<RunState>> {
    if (!this.#claimed && !(await hasWorker(this.client, this.state.taskQueue))) return { stage: 'unclaimed' }
    const progress = await this.progress<RunProgress>(this.handle)
    if (progress === 'starting') {
      this.#claimed = true
      return { stage: 'starting' }
    }
    if (progress === null) {
      if (this.#claimed) return { stage: 'silent' }
      return { stage: (await isUnclaimed(this.handle)) ? 'unclaimed' : 'starting' }
    }
    this.#claimed = true
    return { stage: 'running', objects: await inTurns(progress.objects, (object) => this.lane(object)) }
  }

  /** The lane itself knows more than what it last told its run. */
  private async lane(told: LaneProgress): Promise<ObjectState> {
    const active = ['opening', 'planning', 'reading', 'committing'].includes(told.phase) && told.workflowId !== ''
    const lane = active ? this.client.workflow.getHandle(told.workflowId) : null
    const answer = lane ? await this.progress<LaneProgress>(lane) : null
    const before = this.#before.get(told.object)
    const progress = answer === null || answer === 'starting' ? newer(told, before?.progress) : answer
    const now = Date.now()
    const moved = !before || before.progress.read !== progress.read ? now : before.moved
    const rate = speed(before, progress.read, now)
    const { position, held } = lane ? await laneSight(lane) : { position: null, held: null }
    const why = now - moved > STILL_MS ? held : null
    this.#before.set(told.object, { progress, at: now, moved, rate })
    return {
      ...progress,
      // The step in hand is further than the lane, which hears of it when it ends.
      position: (progress.phase === 'reading' && position) || progress.position,
      rate: active ? rate : null,
      ...(why ? { held: why } : {}),
    }
  }

  /** `starting`: it runs, but is not yet ready to tell; null: nobody answers. */
  private async progress<T>(handle: WorkflowHandle): Promise<T | 'starting' | null> {
    try {
      return await this.client.withDeadline(Date.now() + ANSWER_MS, () => handle.query<T>('progress'))
    } catch (error) {
      if (error instanceof QueryNotRegisteredError) return 'starting'
      return null
    }
  }
}

/** What a run was told by its lane may be older than what the lane itself said here. */
function newer(told: LaneProgress, seen: LaneProgress | undefined): LaneProgress {
  const older = seen && ended.has(told.phase) === ended.has(seen.phase) && told.restarts <= seen.restarts
  return older && told.read < seen.read ? seen : told
}

const ended = new Set(['done', 'nothing', 'failed', 'cancelled', 'skipped'])

/** Smoothed, so that units that end together do not make it jump; a lane that starts again counts from there. */
function speed(before: Seen | undefined, read: number, now: number): number | null {
  if (!before || now <= before.at) return null
  const current = (Math.max(0, read - before.progress.read) * 1000) / (now - before.at)
  return before.rate === null ? current : before.rate * 0.7 + current * 0.3
}

function final(objects: ObjectState[], outcome: RunOutcome): ObjectState[] {
  return objects.map((object) => {
    const result = outcome.result?.objects.find((one) => one.object === object.object)
    if (!result) return { ...object, rate: null, phase: outcome.status === 'cancelled' ? 'cancelled' : object.phase }
    const { status: phase, read, written, bytes, files, calls = object.calls } = result
    return { ...object, phase, read, written, bytes, files, calls, rate: null }
  })
}

/**
 * Works with a signal that ends with the work. What listens to a signal is not always taken off it, and `stop` may live
 * for hours.
 */
async function until<T>(stop: AbortSignal, work: (own: AbortSignal) => Promise<T>): Promise<T> {
  const own = new AbortController()
  setMaxListeners(0, own.signal)
  const pass = (): void => own.abort()
  if (stop.aborted) pass()
  stop.addEventListener('abort', pass, { once: true })
  try {
    return await work(own.signal)
  } finally {
    stop.removeEventListener('abort', pass)
    own.abort()
  }
}

/** Waits through a server that is away. */
async function persist<T>(work: () => Promise<T>, stop: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (stop.aborted || refused(error, '')?.kind !== 'server') throw error
      await sleep(2_000, undefined, { signal: stop })
    }
  }
}
