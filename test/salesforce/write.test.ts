/** Salesforce as a destination, against the sandbox: by calls and by jobs, to the same end. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Json, Row } from '../../connectors/connector.ts'
import { deliver, type JobMemory, release } from '../../connectors/deliver.ts'
import type { Outcome, RecordBatch, RecordSink } from '../../connectors/record-sink.ts'
import { checkTarget } from '../../connectors/records/target-check.ts'
import { salesforce } from '../../connectors/salesforce/salesforce.ts'
import { type Sandbox, startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import { connect, type Org } from './org.ts'

const sink = salesforce.destination!.record!
let sandbox: Sandbox
let org: Org
beforeAll(async () => {
  sandbox = await startSalesforce({ accounts: 40, opportunities: 10, contacts: 10 })
  sandbox.control.ingest({ polls: 1, chunkRows: 100 })
  org = connect(sandbox.url)
})
beforeEach(() => {
  sandbox.control.rules({ rules: [] })
  sandbox.control.reset()
})
afterEach(() => sandbox.control.clearFaults())
afterAll(async () => {
  await org.close()
  await sandbox.stop()
})

type Way = 'send' | 'job'
interface Load {
  write?: RecordBatch['write']
  object?: string
  key?: string | null
  options?: RecordBatch['options']
}

async function batchOf(rows: Row[], { write = 'upsert', object = 'Account', key, options = {} }: Load) {
  const names = Object.keys(rows[0]!)
  const target = await sink.target(org.session, object, names)
  const fields = target.fields.filter(({ name }) => names.includes(name))
  expect(fields).toHaveLength(names.length)
  const found = key === undefined ? (write === 'upsert' ? 'External_Key__c' : write === 'append' ? null : 'Id') : key
  const ids = rows.map((_, row) => `write-${row}`)
  return { target, write, key: found, fields, rows, ids, options } satisfies RecordBatch
}

function memory(): JobMemory & { refs: Json[] } {
  const refs: Json[] = []
  return { refs, read: async (round) => refs[round] ?? null, write: async (round, ref) => (refs[round] ??= ref) }
}

async function load(way: Way, rows: Row[], about: Load = {}, jobs = memory(), over: RecordSink = sink) {
  const batch = await batchOf(rows, about)
  return deliver({ sink: over, session: org.session, batch, way, jobs, pauseMs: 1 })
}

function recordsWith(name: string, prefix: string, object = 'Account') {
  return Array.from(sandbox.control.truth(object)).filter((record) => record[name]?.startsWith(prefix))
}
const shown = (outcomes: Outcome[]) =>
  outcomes.map((one) => (one.ok ? 'ok' : one.reason.replaceAll(/\b00\w{16}\b/g, 'id')))

/** Every way a record may look, five of them refused; the same for both ways but for the prefix of keys. */
function mixed(prefix: string, parent: string): Row[] {
  return Array.from({ length: 450 }, (_, at): Row => {
    const row = {
      External_Key__c: `${prefix}${at}`,
      Name: `O'Brien "${at}",\nünd mehr`,
      Phone: at % 3 === 0 ? null : `+49${at}`,
      Website: at % 7 === 0 ? '' : 'https://example.com/?a=1,2',
      AnnualRevenue: `${900719925474099000n + BigInt(at)}`,
      Contract_Value__c: `${at}.${at % 10}5`,
      Founded__c: '2024-02-29',
      Last_Audit__c: '2024-03-31T01:30:00.123456Z',
      Opens_At__c: '08:30:00.000',
      Active__c: at % 2 === 0,
      NumberOfEmployees: at,
      ParentId: at % 5 === 0 ? parent : null,
    }
    if (at === 11) return { ...row, Name: null }
    if (at === 22) return { ...row, Phone: '1'.repeat(41) }
    if (at === 33) return { ...row, Contract_Value__c: '99999999999999999.00' }
    if (at === 44) return { ...row, ParentId: '0015g00000ZZZZZAAA' }
    if (at === 55) return { ...row, External_Key__c: '' }
    if (at === 66) return { ...row, Phone: '#N/A' }
    return at === 77 ? { ...row, External_Key__c: `${prefix}78`, Name: 'the first of two' } : row
  })
}

