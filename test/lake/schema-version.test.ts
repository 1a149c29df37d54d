/** The count of a lane's schemas, over its entries. */
import { describe, expect, it } from 'vitest'
import type { Field } from '../../connectors/connector.ts'
import { decodeDocument, encodeDocument, entryShape } from '../../connectors/lake/documents.ts'
import { stateAfter } from '../../connectors/lake/lane-state.ts'
import type { CommitEntry } from '../../connectors/lake/protocol.ts'
import { history, laneStatus } from '../../connectors/lake/readers.ts'
import { schemaVersion } from '../../connectors/lake/schema-version.ts'
import { LANE } from './lane-workflow.ts'
import { places } from './places.ts'
import { dies, laneAt, run } from './scenes.ts'

const narrow: Field[] = [{ name: 'i', type: 'int32', nullable: false }]
const wide: Field[] = [{ name: 'i', type: 'int64', nullable: false, label: 'An integer' }]

describe.each(places)('schema versions, on %s', (_, make) => {
  it('count on where the columns change, and say which entry began them; steps and generations too', async () => {
    const place = make()
    await run(place, 1, { clock: 20, stepUnits: 1, unitRows: 5 })
    const first = (await laneStatus(laneAt(place, LANE))).state
    expect(first.n).toBeGreaterThan(1)
    expect(first.schema).toEqual({ version: 1, since: 1 })
    await dies(place, 2, { clock: 30, output: wide }, 'commit')
    await run(place, 3, { clock: 40, output: wide })
    const second = (await laneStatus(laneAt(place, LANE))).state
    expect(second.schema).toEqual({ version: 2, since: second.n })
    await run(place, 4, { clock: 50, output: wide, ask: { full: true } })
    await run(place, 5, { clock: 60, output: [...wide, ...narrow.map((field) => ({ ...field, name: 'j' }))] })
    const entries = (await history(laneAt(place, LANE), 100)).map(({ entry }) => entry)
    const versions = entries.flatMap((entry) => (entry.kind === 'commit' ? [entry.schema?.version] : []))
    expect(versions.slice(0, 3)).toEqual([3, 2, 2])
    expect(versions.slice(3)).toEqual(versions.slice(3).map(() => 1))
  })

  it('an entry from before schemas were counted is read, and is the first', async () => {
    const place = make()
    const { entry } = await run(place, 1, { clock: 20 })
    const { schema, ...old } = entry as CommitEntry
    expect(schema).toEqual({ version: 1, since: 1 })
    const read = decodeDocument(encodeDocument(old), entryShape, 'an old entry') as CommitEntry
    const state = stateAfter(read)
    expect(state).toMatchObject({ schema: { version: 1, since: 1 }, shape: null })
    expect(schemaVersion(state, narrow, 2)).toEqual({ version: 1, since: 1 })
    expect(schemaVersion(state, wide, 2)).toEqual({ version: 2, since: 2 })
  })
})

it('labels, and whether a value may be missing, make no other schema', () => {
  const state = { schema: { version: 4, since: 9 }, outputSchema: narrow }
  expect(schemaVersion(state, [{ name: 'i', type: 'int32', nullable: true, label: 'I' }], 10).version).toBe(4)
  expect(schemaVersion(state, [{ name: 'I', type: 'int32', nullable: true }], 10)).toEqual({ version: 5, since: 10 })
})
