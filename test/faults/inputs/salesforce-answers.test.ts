/** Answers of Salesforce with one of them damaged: right data or an error in plain words, never a crash. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { HttpResponse, JsonObject, ObjectSchema, Plan, Range, Session } from '../../../connectors/connector.ts'
import { salesforce } from '../../../connectors/salesforce/salesforce.ts'
import { ingest } from '../../../connectors/salesforce/write/ingest.ts'
import { sendCollections } from '../../../connectors/salesforce/write/collections.ts'
import { PageError } from '../../../connectors/records/page-error.ts'
import type { RecordBatch } from '../../../connectors/record-sink.ts'
import type { Chance } from '../../records/pages/chance.ts'
import { connect, source, type Org } from '../../salesforce/org.ts'
import { decodePage } from '../../../connectors/records/decode.ts'
import { textReader } from '../../../connectors/records/cells.ts'
import { startSalesforce, type Sandbox } from '../../sandboxes/salesforce/salesforce.ts'
import { unclear } from './clear-errors.ts'
import { mangled, mutated } from './mutations.ts'
import { recording, replaying } from './replayed-org.ts'
import { tryMany, type Verdict } from './rounds.ts'

const FIELDS = ['Id', 'Name', 'SystemModstamp', 'IsDeleted', 'AnnualRevenue']

let sandbox: Sandbox
let org: Org
beforeAll(async () => {
  sandbox = await startSalesforce({ accounts: 30, opportunities: 2, contacts: 2, pageRows: 10 })
  org = connect(sandbox.url)
})
afterAll(async () => {
  await org.close()
  await sandbox.stop()
})

async function planOf(session: Session, options: JsonObject) {
  const schema = await source.describe(session, 'Account', options)
  const fields = FIELDS.filter((name) => schema.fields.some((field) => field.name === name))
  const ask = { object: 'Account', options, schema, fields, filter: null, mode: 'incremental' as const }
  const how = {
    includeDeleted: schema.deletes,
    cursorField: null,
    state: null,
    ceiling: null,
    settleMs: 0,
    parallel: 2,
  }
  return { schema, plan: await source.plan(session, { ...ask, ...how }) }
}

async function exported(session: Session): Promise<string[]> {
  const { schema, plan } = await planOf(session, { api: 'bulk', bulkFrom: 1 })
  if (!plan.job) return idsOf(await Promise.all(plan.ranges.map((range) => rowsOfRange(session, plan, range, schema))))
  const ref = await source.job!.submit(session, plan, 'token')
  for (let polls = 0; ; polls++) {
    const state = await source.job!.poll(session, ref)
    if ('refused' in state) return ['refused']
    if ('ready' in state) {
      return idsOf(await Promise.all(state.ready.map((range) => rowsOfRange(session, plan, range, schema))))
    }
    if (polls > 20) return ['waits']
  }
}

const idsOf = (ranges: string[][]): string[] => ranges.flat().toSorted()

/** Ids of its records; what is refused of one counts as well, for it would lie in quarantine. */
async function rowsOfRange(session: Session, plan: Plan, range: Range, { fields }: ObjectSchema): Promise<string[]> {
  const found: string[] = []
  for await (const page of source.read(session, plan, range, null)) {
    for (const { batch, rejects } of decodePage(page, fields)) {
      const at = fields.findIndex(({ name }) => name === 'Id')
      const idOf = textReader('string')
      for (let row = 0; row < batch.rows; row++) found.push(String(idOf(batch.columns[at]!, row)))
      found.push(...rejects.map(({ reason }) => `refused: ${reason}`))
    }
  }
  return found
}

async function batchOf(session: Session): Promise<RecordBatch> {
  const target = await salesforce.destination!.record!.target(session, 'Account', ['Name'])
  const fields = target.fields.filter(({ name }) => name === 'Name')
  const rows = Array.from({ length: 5 }, (_, at) => ({ Name: `new ${at}` }))
  return { target, write: 'append', key: null, fields, rows, ids: rows.map((_, at) => `${at}`), options: {} }
}

/** What it does not find of its results it tells of each record. */
const BY_JOB = 'records that are written by a job'

const ways: Record<string, (session: Session) => Promise<unknown>> = {
  'records, page by page': async (session) => {
    const { schema, plan } = await planOf(session, {})
    return idsOf(await Promise.all(plan.ranges.map((range) => rowsOfRange(session, plan, range, schema))))
  },
  'a Bulk job and its results': exported,
  'the list of objects, and who we are': async (session) => {
    let named = 0
    for await (const { name } of source.objects(session)) named += name.length
    return [named, await salesforce.account!(session)]
  },
  'records that are written by calls': async (session) => sendCollections(session, await batchOf(session)),
  [BY_JOB]: async (session) => {
    const batch = await batchOf(session)
    const ref = await ingest.open(session, batch)
    await ingest.start(session, ref, batch)
    for (let polls = 0; (await ingest.poll(session, ref)) !== 'done'; polls++) if (polls > 20) return 'waits'
    return ingest.outcomes(session, ref, batch)
  },
}

describe.each(Object.entries(ways))('%s', (name, way) => {
  it('with one answer damaged', async () => {
    const tape: Parameters<typeof recording>[1] = []
    const right = JSON.stringify(await way(recording(org.session, tape)))
    const untouched = { at: -1, answer: tape[0]!.answer }
    expect(JSON.stringify(await way(replaying(org.session, tape, untouched))), 'as it was').toBe(right)
    const tally = await tryMany(60, async (chance) => {
      const at = chance.int(tape.length)
      const { answer, isCut } = damage(tape[at]!.answer, chance)
      const written = Buffer.from(answer.body).toString('latin1')
      try {
        const found = JSON.stringify(await way(replaying(org.session, tape, { at, answer })))
        if (found === right) return { became: 'right' }
        if (!isCut || name === BY_JOB) return { became: 'other' }
        return { became: 'lost', wrong: `${tape[at]!.key} was cut, and ${found} came of it` }
      } catch (error) {
        return judged(error, `${written}\n${tape[at]!.key}`)
      }
    })
    expect(Object.keys(tally)).toContain('refused')
  })
})

function judged(error: unknown, about: string): Verdict {
  if (error instanceof PageError) return { became: 'refused' }
  const wrong = unclear(error, about)
  return wrong === undefined ? { became: 'refused' } : { became: 'crashed', wrong: `${about.slice(-200)}: ${wrong}` }
}

function damage(answer: HttpResponse, chance: Chance): { answer: HttpResponse; isCut: boolean } {
  const { body, headers } = answer
  if (chance.once(5) && body.length > 1) {
    return { answer: { ...answer, body: body.subarray(0, 1 + chance.int(body.length - 1)) }, isCut: true }
  }
  if (chance.once(6)) {
    const names = Object.keys(headers).filter((name) => name.startsWith('sforce'))
    const name = chance.pick(names.length > 0 ? names : ['content-type'])
    const value = chance.pick(['', 'null', '-1', '99999999', 'x', '0'])
    return { answer: { ...answer, headers: { ...headers, [name]: value } }, isCut: false }
  }
  if (chance.once(3)) return { answer: { ...answer, body: mangled(body, chance) }, isCut: false }
  try {
    const value = mutated(JSON.parse(Buffer.from(body).toString('utf8')), chance)
    return { answer: { ...answer, body: Buffer.from(JSON.stringify(value) ?? '') }, isCut: false }
  } catch {
    return { answer: { ...answer, body: mangled(body, chance) }, isCut: false }
  }
}
