/** Records as destination: an outcome for each, in order; what may be sent twice and what may not is data. */
import { expect, it } from 'vitest'
import type { Json, Row } from '../../connectors/connector.ts'
import { deliver, type JobMemory } from '../../connectors/deliver.ts'
import type { Outcome, RecordBatch, RecordSink } from '../../connectors/record-sink.ts'
import { anything, madeUpSession } from './made-up-core.ts'

const limits = { maxRows: 200, maxBytes: 10_000_000 }
const field = (name: string, key: boolean) =>
  ({ name, type: 'string', nullable: true, create: true, update: true, required: false, key }) as const

function sinkOf(org: Map<string, Row>): RecordSink {
  const locks = new Map([['c', 1]])
  const jobs: { rows: Row[]; state: 'open' | 'done' | 'aborted' }[] = []
  return {
    options: anything,
    writes: [
      { write: 'upsert', repeatable: true, key: 'any', ...limits },
      { write: 'append', repeatable: false, ...limits },
    ],
    target: async (_session, object) => ({ object, fields: [field('id', true), field('name', false)] }),
    way: (_options, write) => (write === 'append' ? 'job' : 'send'),
    async send(_session, { key, rows }) {
      return rows.map((row): Outcome => {
        const id = row[key!] as string
        if (row['name'] === null) return { ok: false, reason: 'REQUIRED_FIELD_MISSING: name', again: false }
        if ((locks.get(id) ?? 0) > 0) {
          locks.set(id, 0)
          return { ok: false, reason: 'UNABLE_TO_LOCK_ROW', again: true }
        }
        org.set(id, row)
        return { ok: true, id }
      })
    },
    job: {
      open: async () => jobs.push({ rows: [], state: 'open' }) - 1,
      async start(_session, ref, { rows }) {
        jobs[ref as number] = { rows, state: 'done' }
        for (const row of rows) org.set(`new-${org.size}`, row)
      },
      async resume(_session, ref) {
        const job = jobs[ref as number]!
        if (job.state === 'open') job.state = 'aborted'
        return job.state === 'done'
      },
      poll: async () => 'done',
      async outcomes(_session, ref, { rows }) {
        const done = jobs[ref as number]!.state === 'done'
        return rows.map(() => (done ? { ok: true, id: null } : { ok: false, reason: 'aborted', again: true }))
      },
      release: async () => {},
    },
  }
}

const session = madeUpSession(() => null)
const target = { object: 'Account', fields: [field('id', true), field('name', false)] }
const idsOf = (rows: Row[]): string[] => rows.map((_, row) => `lane-1-${row}`)
const batchOf = (write: RecordBatch['write'], rows: Row[]): RecordBatch => ({
  target,
  write,
  key: write === 'upsert' ? 'id' : null,
  fields: target.fields,
  rows,
  ids: idsOf(rows),
  options: {},
})

function memory(): JobMemory & { refs: Json[] } {
  const refs: Json[] = []
  return { refs, read: async (round) => refs[round] ?? null, write: async (round, ref) => (refs[round] ??= ref) }
}

it('records fit: one outcome each, what is locked goes again, and sending an upsert again changes nothing', async () => {
  const org = new Map<string, Row>()
  const sink = sinkOf(org)
  const batch = batchOf('upsert', [
    { id: 'a', name: 'x' },
    { id: 'b', name: null },
    { id: 'c', name: 'y' },
  ])
  const once = await deliver({ sink, session, batch, way: 'send', jobs: memory(), pauseMs: 1 })
  expect(await deliver({ sink, session, batch, way: 'send', jobs: memory(), pauseMs: 1 })).toEqual(once)
  expect(once).toEqual([
    { ok: true, id: 'a' },
    { ok: false, reason: 'REQUIRED_FIELD_MISSING: name', again: false },
    { ok: true, id: 'c' },
  ])
  expect(org.size).toBe(2)
})

it('a row goes again under the id that it had', async () => {
  const sent: string[][] = []
  const sink: RecordSink = {
    ...sinkOf(new Map()),
    async send(_session, { ids, rows }) {
      sent.push(ids)
      return rows.map((_, at): Outcome =>
        sent.length === 1 && at !== 1 ? { ok: false, reason: 'later', again: true } : { ok: true, id: null },
      )
    },
  }
  const batch = batchOf('upsert', [{ id: 'a' }, { id: 'b' }, { id: 'c' }])
  await deliver({ sink, session, batch, way: 'send', jobs: memory(), pauseMs: 1 })
  expect(sent).toEqual([
    ['lane-1-0', 'lane-1-1', 'lane-1-2'],
    ['lane-1-0', 'lane-1-2'],
  ])
})

it('new records fit: a job is remembered before it has them, so that a crash at any step doubles none', async () => {
  for (const crash of ['write', 'start', 'after start', 'outcomes'] as const) {
    const org = new Map<string, Row>()
    const sink = sinkOf(org)
    const jobs = memory()
    const crashes = { ...sink.job! }
    const fail = async (): Promise<never> => Promise.reject(new Error('killed'))
    const writes: JobMemory = crash === 'write' ? { ...jobs, write: fail } : jobs
    if (crash === 'start') crashes.start = fail
    if (crash === 'outcomes') crashes.outcomes = fail
    if (crash === 'after start') crashes.start = async (...about) => sink.job!.start(...about).then(fail)
    const batch = batchOf('append', [{ name: 'x' }, { name: 'y' }])
    await expect(
      deliver({ sink: { ...sink, job: crashes }, session, batch, way: 'job', jobs: writes, pauseMs: 1 }),
    ).rejects.toThrow('killed')
    expect(await deliver({ sink, session, batch, way: 'job', jobs, pauseMs: 1 })).toHaveLength(2)
    expect(org.size).toBe(2)
  }
})
