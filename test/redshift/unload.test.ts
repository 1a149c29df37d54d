/** Tables unloaded to Parquet: the same rows as in pages, found again, never over one another, nothing left. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { Ask, Json, Plan, Session } from '../../connectors/connector.ts'
import type { ObjectStore } from '../../connectors/lake/store.ts'
import { redshift } from '../../connectors/redshift/redshift.ts'
import type { SourceHarness } from '../conformance/index.ts'
import { Reader } from '../conformance/reading.ts'
import { runSourceCase, type SourceCase } from '../conformance/source.ts'
import { openTable, stagingOf } from './source-harness.ts'
import { useWarehouse } from './warehouse.ts'

const warehouse = useWarehouse()
const job = redshift.source!.job!

const CASES: SourceCase[] = [
  'every value is the true one',
  'ties: more records of one stamp than a page holds',
  'resume: every cursor gives exactly the rest',
  'a plan stays as it is, whatever happens to the source',
  'a second run brings what changed, and nothing else',
  'a full read is everything',
]
describe('Redshift, unloaded', () => {
  it.each(CASES)('%s', (name) =>
    runSourceCase(name, {
      name: 'Redshift',
      connector: redshift,
      open: () => openTable(warehouse, { unload: 'always' }),
    }),
  )
})

describe('an unload', () => {
  let harness: SourceHarness
  let session: Session
  let store: ObjectStore
  let plan: Plan
  beforeEach(async () => {
    warehouse.redshift.gate()
    harness = await openTable(warehouse, { unload: 'always' })
    session = await harness.session(new AbortController().signal)
    store = (await stagingOf(warehouse)()).store as ObjectStore
    plan = await planned()
  })
  const planned = async (more: Partial<SourceHarness> = {}, ask: Partial<Ask> = {}): Promise<Plan> => {
    const reader = new Reader(redshift, { ...harness, ...more })
    const schema = await reader.schema()
    return redshift.source!.plan(await reader.session(), {
      ...{ object: harness.object, options: { unload: 'auto', ...reader.harness.options }, schema, filter: null },
      ...{ fields: schema.fields.map(({ name }) => name), mode: 'incremental', includeDeleted: false, state: null },
      ...{ cursorField: 'updated_at', ceiling: null, settleMs: 0, parallel: 2 },
      ...ask,
    })
  }
  const ended = async (ref: Json, on = session) => {
    for (;;) {
      const state = await job.poll(on, ref)
      if (!('waitMs' in state)) return state
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const files = async (token: string): Promise<string[]> => {
    const keys: string[] = []
    for await (const { key } of store.list(`_lakeward/_exports/${token}/`)) keys.push(key)
    return keys
  }

  it('is found by its token, gives its files in ranges, and is removed whole, any number of times', async () => {
    expect(plan).toMatchObject({ api: 'unload', job: true, ranges: [], counted: 420 })
    expect(await job.find!(session, plan, 'found')).toBeNull()
    const ref = await job.submit(session, plan, 'found')
    expect(await job.submit(session, plan, 'found')).toEqual(ref)
    expect(await job.find!(session, plan, 'found')).toEqual(ref)
    const state = await ended(ref)
    expect(state).toMatchObject({ ready: [{ id: 'files-0' }, { id: 'files-1' }] })
    expect(await files('found')).toHaveLength(4)
    await job.cancel(session, ref)
    await job.cancel(session, ref)
    expect(await files('found')).toEqual([])
    const { ready } = state as Extract<typeof state, { ready: unknown }>
    const read = redshift.source!.read(session, { ...plan, ranges: ready }, ready[0]!, null)[Symbol.asyncIterator]()
    await expect(read.next()).rejects.toMatchObject({ kind: 'cursor-expired' })
  })

  it('never goes over another: a second statement of a token that is forgotten fails', async () => {
    await ended(await job.submit(session, plan, 'twice'))
    await warehouse.redshift.advance(9 * 3_600_000)
    const second = await job.submit(session, plan, 'twice')
    await expect(ended(second)).rejects.toThrow(/destination on S3 is not empty/)
  })

  it('that is cancelled stops, and the lane begins again', async () => {
    warehouse.redshift.gate(() => new Promise((resolve) => setTimeout(resolve, 60_000).unref()))
    const ref = await job.submit(session, plan, 'stopped')
    expect(await job.poll(session, ref)).toEqual({ waitMs: 2000 })
    await job.cancel(session, ref)
    await expect(job.poll(session, ref)).rejects.toMatchObject({ kind: 'cursor-expired' })
    expect(await files('stopped')).toEqual([])
  })

  it('that the Data API has forgotten begins again', async () => {
    const ref = await job.submit(session, plan, 'forgotten')
    await expect(job.poll(session, { ...(ref as object), id: 'unknown' })).rejects.toMatchObject({
      kind: 'cursor-expired',
    })
  })

  it('of nothing is one range of nothing', async () => {
    await warehouse.redshift.look(`DELETE FROM ${harness.object}`)
    const state = await ended(await job.submit(session, plan, 'nothing'))
    expect(state).toEqual({ ready: [{ id: 'files-0', spec: { files: [] } }] })
  })

  it('is chosen for many rows alone, where there is a place for its files', async () => {
    const { staging: _, ...without } = session
    expect((await planned({ options: {} })).api).toBe('pages')
    expect((await planned({ options: { unload: 'never' } })).api).toBe('pages')
    expect((await planned({}, { noJob: true })).api).toBe('pages')
    await expect(planned({ session: () => without })).rejects.toThrow(/does not say where unloaded files/)
    expect((await planned({ options: {}, session: () => without })).api).toBe('pages')
  })

  it('without the role, or the right to the bucket or the table, says which', async () => {
    const settings = { ...session.settings, copyRole: 'arn:aws:iam::123456789012:role/nobody' }
    const roleless = ended(await job.submit({ ...session, settings }, plan, 'roleless'))
    await expect(roleless).rejects.toMatchObject({ kind: 'forbidden', code: 'CopyRole' })
    const nowhere = Object.assign(Object.create(store) as ObjectStore, { name: 's3://no-such-bucket' })
    const lost = { ...session, staging: () => Promise.resolve({ store: nowhere, folder: 'x' }) }
    const bucketless = ended(await job.submit(lost, plan, 'bucketless'))
    await expect(bucketless).rejects.toMatchObject({ kind: 'forbidden', code: 'CopyFiles' })
    const denied = { ...session, settings: { ...session.settings, workgroup: 'reading' } }
    const rightless = ended(await job.submit(denied, plan, 'rightless'), denied)
    await expect(rightless).rejects.toMatchObject({ kind: 'forbidden', code: 'Permission' })
    await warehouse.redshift.look(`DROP TABLE ${harness.object}`)
    await expect(ended(await job.submit(session, plan, 'gone'))).rejects.toMatchObject({ kind: 'missing' })
  })
})
