import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type Sandbox, startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import { type Client, login } from './org-client.ts'

let sandbox: Sandbox
let client: Client
beforeAll(async () => {
  sandbox = await startSalesforce({ accounts: 50, opportunities: 10, contacts: 10 })
})
afterAll(() => sandbox.stop())
beforeEach(async () => {
  sandbox.control.ingest({ polls: 2, chunkRows: 10_000 })
  client = await login(sandbox)
})

interface Job {
  id: string
  state: string
  numberRecordsProcessed?: number
  numberRecordsFailed?: number
  errorMessage?: string
}
const read = async (answer: Response): Promise<Job> => (await answer.json()) as Job
const code = async (answer: Response) => ((await answer.json()) as { errorCode: string }[])[0]!.errorCode
const create = async (about: object) =>
  read(await client.send('POST', 'jobs/ingest', { object: 'Account', contentType: 'CSV', lineEnding: 'LF', ...about }))
const upload = ({ id }: Job, csv: string) => client.send('PUT', `jobs/ingest/${id}/batches`, csv, 'text/csv')
const state = ({ id }: Job, to: string) => client.send('PATCH', `jobs/ingest/${id}`, { state: to })
const poll = async ({ id }: Job) => read(await client.send('GET', `jobs/ingest/${id}`))
const result = async ({ id }: Job, part: string) =>
  (await (await client.send('GET', `jobs/ingest/${id}/${part}`)).text()).trim().split('\n')

async function load(about: object, csv: string): Promise<Job> {
  const job = await create(about)
  expect((await upload(job, csv)).status).toBe(201)
  expect((await state(job, 'UploadComplete')).status).toBe(200)
  let now = await poll(job)
  while (now.state === 'UploadComplete' || now.state === 'InProgress') now = await poll(job)
  return now
}

it('goes from open to complete, and tells the rows apart by what became of them', async () => {
  const job = await create({ operation: 'upsert', externalIdFieldName: 'External_Key__c' })
  expect(job).toMatchObject({ state: 'Open', operation: 'upsert', apiVersion: 67 })
  await upload(job, 'External_Key__c,Name\nb-1,one\nb-2,#N/A\nb-3,"three, ""3"""\n,nobody\n')
  await state(job, 'UploadComplete')
  expect([(await poll(job)).state, (await poll(job)).state]).toEqual(['InProgress', 'JobComplete'])
  const done = await result(job, 'successfulResults')
  expect(done[0]).toBe('"sf__Id","sf__Created","External_Key__c","Name"')
  // Not in the order of the upload.
  expect(done.slice(1).map((line) => line.replace(/^"\w{18}",/, ''))).toEqual([
    '"true","b-3","three, ""3"""',
    '"true","b-1","one"',
  ])
  expect(await result(job, 'failedResults')).toEqual([
    '"sf__Id","sf__Error","External_Key__c","Name"',
    '"","REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --","b-2","#N/A"',
  ])
  // A row without its key is told nowhere.
  expect(await result(job, 'unprocessedrecords')).toEqual(['"External_Key__c","Name"'])
  expect((await client.send('DELETE', `jobs/ingest/${job.id}`)).status).toBe(204)
  expect((await client.send('GET', `jobs/ingest/${job.id}`)).status).toBe(404)
})

it('leaves a field alone where its cell is empty, and clears it at #N/A', async () => {
  const about = { operation: 'upsert', externalIdFieldName: 'External_Key__c' }
  await load(about, 'External_Key__c,Name,Phone,Fax\nn-1,one,1,2\n')
  await load(about, 'External_Key__c,Phone,Fax\nn-1,,#N/A\n')
  const kept = Array.from(sandbox.control.truth('Account')).find((record) => record['External_Key__c'] === 'n-1')
  expect(kept).toMatchObject({ Name: 'one', Phone: '1', Fax: null })
})

it('writes nothing before it is closed; what is aborted stays unprocessed', async () => {
  const job = await create({ operation: 'insert' })
  await upload(job, 'Name\nnever\n')
  expect((await poll(job)).state).toBe('Open')
  await state(job, 'Aborted')
  expect(await result(job, 'unprocessedrecords')).toEqual(['"Name"', '"never"'])
  expect(Array.from(sandbox.control.truth('Account')).some(({ Name }) => Name === 'never')).toBe(false)
})

it('refuses two files for a job, a job without one, and to close what is done', async () => {
  const job = await create({ operation: 'insert' })
  expect(await code(await state(job, 'UploadComplete'))).toBe('INVALIDJOBSTATE')
  await upload(job, 'Name\na\n')
  expect(await code(await upload(job, 'Name\nb\n'))).toBe('CLIENT_INPUT_ERROR')
  await state(job, 'UploadComplete')
  await poll(job)
  await poll(job)
  expect(await code(await state(job, 'UploadComplete'))).toBe('INVALIDJOBSTATE')
  expect(await code(await client.send('POST', 'jobs/ingest', { object: 'Account', operation: 'upsert' }))).toBe(
    'INVALIDJOB',
  )
})

it('fails a job as a whole for a column that is no field', async () => {
  const job = await load({ operation: 'insert' }, 'Name,Nmae\na,b\n')
  expect(job).toMatchObject({ state: 'Failed', errorMessage: 'InvalidBatch : Field name not found : Nmae' })
})

it('locks a parent that two pieces of the work hold at once', async () => {
  sandbox.control.ingest({ chunkRows: 2 })
  const [parent] = sandbox.control.ids({ object: 'Account', limit: 1, deleted: false })
  const rows = ['a', 'b', 'c', 'd'].map((name) => `${name},${parent}\n`)
  const job = await load({ operation: 'insert' }, `Name,ParentId\n${rows.join('')}`)
  expect(job).toMatchObject({ state: 'JobComplete', numberRecordsProcessed: 4, numberRecordsFailed: 2 })
  expect((await result(job, 'failedResults'))[1]).toContain('UNABLE_TO_LOCK_ROW:unable to obtain exclusive access')
})