describe('both ways', () => {
  it('write the same records and refuse the same ones for the same reasons', async () => {
    const [parent] = sandbox.control.ids({ object: 'Account', limit: 1, deleted: false })
    const calls = await load('send', mixed('calls-', parent!))
    const jobs = await load('job', mixed('job-', parent!))
    expect(shown(jobs)).toEqual(shown(calls))
    expect(shown(calls).flatMap((one, at) => (one === 'ok' ? [] : [[at, one.slice(0, 26)]]))).toEqual([
      [11, 'REQUIRED_FIELD_MISSING: Re'],
      [22, 'STRING_TOO_LONG: Phone: da'],
      [33, 'NUMBER_OUTSIDE_VALID_RANGE'],
      [44, 'MALFORMED_ID: Parent Id: i'],
      [55, 'External_Key__c: there is '],
    ])
    const stamps = {
      Id: '',
      CreatedDate: '',
      SystemModstamp: '',
      LastModifiedDate: '',
      CreatedById: '',
      LastModifiedById: '',
    }
    const bare = (prefix: string): Record<string, string | null>[] =>
      recordsWith('External_Key__c', prefix)
        .map((record) => ({ ...record, ...stamps, External_Key__c: record['External_Key__c']!.slice(prefix.length) }))
        .sort((a, b) => Number(a['External_Key__c']) - Number(b['External_Key__c']))
    expect(bare('job-')).toEqual(bare('calls-'))
    expect(bare('calls-')).toHaveLength(444)
    expect(bare('calls-').find((one) => one['External_Key__c'] === '78')).toMatchObject({ NumberOfEmployees: '78' })
    expect(bare('calls-').find((one) => one['External_Key__c'] === '66')).toMatchObject({ Phone: '#N/A' })
    expect(bare('calls-').find((one) => one['External_Key__c'] === '3')).toMatchObject({
      AnnualRevenue: '900719925474099003',
      Contract_Value__c: '3.35',
      Last_Audit__c: '2024-03-31T01:30:00.123Z',
      Phone: null,
    })
  })

  it.each(['send', 'job'] as const)('by %s: sent again, nothing changes; null clears or keeps', async (way) => {
    const rows = [{ External_Key__c: `nulls-${way}`, Name: 'one', Phone: '1', Active__c: true }]
    const [first] = await load(way, rows)
    expect(first).toMatchObject({ ok: true, created: true })
    expect(await load(way, rows)).toEqual([{ ok: true, id: first!.ok && first!.id }])
    await load(way, [{ External_Key__c: `nulls-${way}`, Phone: null, Active__c: null }], { options: { nulls: 'keep' } })
    const kept = () => recordsWith('External_Key__c', `nulls-${way}`)
    expect(kept()).toMatchObject([{ Name: 'one', Phone: '1', Active__c: 'true' }])
    await load(way, [{ External_Key__c: `nulls-${way}`, Phone: null, Active__c: null }])
    expect(kept()).toMatchObject([{ Name: 'one', Phone: null, Active__c: 'true' }])
  })

  it.each(['send', 'job'] as const)('by %s: update and delete find records by Id, and may be repeated', async (way) => {
    const { ids } = sandbox.control.insert({ object: 'Account', rows: [{ Name: `a-${way}` }, { Name: `b-${way}` }] })
    const [a, b] = ids as [string, string]
    await load(way, [{ Id: a, Name: `new-${way}` }], { write: 'update' })
    expect(recordsWith('Name', `new-${way}`).map(({ Id }) => Id)).toEqual([a])
    const rows = [{ Id: b }, { Id: b.slice(0, 15) }, { Id: '001xx' }]
    for (let time = 0; time < 2; time++) {
      expect(shown(await load(way, rows, { write: 'delete' }))).toEqual(['ok', 'ok', 'MALFORMED_ID: bad id 001xx [Id]'])
    }
    expect(recordsWith('Name', `b-${way}`)).toEqual([])
  })

  it.each(['send', 'job'] as const)('by %s: a parent is named by its external id', async (way) => {
    const parent = await load('send', [{ External_Key__c: `parent-${way}`, Name: 'p' }])
    const child = { Number__c: `child-${way}`, 'Account__r.External_Key__c': `parent-${way}` }
    const about = { object: 'Invoice__c', key: 'Number__c' }
    const lost = { ...child, Number__c: `lost-${way}`, 'Account__r.External_Key__c': 'nobody' }
    const outcomes = await load(way, [child, lost], about)
    expect(shown(outcomes)[1]).toContain('Foreign key external ID: nobody not found')
    const of = () => recordsWith('Number__c', `child-${way}`, 'Invoice__c')[0]!['Account__c']
    expect(parent).toEqual([{ ok: true, id: of(), created: true }])
    await load(way, [{ ...child, 'Account__r.External_Key__c': null }], about)
    expect(of()).toBeNull()
  })
})

