/**
 * What a run reads, and whether what it read is worth an entry.
 *
 * Laws
 * - `from`/`to` reads below the watermark (a lane without one: below `startFrom`) and carries it through; what was
 *   delivered before, by a window or by ordinary runs, is read again only with `again`.
 * - A lookback begins before the watermark, but never before what the lane remembers of its reads.
 * - `--full` begins at the earliest of `startFrom` and the delivered windows: what it replaces, it delivers.
 * - An entry that says nothing but a later bound is written at most once a day, measured between bounds.
 */
import type { Json } from '../connector.ts'
import { InputError } from '../errors.ts'
import { timestampText } from '../records/instants.ts'
import { canonical } from './canonical.ts'
import { between, compareInstants, microsOf } from './instants.ts'
import type { CommitEntry, Counts, LaneState, RunKind, RunPlan } from './protocol.ts'

const DAY_MS = 86_400_000

/** What a flow and the options of one run ask for; instants are ISO with a zone. */
export interface WindowAsk {
  state: LaneState
  read: 'incremental' | 'full'
  /** `replace` makes every run a generation. */
  write: string
  startFrom: string | null
  /** Milliseconds. */
  lookback?: number
  full?: boolean
  keepOld?: boolean
  again?: boolean
  from?: string | null
  to?: string | null
}

export interface Ruling {
  kind: RunKind
  mode: 'incremental' | 'full' | 'window'
  /** The stamp to read from; null: everything. */
  from: string | null
  /** The stamp to read to; null: as far as the source's clock allows. */
  to: string | null
}

/** Not asked where an earlier run left a plan unfinished: that one is finished, whatever the options say. */
export function planWindow(ask: WindowAsk): Ruling {
  const { state, startFrom, write } = ask
  if (ask.from || ask.to) return window(ask)
  if (ask.full || write === 'replace') {
    const kind: RunKind = { kind: 'generation', ...(ask.keepOld ? { keepOld: true } : {}) }
    return { kind, mode: 'full', from: beginning(ask), to: null }
  }
  if (ask.keepOld) throw refused('keepOld', 'keepOld says what a whole new read leaves; this run is none', 'Add full.')
  if (ask.read === 'full') return { kind: { kind: 'full' }, mode: 'full', from: startFrom, to: null }
  if (state.watermark !== null) {
    return { kind: { kind: 'incremental' }, mode: 'incremental', from: lookedBack(ask, state.watermark), to: null }
  }
  const covered = state.windows.find(({ to }) => startFrom === null || compareInstants(startFrom, to) < 0)
  if (covered) {
    throw new InputError([
      {
        where: 'source.startFrom',
        what: `the first run would read ${show(covered)} again, which a run with from and to has delivered`,
        advice: `Set startFrom to ${covered.to} or later, or run once with full, which replaces what is there.`,
      },
    ])
  }
  return { kind: { kind: 'incremental' }, mode: 'incremental', from: startFrom, to: null }
}

function lookedBack({ state: { seen }, lookback = 0 }: WindowAsk, watermark: string): string {
  if (lookback === 0 || !seen) return watermark
  const from = microsOf(watermark) - BigInt(lookback) * 1000n
  const known = microsOf(seen.from)
  if (known >= microsOf(watermark)) return watermark
  return timestampText(from > known ? from : known)
}

/** Where a whole read begins, so that it holds all that was ever delivered. */
function beginning({ state, startFrom }: WindowAsk): string | null {
  if (startFrom === null) return null
  return state.windows.reduce((first, { from }) => (compareInstants(from, first) < 0 ? from : first), startFrom)
}

function window(ask: WindowAsk): Ruling {
  const { state, startFrom, again, full, write } = ask
  if (write === 'replace') {
    throw refused('from', 'from and to cannot be used with write: replace', 'A run of this flow always reads all.')
  }
  if (full || ask.keepOld) throw refused('from', 'from and to cannot be used with full', 'Leave one of them out.')
  const { from } = ask
  if (!from) throw refused('to', 'to is there and from is not', 'Say where the window begins.')
  const limit = state.watermark ?? startFrom
  if (limit === null) {
    throw refused(
      'from',
      'the first run of this object has not been and will read everything: there is nothing a window could add',
      'Run it without from and to, or set startFrom in the flow.',
    )
  }
  const to = ask.to ?? limit
  if (compareInstants(from, to) >= 0) throw refused('from', `from (${from}) is not before to (${to})`, 'Swap them.')
  if (compareInstants(to, limit) > 0) {
    const what = state.watermark ? 'the watermark' : 'startFrom, where the first run begins'
    throw refused(
      'to',
      `to (${to}) is later than ${limit}, ${what}`,
      `Take ${limit} or earlier: runs read on from there.`,
    )
  }
  const delivered = again ? undefined : [...state.windows, ...ordinary(state)].find((one) => overlap(one, { from, to }))
  if (delivered) {
    throw refused(
      'from',
      `${show(delivered)} has been delivered already`,
      'Say again (--again) to have its records a second time in the files.',
    )
  }
  return { kind: { kind: 'window', window: { from, to } }, mode: 'window', from, to }
}

/** What ordinary runs have delivered. */
function ordinary({ watermark, origin }: LaneState): Span[] {
  return watermark === null ? [] : [{ from: origin, to: watermark }]
}

interface Span {
  /** null: the source's beginning. */
  from: string | null
  to: string
}

function overlap(a: Span, b: { from: string; to: string }): boolean {
  return compareInstants(b.from, a.to) < 0 && (a.from === null || compareInstants(a.from, b.to) < 0)
}

function show({ from, to }: Span): string {
  return from === null ? `everything before ${to}` : `what lies from ${from} to ${to}`
}

function refused(option: string, what: string, advice: string): InputError {
  return new InputError([{ where: `run.${option}`, what, advice }])
}

export interface Worth {
  entry: boolean
  /** Why not, for the report; `doubtful`: the run must not end well. */
  why?: string
  doubtful?: true
}

/** Whether a run that has read all of its plan writes an entry; it does where it has committed a part. */
export function worthAnEntry(plan: RunPlan, counts: Counts, state: Json, proof: CommitEntry['proof']): Worth {
  const { before, kind } = plan
  const { bound } = plan.plan
  if (counts.read > (counts.repeated ?? 0) || plan.resumes || kind.kind === 'full' || kind.kind === 'window')
    return { entry: true }
  if (kind.kind === 'generation') {
    if ((proof.now ?? proof.planned) === 0) return { entry: true }
    const counted = proof.now ?? proof.planned
    const why =
      counted === null
        ? 'the source gave no rows and cannot count: nothing is replaced by nothing'
        : `the source gave no rows and counts ${counted}: nothing is replaced by nothing`
    return { entry: false, doubtful: true, why }
  }
  if (kind.kind === 'replay') return { entry: false, why: 'nothing that can go again is in quarantine' }
  if (canonical(state) !== canonical(before.state)) return { entry: true }
  if (bound === null) return { entry: false, why: 'there was nothing new' }
  const moved = before.watermark === null || between(before.watermark, bound) >= DAY_MS
  return moved ? { entry: true } : { entry: false, why: 'there was nothing new' }
}
