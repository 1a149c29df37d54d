/** What dead runs left: fenced off and removed where it is ours, reported where it is not. */
import { describe, expect, it } from 'vitest'
import { history } from '../../connectors/lake/readers.ts'
import { laneKeys } from '../../connectors/lake/keys.ts'
import type { Lane } from '../../connectors/lake/protocol.ts'
import { beginUnit } from '../../connectors/lake/units.ts'
import { openLane } from '../../connectors/lake/open.ts'
import { readPlan } from '../../connectors/lake/plans.ts'
import { LANE } from './lane-workflow.ts'
import type { LaneWorkflow } from './lane-workflow.ts'
import { inMemory, places } from './places.ts'
import type { Place } from './places.ts'
import { checkPromise } from './promise.ts'
import { dies, freezesAt, laneAt, run, workflow } from './scenes.ts'

const DAY_MS = 86_400_000
const abroad: Lane = { ...LANE, namespaceId: 'ns-uuid-2', namespace: 'staging' }

async function kinds(place: Place): Promise<string[]> {
  const recorded = await history(workflow(place, 99, { clock: 0 }).at(), 100)
  return recorded.map(({ n, entry }) => `${n} ${entry.kind}`)
}

async function stagedOf(place: Place, of: string): Promise<number> {
  let count = 0
  for await (const { key } of place.store().staged(laneKeys(LANE).staged, 'data/')) if (key.includes(of)) count++
  return count
}

