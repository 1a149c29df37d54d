/**
 * Two runs of one lane that do not exclude each other: other workflow ids, other clusters. One of them commits first.
 */
import { describe, expect, it } from 'vitest'
import { LakeError } from '../../connectors/lake/errors.ts'
import type { Lane } from '../../connectors/lake/protocol.ts'
import { LANE } from './lane-workflow.ts'
import { places } from './places.ts'
import { checkPromise } from './promise.ts'
import { freezesAt, run, workflow } from './scenes.ts'

const abroad: Lane = { ...LANE, namespaceId: 'ns-uuid-2', namespace: 'staging' }

describe.each(places)('two runs of one lane, on %s', (_, make) => {
  describe.each([
    ['the other is newer', 12, LANE],
    ['the other is older', 8, LANE],
    ['the other is of another namespace', 11, abroad],
  ])('%s', (__, start, lane) => {
    it.each(['open', 'plan', 'unit', 'commit', 'finish'])('and goes all the way before %s', async (step) => {
      const place = make()
      await run(place, 1, { clock: 20 })
      let met = false
      const one = await run(
        place,
        10,
        { clock: 40 },
        {
          before: async (name) => {
            if (name !== step || met) return
            met = true
            await run(place, start, { clock: 45 }, { lane, id: 'other' })
          },
        },
      )
      expect(met).toBe(true)
      expect(one.restarts).toBe(step === 'open' || step === 'finish' ? 0 : 1)
      await checkPromise(one.at(place.store()))
      // Whoever is of another namespace cleans up after itself; 20 is newer than all.
      const last = await run(place, 20, { clock: 60 })
      const { integers } = await checkPromise(last.at(place.store()), { quiet: true, namespaces: [abroad.namespaceId] })
      expect(integers.length).toBe(57)
      expect(place.watch.problems).toEqual([])
    })
  })

  it('many at once: each ends well or says that it was in conflict', async () => {
    const place = make()
    const ends = await Promise.allSettled(
      [1, 2, 3, 4, 5, 6].map((start) => workflow(place, start, { clock: 30 + start }, { id: `many${start}` }).sync()),
    )
    for (const end of ends) {
      if (end.status === 'rejected') expect((end.reason as LakeError).type).toBe('CommitConflict')
    }
    expect(ends.some(({ status }) => status === 'fulfilled')).toBe(true)
    const last = await run(place, 9, { clock: 50 })
    const { integers } = await checkPromise(last.at(place.store()), { quiet: true, namespaces: [abroad.namespaceId] })
    expect(integers.length).toBe(48)
    expect(place.watch.problems).toEqual([])
  })
})

describe.each(places)('one run key used twice, as after a reset of the workflow, on %s', (_, make) => {
  it('an entry of the key with other units is not mine', async () => {
    const place = make()
    const asleep = await freezesAt(place, 2, { clock: 40 }, /^create .*00000001\.json/)
    // The same start and first run: the plan is found, the units are others.
    const again = await run(place, 2, { clock: 40 })
    expect(again.run.key).toBe(asleep.run.key)
    expect(again.entry?.n).toBe(1)
    const [zombie] = asleep.zombies
    zombie?.thaw()
    expect(await zombie?.end).toMatchObject({ thrown: { type: 'CommitConflict' } })
    await checkPromise(again.at(place.store()), { quiet: true })
    expect(place.watch.problems).toEqual([])
  })

  it('an entry of another run is not mine, even if both name no unit', async () => {
    const place = make()
    const none = { clock: 0, ranges: 0, ask: { read: 'full' as const, write: 'replace' } }
    const asleep = await freezesAt(place, 2, none, /^get .*00000001\.json/)
    // The older one does not fence the newer off.
    expect((await run(place, 1, none)).entry).toMatchObject({ n: 1, units: {} })
    const [zombie] = asleep.zombies
    zombie?.thaw()
    expect(await zombie?.end).toMatchObject({ thrown: { type: 'CommitConflict' } })
  })
})
