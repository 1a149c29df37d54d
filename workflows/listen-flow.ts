/**
 * The listener of a flow that events feed: one workflow per flow, `flow/<name>/listen`, which stays open.
 *
 * Laws
 * - Events lie in the lake before anybody tells of them here; here they are counted only. A count that is wrong, or a
 *   signal that comes twice or never, makes a batch come sooner or later and loses nothing: each takes what lies there.
 * - A batch is a run of `syncObject` under the lane's own id, one at a time. One that fails is tried again, later and
 *   later, for ever; its events wait meanwhile.
 * - It continues as new without waiting for a batch that takes long: that one belongs to its lane and goes on. Events
 *   that came in a message and are not in the lake yet are carried along.
 */
import { ApplicationFailure, WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import {
  CancellationScope,
  allHandlersFinished,
  condition,
  continueAsNew,
  executeChild,
  isCancellation,
  log,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow'
import type { JsonObject } from '../connectors/connector.ts'
import type { HandEvent, KeepDigest, LanePlan, ListenDigest, ObjectResult } from '../activities/digests.ts'
import type { Steps } from '../activities/steps.ts'
import { listenDetails } from './details.ts'
import { failed } from './failures.ts'
import type { SyncInput } from './lane-state.ts'
import { laneChild, laneTask, pairs } from './lane-task.ts'
import * as messages from './listen-messages.ts'
import { sizeOf } from './listen-messages.ts'
import type { Carried, Lane, ListenInput } from './listen-state.ts'
import { MOST_CARRIED_BYTES, fail, firstPart, freshLane, heldBytes, listening, succeed, tell } from './listen-state.ts'
import * as profiles from './profiles.ts'
import { summaryOf } from './summary.ts'

/** Beyond this the history has no room for events that the lake does not take. */
const MOST_HISTORY_BYTES = 24 * 1024 * 1024
const MOST_NOTES = 20

export async function listenFlow(input: ListenInput): Promise<messages.ListenProgress> {
  const { carried, ...document } = Object(input) as ListenInput
  return new Listener(document as JsonObject, carried).listen()
}

class Listener {
  readonly document: JsonObject
  readonly lanes: Map<string, Lane>
  readonly held: HandEvent[]
  readonly notes: string[]
  opened: ListenDigest | undefined
  redefined: JsonObject | undefined
  paused: boolean
  ending: boolean
  refused: number
  given: number

  constructor(document: JsonObject, carried?: Carried) {
    this.document = document
    this.lanes = new Map(carried?.lanes.map((lane) => [lane.object, { ...freshLane(lane.object), ...lane }]))
    this.held = carried?.held ?? []
    this.notes = carried?.notes ?? []
    this.paused = carried?.paused ?? false
    this.ending = carried?.ending ?? false
    this.refused = carried?.refused ?? 0
    this.given = carried?.given ?? 0
    this.handle()
  }

  /** Before anything is waited for: what came with the start is heard, too. */
  private handle(): void {
    const { about } = messages
    const say = (description: string) => ({ description })
    setHandler(messages.received, (told) => this.received(told?.objects ?? {}), say(about.received))
    setHandler(messages.event, (event) => this.hear(event), say(about.event))
    setHandler(messages.define, (document) => this.define(document), say(about.define))
    setHandler(messages.pause, () => this.turn(true), say(about.pause))
    setHandler(messages.resume, () => this.turn(false), say(about.resume))
    setHandler(messages.end, () => void (this.ending = true), say(about.end))
    setHandler(messages.progress, () => this.progress(), say(about.progress))
    setHandler(messages.flush, (ask) => this.flush(ask?.object), {
      ...say(about.flush),
      validator: (ask) => this.mayFlush(ask?.object),
    })
    setHandler(messages.send, ({ events }) => this.send(events), {
      ...say(about.send),
      validator: (given) => this.maySend(Object(given).events),
    })
  }

  async listen(): Promise<messages.ListenProgress> {
    const work = this.work()
    try {
      await Promise.race([work, this.turned()])
    } catch (error) {
      if (!isCancellation(error)) throw error
      // Batches clean up as lanes do; what came in a message is kept while there is time.
      await CancellationScope.nonCancellable(() => Promise.allSettled([work, this.keepPart()]))
      throw error
    }
    if (this.ending && !this.turning()) return this.progress()
    const { lanes, held, notes, paused, ending, refused, given } = this
    const carried: Carried = {
      lanes: [...lanes.values()].map((lane) => listening(lane, false)),
      ...{ held, notes, paused, ending, refused, given },
    }
    return continueAsNew<typeof listenFlow>({ ...(this.redefined ?? this.document), carried })
  }

  private turning(): boolean {
    return this.redefined !== undefined || workflowInfo().continueAsNewSuggested
  }

  /** It is time to continue as new, and what should be waited for was waited for. */
  private async turned(): Promise<void> {
    await condition(() => this.turning())
    await sleep(profiles.listening.turnMs, { summary: 'Continues as new after that' })
    await condition(allHandlersFinished, profiles.listening.askedMs)
    await condition(() => heldBytes(this.held) <= MOST_CARRIED_BYTES)
  }

  private async work(): Promise<void> {
    await this.open()
    const plans = this.opened?.plan.lanes ?? []
    await Promise.all([this.keepHeld(), ...plans.map((plan) => this.feed(plan, this.lane(plan.object)))])
    await condition(allHandlersFinished)
  }

  /** What the flow is wrong in, a person mends: it is looked at again and again, and when it is applied again. */
  private async open(): Promise<void> {
    const { openListener } = this.steps(profiles.control, 'Check the flow and look for events')
    while (!this.turning()) {
      try {
        this.opened = await openListener({ flow: this.document })
        break
      } catch (error) {
        if (isCancellation(error)) throw error
        const { type, message } = failed(error)
        this.show(`**The flow cannot run**: ${type}: ${message}`)
        await condition(() => this.turning(), profiles.listening.lookAgainMs)
      }
    }
    if (!this.opened) return
    const { plan, paused, last, waiting } = this.opened
    this.paused = paused ?? this.paused
    this.ending ||= last
    const attributes = pairs(plan.attributes)
    if (attributes.length > 0) upsertSearchAttributes(attributes)
    for (const { object } of plan.lanes) {
      const lane = this.lane(object)
      lane.waiting = Math.max(lane.waiting, waiting[object] ?? 0)
      if (lane.waiting > 0) lane.sinceMs ??= Date.now()
    }
    this.show()
  }

  private lane(object: string): Lane {
    const known = this.lanes.get(object)
    if (known) return known
    const lane = freshLane(object)
    this.lanes.set(object, lane)
    return lane
  }

  /** Batch after batch of a lane. */
  private async feed(plan: LanePlan, lane: Lane): Promise<void> {
    const { everyMs, rows } = this.opened!.batch
    const stops = (): boolean =>
      !lane.forced &&
      (this.turning() || (this.ending && (this.paused || (lane.waiting === 0 && this.held.length === 0))))
    const due = (): boolean => lane.forced || (!this.paused && lane.waiting > 0)
    const full = (): boolean => lane.forced || this.ending || lane.waiting >= rows
    for (;;) {
      await condition(() => stops() || due())
      if (stops()) return
      const left = (lane.sinceMs ?? 0) + everyMs - Date.now()
      if (!full() && left > 0) await condition(() => stops() || full() || !due(), left)
      if (stops()) return
      if (due()) await this.batch(plan, lane)
    }
  }

  private async batch(plan: LanePlan, lane: Lane): Promise<void> {
    const began = { atMs: lane.sinceMs ?? Date.now(), waiting: lane.waiting }
    lane.forced = false
    lane.begun++
    Object.assign(lane, { writing: true, waiting: 0, sinceMs: null })
    this.show()
    try {
      const result = await this.sync(plan)
      if (result) succeed(lane, result, Date.now())
      tell(lane, result ? (result.heldBack ?? 0) : began.waiting, began.atMs)
    } catch (error) {
      if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error
      fail(lane, failed(error))
      tell(lane, began.waiting, began.atMs)
      log.warn('a batch failed, and is tried again', { object: lane.object, ...lane.problem })
    }
    lane.ended = lane.begun
    lane.writing = false
    this.show()
    const { firstMs, mostMs } = profiles.listening.retry
    const wait = Math.min(firstMs * 2 ** (lane.failures - 1), mostMs)
    if (lane.failures > 0) await condition(() => lane.forced || this.turning(), wait)
  }

  /** null: another run held the lane until it was time to continue as new. */
  private async sync(plan: LanePlan): Promise<ObjectResult | null> {
    const { firstMs, mostMs } = profiles.queueWait
    for (let wait: number = firstMs; ; wait = Math.min(wait * 2, mostMs)) {
      try {
        const task = laneTask(this.opened!.plan, this.document, plan)
        return await executeChild<(input: SyncInput) => Promise<ObjectResult>>('syncObject', {
          ...profiles.batch,
          ...laneChild(task),
        })
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
        if (await condition(() => this.turning(), wait)) return null
      }
    }
  }

  private received(objects: { [object: string]: number }): void {
    for (const [object, events] of Object.entries(Object(objects) as typeof objects)) {
      tell(this.lane(object), Number.isInteger(events) && events > 0 ? events : 1, Date.now())
    }
    this.show()
  }

  private hear(given: unknown): void {
    const event = messages.handEvent(given, this.ownId())
    const noRoom =
      workflowInfo().historySize > MOST_HISTORY_BYTES && 'the lake takes nothing, and there is no more room'
    if (typeof event !== 'string' && !noRoom) this.held.push(event)
    else {
      this.refused++
      this.note(`An event was refused: ${typeof event === 'string' ? event : noRoom}`)
    }
  }

  /** The same in every replay, and of no other event. */
  private ownId(): string {
    return `${workflowInfo().firstExecutionRunId}-${++this.given}`
  }

  private define(document: JsonObject): void {
    const same = JSON.stringify(document) === JSON.stringify(this.redefined ?? this.document)
    if (!same && typeof Object(document).name === 'string') this.redefined = document
  }

  private turn(paused: boolean): void {
    this.paused = paused
    if (!paused) for (const lane of this.lanes.values()) lane.forced ||= lane.failures > 0
    this.show()
  }

  private async keepHeld(): Promise<void> {
    for (;;) {
      await condition(() => this.held.length > 0 || this.turning() || this.ending)
      if (this.held.length === 0) return
      try {
        await this.keepPart()
      } catch (error) {
        if (isCancellation(error)) throw error
        this.note(`Events that came in messages are not in the lake yet: ${failed(error).message}`)
        if (this.turning() && heldBytes(this.held) <= MOST_CARRIED_BYTES) return
        await condition(() => this.turning(), profiles.listening.lookAgainMs)
      }
    }
  }

  private async keepPart(): Promise<void> {
    const part = firstPart(this.held)
    if (part.length === 0) return
    this.kept(await this.keep(part))
    this.held.splice(0, part.length)
  }

  private async keep(events: HandEvent[]): Promise<KeepDigest> {
    const { keepEvents } = this.steps(profiles.keep, `Keep ${events.length} events that came in messages`)
    return keepEvents({ flow: this.document, events, atMs: Date.now() })
  }

  private kept({ kept, notes }: KeepDigest): void {
    for (const note of notes) this.note(note)
    if (Object.keys(kept).length > 0) this.received(kept)
  }

  private maySend(given: unknown): void {
    const refuse = (what: string) => ApplicationFailure.nonRetryable(what, 'EventRefused')
    if (!Array.isArray(given) || given.length === 0) throw refuse('`events` is no list with an event in it')
    for (const [at, one] of given.entries()) {
      const event = messages.handEvent(one, 'x')
      if (typeof event === 'string') throw refuse(`events[${at}]: ${event}`)
    }
    if (sizeOf(given) > MOST_CARRIED_BYTES)
      throw refuse(`it has more than ${MOST_CARRIED_BYTES} bytes: send fewer events`)
  }

  private async send(given: messages.GivenEvent[]): Promise<KeepDigest> {
    const digest = await this.keep(given.map((one) => messages.handEvent(one, this.ownId()) as HandEvent))
    this.kept(digest)
    return digest
  }

  private mayFlush(object?: string): void {
    const refuse = (what: string) => ApplicationFailure.nonRetryable(what, 'FlushRefused')
    if (this.paused) throw refuse('the flow is paused: `resume` first')
    const known = this.opened?.plan.lanes.map((lane) => lane.object)
    if (object !== undefined && known && !known.includes(object))
      throw refuse(`the flow has no object ${object}; it has ${known.join(', ')}`)
  }

  private async flush(object?: string): Promise<messages.Flushed[]> {
    await condition(() => this.opened !== undefined && this.held.length === 0)
    const wanted = [...this.lanes.values()].filter((lane) => object === undefined || lane.object === object)
    return Promise.all(
      wanted.map(async (lane) => {
        // One that is being written took what lay there when it began.
        const own = lane.begun + 1
        lane.forced = true
        await condition(() => lane.ended >= own)
        if (lane.problem) throw ApplicationFailure.nonRetryable(lane.problem.message, lane.problem.type)
        const { status = 'nothing', read = 0, written = 0 } = lane.last ?? {}
        return { object: lane.object, status, read, written }
      }),
    )
  }

  private note(text: string): void {
    if (this.notes.at(-1) !== text) this.notes.push(text)
    if (this.notes.length > MOST_NOTES) this.notes.shift()
    this.show()
  }

  private progress(): messages.ListenProgress {
    const { paused, refused, notes } = this
    const { name } = this.document
    return {
      flow: typeof name === 'string' ? name : '',
      paused,
      objects: [...this.lanes.values()].map((lane) => listening(lane, paused)),
      held: this.held.length,
      refused,
      notes,
    }
  }

  private show(problem?: string): void {
    setCurrentDetails(listenDetails(this.progress(), problem))
  }

  private steps(profile: typeof profiles.control, summary: string): Steps {
    const { heartbeatSeconds } = this.opened?.plan.shared ?? {}
    const heartbeat = heartbeatSeconds === undefined ? {} : { heartbeatTimeout: `${heartbeatSeconds}s` as const }
    return proxyActivities<Steps>({ ...profile, ...heartbeat, summary: summaryOf(summary) })
  }
}
