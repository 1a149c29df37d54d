/** Attempts at one commit: whichever is answered, all of them say the same. */
import { describe, expect, it } from 'vitest'
import { commitRun } from '../../connectors/lake/commit.ts'
import type { CommitRequest } from '../../connectors/lake/commit.ts'
import { history } from '../../connectors/lake/readers.ts'
import { laneKeys } from '../../connectors/lake/keys.ts'
import type { RunPlan } from '../../connectors/lake/protocol.ts'
import { LANE } from './lane-workflow.ts'
import { extractIntegers } from './integers.ts'
import { places } from './places.ts'
import type { Place } from './places.ts'
import { dies, laneAt } from './scenes.ts'
import { Crash, TroubledStore } from './troubled-store.ts'

const noProof = { planned: null, now: null, verdict: '' }

/** A run that has staged all it will, and what its workflow would commit with. */
async function staged(place: Place): Promise<{ plan: RunPlan; request: CommitRequest }> {
  const { plan } = await dies(place, 1, { clock: 40 }, 'unit')
  const units: Record<string, string> = {}
  for (const { id } of plan!.plan.ranges) {
    const unit = await extractIntegers(laneAt(place, LANE), plan!, { range: id, seq: 1, previous: null }, 100)
    units[id] = unit.id
  }
  return { plan: plan!, request: { units, state: null, proof: { planned: 40, now: 40, verdict: '' } } }
}

async function keysBelow(place: Place, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of place.store().list(prefix)) keys.push(key)
  return keys
}

