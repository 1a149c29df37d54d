/**
 * A year of a schedule by simulated time: pauses, runs that overlap, hours that were missed, backfills in any order,
 * windows, whole reads, and records that become visible late. What a run reads is said by the product's own parts:
 * window, ceiling, plan, entry, state. The windows neither overlap nor leave gaps, and every record is read once.
 */
import { describe, expect, it } from 'vitest'
import { ceilingOf, planFrom } from '../../activities/bounds.ts'
import type { Ask, ObjectSchema, Plan, Session } from '../../connectors/connector.ts'
import { parseFlow } from '../../connectors/flow.ts'
import type { Trigger } from '../../connectors/flow.ts'
import { InputError } from '../../connectors/errors.ts'
import { draftEntry } from '../../connectors/lake/commit-entry.ts'
import { noCounts } from '../../connectors/lake/counts.ts'
import { emptyState, stateAfter } from '../../connectors/lake/lane-state.ts'
import { draftPlan } from '../../connectors/lake/plans.ts'
import type { LakeLane, LaneState } from '../../connectors/lake/protocol.ts'
import type { WindowAsk } from '../../connectors/lake/windows.ts'
import { planWindow, worthAnEntry } from '../../connectors/lake/windows.ts'
import { planRead } from '../../connectors/salesforce/plan.ts'
import { nominalTimes } from './nominal-times.ts'

/** One year in each test run; several, each with its own accidents, with LAKEWARD_THOROUGH=1. */
const SEEDS = process.env['LAKEWARD_THOROUGH'] ? [1, 2, 3, 4, 5] : [1]
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const START = Date.UTC(2026, 0, 1)
const END = Date.UTC(2027, 0, 1)
const SETTLE = 10 * MINUTE
const schema: ObjectSchema = {
  object: 'Account',
  fields: [
    { name: 'Id', type: 'string', nullable: false },
    { name: 'SystemModstamp', type: 'timestamp', nullable: false, filterable: true },
  ],
  keys: ['Id'],
  cursors: ['SystemModstamp'],
  deletes: false,
}

function triggerOf(trigger: object): Trigger {
  const source = { connection: 'crm', objects: ['Account'] }
  return parseFlow({ version: 1, name: 'year', source, destination: { connection: 'lake' }, trigger }).trigger
}

/** The same numbers in every run of the test. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

interface Start {
  at: number
  nominal: number | null
  ask: Partial<WindowAsk>
}

/** When runs begin, and for which nominal time: what the schedule, its policies and people make of the year. */
function startsOf(nominal: number[], catchUp: number, chance: () => number): Start[] {
  const starts: Start[] = []
  let paused = 0
  let down = 0
  let busy = 0
  for (const time of nominal) {
    if (time >= paused && chance() < 0.003) paused = time + chance() * 3 * DAY
    if (time >= down && chance() < 0.002) down = time + chance() * DAY
    if (time < paused) continue
    const at = Math.max(time, down) + Math.floor(chance() * 5000)
    if (at - time > catchUp) continue
    // Skip: the run before goes on.
    if (at < busy) continue
    busy = at + (chance() < 0.05 ? chance() * 5 * HOUR : chance() * 20 * MINUTE)
    starts.push({ at, nominal: time, ask: {} })
  }
  for (let n = 0; n < 60; n++) {
    const at = START + chance() * (END - START)
    const hours = Array.from({ length: 1 + Math.floor(chance() * 12) }, () => at - Math.floor(chance() * 40 * DAY))
    const order = chance() < 0.5 ? hours.toSorted((a, b) => a - b) : hours
    order.forEach((time, i) => starts.push({ at: at + i * 1000, nominal: Math.floor(time / HOUR) * HOUR, ask: {} }))
    starts.push({ at: START + chance() * (END - START), nominal: null, ask: {} })
  }
  return starts.toSorted((a, b) => a.at - b.at)
}

/** A lane as its entries make it, without files. */
class SimulatedLane {
  state: LaneState = emptyState()
  readonly reads: { from: string | null; to: string; kind: string; at: number }[] = []
  told: string[] = []
  readonly startFrom: string | null
  constructor(startFrom: string | null) {
    this.startFrom = startFrom
  }

