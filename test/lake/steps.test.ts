/** Long loads in several entries: visible early, one watermark at the end, and finished by whoever comes next. */
import { describe, expect, it } from 'vitest'
import { cancelRun } from '../../connectors/lake/cancel.ts'
import { currentFiles, history } from '../../connectors/lake/readers.ts'
import type { CommitEntry } from '../../connectors/lake/protocol.ts'
import { LANE } from './lane-workflow.ts'
import { integerOf } from './integers.ts'
import type { Work } from './integers.ts'
import { places } from './places.ts'
import type { Place } from './places.ts'
import { checkPromise } from './promise.ts'
import { dies, diesAfter, laneAt, run } from './scenes.ts'

const load: Work = { clock: 100, unitRows: 10, stepUnits: 3 }

async function entries(place: Place): Promise<CommitEntry[]> {
  const recorded = (await history(laneAt(place, LANE), 100)).toReversed()
  return recorded.flatMap(({ entry }) => (entry.kind === 'commit' ? [entry] : []))
}

describe.each(places)('steps, on %s', (_, make) => {
  it('each takes the next number, and only the last moves the watermark', async () => {
    const place = make()
    await run(place, 1, { clock: 20 })
    const one = await run(place, 2, load)
    const [, ...steps] = await entries(place)
    expect(steps.length).toBeGreaterThan(2)
    expect(steps.map(({ n }) => n)).toEqual(steps.map((__, at) => 2 + at))
    expect(steps.map(({ step }) => step)).toEqual(steps.map((__, at) => 1 + at))
    expect(steps.map(({ last }) => last)).toEqual(steps.map((__, at) => at === steps.length - 1))
    expect(new Set(steps.slice(0, -1).map(({ after }) => after.watermark))).toEqual(
      new Set(['2024-01-01T00:00:20.000Z']),
    )
    expect(one.entry?.after.watermark).toBe('2024-01-01T00:01:40.000Z')
    expect(steps.reduce((sum, { counts }) => sum + counts.read, 0)).toBe(80)
    await checkPromise(one.at(), { quiet: true })
  })

  it('what a step committed is there before the next', async () => {
    const place = make()
    const seen: number[] = []
    await run(place, 1, load, {
      before: async (step) => {
        if (step === 'commit')
          seen.push((await currentFiles(laneAt(place, LANE))).reduce((sum, { rows }) => sum + rows, 0))
      },
    })
    expect(seen[0]).toBe(0)
    expect(seen.toSorted((a, b) => a - b)).toEqual(seen)
    expect(new Set(seen).size).toBe(seen.length)
  })

  it('the next run finishes what is unfinished, under its old bound, whatever its own options say', async () => {
    const place = make()
    const dead = await dies(place, 1, load, 'commit', 2)
    await checkPromise(dead.at(place.store()))
    const next = await run(place, 2, { clock: 150, ask: { full: true }, prefix: 'elsewhere', ranges: 5 })
    expect(next.plan?.plan.bound).toBe('2024-01-01T00:01:40.000Z')
    expect(next.plan?.prefix).toBe('data/integers')
    expect(next.plan?.resumes?.run).toBe(dead.run.key)
    expect(next.entry?.after.watermark).toBe('2024-01-01T00:01:40.000Z')
    const { integers } = await checkPromise(next.at(), { quiet: true })
    expect(integers.length).toBe(95)
    const after = await run(place, 3, { clock: 150 })
    expect((await checkPromise(after.at(), { quiet: true })).integers.length).toBe(142)
  })

  it('it may take several: each goes on behind what is committed', async () => {
    const place = make()
    let committed = 0
    for (const start of [1, 2, 3]) {
      await dies(place, start, { ...load, unitRows: 5 }, 'commit', 2)
      const rows = (await currentFiles(laneAt(place, LANE))).reduce((sum, file) => sum + file.rows, 0)
      expect(rows).toBeGreaterThan(committed)
      committed = rows
    }
    const last = await run(place, 4, { ...load, unitRows: 5 })
    expect((await checkPromise(last.at(), { quiet: true })).integers.length).toBe(95)
    const bounds = (await entries(place))
      .filter((entry) => entry.last)
      .map(({ after }) => integerOf(after.watermark as string))
    expect(bounds).toEqual([100])
  })

  it('a range that ended in an early step is not read again', async () => {
    const place = make()
    const dead = await dies(place, 1, { ...load, ranges: 3, rangeByRange: true, stepUnits: 5 }, 'commit', 2)
    const { unfinished } = (await entries(place))[0] as CommitEntry
    expect(Object.values(unfinished?.ranges ?? {}).map(({ end, seq }) => [end, seq])).toEqual([
      [true, 4],
      [false, 1],
      [false, 0],
    ])
    await checkPromise(dead.at(place.store()))
    const next = await run(place, 2, { ...load, unitRows: 100 })
    expect(Object.keys(next.entry?.units ?? {})).toEqual(['r0', 'r1', 'r2'])
    expect(next.entry?.counts.pages).toBe(2)
    expect((await checkPromise(next.at(), { quiet: true })).integers.length).toBe(95)
  })

  it('a step whose files are lost ends the run; what was done before stays', async () => {
    const place = make()
    await diesAfter(place, 1, load, /^create .*00000002\.json/)
    await place.loseStaged(() => true)
    const next = await run(place, 2, load)
    expect(next.report.join()).toMatch(/Entry 2 .* is void/)
    expect(next.plan?.resumes?.n).toBe(1)
    expect((await checkPromise(next.at(), { quiet: true, voids: 1 })).integers.length).toBe(95)
  })

  it('a run that is cancelled between steps leaves its plan to the next', async () => {
    const place = make()
    const dead = await dies(place, 1, load, 'unit', 5)
    const cancelled = await cancelRun(laneAt(place, LANE), dead.run, dead.opened?.n ?? null)
    expect(cancelled.committed).toBe(true)
    expect(cancelled.entries.map(({ n }) => n)).toEqual([1])
    await checkPromise(dead.at(place.store()))
    const next = await run(place, 2, load)
    expect(next.plan?.resumes?.run).toBe(dead.run.key)
    expect((await checkPromise(next.at(), { quiet: true })).integers.length).toBe(95)
  })
})
