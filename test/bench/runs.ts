/** Runs of one flow on workers of their own, with what they took of Temporal. */
import { readFileSync } from 'node:fs'
import { costOf } from '../actions.ts'
import { measure } from './process-tree.ts'
import type { Taken } from './process-tree.ts'
import type { FlowOptions, Stage, WorkerProcess } from './stage.ts'

export interface FlowRun extends Taken {
  seconds: number
  written: number
  /** Actions as Temporal Cloud counts them, with the heartbeats that the worker sent. */
  actions: number
  /** Of the run and its lanes. */
  events: number
  /** Longest time the worker's event loop stood still, milliseconds. */
  blockedMs: number
}

export async function runFlow(
  stage: Stage,
  worker: WorkerProcess,
  flow: Record<string, unknown>,
  workflowId = `run/${String(flow['name'])}`,
): Promise<FlowRun> {
  const beats = await heartbeats(worker)
  const since = Date.now()
  const measuring = measure(worker.pid)
  const began = performance.now()
  const { written } = await stage.run(flow, workflowId)
  const seconds = (performance.now() - began) / 1000
  const taken = measuring.end()
  // Beats are counted where they are sent; a history has none of them.
  const cost = await costOf(stage.client, workflowId, undefined, Number.POSITIVE_INFINITY)
  const sent = (await heartbeats(worker)) - beats
  return {
    ...taken,
    seconds,
    written,
    actions: cost.actions + sent,
    events: cost.events,
    blockedMs: blocked(worker, since),
  }
}

/** Heartbeats that reached the server, as the SDK counts its requests. */
async function heartbeats(worker: WorkerProcess): Promise<number> {
  const lines = (await worker.metrics()).split('\n')
  const own = lines.filter((line) => /^temporal_request(_total)?\{.*operation="RecordActivityTaskHeartbeat"/.test(line))
  return own.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

function blocked({ loopFile }: WorkerProcess, since: number): number {
  const lines = readFileSync(loopFile, 'utf8').split('\n').filter(Boolean)
  const longest = lines.map((line) => line.split(' ').map(Number)).filter(([at = 0]) => at >= since)
  return Math.max(0, ...longest.map(([, ms = 0]) => ms))
}

export type { FlowOptions }
