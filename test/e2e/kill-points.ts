/**
 * The steps of the protocol, each as a place where a worker is killed: what never answers there, and what the lane's
 * files must look like then, so that a kill is known to have struck where it was meant to.
 */
import type { Hang, KillLane, Left } from './kill-lanes.ts'

/** A request that the org never answers, or a call that the disk never answers. */
export type Halt = { request: string; skip?: number } | Omit<Hang, 'name' | 'data'>

export interface KillPoint {
  at: Halt
  left: Partial<Left>
  /** Rows that are read twice, at most; 0 unless said. */
  again?: number
}

const QUERY = '^GET /services/data/[^/]+/query(All)?/?'
/** Any page of a query but its first. */
export const PAGE = `${QUERY}0r8`
const NOTHING: Left = { plans: 0, units: 0, staged: 0, entries: 0, outcomes: 0, data: 0 }

/** A run of two units, of 800 and 400 rows. */
export const FIRST_RUN: Record<string, KillPoint> = {
  token: { at: { request: '^POST /services/oauth2/token' }, left: NOTHING },
  describe: { at: { request: '/describe$' }, left: NOTHING },
  'count-at-plan': { at: { request: `${QUERY}\\?q=SELECT COUNT` }, left: NOTHING },
  'plan-written': { at: { call: 'link', path: '{lane}/plans/', done: 1 }, left: { ...NOTHING, plans: 1 } },
  'first-page': { at: { request: `${QUERY}\\?q=SELECT Id` }, left: { ...NOTHING, plans: 1 } },
  'a-page-of-the-first-unit': { at: { request: PAGE, skip: 4 }, left: { plans: 1, units: 0, data: 0 }, again: 500 },
  'a-page-of-the-second-unit': { at: { request: PAGE, skip: 9 }, left: { plans: 1, units: 1, data: 0 }, again: 200 },
  'file-staged': {
    at: { call: 'sync', path: '{lane}/staged/.*jsonl$', done: 0 },
    left: { ...NOTHING, plans: 1, staged: 1 },
    again: 800,
  },
  'unit-recorded': {
    at: { call: 'link', path: '{lane}/units/.*/000002-', done: 1 },
    left: { ...NOTHING, plans: 1, units: 2, staged: 2 },
    again: 400,
  },
  'count-at-commit': {
    at: { request: `${QUERY}\\?q=SELECT COUNT`, skip: 1 },
    left: { ...NOTHING, plans: 1, units: 2, staged: 2 },
  },
  'entry-written': {
    at: { call: 'link', path: '{lane}/commits/00000001.json', done: 1 },
    left: { ...NOTHING, plans: 1, units: 2, staged: 2, entries: 1 },
  },
  'first-file-visible': {
    at: { call: 'rename', path: '{data}/', done: 1 },
    left: { plans: 1, units: 2, staged: 1, entries: 1, outcomes: 0, data: 1 },
  },
  'outcome-written': {
    at: { call: 'link', path: '{lane}/commits/00000001.outcome', done: 1 },
    left: { plans: 1, units: 2, staged: 0, entries: 1, outcomes: 1, data: 2 },
  },
  'first-unit-record-removed': {
    at: { call: 'unlink', path: '{lane}/units/', done: 1 },
    left: { plans: 1, units: 1, staged: 0, entries: 1, outcomes: 1, data: 2 },
  },
  'plan-removed': {
    at: { call: 'unlink', path: '{lane}/plans/', done: 1 },
    left: { plans: 0, units: 0, staged: 0, entries: 1, outcomes: 1, data: 2 },
  },
}

/** What a run that is given up leaves: the next one finds it. */
export const LEFTOVERS: Record<string, KillPoint> = {
  fence: FIRST_RUN['a-page-of-the-second-unit']!,
  sweep: FIRST_RUN['unit-recorded']!,
  'roll-forward': FIRST_RUN['entry-written']!,
  'cancel-fence': FIRST_RUN['a-page-of-the-second-unit']!,
  'cancel-sweep': FIRST_RUN['unit-recorded']!,
}

/** Steps of what follows: the next run of a lane, or the end of a cancelled one. */
export const SECOND_RUN: Record<string, KillPoint> = {
  // The number that the dead run would have taken is closed; nothing of it is removed yet.
  fence: {
    at: { call: 'link', path: '{lane}/commits/00000001.json', done: 1 },
    left: { plans: 1, units: 1, entries: 1, outcomes: 0, data: 0 },
  },
  sweep: {
    at: { call: 'unlink', path: '{lane}/staged/', done: 1 },
    left: { plans: 1, units: 2, staged: 1, entries: 1, outcomes: 0, data: 0 },
  },
  'roll-forward': {
    at: { call: 'rename', path: '{data}/', done: 1 },
    left: { plans: 1, units: 2, staged: 1, entries: 1, outcomes: 0, data: 1 },
  },
  'cancel-fence': {
    at: { call: 'link', path: '{lane}/commits/00000001.json', done: 1 },
    // The unit in hand may have ended before it heard of the cancellation.
    left: { plans: 1, entries: 1, outcomes: 0, data: 0 },
  },
  'cancel-sweep': {
    at: { call: 'unlink', path: '{lane}/plans/', done: 1 },
    left: { ...NOTHING, entries: 1 },
  },
  hint: {
    at: { call: 'rename', path: '{lane}/hint.json', done: 1 },
    left: { ...NOTHING, entries: 1, outcomes: 1, data: 2 },
  },
  // Both generations are there for a moment: the new one counts since its entry is done.
  'replaced-file-removed': {
    at: { call: 'unlink', path: '{data}/', done: 1 },
    left: { plans: 1, units: 2, staged: 0, entries: 2, outcomes: 2, data: 3 },
  },
}

/**
 * Sets a lane's point up: a fault of its org, or what its disk or bucket shall do with the next worker. `{lane}` is its
 * ledger.
 */
export function halt({ at }: KillPoint, lane: KillLane): Hang[] {
  if ('request' in at) {
    lane.sandbox.control.fault({ match: at.request, skip: at.skip ?? 0, do: { stall: true } })
    return []
  }
  const ledger = `/_lakeward/${lane.flow.name}/Account`
  const data = `/${lane.folder}`
  return [{ ...at, name: lane.name, data, path: at.path.replace('{lane}', ledger).replace('{data}', data) }]
}

/** The lane has come to its point and stays there. */
export function isHalted({ at }: KillPoint, lane: KillLane, printed: string): boolean {
  if ('request' in at) return lane.sandbox.control.pendingFaults() === 0
  return lane.stage.s3?.gate.halted().has(lane.name) ?? printed.includes(`hangs: ${lane.name}\n`)
}