describe('locks', () => {
  it('go again until they are gone, and only those', async () => {
    const [parent] = sandbox.control.ids({ object: 'Account', limit: 1, deleted: false })
    sandbox.control.lock({ ids: [parent!], times: 3 })
    const rows = Array.from({ length: 5 }, (_, at) => ({ External_Key__c: `l-${at}`, Name: 'x', ParentId: parent! }))
    expect(shown(await load('send', rows))).toEqual(['ok', 'ok', 'ok', 'ok', 'ok'])
    expect(sandbox.control.counts()['collections']).toBe(2)
  })

  it('are few: children of a parent lie side by side, however they came', async () => {
    const parents = sandbox.control.ids({ object: 'Account', limit: 20, deleted: false })
    const rows = Array.from({ length: 1000 }, (_, at) => ({
      External_Key__c: `many-${at}`,
      Name: 'x',
      ParentId: parents[at % 20]!,
    }))
    expect(new Set(shown(await load('job', rows)))).toEqual(new Set(['ok']))
    // Mixed as they came, half of them would have met a lock; side by side, a boundary between two pieces may.
    expect(sandbox.control.counts()['jobs']).toBeLessThanOrEqual(2)
  })

  it('hold back later states of the record, so that the last one stays', async () => {
    const [made] = await load('send', [{ External_Key__c: 'twice', Name: 'before' }])
    sandbox.control.lock({ ids: [made!.ok ? made!.id! : ''], times: 1 })
    const states = [
      { External_Key__c: 'twice', Name: 'first' },
      { External_Key__c: 'twice', Name: 'last' },
    ]
    expect(shown(await load('send', states))).toEqual(['ok', 'ok'])
    expect(recordsWith('External_Key__c', 'twice')).toMatchObject([{ Name: 'last' }])
  })
})

describe('crashes', () => {
  const killed = async (): Promise<never> => Promise.reject(new Error('killed'))

  it('double no new record, wherever they strike', async () => {
    const rows = Array.from({ length: 300 }, (_, at) => ({ Name: `crash ${at % 100}`, Phone: at % 2 ? null : '1' }))
    const jobs = memory()
    const { job } = sink
    const strikes: Partial<typeof job & object>[] = [
      { open: async (...about) => job!.open(...about).then(killed) },
      { start: killed },
      { start: async (...about) => job!.start(...about).then(killed) },
      { poll: killed },
      { outcomes: async (...about) => job!.outcomes(...about).then(killed) },
    ]
    for (const strike of strikes) {
      const dying = { ...sink, job: { ...job!, ...strike } }
      await expect(load('job', rows, { write: 'append' }, jobs, dying)).rejects.toThrow('killed')
    }
    const outcomes = await load('job', rows, { write: 'append' }, jobs)
    expect(shown(outcomes).every((one) => one === 'ok')).toBe(true)
    const made = recordsWith('Name', 'crash ')
    expect(made).toHaveLength(300)
    expect(new Set(outcomes.map((one) => one.ok && one.id))).toEqual(new Set(made.map(({ Id }) => Id)))
    // One job that nobody remembered, one that was aborted, one that did it all.
    expect(
      sandbox.control
        .jobs()
        .slice(-3)
        .map(({ state }) => state),
    ).toEqual(['Open', 'Aborted', 'JobComplete'])
    await release({ sink, session: org.session, jobs })
    await release({ sink, session: org.session, jobs })
    expect(sandbox.control.jobs().at(-1)?.state).toBe('Open')
  })

  it('take a page for people for no upload: the job is given up, and the records go again', async () => {
    const jobs = memory()
    const rows = [{ External_Key__c: 'page-1', Name: 'one' }]
    sandbox.control.fault({ match: '^PUT .*batches', do: { html: 200 } })
    await expect(load('job', rows, {}, jobs)).rejects.toMatchObject({ kind: 'answer' })
    expect(shown(await load('job', rows, {}, jobs))).toEqual(['ok'])
    expect(recordsWith('External_Key__c', 'page-')).toHaveLength(1)
  })

  it('leave upserts whole when an answer is lost', async () => {
    sandbox.control.fault({ match: '^PATCH .*composite', do: { close: 'after' } })
    const rows = Array.from({ length: 250 }, (_, at) => ({ External_Key__c: `lost-${at}`, Name: 'x' }))
    await expect(load('send', rows)).rejects.toThrow('closed the connection')
    expect(shown(await load('send', rows)).every((one) => one === 'ok')).toBe(true)
    expect(recordsWith('External_Key__c', 'lost-')).toHaveLength(250)
  })
})

