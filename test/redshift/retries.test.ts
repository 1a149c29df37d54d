/** Retries, races and ends in mid-way: rows are right, none doubled, and what is owed is told. */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Json, JsonObject, Load, Row, Session } from '../../connectors/connector.ts'
import { dataApi } from '../../connectors/redshift/data-api.ts'
import { inspectTable } from '../../connectors/redshift/inspect.ts'
import { Ledger } from '../../connectors/redshift/ledger.ts'
import { loadStatements } from '../../connectors/redshift/load-statements.ts'
import { tableName } from '../../connectors/redshift/sql.ts'
import { fieldsOf } from '../records/tables.ts'
import { loaded, loadOf, rowsIn, sessionOf, table, untilReady } from './loads.ts'
import { ROLE, useWarehouse } from './warehouse.ts'

const warehouse = useWarehouse()
let session: Session
let name: string
let made = 0
beforeEach(() => {
  session = sessionOf(warehouse)
  warehouse.redshift.gate()
  name = `r${++made}`
})

const schema = fieldsOf({ id: 'int32', v: 'int32' })
const load = (n: number, rows: Row[] = [{ id: n, v: n }], more: Partial<Load> = {}): Promise<Load> =>
  loadOf(warehouse, schema, rows, { table: name, n, write: 'append', ...more })
const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'nothing failed',
    (error: unknown) => error,
  )

describe('a load', () => {
  it('that is submitted again with its token runs once; so does one that is asked for again later', async () => {
    const asked = await load(1)
    const first = await table.load.submit(session, asked, `${name}-1`)
    // The answer was lost: found by its title before anything is asked.
    expect(await table.load.find!(session, asked, `${name}-1`)).toEqual(first)
    expect(await table.load.find!(session, asked, `${name}-2`)).toBeNull()
    expect(await untilReady(session, first)).toMatchObject({ inserted: 1 })
    // The token is forgotten, and the workers have another one: the ledger remembers.
    for (const token of [`${name}-1`, `${name}-2`]) {
      await warehouse.redshift.advance(9 * 3_600_000)
      expect(await untilReady(session, await table.load.submit(session, asked, token))).toMatchObject({ inserted: 1 })
    }
    expect(await rowsIn(warehouse, name)).toHaveLength(1)
  })

  it('that comes twice past every check is refused by its own transaction', async () => {
    const asked = await load(1)
    await loaded(session, asked)
    const api = dataApi(session)
    const target = await inspectTable(api, tableName(name, 'public'))
    const { transaction } = loadStatements({ ...asked, after: 0 }, target, new Ledger('public', name), ROLE)
    await expect(api.runAll(transaction)).rejects.toThrow('Divide by zero')
    expect(await rowsIn(warehouse, name)).toHaveLength(1)
  })

  it('that the Data API has forgotten is known by the ledger', async () => {
    const asked = await load(1)
    const ref = (await table.load.submit(session, asked, `${name}-f`)) as JsonObject
    await untilReady(session, ref)
    const forgotten = { ...ref, id: '00000000-0000-0000-0000-000000000000' }
    expect(await untilReady(session, forgotten)).toMatchObject({ inserted: 1 })
    const never = { ...forgotten, n: 2, run: 'another' }
    expect(await errorOf(untilReady(session, never))).toMatchObject({ kind: 'transient' })
  })

  it('whose answer is lost in each request is found again', async () => {
    await loaded(session, await load(1))
    const asked = await load(2)
    for (const operation of ['ExecuteStatement', 'DescribeStatement', 'GetStatementResult', 'BatchExecuteStatement']) {
      warehouse.redshift.fault({ operation, loseAnswer: true, times: 1 })
    }
    let ref: Json | null = null
    for (let attempt = 0; ref === null && attempt < 9; attempt++) {
      ref =
        (await table.load.find!(session, asked, `${name}-t`)) ??
        (await table.load.submit(session, asked, `${name}-t`).catch(() => null))
    }
    expect(await untilReady(session, ref)).toMatchObject({ inserted: 1 })
    expect(await rowsIn(warehouse, name)).toHaveLength(2)
  })

  it('stopped before each of its statements and before its commit leaves all as it was', async () => {
    await loaded(session, await load(1))
    const asked = await load(
      2,
      [
        { id: 1, v: 9 },
        { id: 2, v: 2 },
      ],
      { write: 'upsert', keys: ['id'], order: ['v'] },
    )
    let stops = 0
    for (let at = 0; ; at++) {
      warehouse.redshift.gate((request, now) => {
        if (!request.batch || now === 'commit' || now !== at) return
        stops++
        throw new Error('the warehouse restarts')
      })
      const before = stops
      const result = await errorOf(loaded(session, asked))
      if (stops === before) break
      expect(String(result)).toContain('the warehouse restarts')
      expect(await rowsIn(warehouse, name)).toEqual([['1', '1']])
      expect((await table.newest(session, name))?.n).toBe(1)
    }
    expect(stops).toBeGreaterThan(7)
    expect(await rowsIn(warehouse, name)).toEqual([
      ['1', '9'],
      ['2', '2'],
    ])
  })

  it('is cancelled with what it has done; cancelling it twice, or too late, harms nothing', async () => {
    let open = (): void => {}
    const opened = new Promise<void>((resolve) => (open = resolve))
    warehouse.redshift.gate((request, at) => (request.batch && at === 'commit' ? opened : undefined))
    const begun = await errorOf(Promise.race([loaded(session, await load(1)), sleep(50, 'under way')]))
    expect(begun).toBe('nothing failed')
    warehouse.redshift.gate()
    open()
    name = `${name}x`
    await loaded(session, await load(1))
    let stay = (): void => {}
    const staying = new Promise<void>((resolve) => (stay = resolve))
    warehouse.redshift.gate((request, at) => (request.batch && at === 'commit' ? staying : undefined))
    const ref = await table.load.submit(session, await load(2), `${name}-c`)
    expect(await table.load.poll(session, ref)).toEqual({ waitMs: expect.any(Number) as number })
    await table.load.cancel(session, ref)
    await table.load.cancel(session, ref)
    stay()
    expect(await errorOf(untilReady(session, ref))).toMatchObject({ kind: 'transient', code: 'Aborted' })
    expect(await rowsIn(warehouse, name)).toHaveLength(1)
  })

  it('of two runs for one number: one is in, the other is told, and the rows are those of the first', async () => {
    await loaded(session, await load(1))
    const two = [await load(2, [{ id: 2, v: 1 }]), await load(2, [{ id: 2, v: 2 }])]
    const ends = await Promise.all(two.map((one) => errorOf(loaded(session, one))))
    expect(ends.filter((end) => end === 'nothing failed')).toHaveLength(1)
    expect(ends.find((end) => end !== 'nothing failed')).toMatchObject({ code: 'CommitConflict' })
    expect(await rowsIn(warehouse, name)).toHaveLength(2)
    await expect(loaded(session, await load(2))).rejects.toThrow('the ledger is at 2')
    await expect(loaded(session, await load(4))).rejects.toThrow('the ledger is at 2')
  })

  it('of a lane without a row, begun by two at once: one row, one entry', async () => {
    const two = [await load(1), await load(1)]
    const ends = await Promise.all(two.map((one) => errorOf(loaded(session, one))))
    expect(ends.filter((end) => end === 'nothing failed')).toHaveLength(1)
    const ledger = new Ledger('public', name)
    const { rows } = await warehouse.redshift.look(`SELECT COUNT(*) FROM ${ledger.table}`)
    expect(rows).toEqual([['1']])
    const [failed] = ends.filter((end) => end !== 'nothing failed') as { kind: string; code: string }[]
    expect(failed?.kind === 'transient' || failed?.code === 'CommitConflict').toBe(true)
  })

  it('of two lanes that meet in one row: a conflict to try again, and then it is in', async () => {
    const more = { write: 'upsert' as const, keys: ['id'] }
    await loaded(session, await load(1, [{ id: 1, v: 0 }], more))
    for (const lane of ['x', 'y'])
      await loaded(session, await load(1, [{ id: 9, v: 0 }], { ...more, lane: name + lane }))
    let waiting = 0
    let open = (): void => {}
    const both = new Promise<void>((resolve) => (open = resolve))
    // Both have their snapshot before either writes.
    warehouse.redshift.gate((request, at) => {
      if (!request.batch || at !== 2) return undefined
      if (++waiting === 2) open()
      return both
    })
    const lanes = await Promise.all(
      ['x', 'y'].map((lane) => load(2, [{ id: 1, v: 5 }], { ...more, lane: name + lane })),
    )
    const ends = await Promise.all(lanes.map((one) => errorOf(loaded(session, one))))
    warehouse.redshift.gate()
    const lost = ends.findIndex((end) => end !== 'nothing failed')
    expect(ends[lost]).toMatchObject({ kind: 'transient', code: 'Conflict' })
    expect(await loaded(session, lanes[lost]!)).toMatchObject({ updated: 1 })
  })
})

