/**
 * Many records, one in a hundred refused in five ways, the loader killed five times: every record's fate is known, each
 * is written as intended, and what was mended goes through when it is sent again. `LAKEWARD_THOROUGH=1`: 100,000 of
 * them, and 10,000 new ones.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Json, Row } from '../../connectors/connector.ts'
import { deliver, type JobMemory } from '../../connectors/deliver.ts'
import type { Outcome, RecordBatch, RecordSink } from '../../connectors/record-sink.ts'
import { salesforce } from '../../connectors/salesforce/salesforce.ts'
import { type Sandbox, startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import { connect, type Org } from './org.ts'

const THOROUGH = process.env['LAKEWARD_THOROUGH'] === '1'
const UPSERTS = THOROUGH ? 100_000 : 3000
const INSERTS = THOROUGH ? 10_000 : 1000
/** The step at which each of the killed processes dies: an odd one behind it, an even one before it. */
const KILLS = [1, 2, 3, 4, 1]
const sink = salesforce.destination!.record!
let sandbox: Sandbox
let org: Org
beforeAll(async () => {
  sandbox = await startSalesforce({ accounts: 100, opportunities: 1, contacts: 1 })
  sandbox.control.ingest({ polls: 1 })
  org = connect(sandbox.url)
})
afterAll(async () => {
  await org.close()
  await sandbox.stop()
})

function memory(): JobMemory {
  const refs: Json[] = []
  return { read: async (round) => refs[round] ?? null, write: async (round, ref) => (refs[round] ??= ref) }
}

/** The sink of a process that dies at its n-th step: before it or after it, turn by turn. */
function dying(steps: number): RecordSink {
  let left = steps
  const strike = <In extends unknown[], Out>(step: (...about: In) => Promise<Out>) => {
    return async (...about: In): Promise<Out> => {
      const last = --left === 0
      if (last && steps % 2 === 0) throw new Error('killed')
      const out = await step(...about)
      if (last) throw new Error('killed')
      return out
    }
  }
  const job = sink.job!
  return {
    ...sink,
    job: {
      ...job,
      open: strike(async (...about: Parameters<typeof job.open>) => job.open(...about)),
      start: strike(async (...about: Parameters<typeof job.start>) => job.start(...about)),
      poll: strike(async (...about: Parameters<typeof job.poll>) => job.poll(...about)),
      outcomes: strike(async (...about: Parameters<typeof job.outcomes>) => job.outcomes(...about)),
    },
  }
}

async function withKills(batch: RecordBatch, way: 'send' | 'job'): Promise<Outcome[]> {
  const about = { session: org.session, batch, way, jobs: memory(), pauseMs: 1 }
  for (const [kill, steps] of KILLS.entries()) {
    // Calls die on the wire: one is answered, and the answer is lost.
    if (way === 'send') {
      const skip = Math.floor(((batch.rows.length / 200) * kill) / KILLS.length)
      sandbox.control.fault({ match: '^(PATCH|POST) .*composite', skip, do: { close: 'after' } })
    }
    await expect(deliver({ ...about, sink: dying(steps) })).rejects.toThrow(/killed|closed/)
  }
  sandbox.control.clearFaults()
  return deliver({ ...about, sink })
}

async function batchOf(rows: Row[], write: RecordBatch['write'], key: string | null): Promise<RecordBatch> {
  const names = Object.keys(rows[0]!)
  const target = await sink.target(org.session, 'Account', names)
  const fields = target.fields.filter(({ name }) => names.includes(name))
  return { target, write, key, fields, rows, ids: rows.map((_, row) => `write-${row}`), options: {} }
}

const wrong: ((row: Row) => Row)[] = [
  (row) => ({ ...row, Name: null }),
  (row) => ({ ...row, Phone: '1'.repeat(50) }),
  (row) => ({ ...row, Contract_Value__c: '99999999999999999.00' }),
  (row) => ({ ...row, ParentId: '0015g000000ZZZZAAA' }),
  (row) => ({ ...row, Industry: 'Forbidden' }),
]

it.each(['send', 'job'] as const)(
  'by %s: every record is written as intended or its refusal is known, and the mended rest goes through',
  async (way) => {
    const rule = { object: 'Account', field: 'Industry', matches: '^Forbidden$', message: 'Not this one.' }
    sandbox.control.rules({ rules: [rule] })
    const parents = sandbox.control.ids({ object: 'Account', limit: 50, deleted: false })
    const right = Array.from({ length: UPSERTS }, (_, at): Row => {
      const key = { External_Key__c: `${way}-${at}`, Name: `"Account", ${at}`, Phone: at % 3 ? `+${at}` : null }
      return { ...key, Contract_Value__c: `${at}.25`, ParentId: parents[at % 50]!, Industry: 'Banking' }
    })
    const bad = (at: number) => at % 100 === 7
    const rows = right.map((row, at) => (bad(at) ? wrong[Math.floor(at / 100) % 5]!(row) : row))
    const outcomes = await withKills(await batchOf(rows, 'upsert', 'External_Key__c'), way)
    expect(outcomes.flatMap((one, at) => (one.ok ? [] : [at]))).toEqual(Array.from(rows.keys()).filter(bad))
    const reasons = new Set(outcomes.flatMap((one) => (one.ok ? [] : [one.reason.split(':')[0]])))
    expect(reasons.size).toBe(5)

    const rest = await batchOf(
      right.filter((_, at) => bad(at)),
      'upsert',
      'External_Key__c',
    )
    const again = await deliver({ sink, session: org.session, batch: rest, way, jobs: memory(), pauseMs: 1 })
    expect(again.every(({ ok }) => ok)).toBe(true)
    const written = new Map<string, Record<string, string | null>>()
    let records = 0
    for (const record of sandbox.control.truth('Account')) {
      if (!record['External_Key__c']?.startsWith(`${way}-`)) continue
      written.set(record['External_Key__c'], record)
      records++
    }
    expect([records, written.size]).toEqual([UPSERTS, UPSERTS])
    for (const row of right) expect(written.get(row['External_Key__c'] as string)).toMatchObject(row)
  },
  600_000,
)

it('new records are neither lost nor doubled', async () => {
  const rows = Array.from({ length: INSERTS }, (_, at): Row => ({ Name: `new ${at % 500}`, Fax: at % 2 ? null : '2' }))
  const outcomes = await withKills(await batchOf(rows, 'append', null), 'job')
  expect(outcomes.every(({ ok }) => ok)).toBe(true)
  const made = Array.from(sandbox.control.truth('Account')).filter(({ Name }) => Name?.startsWith('new '))
  expect(made).toHaveLength(INSERTS)
  expect(new Set(outcomes.map((one) => one.ok && one.id)).size).toBe(INSERTS)
}, 600_000)
