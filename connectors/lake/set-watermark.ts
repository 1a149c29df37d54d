/**
 * Moving a lane's watermark by hand: an entry without files that says nothing else.
 *
 * Laws
 * - It takes the lane's next number like any run, so it decides for ever or not at all: a run that was to take the
 *   number gets `CommitConflict`, and starts again from the new watermark.
 * - Nothing is skipped or doubled silently: what a move means is told before (`moveOf`). What was delivered stays
 *   known: when the watermark moves on, what lies before becomes a delivered window, and the gap can be read by from
 *   and to.
 * - What was read lately (`seen`) is forgotten: who moves back wants the records again.
 */
import { InputError } from '../errors.ts'
import { noCounts } from './counts.ts'
import { createOnce, entryShape } from './documents.ts'
import { LakeError } from './errors.ts'
import { compareInstants } from './instants.ts'
import { laneKeys, nonce } from './keys.ts'
import type { Opened } from './open.ts'
import { openLane } from './open.ts'
import type { CommitEntry, Entry, LakeLane, LaneState, RunKey, Unfinished } from './protocol.ts'
import { rollForward } from './roll-forward.ts'

/** The earliest instant that sources can be asked for; Salesforce knows none before. */
const BEGINNING = '1700-01-01T00:00:00.000Z'
/** Clocks are set by less without anybody minding. */
const CLOCK_STEP_MS = 60_000

export interface Move {
  before: string
  after: string
  /** What it means for the records in between, in sentences. */
  means: string[]
}

/** @throws InputError where the lane has nothing that could be moved so */
export function moveOf(lane: { state: LaneState; unfinished: Unfinished | null }, after: string, nowMs: number): Move {
  const { watermark: before } = lane.state
  const refused = (what: string, advice: string): InputError => new InputError([{ where: '--watermark', what, advice }])
  if (before === null) {
    throw refused('this object has no watermark yet', 'Set startFrom in the flow: its first run begins there.')
  }
  if (lane.unfinished) {
    throw refused('a run was left unfinished, and is finished first', 'Run the flow once, and set the watermark then.')
  }
  const order = compareInstants(after, before)
  if (order === 0) throw refused(`the watermark is ${before} already`, 'Nothing has to be done.')
  if (Date.parse(after) > nowMs + CLOCK_STEP_MS) {
    throw refused(
      `${after} lies in the future, by this machine's clock`,
      `Records stamped until then would never be read. Take ${new Date(nowMs).toISOString().slice(0, 19)}Z or earlier.`,
    )
  }
  if (order > 0) {
    return {
      before,
      after,
      means: [
        `Records stamped from ${before} to ${after} are skipped: no run reads them by itself.`,
        `They can be read later with \`run --from ${before} --to ${after}\`.`,
      ],
    }
  }
  return {
    before,
    after,
    means: [
      `Records stamped from ${after} to ${before} are read and written again: the files hold them twice.`,
      'Where they should not, use --full instead, which replaces what is there.',
    ],
  }
}

/** `expected`: the watermark that was looked at; another one by now is a conflict. */
export async function setWatermark(at: LakeLane, { before, after }: Move): Promise<CommitEntry> {
  const run = ownKey(at)
  const opened = await openLane(at, run)
  if (opened.state.watermark !== before || opened.unfinished) throw taken(at, 'the watermark has moved meanwhile')
  const entry = entryOf(at, run, opened, after)
  const stored = await createOnce<Entry>(at.store, laneKeys(at.lane).entry(entry.n), entry, entryShape)
  if (stored.kind !== 'commit' || stored.run !== run.key) throw taken(at, `entry ${entry.n} was taken by ${stored.run}`)
  await rollForward(at, stored)
  return stored
}

/** No worker takes part, and nothing is staged: the key has to be new, and that is all. */
function ownKey(at: LakeLane): RunKey {
  const startedMs = at.now?.() ?? Date.now()
  const id = nonce().slice(0, 8)
  const key = `${startedMs.toString(36).padStart(9, '0')}-${id}-0`
  return { key, startedMs, workflowId: 'set by hand', firstRunId: id }
}

function entryOf(at: LakeLane, run: RunKey, { n, state, lakeId }: Opened, watermark: string): CommitEntry {
  const { origin, generation, since, sourceSchema, outputSchema, recipeHash, sourceIdentity, schema, shape } = state
  const before = state.watermark as string
  const moved =
    compareInstants(watermark, before) > 0
      ? { origin: watermark, windows: [...state.windows, { from: origin ?? BEGINNING, to: before }] }
      : {
          origin: origin !== null && compareInstants(watermark, origin) < 0 ? watermark : origin,
          windows: state.windows,
        }
  return {
    version: 1,
    kind: 'commit',
    n,
    run: run.key,
    workflowId: run.workflowId,
    namespaceId: at.lane.namespaceId,
    units: {},
    step: 1,
    last: true,
    runKind: { kind: 'set' },
    generation,
    files: [],
    counts: noCounts(),
    before: { n: state.n, watermark: before },
    after: { watermark, origin: moved.origin, state: state.state, generation, since },
    windows: moved.windows,
    sourceSchema: sourceSchema ?? [],
    outputSchema: outputSchema ?? [],
    recipeHash: recipeHash ?? '',
    ...(schema ? { schema } : {}),
    ...(shape ? { shape } : {}),
    sourceIdentity: sourceIdentity ?? '',
    lakeId,
    proof: { planned: null, now: null, verdict: `set by hand from ${before}` },
    writtenAt: new Date(run.startedMs).toISOString(),
  }
}

function taken(at: LakeLane, what: string): LakeError {
  return new LakeError('CommitConflict', {
    what,
    where: `${at.store.name}/${laneKeys(at.lane).commits}`,
    advice: 'Nothing was changed. Look at the state again.',
  })
}
