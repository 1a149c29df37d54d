/** Records as destination: an outcome for each, in order; what may be sent twice and what may not is data. */
import { expect, it } from 'vitest'
import type { Outcome, RecordBatch, RecordSink, Row } from '../../connectors/connector.ts'
import { madeUpAsk, madeUpSession } from './made-up-core.ts'

function sinkOf(org: Map<string, Row>): RecordSink {
  return {
    writes: [
      { write: 'upsert', repeatable: true, keyed: true, maxRows: 200, maxBytes: 10_000_000 },
      { write: 'append', repeatable: false, keyed: false, maxRows: 200, maxBytes: 10_000_000 },
    ],
    describe: async (_session, target) => madeUpAsk(target).schema,
    async send(_session, { write, keys, rows }) {
      return rows.map((row): Outcome => {
        const key = write === 'upsert' ? keys.map((name) => row[name] as string).join() : `new-${org.size}`
        if (row.name === null) return { ok: false, reason: 'REQUIRED_FIELD_MISSING: name', again: false }
        if (row.name === 'locked') return { ok: false, reason: 'UNABLE_TO_LOCK_ROW', again: true }
        org.set(key, row)
        return { ok: true, id: key }
      })
    },
  }
}

it('records fit: one outcome each, and sending an upsert again changes nothing', async () => {
  const org = new Map<string, Row>()
  const sink = sinkOf(org)
  const rows: Row[] = [
    { id: 'a', name: 'x' },
    { id: 'b', name: null },
    { id: 'c', name: 'locked' },
  ]
  const batch: RecordBatch = { target: 'Account', write: 'upsert', keys: ['id'], rows }
  const once = await sink.send?.(
    madeUpSession(() => null),
    batch,
    'token',
  )
  const twice = await sink.send?.(
    madeUpSession(() => null),
    batch,
    'token',
  )
  expect(twice).toEqual(once)
  expect(once).toEqual([
    { ok: true, id: 'a' },
    { ok: false, reason: 'REQUIRED_FIELD_MISSING: name', again: false },
    { ok: false, reason: 'UNABLE_TO_LOCK_ROW', again: true },
  ])
  expect(org.size).toBe(1)
  // Nothing but data tells the core that appends must be remembered before they are sent.
  expect(sink.writes.filter(({ repeatable }) => !repeatable).map(({ write }) => write)).toEqual(['append'])
})
