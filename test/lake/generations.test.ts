/** Whole reads that replace what was there: nothing of the old is gone before all of the new is done. */
import { describe, expect, it } from 'vitest'
import { currentFiles, laneStatus } from '../../connectors/lake/readers.ts'
import { checkMoved } from '../../connectors/lake/plans.ts'
import { noCounts } from '../../connectors/lake/counts.ts'
import type { CommitEntry } from '../../connectors/lake/protocol.ts'
import { worthAnEntry } from '../../connectors/lake/windows.ts'
import { LANE } from './lane-workflow.ts'
import { stampOf } from './integers.ts'
import type { Work } from './integers.ts'
import { places } from './places.ts'
import type { Place } from './places.ts'
import { checkPromise } from './promise.ts'
import { dies, diesAfter, laneAt, run } from './scenes.ts'

const replace = (clock: number): Work => ({ clock, ask: { read: 'full', write: 'replace' } })

async function visible(place: Place): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of place.store().list('data/')) keys.push(key)
  return keys
}

describe.each(places)('generations, on %s', (_, make) => {
  it('each run of a replacing flow leaves its own files alone', async () => {
    const place = make()
    for (const clock of [20, 40, 35]) {
      const one = await run(place, clock === 35 ? 50 : clock, replace(clock))
      const { integers } = await checkPromise(one.at(), { quiet: true })
      expect(integers.at(-1)).toBe(clock - 1)
    }
    const { state } = await laneStatus(laneAt(place, LANE))
    expect([state.generation, state.watermark, state.since]).toEqual([3, stampOf(35), 3])
  })

  it('a run that finds nothing replaces everything by nothing, if the source counts nothing too', async () => {
    const place = make()
    await run(place, 1, replace(20))
    const one = await run(place, 2, replace(0))
    expect(one.entry?.files).toEqual([])
    expect(await visible(place)).toEqual([])
    expect((await checkPromise(one.at(), { quiet: true })).integers).toEqual([])
    const again = await run(place, 3, replace(20))
    expect((await checkPromise(again.at(), { quiet: true })).integers.length).toBe(19)
  })

  it('full replaces what incremental runs brought, and they go on behind its bound', async () => {
    const place = make()
    await run(place, 1, { clock: 20 })
    await run(place, 2, { clock: 30 })
    const one = await run(place, 3, { clock: 25, ask: { full: true } })
    expect(one.entry?.replaces).toEqual({ from: 1, to: 3 })
    expect((await checkPromise(one.at(), { quiet: true })).integers.length).toBe(24)
    const next = await run(place, 4, { clock: 60 })
    expect((await checkPromise(next.at(), { quiet: true })).integers.length).toBe(57)
  })

  it('keepOld leaves the earlier files, for good', async () => {
    const place = make()
    await run(place, 1, { clock: 20 })
    const old = await visible(place)
    const kept = await run(place, 2, { clock: 25, ask: { full: true, keepOld: true } })
    expect(kept.entry?.replaces).toBeUndefined()
    expect(await visible(place)).toEqual(expect.arrayContaining(old))
    expect((await currentFiles(laneAt(place, LANE))).map(({ key }) => key)).not.toContain(old[0])
    await run(place, 3, { clock: 40 })
    const anew = await run(place, 4, { clock: 50, ask: { full: true } })
    expect(anew.entry?.replaces).toEqual({ from: 2, to: 4 })
    expect(await visible(place)).toEqual(expect.arrayContaining(old))
    expect((await checkPromise(anew.at(), { quiet: true })).integers.length).toBe(48)
  })

  it('in steps: readers of the ledger see the old until the last step, and then only the new', async () => {
    const place = make()
    await run(place, 1, { clock: 20 })
    const seen: number[] = []
    const one = await run(
      place,
      2,
      { clock: 80, unitRows: 10, stepUnits: 2, ask: { full: true } },
      {
        before: async (step) => {
          const rows = (await currentFiles(laneAt(place, LANE))).reduce((sum, file) => sum + file.rows, 0)
          if (step !== 'open') seen.push(rows)
        },
      },
    )
    expect(one.entry?.step).toBeGreaterThan(2)
    expect([...new Set(seen)]).toEqual([19, 76])
    expect((await checkPromise(one.at(), { quiet: true })).integers.length).toBe(76)
  })

  it('in steps, dead between them: the next run finishes the generation, and the old goes then', async () => {
    const place = make()
    await run(place, 1, { clock: 20 })
    const old = await visible(place)
    const dead = await dies(place, 2, { clock: 80, unitRows: 10, stepUnits: 2, ask: { full: true } }, 'commit', 3)
    expect(await visible(place)).toEqual(expect.arrayContaining(old))
    expect((await checkPromise(dead.at(place.store()))).integers.length).toBe(19)
    const next = await run(place, 3, { clock: 90 })
    expect(next.entry?.generation).toBe(1)
    expect(await visible(place)).not.toEqual(expect.arrayContaining(old))
    expect((await checkPromise(next.at(), { quiet: true })).integers.length).toBe(76)
  })

  it('dead in the middle of the deleting: the next open deletes the rest', async () => {
    const place = make()
    await run(place, 1, { clock: 20, unitRows: 4 })
    const old = await visible(place)
    await diesAfter(place, 2, { clock: 30, ask: { full: true } }, /^delete data/)
    const left = (await visible(place)).filter((key) => old.includes(key))
    expect(left.length).toBeGreaterThan(0)
    expect(left.length).toBeLessThan(old.length)
    const next = await run(place, 3, { clock: 40 })
    expect((await visible(place)).filter((key) => old.includes(key))).toEqual([])
    expect((await checkPromise(next.at(), { quiet: true })).integers.length).toBe(38)
    expect(place.watch.problems).toEqual([])
  })

  it('a plan that cannot be finished any more is left behind by a new generation', async () => {
    const place = make()
    await run(place, 1, { clock: 20 })
    const dead = await dies(place, 2, { clock: 80, unitRows: 10, stepUnits: 2, ask: { full: true } }, 'commit', 3)
    // The connection was pointed elsewhere, and full accepts it: what was unfinished there is of no use.
    const next = await run(place, 3, { clock: 50, identity: 'elsewhere', ask: { full: true }, abandon: true })
    expect(next.entry?.generation).toBe(2)
    expect(next.entry?.replaces).toEqual({ from: 1, to: next.entry?.n })
    expect((await checkPromise(next.at(), { quiet: true })).integers.length).toBe(48)
    expect(dead.run.key).not.toBe(next.run.key)
  })

  it('a full read that appends is a copy, and moves the watermark', async () => {
    const place = make()
    const full: Work = { clock: 20, ask: { read: 'full' } }
    const one = await run(place, 1, full)
    expect(one.entry?.after).toMatchObject({ watermark: stampOf(20), generation: 0 })
    await run(place, 2, full)
    const rows = (await currentFiles(laneAt(place, LANE))).reduce((sum, file) => sum + file.rows, 0)
    expect(rows).toBe(38)
  })
})

