/** A watermark that is moved by hand: an entry like any other, and nothing skipped or doubled that was not told. */
import { describe, expect, it } from 'vitest'
import { LakeError } from '../../connectors/lake/errors.ts'
import { currentFiles, laneStatus } from '../../connectors/lake/readers.ts'
import { moveOf, setWatermark } from '../../connectors/lake/set-watermark.ts'
import type { LakeLane } from '../../connectors/lake/protocol.ts'
import { integerOf, stampOf } from './integers.ts'
import { LANE, LaneWorkflow } from './lane-workflow.ts'
import { places } from './places.ts'
import type { Place } from './places.ts'
import { dies, laneAt, run, workflow } from './scenes.ts'
import { Crash, TroubledStore } from './troubled-store.ts'

const NOW = Date.parse(stampOf(1000))

async function move(at: LakeLane, to: number) {
  return setWatermark(at, moveOf(await laneStatus(at), stampOf(to), NOW))
}

async function integers(place: Place): Promise<number[]> {
  const at = laneAt(place, LANE)
  const all: number[] = []
  for (const { key } of await currentFiles(at)) {
    const lines = Buffer.from((await at.store.get(key))!)
      .toString()
      .split('\n')
      .slice(0, -1)
    all.push(...lines.map(Number))
  }
  return all.toSorted((a, b) => a - b)
}

describe.each(places)('a watermark set by hand, on %s', (_, make) => {
  const at = (place: Place): LakeLane => laneAt(place, LANE, { now: () => NOW })

  it('back: what lies between comes again; the entry has no files and is done', async () => {
    const place = make()
    await run(place, 1, { clock: 40 })
    const entry = await move(at(place), 30)
    expect(entry).toMatchObject({ n: 2, runKind: { kind: 'set' }, files: [], after: { watermark: stampOf(30) } })
    const next = await run(place, 2, { clock: 50 })
    expect(next.entry?.before.watermark).toBe(stampOf(30))
    const read = await integers(place)
    expect(read.filter((i) => i === 35).length).toBe(2)
    expect(read.filter((i) => i === 29 || i === 45).length).toBe(2)
  })

  it('on: what lies between is skipped, and a window brings it, once', async () => {
    const place = make()
    await run(place, 1, { clock: 40, ask: { startFrom: stampOf(10) } })
    const { means } = moveOf(await laneStatus(at(place)), stampOf(60), NOW)
    expect(means.join(' ')).toMatch(/are skipped.*run --from .*00:00:40.* --to .*00:01:00/)
    await move(at(place), 60)
    await run(place, 2, { clock: 80 })
    expect(await integers(place)).not.toContain(45)
    await run(place, 3, { clock: 80, ask: { from: stampOf(40), to: stampOf(60) } })
    expect(new Set(await integers(place)).size).toBe((await integers(place)).length)
    expect(await integers(place)).toEqual([...Array(70).keys()].map((i) => i + 10).filter((i) => i % 17 !== 16))
    const again = run(place, 4, { clock: 80, ask: { from: stampOf(20), to: stampOf(45) } })
    await expect(again).rejects.toThrow(/has been delivered already/)
    // A whole new read has all that was ever delivered.
    await run(place, 5, { clock: 90, ask: { full: true, startFrom: stampOf(60) } })
    expect((await integers(place))[0]).toBe(10)
  })

  it('forgets what was read lately: who goes back wants it again', async () => {
    const place = make()
    await run(place, 1, { clock: 40, lookback: 20 })
    await move(at(place), 25)
    const next = await run(place, 2, { clock: 50, lookback: 20 })
    expect(integerOf(next.plan!.plan.from!)).toBe(25)
    expect(next.entry?.counts.repeated ?? 0).toBe(0)
  })

  it('a run that was to take the number is told, and reads from the new watermark', async () => {
    const place = make()
    await run(place, 1, { clock: 40 })
    let moved = false
    const running = new LaneWorkflow({
      place: place.store,
      work: { clock: 60 },
      start: 2,
      before: async (step) => {
        if (step !== 'commit' || moved) return
        moved = true
        await move(at(place), 50)
      },
    })
    const ended = await running.sync()
    expect(ended.report.join(' ')).toMatch(/entry 2, which run .* was to write, is closed by run/)
    expect(ended.entry?.before.watermark).toBe(stampOf(50))
  })

  it.each(['dies before', 'dies after'] as const)('a command that %s its entry has set it, or has not', async (how) => {
    const place = make()
    await run(place, 1, { clock: 40 })
    const broken = new TroubledStore(place.store(), { call: /^create .*00000002\.json/, how })
    await expect(move({ ...at(place), store: broken }, 30)).rejects.toThrow(Crash)
    const next = await run(place, 2, { clock: 50 })
    expect(next.entry?.before.watermark).toBe(how === 'dies before' ? stampOf(40) : stampOf(30))
  })

  it('is refused where it means nothing, or lies in the future, or something is unfinished', async () => {
    const place = make()
    await expect(move(at(place), 5)).rejects.toThrow(/no watermark yet.*startFrom/s)
    await run(place, 1, { clock: 40 })
    await expect(move(at(place), 40)).rejects.toThrow(/already/)
    await expect(move(at(place), 1100)).rejects.toThrow(
      /in the future, by this machine's clock.*Take 2024-01-01T00:16:40Z/s,
    )
    const asked = moveOf(await laneStatus(at(place)), stampOf(30), NOW)
    await run(place, 2, { clock: 60 })
    await expect(setWatermark(at(place), asked)).rejects.toThrow(LakeError)
    await dies(place, 3, { clock: 90, unitRows: 5, stepUnits: 2 }, 'commit', 2)
    await expect(move(at(place), 30)).rejects.toThrow(/left unfinished.*Run the flow once/s)
    await workflow(place, 4, { clock: 90 }).sync()
  })
})
