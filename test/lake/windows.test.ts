import { describe, expect, it } from 'vitest'
import { InputError } from '../../connectors/errors.ts'
import { noCounts } from '../../connectors/lake/counts.ts'
import { emptyState } from '../../connectors/lake/lane-state.ts'
import { compareInstants } from '../../connectors/lake/instants.ts'
import type { LaneState, RunPlan } from '../../connectors/lake/protocol.ts'
import type { Ruling, WindowAsk } from '../../connectors/lake/windows.ts'
import { planWindow, worthAnEntry } from '../../connectors/lake/windows.ts'
import { stampOf } from './integers.ts'
import type { Work } from './integers.ts'
import { places } from './places.ts'
import { checkPromise } from './promise.ts'
import { diesAfter, run } from './scenes.ts'

const day = (n: number): string => `2024-01-${String(n).padStart(2, '0')}T00:00:00Z`
const fresh = emptyState()
/** Has read from day 10 to day 20. */
const read: LaneState = { ...fresh, n: 3, watermark: day(20), origin: day(10) }
const all: LaneState = { ...read, origin: null }
const windowed: LaneState = { ...fresh, n: 1, windows: [{ from: day(2), to: day(4) }] }

const ask = (more: Partial<WindowAsk>): WindowAsk => ({
  state: fresh,
  read: 'incremental',
  write: 'append',
  startFrom: null,
  ...more,
})

const incremental = { kind: { kind: 'incremental' }, mode: 'incremental', to: null }
const generation = { kind: { kind: 'generation' }, mode: 'full', to: null }
const window = (from: string, to: string): Ruling => ({
  kind: { kind: 'window', window: { from, to } },
  mode: 'window',
  from,
  to,
})

describe('what a run reads', () => {
  it.each<[string, Partial<WindowAsk>, unknown]>([
    ['a first run: everything', {}, { ...incremental, from: null }],
    ['a first run: from startFrom', { startFrom: day(5) }, { ...incremental, from: day(5) }],
    ['a later run: from the watermark', { state: read, startFrom: day(5) }, { ...incremental, from: day(20) }],
    [
      'full reads that append',
      { state: read, read: 'full', startFrom: day(5) },
      { kind: { kind: 'full' }, mode: 'full', from: day(5), to: null },
    ],
    ['replace', { state: read, write: 'replace', read: 'full' }, { ...generation, from: null }],
    ['full', { state: read, full: true, startFrom: day(5) }, { ...generation, from: day(5) }],
    [
      'full, with windows before startFrom',
      { state: windowed, full: true, startFrom: day(10) },
      { ...generation, from: day(2) },
    ],
    ['full, with windows, and no startFrom', { state: windowed, full: true }, { ...generation, from: null }],
    [
      'full that keeps the old',
      { state: read, full: true, keepOld: true },
      { ...generation, kind: { kind: 'generation', keepOld: true }, from: null },
    ],
    ['a window before startFrom', { startFrom: day(10), from: day(2), to: day(10) }, window(day(2), day(10))],
    [
      'a window before what was read',
      { state: read, startFrom: day(10), from: day(2), to: day(10) },
      window(day(2), day(10)),
    ],
    ['a window without to ends at startFrom', { startFrom: day(10), from: day(2) }, window(day(2), day(10))],
    [
      'a window beside another',
      { state: windowed, startFrom: day(10), from: day(4), to: day(6) },
      window(day(4), day(6)),
    ],
    [
      'a window again',
      { state: windowed, startFrom: day(10), from: day(3), to: day(6), again: true },
      window(day(3), day(6)),
    ],
    ['what runs have read, again', { state: all, from: day(3), to: day(6), again: true }, window(day(3), day(6))],
    ['a first run behind the windows', { state: windowed, startFrom: day(4) }, { ...incremental, from: day(4) }],
  ])('%s', (_, more, ruling) => {
    expect(planWindow(ask(more))).toEqual(ruling)
  })

  it.each<[string, Partial<WindowAsk>, RegExp]>([
    [
      'to behind the watermark',
      { state: read, from: day(5), to: day(21), again: true },
      /run\.to: to .* is later than 2024-01-20.*the watermark/,
    ],
    ['to behind startFrom', { startFrom: day(10), from: day(5), to: day(11) }, /startFrom, where the first run begins/],
    ['from behind to', { state: read, from: day(6), to: day(5) }, /is not before to/],
    ['from without a limit', { from: day(6) }, /will read everything/],
    ['to without from', { state: read, to: day(5) }, /from is not/],
    ['with replace', { write: 'replace', from: day(5), to: day(6) }, /write: replace/],
    ['with full', { state: read, full: true, from: day(5), to: day(6) }, /cannot be used with full/],
    [
      'a window that was delivered',
      { state: windowed, startFrom: day(10), from: day(3), to: day(6) },
      /2024-01-02.* to 2024-01-04.* has been delivered[^]*--again/,
    ],
    ['what runs have delivered', { state: read, from: day(9), to: day(11) }, /2024-01-10.* has been delivered/],
    [
      'what runs have delivered from the beginning',
      { state: all, from: day(1), to: day(2) },
      /everything before 2024-01-20.* has been delivered/,
    ],
    [
      'a first run over a window',
      { state: windowed, startFrom: day(3) },
      /source\.startFrom: .*again[^]*Set startFrom to 2024-01-04/,
    ],
    ['a first run of everything over a window', { state: windowed }, /again/],
    ['keepOld with nothing new', { state: read, keepOld: true }, /keepOld/],
  ])('is refused: %s', (_, more, about) => {
    const planning = (): unknown => planWindow(ask(more))
    expect(planning).toThrow(InputError)
    expect(planning).toThrow(about)
  })
})