  async run({ at, nominal, ask: more }: Start, rowsIn: (from: number, to: number, at: number) => number) {
    const ask: WindowAsk = {
      state: this.state,
      read: 'incremental',
      write: 'append',
      startFrom: this.startFrom,
      ...more,
    }
    const window = planWindow(ask)
    const { ceiling, told } = ceilingOf(nominal, this.state, window)
    this.told = told
    const asked: Ask = {
      object: 'Account',
      options: {},
      schema,
      fields: ['Id'],
      filter: null,
      mode: window.mode,
      includeDeleted: false,
      cursorField: null,
      state: null,
      ...(window.from === null ? {} : { from: window.from }),
      ...(window.to === null ? {} : { to: window.to }),
      ceiling,
      settleMs: SETTLE,
      parallel: 1,
    }
    const plan = await planFrom((one) => planRead(sessionAt(at), one, 'v62.0', 1000), asked, this.state)
    const run = { key: `${at.toString(36)}-sim-0`, startedMs: at, workflowId: 'year', firstRunId: 'sim' }
    const drafted = draftPlan(
      lane,
      run,
      { n: this.state.n + 1, state: this.state, lakeId: 'L' },
      parts(window.kind, plan),
    )
    const [from, to] = [plan.from === null ? 0 : Date.parse(plan.from), Date.parse(plan.bound!)]
    const rows = rowsIn(from, to, at)
    const counts = { ...noCounts(), read: rows, written: rows }
    const proof = { planned: rows, now: rows, verdict: '' }
    if (!worthAnEntry(drafted, counts, null, proof).entry) return
    const entry = draftEntry(lane, drafted, [], {
      units: {},
      step: 1,
      last: true,
      state: null,
      proof,
      counts: noCounts(),
    })
    this.state = stateAfter(entry)
    this.reads.push({ from: plan.from, to: plan.bound!, kind: window.kind.kind, at })
  }
}

const lane = { lane: { namespaceId: 'n', namespace: 'n', flow: 'year', object: 'Account' } } as LakeLane

function sessionAt(at: number): Session {
  const body = Buffer.from('{"totalSize":0,"done":true,"records":[]}')
  const http = { request: async () => ({ status: 200, headers: {}, body }), token: async () => undefined }
  // The source's clock is not quite ours.
  const now = async () => at - 700
  const quiet = () => {}
  return { connection: 'crm', settings: {}, http, signal: new AbortController().signal, now, beat: quiet, note: quiet }
}

function parts(kind: Parameters<typeof draftPlan>[3]['kind'], plan: Plan): Parameters<typeof draftPlan>[3] {
  const source = { connection: 'crm', connector: 'salesforce', identity: 'org', object: 'Account' }
  return { kind, prefix: '', source, plan, sourceSchema: schema.fields, outputSchema: schema.fields, recipe: null }
}

/** Two to four records an hour, most of them visible at once, some up to settle later. */
function recordsOf(chance: () => number) {
  const records: { stamp: number; visible: number; read: number }[] = []
  for (let hour = START - 60 * DAY; hour < END; hour += HOUR) {
    for (let n = 0; n < 2 + chance() * 3; n++) {
      const stamp = Math.floor((hour + (chance() < 0.1 ? 0 : chance() * HOUR)) / 1000) * 1000
      const late = chance() < 0.2 ? chance() * (SETTLE - 2000) : 0
      records.push({ stamp, visible: stamp + late, read: 0 })
    }
  }
  return records.toSorted((a, b) => a.stamp - b.stamp)
}

