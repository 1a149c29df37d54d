/** What a listener knows of its lanes, and carries on. */
import type { HandEvent, ObjectResult } from '../activities/digests.ts'
import type { Failed } from './failures.ts'
import type { LaneListening } from './listen-messages.ts'
import { sizeOf } from './listen-messages.ts'

/** The flow document; what continue-as-new carries on is beside it, under a key no flow has. */
export type ListenInput = { [key: string]: unknown; carried?: Carried }

export interface Carried {
  lanes: LaneListening[]
  held: HandEvent[]
  notes: string[]
  paused: boolean
  ending: boolean
  refused: number
  /** Messages with an event so far: ids of those that have none are made of it. */
  given: number
}

export interface Lane extends Omit<LaneListening, 'phase'> {
  /** A batch is wanted at once, whatever waits. */
  forced: boolean
  writing: boolean
  begun: number
  ended: number
  last?: Pick<ObjectResult, 'status' | 'read' | 'written'>
}

/** Of the two megabytes that an argument may have. */
export const MOST_CARRIED_BYTES = 768 * 1024
const MOST_AT_ONCE = 500

export function freshLane(object: string): Lane {
  return {
    object,
    waiting: 0,
    sinceMs: null,
    batches: 0,
    read: 0,
    written: 0,
    lastMs: null,
    failures: 0,
    forced: false,
    writing: false,
    begun: 0,
    ended: 0,
  }
}

export function tell(lane: Lane, events: number, atMs: number): void {
  if (events === 0) return
  lane.waiting += events
  lane.sinceMs = Math.min(lane.sinceMs ?? atMs, atMs)
}

export function succeed(lane: Lane, { status, read, written }: ObjectResult, nowMs: number): void {
  lane.last = { status, read, written }
  lane.failures = 0
  delete lane.problem
  if (status !== 'done') return
  lane.batches++
  lane.read += read
  lane.written += written
  lane.lastMs = nowMs
}

export function fail(lane: Lane, problem: Failed): void {
  lane.failures++
  lane.problem = { type: problem.type, message: problem.message.slice(0, 1000) }
}

export function listening(lane: Lane, paused: boolean): LaneListening {
  const { object, waiting, sinceMs, batches, read, written, lastMs, failures, problem, writing } = lane
  const collecting = waiting > 0 && !paused ? 'collecting' : 'waiting'
  return {
    object,
    phase: writing ? 'writing' : failures > 0 ? 'failing' : collecting,
    ...{ waiting, sinceMs, batches, read, written, lastMs, failures },
    ...(problem ? { problem } : {}),
  }
}

export function heldBytes(held: HandEvent[]): number {
  return held.reduce((sum, { body }) => sum + sizeOf(body), 0)
}

/** As many as an argument may hold. */
export function firstPart(held: HandEvent[]): HandEvent[] {
  let room = MOST_CARRIED_BYTES
  return held.slice(0, MOST_AT_ONCE).filter(({ body }, at) => (room -= sizeOf(body)) >= 0 || at === 0)
}
