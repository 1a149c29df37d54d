/**
 * The suite that every destination of tables passes, against `connectors/table.ts`. It knows no warehouse: how files
 * are staged for it and what lies in its tables is the harness's business. A connector's own test is one call.
 *
 *     tableConformance({ describe, it }, { name: 'Redshift', open })
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Field, Load, LoadResult, Row, Session, Table } from '../../connectors/connector.ts'
import { same, Unmet } from './expect.ts'
import { runCases, type Runner, type Waived } from './cases.ts'

/** A warehouse, in which a case uses a table of its own. */
export interface TableHarness {
  table: Table
  session: Session
  /** Stages the rows in some files and describes their load; the lane is the table's name unless said. */
  stage: (schema: Field[], rows: Row[], load: Pick<Load, 'table' | 'n' | 'write'> & Partial<Load>) => Promise<Load>
  /** The rows as text, in the order of the first column; null: there is no such table. */
  rows: (table: string) => Promise<(string | null)[][] | null>
  /** Loads wait before they commit, until the function is called. */
  hold: () => () => void
  close(): Promise<void>
}

export interface TableConformance {
  name: string
  open: () => Promise<TableHarness>
  waive?: Waived<TableCase>
}

export type TableCase = keyof typeof tableCases
type Check = (harness: TableHarness) => Promise<void>

const SCHEMA: Field[] = [
  { name: 'id', type: 'string', nullable: false },
  { name: 'v', type: 'int32', nullable: true },
  { name: '_lakeward_op', type: 'string', nullable: false },
]
const row = (id: string, v: number, op = 'upsert'): Row => ({ id, v, _lakeward_op: op })
const upsert: { write: 'upsert'; keys: string[]; order: string[] } = { write: 'upsert', keys: ['id'], order: ['v'] }
let tables = 0
const fresh = (): string => `conform_${++tables}`
let tokens = 0

export const tableCases = {
  async 'a load is there once, however often it is asked for'({ table, session, stage, rows }) {
    const to = fresh()
    const load = await stage(SCHEMA, [row('a', 1), row('b', 2)], { table: to, n: 1, write: 'append' })
    same(await loaded(table, session, load), { inserted: 2, updated: 0, deleted: 0 })
    same((await loaded(table, session, load)).inserted, 2)
    same((await rows(to))?.length, 2)
  },
  async 'of two loads of one number the second is refused'({ table, session, stage, rows }) {
    const to = fresh()
    await loaded(table, session, await stage(SCHEMA, [row('a', 1)], { table: to, n: 1, after: 0, write: 'append' }))
    const other = await stage(SCHEMA, [row('b', 1)], { table: to, n: 1, after: 0, write: 'append', run: 'another' })
    await refused(loaded(table, session, other))
    same(await rows(to), [['a', '1', 'upsert']])
  },
  async 'upsert leaves the newest of each key, and deletes'({ table, session, stage, rows }) {
    const to = fresh()
    const first = [row('a', 1), row('b', 1), row('a', 3), row('a', 2)]
    await loaded(table, session, await stage(SCHEMA, first, { table: to, n: 1, ...upsert }))
    const second = [row('b', 2, 'delete'), row('c', 1), row('d', 5), row('d', 6, 'delete')]
    await loaded(table, session, await stage(SCHEMA, second, { table: to, n: 2, ...upsert }))
    same(await rows(to), [
      ['a', '3'],
      ['c', '1'],
    ])
  },
  async 'replace leaves what it brought, without deletes where it has keys'({ table, session, stage, rows }) {
    const to = fresh()
    await loaded(table, session, await stage(SCHEMA, [row('a', 1), row('b', 1)], { table: to, n: 1, ...upsert }))
    const anew = [row('c', 1), row('c', 2), row('b', 2, 'delete')]
    await loaded(table, session, await stage(SCHEMA, anew, { table: to, n: 2, ...upsert, write: 'replace' }))
    same(await rows(to), [['c', '2']])
  },
  async 'a new field is a new column, null in the rows there are'({ table, session, stage, rows }) {
    const to = fresh()
    await loaded(table, session, await stage(SCHEMA, [row('a', 1)], { table: to, n: 1, ...upsert }))
    const wider: Field[] = [...SCHEMA, { name: 'late', type: 'string', nullable: true }]
    await loaded(table, session, await stage(wider, [{ ...row('b', 1), late: 'ü' }], { table: to, n: 2, ...upsert }))
    same(await rows(to), [
      ['a', '1', null],
      ['b', '1', 'ü'],
    ])
  },
  async 'a load of no rows moves the ledger'({ table, session, stage }) {
    const to = fresh()
    const load = await stage(SCHEMA, [], { table: to, n: 1, write: 'append', watermark: '2026-01-01T00:00:00Z' })
    same((await loaded(table, session, load)).inserted, 0)
    const newest = await table.newest(session, to)
    same([newest?.n, newest?.run, newest?.watermark], [1, load.run, load.watermark])
  },
  async 'what cannot be loaded is refused by a check, and nothing is made'({ table, session, rows }) {
    const to = fresh()
    const shape = { table: to, schema: SCHEMA, write: 'upsert' as const }
    await refused(table.check(session, { ...shape, keys: ['other'] }))
    await refused(table.check(session, { ...shape, keys: [] }))
    await table.check(session, { ...shape, keys: ['id'] })
    same(await rows(to), null)
  },
  async 'a load that is cancelled leaves nothing, and may be asked for anew'({ table, session, stage, rows, hold }) {
    const to = fresh()
    const go = hold()
    const load = await stage(SCHEMA, [row('a', 1)], { table: to, n: 1, write: 'append' })
    const ref = await table.load.submit(session, load, `conform-${++tokens}`)
    await table.load.cancel(session, ref)
    go()
    await refused(finished(table, session, ref))
    same((await rows(to)) ?? [], [])
    await loaded(table, session, load)
    same((await rows(to))?.length, 1)
  },
} satisfies Record<string, Check>

export function tableConformance(runner: Runner, { name, open, waive }: TableConformance): void {
  runCases(runner, `${name} as tables`, { cases: tableCases, open, ...(waive ? { waive } : {}) })
}

async function loaded(table: Table, session: Session, load: Load): Promise<LoadResult> {
  const token = `conform-${++tokens}`
  const ref = (await table.load.find?.(session, load, token)) ?? (await table.load.submit(session, load, token))
  return finished(table, session, JSON.parse(JSON.stringify(ref)))
}

async function finished(
  table: Table,
  session: Session,
  ref: Parameters<Table['load']['poll']>[1],
): Promise<LoadResult> {
  for (;;) {
    const state = await table.load.poll(session, ref)
    if ('ready' in state) return state.ready
    if ('refused' in state) throw new Unmet(state.refused)
    await sleep(Math.min(state.waitMs, 50))
  }
}

async function refused(work: Promise<unknown>): Promise<void> {
  const error = await work.then(
    () => null,
    (problem: unknown) => problem,
  )
  if (!(error instanceof Error) || error.message === '') throw new Unmet('it was not refused, or without a word')
}
