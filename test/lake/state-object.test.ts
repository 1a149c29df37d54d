/** A state that is too large for an entry lies beside the ledger, and is whole again for whoever asks. */
import { MockActivityEnvironment } from '@temporalio/testing'
import { DefaultLogger } from '@temporalio/worker'
import { describe, expect, it } from 'vitest'
import { commitRun } from '../../activities/commit-run.ts'
import type { Deps } from '../../activities/deps.ts'
import type { CommitInput } from '../../activities/digests.ts'
import type { Json } from '../../connectors/connector.ts'
import { openLane } from '../../connectors/lake/open.ts'
import { planHash } from '../../connectors/lake/plans.ts'
import { loadState, stateKey } from '../../connectors/lake/state-object.ts'
import { extractIntegers, planIntegers } from './integers.ts'
import { LANE } from './lane-workflow.ts'
import { inMemory } from './places.ts'
import type { Place } from './places.ts'
import { laneAt } from './scenes.ts'

const large = (text: string): Json => ({ version: 1, files: text.repeat(70_000) })

/** A run whose source says that this is its state now; gives what the entry says of it. */
async function runTo(place: Place, start: number, next: Json, clock = start * 20): Promise<Json | undefined> {
  const at = laneAt(place, LANE)
  const id = `w100000${start}`
  const run = { key: `00000000${start}-${id}-0`, startedMs: start, workflowId: `flow/numbers/${id}`, firstRunId: id }
  const plan = await planIntegers(at, run, await openLane(at, run), { clock, ranges: 1 })
  const unit = await extractIntegers(at, plan, { range: 'r0', seq: 1, previous: null }, 100)
  const source = { finish: async () => next }
  const deps = {
    lake: async () => place.store(),
    installation: async () => ({ connections: { l: { name: 'l', connector: 'file' } } }),
    connect: async () => ({ connector: { name: 'integers', identity: async () => 'N', source }, session: {} }),
  } as unknown as Deps
  const flow = {
    version: 1,
    name: 'numbers',
    source: { connection: 'n', objects: ['Integers'] },
    destination: { connection: 'l' },
  }
  const input = { task: { lane: LANE, flow }, run, planHash: planHash(plan), units: { r0: unit.id } }
  const activity = new MockActivityEnvironment({ activityId: 'commit' }, { logger: new DefaultLogger('ERROR') })
  await activity.run(commitRun(deps), input as unknown as CommitInput)
  return (await openLane(at, { ...run, key: `10000000${start}-${id}-0` })).state.state
}

async function kept(place: Place): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of place.store().list('_lakeward/numbers/Integers/seen/')) keys.push(key)
  return keys
}

describe('the state of a source', () => {
  it('stands in the entry up to 64 KB, and above in an object that the entry refers to', async () => {
    const place = inMemory()
    expect(await runTo(place, 1, { small: true })).toEqual({ small: true })
    const ref = await runTo(place, 2, large('a'))
    expect(stateKey(ref!)).toMatch(/\/seen\/\d{8}-/)
    expect(await loadState(laneAt(place, LANE), ref!)).toEqual(large('a'))
  })

  it('is kept as long as the newest entry refers to it, and removed by the open after that', async () => {
    const place = inMemory()
    const first = await runTo(place, 1, large('a'))
    expect(await kept(place)).toEqual([stateKey(first!)])
    // The same state once more is the same object.
    expect(await runTo(place, 2, large('a'))).toEqual(first)
    const third = await runTo(place, 3, large('b'))
    expect(await kept(place)).toEqual([stateKey(third!)])
    await runTo(place, 4, null)
    expect(await kept(place)).toEqual([])
  })

  it('that is gone is damage that names the object, not a state of nothing', async () => {
    const place = inMemory()
    const ref = await runTo(place, 1, large('a'))
    await place.store().delete(stateKey(ref!)!)
    await expect(loadState(laneAt(place, LANE), ref!)).rejects.toThrow(/state of the source is gone/)
  })
})