describe('whether it is worth an entry', () => {
  const plan = (before: Partial<LaneState>, bound: string | null, more: Partial<RunPlan> = {}): RunPlan =>
    ({ before: { ...fresh, ...before }, kind: { kind: 'incremental' }, plan: { bound }, ...more }) as RunPlan
  const proof = { planned: 0, now: 0, verdict: '' }

  it.each<[string, RunPlan, boolean]>([
    ['the first, without rows', plan({}, day(1)), true],
    ['a bound that moved less than a day', plan({ watermark: day(1) }, '2024-01-01T23:59:59.999Z'), false],
    ['a bound that moved a day', plan({ watermark: day(1) }, day(2)), true],
    ['a lane without stamps', plan({}, null), false],
    [
      'a window',
      plan({ watermark: day(1) }, day(1), { kind: { kind: 'window', window: { from: day(1), to: day(1) } } }),
      true,
    ],
    ['a full read', plan({ watermark: day(1) }, day(1), { kind: { kind: 'full' } }), true],
    ['a plan of another run', plan({ watermark: day(1) }, day(1), { resumes: { run: 'r', n: 1, ranges: {} } }), true],
  ])('%s', (_, one, worth) => {
    expect(worthAnEntry(one, noCounts(), null, proof).entry).toBe(worth)
    expect(worthAnEntry(one, { ...noCounts(), read: 1, filtered: 1 }, null, proof).entry).toBe(true)
  })

  it('a state that moved', () => {
    const before = { watermark: day(1), state: { token: 'a', at: 1 } }
    expect(worthAnEntry(plan(before, day(1)), noCounts(), { at: 1, token: 'a' }, proof).entry).toBe(false)
    expect(worthAnEntry(plan(before, day(1)), noCounts(), { at: 1, token: 'b' }, proof).entry).toBe(true)
  })
})

describe.each(places)('windows and ordinary runs, on %s', (_, make) => {
  const startFrom = stampOf(50)
  const window1: Work = { clock: 100, ask: { startFrom, from: stampOf(10), to: stampOf(30) } }

  it('first a window, then the first run: nothing lost or doubled', async () => {
    const place = make()
    await run(place, 1, window1)
    const first = await run(place, 2, { clock: 100, ask: { startFrom } })
    expect(first.entry?.after).toMatchObject({ watermark: stampOf(100), origin: startFrom })
    const { integers } = await checkPromise(first.at(), { quiet: true })
    expect([integers[0], integers.includes(30), integers.includes(51), integers.length]).toEqual([10, false, true, 66])
  })

  it('a window between ordinary runs carries the watermark through', async () => {
    const place = make()
    await run(place, 1, { clock: 80, ask: { startFrom } })
    const between = await run(place, 2, { clock: 90, ask: { startFrom, from: stampOf(20), to: startFrom } })
    expect(between.entry?.after.watermark).toBe(stampOf(80))
    const next = await run(place, 3, { clock: 100, ask: { startFrom } })
    expect(next.entry?.windows).toEqual([{ from: stampOf(20), to: startFrom }])
    expect((await checkPromise(next.at(), { quiet: true })).integers.length).toBe(76)
    await expect(run(place, 4, { clock: 100, ask: { startFrom, from: stampOf(30), to: stampOf(40) } })).rejects.toThrow(
      /again/,
    )
  })

  it('full reads the windows too, and forgets them', async () => {
    const place = make()
    await run(place, 1, window1)
    await run(place, 2, { clock: 100, ask: { startFrom } })
    const full = await run(place, 3, { clock: 110, ask: { startFrom, full: true } })
    expect(full.entry?.after).toMatchObject({ watermark: stampOf(110), origin: stampOf(10) })
    expect(full.entry?.windows).toEqual([])
    expect((await checkPromise(full.at(), { quiet: true })).integers.length).toBe(94)
  })

  it('a window that died after its entry has been delivered', async () => {
    const place = make()
    await diesAfter(place, 1, window1, /^create .*00000001\.json/)
    await expect(run(place, 2, window1)).rejects.toThrow(/has been delivered/)
    const first = await run(place, 3, { clock: 100, ask: { startFrom } })
    expect((await checkPromise(first.at(), { quiet: true })).integers.length).toBe(66)
  })
})

describe('instants', () => {
  it.each([
    ['2024-01-01', '2024-01-01T00:00:00Z', 0],
    ['2024-01-01T00:00:00.1Z', '2024-01-01T00:00:00.100000Z', 0],
    ['2024-01-01T00:00:00.000001Z', '2024-01-01T00:00:00.000002Z', -1],
    ['2024-01-01T01:00:00+01:00', '2024-01-01T00:00:00Z', 0],
    ['2024-01-01T01:00:00+0000', '2024-01-01T00:00:00Z', 1],
    ['2023-12-31T23:59:59.999999Z', '2024-01-01T00:00Z', -1],
  ])('%s against %s', (a, b, sign) => {
    expect(Math.sign(compareInstants(a, b))).toBe(sign)
  })

  it.each(['', 'yesterday', '2024-13-01', '2024-01-01T25:00Z', 'undefined', '2024-1-1'])('refuses %j', (text) => {
    expect(() => compareInstants(text, text)).toThrow(RangeError)
  })
})
