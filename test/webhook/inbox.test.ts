/** Events in a lake: each new once, whatever comes again; what is gone is told. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import type { Json } from '../../connectors/connector.ts'
import { fileStore } from '../../connectors/lake/file/file-store.ts'
import { keepEvents, openInbox, waitingEvents } from '../../connectors/lake/inbox.ts'

const directory = mkdtempSync(join(tmpdir(), 'lakeward-inbox-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
const store = fileStore(directory)
const event = (id: string, atMs: number) => ({ id, kind: 'k', atMs, body: '{"a":\n1.10}' })

it('gives each event once over twenty batches, whatever comes again or is left lying', async () => {
  const lane = { flow: 'hooks', object: 'message' }
  let state: Json = null
  const got: string[] = []
  for (let batch = 0; batch < 20; batch++) {
    const ids = [batch, batch, Math.max(0, batch - 9)]
    await keepEvents(
      store,
      lane,
      ids.map((id) => event(`e${id}`, 1_700_000_000_000 + batch)),
    )
    const inbox = openInbox(store, lane, 100)
    const { refs, left } = await inbox.take()
    // Every third run dies after its commit and before it cleans up.
    expect([refs.length, left]).toEqual([batch % 3 === 1 ? 2 : 1, 0])
    for await (const { events } of inbox.fresh(refs, state)) {
      for (const { id, body } of events) {
        got.push(id)
        expect(body).toBe('{"a": 1.10}')
      }
    }
    const next = await inbox.remember(refs, state)
    if (batch % 3 !== 0) await inbox.release(refs, state)
    state = next
    expect(await inbox.remember(batch % 3 === 0 ? refs : [], state)).toEqual(state)
  }
  expect(got).toEqual(Array.from({ length: 20 }, (_, at) => `e${at}`))
})

it('takes the oldest up to a batch, and says how many are left', async () => {
  const lane = { flow: 'hooks', object: 'many' }
  for (let at = 0; at < 6; at++) await keepEvents(store, lane, [event(`a${at}`, at), event(`b${at}`, at)])
  const { refs, left } = await openInbox(store, lane, 5).take()
  expect([refs.length, left]).toEqual([3, 6])
  expect(refs).toEqual(refs.toSorted())
  expect(await waitingEvents(store, lane)).toBe(12)
})

it('events that a run had taken and that are gone end that run', async () => {
  const lane = { flow: 'hooks', object: 'gone' }
  await keepEvents(store, lane, [event('a', 1)])
  const inbox = openInbox(store, lane, 5)
  const { refs } = await inbox.take()
  await inbox.release(refs, null)
  await expect(inbox.fresh(refs, null)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ type: 'StagedDataLost' })
})