describe.each(places)('leftovers, on %s', (_, make) => {
  it('a run that died with staged files is fenced off and removed', async () => {
    const place = make()
    await run(place, 1, { clock: 20 })
    const dead = await dies(place, 2, { clock: 40 }, 'commit')
    expect(await stagedOf(place, dead.run.key)).toBeGreaterThan(0)
    const next = await run(place, 3, { clock: 40 })
    expect(next.report.join()).toContain(`Run ${dead.run.key} had ended without cleaning up`)
    expect(next.entry?.n).toBe(3)
    expect(await kinds(place)).toEqual(['3 commit', '2 fence', '1 commit'])
    await checkPromise(next.at(), { quiet: true })
  })

  it('a run that died before its plan costs no number', async () => {
    const place = make()
    await dies(place, 2, { clock: 40 }, 'plan')
    expect((await run(place, 3, { clock: 40 })).entry?.n).toBe(1)
  })

  it('a newer run, and a run that began in the same millisecond, are left alone', async () => {
    const place = make()
    const newer = await dies(place, 5, { clock: 40 }, 'commit')
    const twin = await dies(place, 4, { clock: 40 }, 'commit', 1, { id: 'twin' })
    await run(place, 4, { clock: 40 })
    expect(await stagedOf(place, newer.run.key)).toBeGreaterThan(0)
    expect(await stagedOf(place, twin.run.key)).toBeGreaterThan(0)
    const last = await run(place, 6, { clock: 50 })
    await checkPromise(last.at(), { quiet: true })
  })

  it('a fence that loses to the commit of a zombie opens again, and counts what it committed', async () => {
    const place = make()
    await run(place, 1, { clock: 20 })
    const zombie = await freezesAt(place, 2, { clock: 40 }, /^create .*00000002\.json/)
    const opener = workflow(
      place,
      3,
      { clock: 60 },
      { trouble: { call: /^create .*00000002\.json/, how: 'freezes before' } },
    )
    const { process } = opener
    const ends = opener.step('open', (at) => openLane(at, opener.run))
    await process.frozen
    for (const one of zombie.zombies) {
      one.thaw()
      await one.end
    }
    process.thaw()
    // The frozen attempt had its second one; both found the zombie's entry.
    expect((await ends).n).toBeGreaterThan(2)
    const next = await run(place, 3, { clock: 60 })
    expect(next.entry?.before.watermark).toBe('2024-01-01T00:00:40.000Z')
    await checkPromise(next.at(), { quiet: true })
    expect(place.watch.problems).toEqual([])
  })

  it('a run of another namespace is reported, and removed after seven days', async () => {
    const place = make()
    const foreign = await dies(place, 1, { clock: 40 }, 'commit', 1, { lane: abroad })
    const [early, late] = [1 + 7 * DAY_MS - 1, 1 + 7 * DAY_MS]
    const soon = await run(place, early, { clock: 50 })
    expect(soon.report.join()).toContain(`Run ${foreign.run.key} of namespace staging has staged files here`)
    expect(soon.entry?.n).toBe(1)
    expect(await stagedOf(place, foreign.run.key)).toBeGreaterThan(0)
    await checkPromise(soon.at(), { quiet: true, except: [foreign.run.key] })
    const then = await run(place, late, { clock: 60 })
    expect(then.report.join()).toContain(`Run ${foreign.run.key} had ended without cleaning up`)
    await checkPromise(then.at(), { quiet: true })
  })

  it('flows that share a prefix do not touch what the others stage', async () => {
    const place = make()
    const lanes = ['other', 'numbers.2', 'numbers-2'].map((flow): Lane => ({ ...LANE, flow }))
    lanes.push({ ...LANE, object: 'Integers2' }, { ...LANE, object: 'integers' })
    let busy = 0
    const slow = await run(
      place,
      10,
      { clock: 40 },
      {
        before: async (step) => {
          if (step !== 'unit' && step !== 'commit') return
          for (const lane of lanes) {
            busy += 2
            await dies(place, busy, { clock: 40 + busy }, 'commit', 1, { lane })
            await run(place, busy + 1, { clock: 40 + busy }, { lane })
          }
        },
      },
    )
    expect(slow.restarts).toBe(0)
    expect(slow.entry?.counts.read).toBe(40)
    for (const lane of [LANE, ...lanes]) {
      const { integers } = await checkPromise(workflow(place, 1, { clock: 0 }, { lane }).at())
      expect(integers.length).toBeGreaterThanOrEqual(38)
    }
    expect(place.watch.problems).toEqual([])
  })

  it('what a zombie stages after its run was removed it drops; what it recorded the next open removes', async () => {
    const place = make()
    const asleep = await freezesAt(place, 1, { clock: 40 }, /^stage data/)
    const recording = await freezesAt(place, 2, { clock: 40 }, /^create .*\/units\//)
    const next = await run(place, 3, { clock: 40 })
    for (const one of [...asleep.zombies, ...recording.zombies]) {
      one.thaw()
      await one.end
    }
    expect(await stagedOf(place, asleep.run.key)).toBe(0)
    const records = [laneKeys(LANE).runUnits(asleep.run.key), laneKeys(LANE).runUnits(recording.run.key)]
    const left: string[] = []
    for (const folder of records) for await (const { key } of place.store().list(folder)) left.push(key)
    expect(left.length).toBe(1)
    await checkPromise(next.at())
    const last = await run(place, 4, { clock: 60 })
    await checkPromise(last.at(), { quiet: true })
  })
})

it.each(places)('what a zombie stages and never records goes with the next run, on %s', async (_, make) => {
  const place = make()
  const dead = await dies(place, 1, { clock: 20 }, 'commit')
  await run(place, 2, { clock: 20 })
  const unit = beginUnit(laneAt(place, LANE), dead.plan!, { range: 'r0', seq: 9, previous: null })
  const file = await unit.file('half=0', 'jsonl')
  await file.write(Buffer.from('1\n'))
  await file.close(1)
  // It is killed here.
  expect(await stagedOf(place, dead.run.key)).toBe(1)
  const alive = await dies(place, 9, { clock: 40 }, 'commit')
  const last = await run(place, 3, { clock: 40 })
  expect(await stagedOf(place, dead.run.key)).toBe(0)
  expect(await stagedOf(place, alive.run.key)).toBeGreaterThan(0)
  await checkPromise(last.at(), { quiet: true, except: [alive.run.key] })
})

it('a plan that appears while the lane is listed is removed only if its number is closed', async () => {
  const place = inMemory()
  await dies(place, 1, { clock: 20 }, 'commit')
  const opener = workflow(place, 9, { clock: 40 })
  // Another attempt of this open fences number 1, and an older run that is alive opens behind it and plans number 2:
  // all between the entries and the plans of one listing.
  let late: LaneWorkflow | null = null
  const store = Object.assign(place.store(), {
    async *list(prefix: string, options?: { startAt?: string }) {
      const before: string[] = []
      for await (const object of place.store().list(prefix, options)) before.push(object.key)
      if (late === null && prefix === laneKeys(LANE).root) {
        await opener.step('open', (at) => openLane(at, opener.run))
        late = await dies(place, 5, { clock: 40 }, 'commit')
      }
      for await (const object of place.store().list(prefix, options)) {
        if (!object.key.includes('/commits/') || before.includes(object.key)) yield object
      }
    },
  })
  const opened = await openLane({ ...laneAt(place, LANE), store }, opener.run)
  expect(opened.n).toBe(2)
  const alive = late as LaneWorkflow | null
  expect(alive?.plan?.n).toBe(2)
  expect(await readPlan(laneAt(place, LANE), alive?.run.key as string)).not.toBeNull()
  const last = await run(place, 10, { clock: 40 })
  await checkPromise(last.at(), { quiet: true })
})
