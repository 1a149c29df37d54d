/** A table as destination: one transaction moves the lane's ledger row and loads, or does neither. */
import { expect, it } from 'vitest'
import type { Load, LoadResult, Table, TableEntry } from '../../connectors/connector.ts'
import { madeUpSession } from './made-up-core.ts'

interface Database {
  ledger: Map<string, TableEntry>
  rows: number
  running: Map<string, Load>
}

function tableOf(database: Database): Table {
  return {
    types: { string: 'VARCHAR(65535)', int64: 'BIGINT', timestamp: 'TIMESTAMP', boolean: 'BOOLEAN' },
    manifest: (files) => JSON.stringify(files.map(({ url }) => url)),
    inspect: async () => null,
    check: async () => {},
    newest: async (_session, lane) => database.ledger.get(lane) ?? null,
    load: {
      find: async (_session, _load, token) => (database.running.has(token) ? token : null),
      async submit(_session, load, token) {
        database.running.set(token, load)
        return token
      },
      async poll(_session, ref) {
        const load = database.running.get(ref as string)
        if (!load) return { refused: 'the session is gone' }
        return { ready: transaction(database, load) }
      },
      cancel: async (_session, ref) => void database.running.delete(ref as string),
    },
  }
}

function transaction(database: Database, load: Load): LoadResult {
  const { n, after, run, watermark } = load
  const newest = database.ledger.get(load.lane)
  if (newest?.n === n && newest.run === run) return newest.result
  if (after !== null && (newest?.n ?? 0) !== after) {
    throw new Error(`the ledger is at ${newest?.n ?? 0}, not at ${after}`)
  }
  const inserted = load.files.reduce((sum, { rows }) => sum + rows, 0)
  const result = { inserted, updated: 0, deleted: 0 }
  database.ledger.set(load.lane, { n, run, watermark, result })
  database.rows += inserted
  return result
}

it('a table fits: a load counts once, however often it is asked for', async () => {
  const database: Database = { ledger: new Map(), rows: 0, running: new Map() }
  const table = tableOf(database)
  const session = madeUpSession(() => null)
  const load: Load = {
    table: 'accounts',
    n: 1,
    after: 0,
    lane: 'lane8',
    run: 'run-1',
    watermark: '2026-01-01T00:00:00Z',
    files: [{ url: 's3://stage/1.parquet', rows: 5, bytes: 100 }],
    manifest: 's3://stage/manifest',
    order: [],
    schema: [{ name: 'id', type: 'string', nullable: false }],
    keys: ['id'],
    write: 'upsert',
  }
  const ref = await table.load.submit(session, load, 't')
  expect(await table.load.find?.(session, load, 't')).toBe('t')
  expect(await table.load.poll(session, ref)).toEqual({ ready: { inserted: 5, updated: 0, deleted: 0 } })
  expect((await table.newest(session, 'lane8'))?.n).toBe(1)
  // Asked again, it is the same entry; another run finds the number taken.
  expect(await table.load.poll(session, ref)).toEqual({ ready: { inserted: 5, updated: 0, deleted: 0 } })
  const other = await table.load.submit(session, { ...load, run: 'run-2' }, 'u')
  await expect(table.load.poll(session, other)).rejects.toThrow('the ledger is at 1')
  expect(database.rows).toBe(5)
  expect(table.types.binary).toBeUndefined()
})
