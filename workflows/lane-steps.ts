/**
 * The early entries of a long run: when one is due, and what is committed by them.
 *
 * Laws
 * - One is due when as much is read as the flow says, and in any case at half of the time for which the store keeps
 *   what is staged.
 * - It takes the units that have ended by then; the ranges are read on meanwhile.
 */
import type { CommitDigest, CommitEvery, Counts, UnitDigest } from '../activities/digests.ts'
import { add, nothing } from './lane-state.ts'

export interface StepsTaken {
  entries: number
  counts: Counts
  files: number
}

/** What has been read since the last entry. */
export interface Fresh {
  counts: Counts
  sinceMs: number
  /** When it has to be committed at the latest. */
  untilMs?: number
}

export const noSteps: StepsTaken = { entries: 0, counts: nothing, files: 0 }

export function freshFrom(nowMs: number): Fresh {
  return { counts: nothing, sinceMs: nowMs }
}

export function withUnit(fresh: Fresh, { counts, dropped }: UnitDigest, nowMs: number): Fresh {
  const half = dropped === undefined ? undefined : nowMs + (Date.parse(dropped) - nowMs) / 2
  const untils = [fresh.untilMs, half].filter((one) => one !== undefined)
  return {
    counts: add(fresh.counts, counts),
    sinceMs: fresh.sinceMs,
    ...(untils.length > 0 ? { untilMs: Math.min(...untils) } : {}),
  }
}

export function isDue({ rows, bytes, ms }: CommitEvery, { counts, sinceMs, untilMs }: Fresh, nowMs: number): boolean {
  if (counts.read === 0) return false
  if (untilMs !== undefined && nowMs >= untilMs) return true
  if (rows !== undefined && counts.read >= rows) return true
  return (bytes !== undefined && counts.bytes >= bytes) || (ms !== undefined && nowMs - sinceMs >= ms)
}

export function withStep({ entries, counts, files }: StepsTaken, digest: CommitDigest): StepsTaken {
  return { entries: entries + 1, counts: add(counts, digest.counts), files: files + digest.files }
}