describe.each(places)('a commit, on %s', (_, make) => {
  it('that froze at any call, and wakes when another attempt has committed, says so too', async () => {
    for (let at = 1, frozen = true; frozen; at++) {
      const place = make()
      const { plan, request } = await staged(place)
      const slow = new TroubledStore(place.store(), { at, how: 'freezes before' })
      const zombie = commitRun(laneAt({ ...place, store: () => slow }, LANE), plan, request)
      frozen = await Promise.race([slow.frozen.then(() => true), zombie.then(() => false)])
      const other = await commitRun(laneAt(place, LANE), plan, request)
      slow.thaw()
      expect(await zombie, `frozen at call ${at}`).toEqual(other)
    }
  })

  it('that died at any call is found by the next', async () => {
    for (let at = 1, died = true; died; at++) {
      const place = make()
      const { plan, request } = await staged(place)
      const dying = new TroubledStore(place.store(), { at, how: 'dies after' })
      died = await commitRun(laneAt({ ...place, store: () => dying }, LANE), plan, request).then(
        () => false,
        (error: unknown) => error instanceof Crash,
      )
      const { entry } = await commitRun(laneAt(place, LANE), plan, request)
      expect(entry.counts.read).toBe(40)
      expect((await keysBelow(place, laneKeys(LANE).commits)).length).toBe(2)
    }
  })

  it('is refused with a range that has not ended', async () => {
    const place = make()
    const { plan, request } = await staged(place)
    const unit = await extractIntegers(laneAt(place, LANE), plan, { range: 'r0', seq: 1, previous: null }, 3)
    const short = { ...request, units: { ...request.units, r0: unit.id } }
    await expect(commitRun(laneAt(place, LANE), plan, short)).rejects.toThrow(/range r0 has not ended/)
    await expect(commitRun(laneAt(place, LANE), plan, { ...request, units: {} })).rejects.toThrow(/r0 has not ended/)
    const odd = { ...request, units: { ...request.units, r9: unit.id } }
    await expect(commitRun(laneAt(place, LANE), plan, odd)).rejects.toThrow(/no range r9/)
    expect(await keysBelow(place, laneKeys(LANE).commits)).toEqual([])
  })

  it('of a step carries the one before out first', async () => {
    const place = make()
    const { plan } = await staged(place)
    const at = laneAt(place, LANE)
    const first = await extractIntegers(at, plan, { range: 'r0', seq: 1, previous: null }, 4)
    const request = { units: { r0: first.id }, step: 1, last: false, state: null, proof: noProof }
    const dying = new TroubledStore(place.store(), { call: /^create .*00000001\.json/, how: 'dies after' })
    const dead = commitRun(laneAt({ ...place, store: () => dying }, LANE), plan, request)
    await expect(dead).rejects.toThrow(Crash)
    const second = await extractIntegers(at, plan, { range: 'r0', seq: 2, previous: first.id }, 4)
    await commitRun(at, plan, { ...request, units: { r0: second.id }, step: 2 })
    const recorded = await history(at, 9)
    expect(recorded.map(({ n, outcome }) => [n, outcome?.outcome])).toEqual([
      [2, 'done'],
      [1, 'done'],
    ])
    await expect(commitRun(at, plan, { ...request, step: 4 })).rejects.toThrow(/step 3 .* is not committed/)
  })

  it('of a step that comes after a void one is none', async () => {
    const place = make()
    const { plan } = await staged(place)
    const at = laneAt(place, LANE)
    const first = await extractIntegers(at, plan, { range: 'r0', seq: 1, previous: null }, 4)
    const request = { units: { r0: first.id }, step: 1, last: false, state: null, proof: noProof }
    const dying = new TroubledStore(place.store(), { call: /^create .*00000001\.json/, how: 'dies after' })
    await expect(commitRun(laneAt({ ...place, store: () => dying }, LANE), plan, request)).rejects.toThrow(Crash)
    const second = await extractIntegers(at, plan, { range: 'r0', seq: 2, previous: first.id }, 4)
    await place.loseStaged((key) => first.files.some((file) => file.key === key))
    const next = commitRun(at, plan, { ...request, units: { r0: second.id }, step: 2 })
    await expect(next).rejects.toMatchObject({ type: 'StagedDataLost' })
    expect((await history(at, 9)).map(({ n, outcome }) => [n, outcome?.outcome])).toEqual([[1, 'void']])
  })

  it('takes the units on the chain, and no other', async () => {
    const place = make()
    const { plan, request } = await staged(place)
    const at = laneAt(place, LANE)
    // Two attempts at each of two units; the workflow took the second of the first and the first of the second.
    const place1 = { range: 'r0', seq: 1, previous: null }
    await extractIntegers(at, plan, place1, 4)
    const first = await extractIntegers(at, plan, place1, 4)
    const place2 = { range: 'r0', seq: 2, previous: first.id }
    const second = await extractIntegers(at, plan, place2, 100)
    await extractIntegers(at, plan, place2, 7)
    const { entry } = await commitRun(at, plan, { ...request, units: { ...request.units, r0: second.id } })
    expect(entry.counts.read).toBe(40)
    expect(new Set(entry.files.map(({ unit }) => unit))).toEqual(new Set([first.id, second.id, request.units['r1']]))
  })

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['a unit is missing between', { seq: 3 }, /is followed by 3|1 is followed/],
    ['a unit before it ended the range', { cursor: null, end: true }, /ended it/],
  ])('is refused when %s', async (__, change, about) => {
    const place = make()
    const { plan, request } = await staged(place)
    const at = laneAt(place, LANE)
    const first = await extractIntegers(at, plan, { range: 'r0', seq: 1, previous: null }, 4)
    const second = await extractIntegers(at, plan, { range: 'r0', seq: 2, previous: first.id }, 100)
    const wrong = 'seq' in change ? second : first
    const key = laneKeys(LANE).unit(plan.run, 'r0', wrong.id)
    await place.store().put(key, Buffer.from(JSON.stringify({ ...wrong, ...change })))
    const committing = commitRun(at, plan, { ...request, units: { ...request.units, r0: second.id } })
    await expect(committing).rejects.toThrow(about)
    await expect(committing).rejects.toMatchObject({ type: 'LedgerDamaged' })
    expect(await keysBelow(place, laneKeys(LANE).commits)).toEqual([])
  })
})