describe('the Data API is', () => {
  it.each([
    ['ThrottlingException', 'throttled'],
    ['ActiveStatementsExceededException', 'throttled'],
    ['AccessDeniedException', 'forbidden'],
    ['ExpiredTokenException', 'expired'],
    ['DatabaseConnectionException', 'transient'],
    ['ValidationException', 'rejected'],
  ])('understood: %s is %s', async (type, kind) => {
    // The client asks three times by itself where it thinks that it helps.
    warehouse.redshift.fault({ operation: 'ExecuteStatement', type, times: 3 })
    expect(await errorOf(table.inspect(session, 'any'))).toMatchObject({ kind, code: type })
    for (let times = 0; times < 3; times++) await table.inspect(session, 'any').catch(() => null)
  })

  it('asked with the login, workgroup and secret of the connection', async () => {
    const ask = (more: object) => errorOf(table.inspect(sessionOf(warehouse, { ...more }), 'any'))
    expect(await ask({})).toBe('nothing failed')
    expect(await ask({ secretArn: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:warehouse' })).toBe(
      'nothing failed',
    )
    expect(await ask({ secretArn: 'arn:aws:secretsmanager:us-east-1:1:secret:x' })).toMatchObject({ kind: 'rejected' })
    expect(await ask({ workgroup: 'pond' })).toMatchObject({
      kind: 'rejected',
      advice: expect.stringContaining('workgroup') as string,
    })
    expect(
      await errorOf(
        table.inspect(
          {
            ...session,
            settings: { ...session.settings, workgroup: undefined, clusterIdentifier: 'lake-cluster' } as never,
          },
          'any',
        ),
      ),
    ).toBe('nothing failed')
    const stranger = { ...session, aws: () => () => Promise.resolve({ accessKeyId: 'x', secretAccessKey: 'y' }) }
    expect(await errorOf(table.inspect(stranger, 'any'))).toMatchObject({ kind: 'auth' })
  })
})
