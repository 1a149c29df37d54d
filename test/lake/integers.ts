/**
 * A source of integers: record i was written at second i and never changes. What a lane must hold is then plain: the
 * integers between where it began and its watermark, each once.
 *
 * With a lookback some come late: written at second i, and visible twelve seconds later.
 *
 * Every 17th is bad and goes to quarantine. Ranges take the integers in turns. Files are JSON lines in two partitions.
 */
import type { Field, Json, Plan } from '../../connectors/connector.ts'
import { noCounts } from '../../connectors/lake/counts.ts'
import type { Opened } from '../../connectors/lake/open.ts'
import { draftPlan, resumePlan, writePlan } from '../../connectors/lake/plans.ts'
import type { Delivery, LakeLane, RunKey, RunPlan, UnitRecord } from '../../connectors/lake/protocol.ts'
import { microsOf } from '../../connectors/lake/instants.ts'
import { lookback as lookbackOf } from '../../connectors/lake/lookback.ts'
import { openLookback } from '../../connectors/lake/seen.ts'
import { beginUnit, readUnit } from '../../connectors/lake/units.ts'
import type { WindowAsk } from '../../connectors/lake/windows.ts'
import { planWindow } from '../../connectors/lake/windows.ts'

const EPOCH = Date.UTC(2024, 0, 1)

export const stampOf = (i: number): string => new Date(EPOCH + i * 1000).toISOString()
export const integerOf = (stamp: string): number => (Date.parse(stamp) - EPOCH) / 1000
/** Seconds from the stamp of a late record to the time it can be read. */
export const LATE = 12
export const isVisible = (i: number, clock: number): boolean => i % 5 !== 3 || i + LATE <= clock
export const isBad = (i: number): boolean => i % 17 === 16

/** One run's share of the world: what the source holds by then, and what the run is asked for. */
export interface Work {
  /** The source holds 0 … clock - 1. */
  clock: number
  ranges?: number
  /** Records in a unit. */
  unitRows?: number
  /** Commits early after this many units. */
  stepUnits?: number
  /** One range after the other, instead of all at once. */
  rangeByRange?: boolean
  ask?: Partial<WindowAsk>
  /** Integers before the watermark that are read again, for what comes late; absent: nothing does. */
  lookback?: number
  prefix?: string
  identity?: string
  /** The output's columns; one integer unless said. */
  output?: Field[]
  /** Where entries are delivered further. */
  delivery?: Delivery
  /** Does not finish what an earlier run left unfinished. */
  abandon?: boolean
}

export async function planIntegers(at: LakeLane, run: RunKey, opened: Opened, work: Work): Promise<RunPlan> {
  if (opened.unfinished && !work.abandon) return writePlan(at, resumePlan(at, run, opened, opened.unfinished))
  const {
    kind,
    from: since,
    to,
  } = planWindow({
    state: opened.state,
    read: 'incremental',
    write: 'append',
    startFrom: null,
    ...(work.lookback ? { lookback: work.lookback * 1000 } : {}),
    ...work.ask,
  })
  const { watermark } = opened.state
  // As `planFrom` in activities/bounds.ts: whose clock stands before the watermark does not look back.
  const tooEarly = kind.kind === 'incremental' && watermark !== null && work.clock < integerOf(watermark)
  const from = tooEarly ? watermark : since
  const bound = to ?? stampOf(Math.max(work.clock, from === null ? 0 : integerOf(from)))
  const plan: Plan = {
    api: 'integers',
    request: null,
    ranges: Array.from({ length: work.ranges ?? 2 }, (_, turn) => ({ id: `r${turn}`, spec: turn })),
    bound,
    from,
    cursorField: 'stamp',
    pushed: null,
    order: 'stamp',
    repeats: false,
    counted: integerOf(bound) - (from === null ? 0 : integerOf(from)),
    heldBack: null,
    notes: [],
  }
  return writePlan(
    at,
    draftPlan(at, run, opened, {
      kind,
      plan,
      prefix: work.prefix ?? 'data/integers',
      source: { connection: 'numbers', connector: 'integers', identity: work.identity ?? 'N', object: at.lane.object },
      sourceSchema: [{ name: 'i', type: 'int32', nullable: false }],
      outputSchema: work.output ?? [{ name: 'i', type: 'int32', nullable: false }],
      recipe: null,
      ...(work.delivery ? { delivery: work.delivery } : {}),
      ...(work.lookback ? { lookback: { ms: work.lookback * 1000, keys: ['i'], cursorField: 'stamp' } } : {}),
    }),
  )
}

/** Reads a unit and stages it: good integers in two partitions, bad ones in quarantine. */
export async function extractIntegers(
  at: LakeLane,
  plan: RunPlan,
  place: { range: string; seq: number; previous: string | null },
  unitRows: number,
  clock = Number.POSITIVE_INFINITY,
): Promise<UnitRecord> {
  const before = place.previous === null ? null : await readUnit(at, plan.run, place.range, place.previous)
  const found = readIntegers(plan, place.range, before?.cursor ?? null, unitRows)
  const { next } = found
  // Whoever reads a plan reads after its bound, however old the clock is that the run began with.
  const now = Math.max(clock, integerOf(plan.plan.bound as string))
  const visible = plan.lookback ? found.rows.filter((i) => isVisible(i, now)) : found.rows
  const start = await openLookback(at, plan)
  const lookback = start && lookbackOf(start)
  const rows = visible.filter((i) => {
    const stamp = microsOf(stampOf(i))
    return !lookback?.concerns(stamp) || !lookback.repeats(String(i), stamp)
  })
  const unit = beginUnit(at, plan, place)
  const good = rows.filter((i) => !isBad(i))
  for (const half of [0, 1]) {
    const part = good.filter((i) => Math.floor(i / 2) % 2 === half)
    const file = await unit.file(`half=${half}`, 'jsonl')
    for (const i of part) await file.write(Buffer.from(`${i}\n`))
    await file.close(part.length)
  }
  const bad = rows.filter(isBad)
  const quarantine = await unit.file('', 'jsonl', { quarantine: true })
  for (const i of bad) await quarantine.write(Buffer.from(`${i}\n`))
  await quarantine.close(bad.length)
  return unit.finish({
    cursor: next,
    end: next === null,
    position: `at ${next}`,
    counts: {
      ...noCounts(),
      read: visible.length,
      written: good.length,
      quarantined: bad.length,
      repeated: visible.length - rows.length,
      pages: 1,
    },
    notes: [],
    ...(lookback ? { seen: lookback.part() } : {}),
  })
}

function readIntegers(
  plan: RunPlan,
  range: string,
  cursor: Json,
  most: number,
): { rows: number[]; next: number | null } {
  const { ranges, from, bound } = plan.plan
  const turn = ranges.findIndex(({ id }) => id === range)
  const end = integerOf(bound as string)
  const rows: number[] = []
  let i = cursor === null ? Math.max(0, from === null ? 0 : integerOf(from)) : Number(cursor)
  for (; i < end && rows.length < most; i++) if (i % ranges.length === turn) rows.push(i)
  return { rows, next: i >= end ? null : i }
}
