/** How much a receiver takes: so many a second, so many that wait; and what it answers when the lake takes nothing. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from '@temporalio/client'
import { afterAll, afterEach, expect, it, vi } from 'vitest'
import { eventFlow } from '../../activities/event-lanes.ts'
import { parseFlow } from '../../connectors/flow.ts'
import type { Connection, Installation } from '../../connectors/installation.ts'
import { fileStore } from '../../connectors/lake/file/file-store.ts'
import { waitingEvents } from '../../connectors/lake/inbox.ts'
import { Bucket } from '../../worker/listen/bucket.ts'
import { GroupCommit } from '../../worker/listen/group-commit.ts'
import { Hooks } from '../../worker/listen/hooks.ts'
import { serveHooks } from '../../worker/listen/hooks-server.ts'

const directory = mkdtempSync(join(tmpdir(), 'lakeward-limits-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
afterEach(() => void vi.useRealTimers())
const event = (id: number) => ({ id: `e${id}`, kind: 'order', atMs: 1, body: '1' })

it('a bucket gives what a second holds at once, then as fast as it fills', () => {
  const bucket = new Bucket(10, 0)
  expect([bucket.take(10, 0), bucket.take(1, 0), bucket.take(1, 99), bucket.take(1, 100)]).toEqual([0, 1, 1, 0])
  expect([bucket.take(25, 10_000), bucket.take(1, 11_000), bucket.take(1, 11_600)]).toEqual([0, 1, 0])
})

it('events that come together share an object; who waits for one that cannot be written is told', async () => {
  const written: string[][] = []
  const commit = new GroupCommit(async (events) => {
    await Promise.resolve()
    if (events.some(({ id }) => id === 'e1007')) throw new Error('the disk is full')
    written.push(events.map(({ id }) => id))
  })
  const told = await Promise.allSettled(Array.from({ length: 2_500 }, (_, id) => commit.add(event(id))))
  expect(written.map(({ length }) => length)).toEqual([1_000, 500])
  expect(told.filter(({ status }) => status === 'rejected')).toHaveLength(1_000)
})

it('more than are taken are asked to come later, and nothing of them is kept', async () => {
  // The receiver's clock stands still, however slow this machine is.
  vi.useFakeTimers({ toFake: ['Date'] })
  const told: object[] = []
  const client = {
    withDeadline: (_: number, work: () => unknown) => work(),
    workflow: {
      signalWithStart: (_: string, { signalArgs }: { signalArgs: object[] }) =>
        Promise.resolve(told.push(...signalArgs)),
      getHandle: () => ({ query: () => Promise.reject(new Error('no worker')) }),
    },
  } as unknown as Client
  const lake = { name: 'lake', connector: 'file', settings: {} } as unknown as Connection
  let store = fileStore(join(directory, 'lake'))
  const places = {
    installation: () => Promise.resolve({ connections: { lake } } as unknown as Installation),
    lake: () => Promise.resolve(store),
    stateLake: () => Promise.resolve(store),
  }
  const said: string[] = []
  const hooks = new Hooks(client, places, { rate: 5, waiting: 7 }, (line) => said.push(line))
  const document = {
    version: 1,
    name: 'orders',
    source: { connection: 'shop', objects: ['order'] },
    destination: { connection: 'lake' },
    trigger: { event: 'webhook' },
  }
  hooks.follow([{ flow: eventFlow(parseFlow(document)), document, taskQueue: 'any' }])
  let next = 0
  const from = {
    connection: { ...lake, name: 'shop' },
    secrets: () => Promise.resolve([]),
    verify: () => ({ accept: [{ id: `e${next++}`, kind: 'order', body: '{}' }] }),
  }
  const server = await serveHooks({
    address: '127.0.0.1:0',
    maxBody: 100,
    takes: (name) => name === 'shop' || (name === 'late' && 'not yet'),
    take: (_, request) => hooks.take(from, request),
    problem: () => null,
  })
  const post = async (path = 'shop') => {
    const answer = await fetch(`${server.url}/hooks/${path}`, { method: 'POST', body: '{}' })
    return [answer.status, answer.headers.get('retry-after')]
  }
  for (let n = 0; n < 5; n++) expect(await post()).toEqual([200, null])
  expect(await post()).toEqual([429, '1'])
  expect(await post('late')).toEqual([503, '10'])
  vi.setSystemTime(Date.now() + 1_000)
  for (let n = 0; n < 3; n++) expect(await post()).toEqual([200, null])
  expect(await post()).toEqual([503, '30'])
  expect(await waitingEvents(store, { flow: 'orders', object: 'order' })).toBe(8)
  await hooks.settled()
  expect(told).toContainEqual({ objects: { order: 1 } })

  const full = new Hooks(client, places, { rate: 5, waiting: 7 }, (line) => said.push(line))
  writeFileSync(join(directory, 'file'), '')
  store = fileStore(join(directory, 'file/lake'))
  full.follow([{ flow: eventFlow(parseFlow(document)), document, taskQueue: 'any' }])
  await expect(full.take(from, { method: 'POST', path: '/', headers: {}, body: new Uint8Array() })).rejects.toThrow()
  expect(said.join('\n')).toMatch(/orders\/order: events could not be kept: .*ENOTDIR/)
  await server.close()
})