describe.each<[string, object]>([
  ['every hour', { every: '1h' }],
  ['every hour of the wall in Berlin', { cron: '20 * * * *', timezone: 'Europe/Berlin', catchUp: '2h' }],
  ['nights in New York', { cron: '30 1,2,3 * * *', timezone: 'America/New_York', catchUp: '1d' }],
  ['every seven hours, counted from a start', { every: '7h', start: '2026-01-01T05:30:00Z', catchUp: '10m' }],
])('a year, %s', (_, trigger) => {
  it.each(SEEDS)('windows neither overlap nor leave gaps (seed %i)', async (seed) => {
    const chance = random(seed)
    const parsed = triggerOf(trigger)
    const catchUp = parsed.kind === 'none' || parsed.kind === 'event' ? 0 : parsed.catchUpMs
    const startFrom = new Date(START - 20 * DAY).toISOString()
    const simulated = new SimulatedLane(startFrom)
    const records = recordsOf(chance)
    const stamps = records.map(({ stamp }) => stamp)
    const read = (from: number, to: number, at: number): number => {
      let rows = 0
      for (let i = firstAtLeast(stamps, from); i < records.length && stamps[i]! < to; i++) {
        if (records[i]!.visible > at) continue
        records[i]!.read++
        rows++
      }
      return rows
    }
    // Windows of the weeks before startFrom, in any order, and some that have been delivered.
    const window = (day: number, days: number): Start => {
      const from = new Date(START - (60 - day) * DAY).toISOString()
      const ask = { from, to: new Date(START - (60 - day - days) * DAY).toISOString() }
      return { at: START + chance() * (END - START), nominal: null, ask }
    }
    const windows = [window(0, 7), window(30, 10), window(7, 13), window(20, 10), window(5, 4), window(29, 2)]
    const starts = [...startsOf(nominalTimes(parsed, START, END), catchUp, chance), ...windows]
    expect(starts.length).toBeGreaterThan(500)
    let refused = 0
    let late = 0
    for (const start of starts.toSorted((a, b) => a.at - b.at)) {
      const before = simulated.state
      try {
        await simulated.run(start, read)
      } catch (error) {
        if (!(error instanceof InputError)) throw error
        refused++
      }
      const [was, is] = [before.watermark, simulated.state.watermark]
      expect(was === null || is! >= was, `${was} to ${is}`).toBe(true)
      if (simulated.told.length > 0) late++
      if (start.nominal !== null && is !== was)
        expect(Date.parse(is!)).toBeLessThanOrEqual(Math.max(start.nominal, Date.parse(startFrom)))
    }
    // The two windows that touch what was delivered, whichever came first.
    expect(refused).toBeGreaterThanOrEqual(2)
    expect(late).toBeGreaterThan(50)

    const ordinary = simulated.reads.filter(({ kind }) => kind === 'incremental')
    expect(ordinary.length).toBeGreaterThan(300)
    expect(ordinary[0]?.from).toBe(startFrom)
    for (const [i, one] of ordinary.entries()) {
      if (i > 0) expect(one.from).toBe(ordinary[i - 1]!.to)
    }
    const all = simulated.reads.toSorted((a, b) => (String(a.from) < String(b.from) ? -1 : 1))
    for (const [i, one] of all.entries()) if (i > 0) expect(String(one.from) >= all[i - 1]!.to).toBe(true)
    const spans = all.map(({ from, to }) => [Date.parse(from!), Date.parse(to)] as const)
    const ends = spans.map(([, to]) => to)
    const isDue = (stamp: number): boolean => {
      const span = spans[firstAtLeast(ends, stamp + 1)]
      return span !== undefined && stamp >= span[0]
    }
    expect(records.filter(({ stamp, read: times }) => times !== (isDue(stamp) ? 1 : 0)).slice(0, 3)).toEqual([])
    const [first, watermark] = [Date.parse(startFrom), Date.parse(simulated.state.watermark!)]
    expect(watermark).toBeGreaterThan(END - 10 * DAY)
    expect(records.filter(({ stamp }) => stamp >= first && stamp < watermark && !isDue(stamp)).slice(0, 3)).toEqual([])
  })
})

function firstAtLeast(sorted: number[], value: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

it('the year has its DST changes: an hour that is there twice, and one that never is', () => {
  const berlin = nominalTimes(triggerOf({ cron: '30 2 * * *', timezone: 'Europe/Berlin' }), START, END)
  expect(berlin.length).toBe(365)
  const on = (times: number[], day: string) => times.filter((time) => new Date(time).toISOString().startsWith(day))
  expect(on(berlin, '2026-03-29')).toEqual([])
  expect(on(berlin, '2026-10-25').length).toBe(2)
})
