/** What a case of the matrix is, and what became of it. */
import type { KillLane, LaneOptions } from '../e2e/kill-lanes.ts'
import type { KillPoint } from '../e2e/kill-points.ts'
import type { Toxic } from './toxiproxy.ts'

/** What is attacked: the workers, the server of Temporal, the store, the source, or what lies between them. */
export const groups = {
  kill: 'kill -9 at each step, singly and in pairs',
  stop: 'SIGTERM, SIGSTOP and SIGCONT, workers that are away or cut off, late requests of the dead',
  server: "Temporal's server killed and restarted at each step",
  destination: 'a bucket that fails, cuts, stalls, conflicts, or does the work and loses the answer',
  source: 'a vendor that throttles, expires, truncates, repeats, loses',
  network: 'toxiproxy between workers and the vendor, the bucket, Temporal',
  storm: 'workers killed at random, over and over, while the store and the source fail at random',
  records: 'records into Salesforce',
  tables: 'tables of the Redshift stand-in',
  events: 'events out (EventBridge) and in (signals)',
} as const
export type Group = keyof typeof groups

/** What is done to the processes while a lane is at its point. */
export type Attack = 'kill' | 'late' | 'term' | 'zombie' | 'waking' | 'server' | 'away' | 'partition' | 'resets' | 'lag'

export interface Blow {
  point: KillPoint
  /** The run is not gone on with: its lane finds what it left in the next one. */
  then?: 'given up' | 'cancelled'
}

/** One lane of a lake, with what happens to it. */
export interface LaneCase {
  group: Group
  step: string
  fault: string
  lake: 'versitygw' | 'file'
  /** What strikes the processes at each blow; all cases of a wave are struck at once. */
  attack?: Attack
  blows?: Blow[]
  /** Before the first run begins. */
  arm?: (lane: KillLane) => void
  /** A call of the disk that fails once. */
  disk?: { point: KillPoint; fails: string }
  options?: LaneOptions
  /** The lane's own connections: toxics that are there from the start, for so long, milliseconds. */
  toxic?: { at: 'org' | 'lake'; toxic: Toxic; forMs: number; afterMs?: number }
  /** Rows that may be read twice; the units in flight, unless said. */
  again?: number
  /** The first run may not end well, and says so: what follows brings everything. */
  fails?: RegExp
  /** What a person does between the run that failed and the next one. */
  mend?: (lane: KillLane) => void
}

/** What tells a case from others. */
export interface CaseInfo {
  name: string
  group: Group
  step: string
  fault: string
  /** What it runs into: a bucket, a directory, tables, records, events. */
  kind: string
}

export function infoOf({ group, step, fault, lake }: LaneCase): CaseInfo {
  const kind = lake === 'file' ? 'directory' : 'bucket'
  return { name: `${group}/${step}/${fault}${lake === 'file' ? '/directory' : ''}`, group, step, fault, kind }
}

export interface CaseResult extends CaseInfo {
  seed: number
  ok: boolean
  /** How its first run ended, and what it said if not well. */
  status: string
  message?: string
  /** Processes that were killed or stopped while it was at a step. */
  kills: number
  lost: number
  doubled: number
  wrong: number
  stuck: number
  orphans: number
  staged: number
  /** Rows that the source gave twice. */
  again: number
  ms: number
  /** Of a storm: the steps that went silent, and how often. */
  struck?: Record<string, number>
  /** All that is not as promised. */
  problems: string[]
}
