/** A window before the watermark that is read again: what came late goes through, everything else does not. */
import { describe, expect, it } from 'vitest'
import { Memory } from '../../connectors/lake/lookback.ts'
import type { Work } from './integers.ts'
import { LATE, isVisible, stampOf } from './integers.ts'
import { LaneWorkflow, Terminated } from './lane-workflow.ts'
import { places } from './places.ts'
import type { Place } from './places.ts'
import { checkPromise } from './promise.ts'
import { dies, run } from './scenes.ts'
import { every } from './thorough.ts'
import type { Trouble } from './troubled-store.ts'

const LOOKBACK = 20
const at = (clock: number, more: Partial<Work> = {}): Work => ({ clock, lookback: LOOKBACK, unitRows: 12, ...more })
const late = (from: number, to: number, clock: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i).filter((i) => !isVisible(i, clock))

async function seenKeys(place: Place): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of place.store().list('_lakeward/numbers/Integers/seen/')) keys.push(key)
  return keys
}

describe.each(places)('a lane that looks back, on %s', (_, make) => {
  it('brings what came late, once', async () => {
    const place = make()
    const first = await run(place, 1, at(40))
    const missing = late(0, 40, 40)
    expect(missing).toEqual([33, 38]) // 33 is one of the bad ones, which go to quarantine
    const before = await checkPromise(first.at(place.store()), { quiet: true, clock: 40 })
    for (const i of missing) expect(before.integers).not.toContain(i)

    const second = await run(place, 2, at(61))
    expect(second.plan?.plan.from).toBe('2024-01-01T00:00:20Z')
    const { counts } = second.entry!
    expect(counts).toMatchObject({ repeated: 20 - missing.length })
    const after = await checkPromise(second.at(place.store()), { quiet: true, clock: 61 })
    expect(after.integers).toContain(38)
  })

  it('writes no entry where only what was read comes again', async () => {
    const place = make()
    await run(place, 1, at(40))
    expect((await run(place, 2, at(40))).entry).toBeNull()
    const second = await run(place, 3, at(46))
    await checkPromise(second.at(place.store()), { quiet: true, clock: 46 })
  })

  it('keeps one object beside the one it replaces, and none once the flow no longer looks back', async () => {
    const place = make()
    for (const [start, clock] of [30, 45, 60, 75].entries()) await run(place, start + 1, at(clock))
    expect((await seenKeys(place)).length).toBe(2)
    await run(place, 9, { clock: 80 })
    await run(place, 10, { clock: 90 })
    expect(await seenKeys(place)).toEqual([])
  })

  it('knows what was read before a plan that is taken up again', async () => {
    const place = make()
    await run(place, 1, at(24))
    // What each step writes down begins too late for what the plan has yet to read; twice taken up, and twice given up.
    const steps = at(40, { unitRows: 2, stepUnits: 1 })
    for (const start of [2, 3, 4]) await dies(place, start, steps, 'commit', 2)
    const last = await run(place, 5, at(40))
    await run(place, 6, at(40))
    await checkPromise(last.at(place.store()), { quiet: true, clock: 40 })
  })

  it('begins with nothing to look back to where it is new to a lane, and looks no further than it remembers', async () => {
    const place = make()
    await run(place, 1, { clock: 40 })
    const first = await run(place, 2, at(61))
    expect(first.plan?.plan.from).toBe(stampOf(40))
    expect(first.entry?.after.seen).toMatchObject({ from: '2024-01-01T00:00:41Z' })
    const further = await run(place, 3, at(70, { lookback: 50 }))
    expect(further.plan?.plan.from).toBe('2024-01-01T00:00:41Z')
    // It looked back to 41 and so knows everything from there on.
    expect(further.entry?.after.seen).toMatchObject({ from: '2024-01-01T00:00:41Z' })
  })

  it('windows leave what is remembered alone, and a whole new read begins it anew', async () => {
    const place = make()
    const startFrom = stampOf(20)
    const ask = { startFrom }
    const first = await run(place, 1, at(60, { ask }))
    const window = await run(place, 2, at(60, { ask: { ...ask, from: stampOf(0), to: stampOf(10) } }))
    expect(window.entry?.after.seen).toEqual(first.entry?.after.seen)
    const next = await run(place, 3, at(75, { ask }))
    expect(next.entry?.counts.repeated).toBeGreaterThan(0)
    const full = await run(place, 4, at(80, { ask: { ...ask, full: true } }))
    expect(full.entry?.counts.repeated ?? 0).toBe(0)
    const last = await run(place, 5, at(99, { ask }))
    await checkPromise(last.at(place.store()), { quiet: true, clock: 99 })
  })

  it('an object that nobody refers to is removed once its number is closed', async () => {
    const place = make()
    await run(place, 1, at(40))
    // Dies when the object is there and the entry is not.
    const dead = new LaneWorkflow({
      place: place.store,
      work: at(61),
      start: 2,
      mortal: true,
      trouble: { call: /^create .*\/seen\//, how: 'dies after' },
    })
    await expect(dead.sync()).rejects.toThrow(Terminated)
    expect((await seenKeys(place)).length).toBe(2)
    await dies(place, 3, at(61), 'plan')
    expect((await seenKeys(place)).length).toBe(1)
    const next = await run(place, 4, at(70))
    await checkPromise(next.at(place.store()), { quiet: true, clock: 70 })
  })

  it('an object that is gone is damage, and says what to do', async () => {
    const place = make()
    await run(place, 1, at(40))
    const [key] = await seenKeys(place)
    await place.store().delete(key!)
    await expect(run(place, 2, at(61))).rejects.toThrow(/what the lane has read lately is gone[^]*remove `lookback`/)
  })

  describe.each([
    ['an incremental run', at(61), 13],
    ['a run in steps', at(75, { unitRows: 5, stepUnits: 3 }), 37],
    ['a run that replaces', at(80, { unitRows: 40, ask: { full: true } }), 17],
  ])('a crash at each call: %s', (__, work, stride) => {
    async function play(trouble: Trouble | null, mortal: boolean): Promise<number> {
      const place = make()
      await run(place, 1, at(40))
      const troubled = new LaneWorkflow({ place: place.store, work, start: 2, trouble, mortal })
      const calls = troubled.process
      try {
        await troubled.sync()
      } catch (error) {
        if (!(error instanceof Terminated)) throw error
      }
      // Within the lookback of what the dead run may have moved to.
      for (const start of [3, 4]) {
        const next = await run(place, start, at(90))
        await checkPromise(next.at(place.store()), start === 4 ? { quiet: true, clock: 90 } : { clock: 90 })
      }
      expect(place.watch.problems).toEqual([])
      return calls.calls
    }
    it.each([
      ['tried again', false],
      ['left to the next run', true],
    ])('%s', async (___, mortal) => {
      const calls = await play(null, mortal)
      const deaths: Trouble[] = []
      for (let nth = 1; nth <= calls; nth += every(stride)) deaths.push({ at: nth, how: 'dies after' })
      deaths.push({ call: /\/seen\//, how: 'dies before' }, { call: /^create .*\/seen\//, how: 'dies after' })
      for (const trouble of deaths) {
        try {
          await play(trouble, mortal)
        } catch (error) {
          throw new Error(`${trouble.how} ${trouble.at ?? trouble.call}`, { cause: error })
        }
      }
    })
  })
})

describe('what is remembered', () => {
  it('has a bound: the oldest stamps go, whole, and it says from where it knows everything', () => {
    const memory = new Memory(0n, 10)
    for (let i = 0; i < 8; i++)
      for (const twin of ['a', 'b', 'c']) memory.add(`${i}${twin}`.padEnd(16), BigInt(i * 1000))
    memory.trim()
    expect(memory.from).toBe(4001n)
    expect([...memory.stamps.values()].every((stamp) => stamp >= memory.from)).toBe(true)
    expect(memory.stamps.size).toBe(9)
    memory.add('older'.padEnd(16), 4000n)
    expect(memory.stamps.size).toBe(9)
  })

  it('is the same text however it came together', () => {
    const [one, other] = [new Memory(5n), new Memory(5n)]
    const rows = Array.from({ length: 50 }, (_, i) => [String(i * 7919).padEnd(16), BigInt(i)] as const)
    for (const [hash, stamp] of rows) one.add(hash, stamp)
    for (const [hash, stamp] of rows.toReversed()) other.add(hash, stamp)
    expect(one.part()).toEqual(other.part())
    const again = new Memory(0n)
    again.addPart(one.part())
    again.trim(5n)
    expect(again.part()).toEqual(one.part())
  })

  it(`is long enough for what comes late here: ${LATE} < ${LOOKBACK}`, () => expect(LATE).toBeLessThan(LOOKBACK))
})