describe('a run without rows', () => {
  const at = laneAt(places[0]![1](), LANE)
  const proof = (planned: number | null, now: number | null): CommitEntry['proof'] => ({ planned, now, verdict: '' })

  it('that would replace something is doubted unless the source counts none', async () => {
    const one = await dies({ store: () => at.store } as Place, 1, replace(0), 'commit')
    const plan = one.plan!
    expect(worthAnEntry(plan, noCounts(), null, proof(0, 0))).toEqual({ entry: true })
    expect(worthAnEntry(plan, noCounts(), null, proof(5, 0))).toEqual({ entry: true })
    expect(worthAnEntry(plan, noCounts(), null, proof(0, null))).toEqual({ entry: true })
    expect(worthAnEntry(plan, noCounts(), null, proof(0, 5))).toMatchObject({ entry: false, doubtful: true })
    expect(worthAnEntry(plan, noCounts(), null, proof(null, null))).toMatchObject({ entry: false, doubtful: true })
    expect(worthAnEntry(plan, { ...noCounts(), read: 1 }, null, proof(null, null))).toEqual({ entry: true })
  })
})

describe('a connection that reaches something else', () => {
  const now = { sourceIdentity: 'org-2', lakeId: 'lake-1' }

  it('is LaneMoved, unless the run accepts it', async () => {
    const place = places[0]![1]()
    const one = await run(place, 1, { clock: 20, identity: 'org-1' })
    const { state } = await laneStatus(laneAt(place, LANE))
    const lakeId = state.lakeId as string
    expect(() => checkMoved(state, { ...now, lakeId })).toThrow(/source is org-2.*org-1.*--full/s)
    expect(() => checkMoved(state, { sourceIdentity: 'org-1', lakeId: 'another' })).toThrow(/lake is another/)
    expect(() => checkMoved(one.plan!, { ...now, lakeId })).toThrow(expect.objectContaining({ type: 'LaneMoved' }))
    expect(() => checkMoved(state, now, true)).not.toThrow()
    expect(() => checkMoved(state, { sourceIdentity: 'org-1', lakeId })).not.toThrow()
  })

  it('is nothing to a lane that never committed', async () => {
    const { state } = await laneStatus(laneAt(places[0]![1](), LANE))
    expect(() => checkMoved(state, now)).not.toThrow()
  })
})