describe('before anything is written', () => {
  const check = async (
    write: RecordBatch['write'],
    keys: string[],
    names: string[],
    types: Record<string, string> = {},
  ) => {
    const target = await sink.target(org.session, 'Account', names)
    const fields = names.map((name) => {
      const type = types[name] ?? target.fields.find((one) => one.name === name)?.type ?? 'string'
      return { name, type: type as 'string', nullable: true }
    })
    const found = checkTarget({ target, kind: sink.writes.find((one) => one.write === write)!, keys, fields })
    return Array.isArray(found) ? found.map(({ what }) => what) : found
  }

  it('says which field is not there, cannot be written or takes another type, and which is missing', async () => {
    expect(
      await check('upsert', ['External_Key__c'], ['External_Key__c', 'Nmae', 'CreatedDate', 'Revenue_Band__c']),
    ).toEqual([
      'Account has no field Nmae',
      'CreatedDate of Account cannot be written',
      'Revenue_Band__c of Account cannot be written',
    ])
    expect(await check('update', [], ['Id', 'NumberOfEmployees'], { NumberOfEmployees: 'string' })).toEqual([
      'NumberOfEmployees is string, and Account takes int32',
    ])
    expect(await check('append', [], ['Phone'])).toEqual(['Account takes no new record without Name'])
    expect(await check('update', [], ['Id', 'ParentId', 'Parent.External_Key__c'])).toEqual([
      'ParentId is written twice, by Parent.External_Key__c too',
    ])
    expect(await check('update', [], ['Id', 'Name', 'NumberOfEmployees'])).toEqual({ key: 'Id' })
  })

  it('says which keys do not do', async () => {
    expect(await check('upsert', [], ['Name'])).toEqual(['keys are missing'])
    expect(await check('upsert', ['Phone'], ['Name', 'Phone'])).toEqual(['records of Account are not found by Phone'])
    expect(await check('upsert', ['External_Key__c'], ['Name'])).toEqual([
      'the key External_Key__c is not among the fields that are written',
    ])
    expect(await check('delete', ['External_Key__c'], ['Id'])).toEqual(['delete finds records of Account by Id alone'])
    expect(await check('append', ['Id'], ['Name'])).toEqual(['append finds no records, so it takes no keys'])
  })

  it('goes by calls or jobs as its number and the options say; new records by jobs alone', () => {
    const options = (written: object) => sink.options.parse(written)
    expect([1999, 2000].map((rows) => sink.way(options({}), 'upsert', rows))).toEqual(['send', 'job'])
    expect(sink.way(options({ api: 'rest' }), 'upsert', 1_000_000)).toBe('send')
    expect(sink.way(options({ api: 'bulk' }), 'delete', 1)).toBe('job')
    expect(sink.way(options({ api: 'rest' }), 'append', 1)).toBe('job')
    expect(() => options({ api: 'soap' })).toThrow("'soap' is not one of auto | rest | bulk")
  })
})
