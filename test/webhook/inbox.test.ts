/** Events in a lake: each new once, whatever comes again; what is lost is told. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { fileStore } from '../../connectors/lake/file/file-store.ts'
import { keepEvents, keptRefs, newRef, openInbox } from '../../connectors/lake/inbox.ts'

const directory = mkdtempSync(join(tmpdir(), 'lakeward-inbox-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
const lane = { flow: 'hooks', object: 'message' }

it('gives each event once over twenty batches, repeated objects and ids; a lost object is an error', async () => {
  const store = fileStore(directory)
  let state = null as Parameters<ReturnType<typeof openInbox>['remember']>[1]
  const got: string[] = []
  for (let batch = 0; batch < 20; batch++) {
    const ref = newRef(1_700_000_000_000 + batch)
    const ids = [batch, batch, Math.max(0, batch - 9)]
    await keepEvents(
      store,
      lane,
      ref,
      ids.map((id) => ({ id: `e${id}`, kind: 'k', atMs: 1, body: '{"a":\n1.10}' })),
    )
    expect(await keptRefs(store, lane, 10)).toEqual([ref])
    const inbox = openInbox(store, lane, [ref])
    for await (const { events } of inbox.fresh([ref], state)) {
      for (const { id, body } of events) got.push(id) && expect(body).toBe('{"a": 1.10}')
    }
    const next = await inbox.remember([ref], state)
    await inbox.release([ref], state)
    state = next
    for await (const { events } of openInbox(store, lane, [ref]).fresh([ref], state)) expect(events).toEqual([])
  }
  expect(got).toEqual(Array.from({ length: 20 }, (_, at) => `e${at}`))
  const lost = openInbox(store, lane, [newRef(5)])
  await expect(lost.fresh(lost.refs, state)[Symbol.asyncIterator]().next()).rejects.toThrow(
    /gone before they were delivered/,
  )
})
