/** Files into records of a Salesforce sandbox: what is refused is known and goes again, what is killed doubles none. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { parse } from 'yaml'
import { orSkip } from '../components.ts'
import { startTestVersitygw } from '../s3-servers.ts'
import { describeWithTemporal } from '../temporal.ts'
import { queryFiles } from './compare.ts'
import { type Cells, openRecords, type RecordsStage, rowsOf, SCHEMA } from './records-stage.ts'
import { failureOf } from './run-failure.ts'

const EXAMPLE = new URL('../../client/examples/s3-to-salesforce.yaml', import.meta.url)
/** What `lakeward replay` asks for. */
const REPLAY = { replay: true }
const THOROUGH = process.env['LAKEWARD_THOROUGH'] === '1'
const UPSERTS = THOROUGH ? 100_000 : 600
const INSERTS = THOROUGH ? 10_000 : 300

describeWithTemporal('records out', (temporal) => {
  let { stage, control, connect, put, flow, written, quarantined, killed, replay } = {} as RecordsStage
  beforeAll(async () => {
    ;({ stage, control, connect, put, flow, written, quarantined, killed, replay } = await openRecords(temporal))
  })
  afterEach(() => control.clearFaults())
  afterAll(() => stage?.stop())

  it.each(['rest', 'bulk'])(
    'records by %s: written as they are, and what is refused lies in quarantine',
    async (api) => {
      const rows = rowsOf(api, 60)
      rows[7]!['Name'] = null
      rows[8]!['Phone'] = '1'.repeat(50)
      put(api, rows)
      const loading = flow(api, SCHEMA, { object: { keys: ['External_Key__c'] }, destination: { options: { api } } })
      const first = await stage.run(loading)
      expect(first.objects[0]).toMatchObject({ read: 60, delivered: { inserted: 58, updated: 0, rejected: 2 } })
      expect(first.objects[0]!.notes.join('\n')).toMatch(
        /2 of 60 records.*REQUIRED_FIELD_MISSING \(1\).*STRING_TOO_LONG \(1\)/,
      )
      expect(written(`${api}-`)).toHaveLength(58)
      for (const record of written(`${api}-`)) {
        const at = Number(record['External_Key__c']!.slice(api.length + 1))
        expect(record).toMatchObject(rows[at]!)
      }
      expect(quarantined(loading.name)).toMatchObject([
        {
          by: 'destination',
          rule: 'refused',
          attempt: 1,
          object: api,
          record: { External_Key__c: `${api}-7`, Name: null },
        },
        { by: 'destination', rule: 'refused', reason: expect.stringMatching(/^STRING_TOO_LONG/) },
      ])
      put(
        api,
        rows.slice(0, 5).map((row) => ({ ...row, Name: 'again' })),
      )
      expect((await stage.run(loading)).objects[0]).toMatchObject({
        delivered: { inserted: 0, updated: 5, rejected: 0 },
      })
      expect(written(`${api}-`)).toHaveLength(58)
      expect((await stage.run(loading)).objects[0]).toMatchObject({ status: 'nothing' })
    },
  )

  it.each(THOROUGH ? ['rest', 'bulk'] : ['rest'])(
    'one in a hundred is refused in five ways, by %s through kills; mended, a replay brings the rest, once',
    async (api) => {
      const object = 'Account'
      const prefix = `five-${api}`
      const twins = control.insert({
        object,
        rows: [1, 2].map(() => ({ Name: 't', External_Key__c: `${prefix}-407` })),
      })
      const lengthen = (length: number): void => {
        control.removeField({ object, name: 'Jigsaw' })
        control.addField({ object, name: 'Jigsaw', type: 'string', options: { length } })
      }
      lengthen(20)
      const other = 'FIELD_FILTER_VALIDATION_EXCEPTION'
      control.rules({
        rules: [
          { object, field: 'Industry', matches: '^Forbidden$', message: 'Not this one.' },
          { object, field: 'Rating', matches: '^Never$', message: 'Nor this.', statusCode: other },
        ],
      })
      const rows = Array.from({ length: UPSERTS }, (_, at): Cells => {
        const way = at % 100 === 7 ? Math.floor(at / 100) % 5 : -1
        return {
          External_Key__c: way === 4 ? `${prefix}-407` : `${prefix}-${at}`,
          Name: `Ä "${at}"`,
          Contract_Value__c: `${at}.25`,
          Industry: way === 0 ? 'Forbidden' : 'Banking',
          Rating: way === 1 ? 'Never' : null,
          Jigsaw: way === 2 ? 'x'.repeat(30) : null,
          Parent: way === 3 ? `${prefix}-parent` : null,
        }
      })
      // The key of the fifth way is one, and so is its record: the last that was sent.
      const intended = new Map(rows.map((row) => [row['External_Key__c'], row]))
      put(prefix, rows)
      const { Phone: _, ...fields } = {
        ...SCHEMA,
        Industry: 'string',
        Rating: 'string',
        Jigsaw: 'string',
        Parent: 'string',
      }
      const loading = flow(prefix, fields, {
        object: { keys: ['External_Key__c'], transform: [{ rename: { Parent: 'Parent.External_Key__c' } }] },
        destination: { options: { api } },
      })
      const run = await stage.start(loading)
      const calls = api === 'rest' ? '^PATCH .*composite' : '^(POST|PUT|PATCH|GET) .*jobs/ingest'
      await killed(calls, THOROUGH ? (api === 'rest' ? [9, 40, 3, 60, 1] : [0, 2, 3, 4, 6]) : [1])
      const first = (await run.result()).objects[0]!
      const bad = rows.filter((_row, at) => at % 100 === 7).length
      expect(first).toMatchObject({ read: UPSERTS, written: UPSERTS, delivered: { rejected: bad } })
      expect(first.delivered!.inserted + first.delivered!.updated).toBe(UPSERTS - bad)
      const kept = quarantined(loading.name)
      expect(kept).toHaveLength(bad)
      expect(new Set(kept.map(({ reason }) => reason.split(':')[0]))).toEqual(
        new Set([
          'FIELD_CUSTOM_VALIDATION_EXCEPTION',
          other,
          'STRING_TOO_LONG',
          'INVALID_FIELD',
          'DUPLICATE_EXTERNAL_ID',
        ]),
      )

      control.rules({ rules: [] })
      lengthen(80)
      const parent = control.insert({ object, rows: [{ Name: 'p', External_Key__c: `${prefix}-parent` }] }).ids[0]!
      control.purge({ object, ids: twins.ids.slice(1) })
      expect(await replay(loading)).toMatchObject({ objects: [{ read: bad, delivered: { rejected: 0 } }] })
      expect(quarantined(loading.name)).toEqual([])
      const all = () => written(prefix).filter((one) => one['External_Key__c'] !== `${prefix}-parent`)
      expect(all()).toHaveLength(intended.size)
      for (const record of all()) {
        const { Parent: of, Jigsaw: text, ...row } = intended.get(record['External_Key__c'] ?? '')!
        expect(record).toMatchObject({ ...row, ParentId: of === null ? null : parent })
        if (text !== null) expect(record['Jigsaw']).toBe(text)
      }
      control.reset()
      expect(await stage.run({ ...loading, run: REPLAY })).toMatchObject({ objects: [{ status: 'nothing', read: 0 }] })
      expect(control.log().filter(({ method }) => method !== 'GET')).toEqual([])
    },
    THOROUGH ? 1_500_000 : 120_000,
  )

  it(
    'new records through kills: none is lost, none doubled',
    async () => {
      const rows = Array.from({ length: INSERTS }, (_, at): Cells => ({
        Name: `new ${at}`,
        Phone: at % 2 ? `${at}` : null,
      }))
      put('new', rows)
      const schema = { Name: 'string', Phone: 'string' }
      control.ingest({ polls: 1 })
      const run = await stage.start(flow('new', schema, { destination: { write: 'append' } }))
      if (THOROUGH) await killed('^POST .*jobs/ingest', [0])
      await killed('^PUT .*jobs/ingest', [0])
      if (THOROUGH) await killed('^PATCH .*jobs/ingest', [1])
      await killed('^GET .*jobs/ingest', THOROUGH ? [0, 3] : [1])
      expect((await run.result()).objects[0]).toMatchObject({ delivered: { inserted: INSERTS, rejected: 0 } })
      control.ingest({ polls: 0 })
      const made = [...control.truth('Account')].filter(({ Name: name }) => /^new \d/.test(name ?? ''))
      expect(made).toHaveLength(INSERTS)
      expect(new Set(made.map(({ Name: name }) => name)).size).toBe(INSERTS)
    },
    THOROUGH ? 600_000 : 120_000,
  )

  it('update and delete find records by Id; a field without a value is cleared, or kept', async () => {
    const { ids } = control.insert({
      object: 'Account',
      rows: [0, 1, 2, 3].map((at) => ({ Name: `u${at}`, External_Key__c: `upd-${at}`, Phone: '1', Fax: '2' })),
    })
    const schema = { Id: 'string', Phone: 'string', Fax: 'string' }
    put('clear', [{ Id: ids[0]!, Phone: '9', Fax: null }])
    put('keep', [{ Id: ids[1]!, Phone: '9', Fax: null }])
    put(
      'gone',
      ids.slice(2).map((Id) => ({ Id, Phone: null, Fax: null })),
    )
    const update = { write: 'update' }
    const runs = [
      flow('clear', schema, { destination: update }),
      flow('keep', schema, { destination: { ...update, options: { nulls: 'keep' } } }),
      flow('gone', schema, { destination: { write: 'delete' } }),
    ]
    const results = await Promise.all(runs.map((one) => stage.run(one)))
    const delivered = results.map(({ objects }) => objects[0]!.delivered)
    expect(delivered).toMatchObject([{ updated: 1 }, { updated: 1 }, { deleted: 2 }])
    expect(written('upd-')).toMatchObject([
      { Id: ids[0], Phone: '9', Fax: null },
      { Id: ids[1], Phone: '9', Fax: '2' },
    ])
  })

  it('onReject: fail, and more than maxQuarantined: the run fails, and what was sent is not sent again', async () => {
    const rows = rowsOf('rej', 10)
    rows[3]!['Name'] = null
    for (const name of ['strict', 'most']) put(name, rows)
    const keyed = { keys: ['External_Key__c'] }
    const flows = [
      flow('strict', SCHEMA, { object: keyed, destination: { onReject: 'fail' } }),
      flow('most', SCHEMA, { object: keyed, more: { maxQuarantined: '5%' } }),
    ]
    const types = ['RecordsRejected', 'TooManyQuarantined']
    for (const [at, one] of flows.entries()) {
      const { objects } = await failureOf(stage.run(one))
      expect(objects[0]!.error).toMatchObject({
        type: types[at],
        message: expect.stringMatching(/1 of 10 records for Account were refused.*REQUIRED_FIELD_MISSING \(1\)/),
      })
      expect(quarantined(one.name)).toHaveLength(1)
      expect(written('rej-')).toHaveLength(9)
      control.reset()
      expect((await stage.run(one)).objects[0]).toMatchObject({ status: 'nothing' })
      expect(control.log().filter(({ method }) => method === 'PATCH')).toEqual([])
      expect(quarantined(one.name)).toHaveLength(1)
    }
    // What the flow itself refuses is counted before anything is committed.
    put(
      'invalid',
      rows.map((row) => ({ ...row, Contract_Value__c: 'x' })),
    )
    const invalid = flow('invalid', SCHEMA, { object: keyed, more: { maxQuarantined: 9 } })
    expect((await failureOf(stage.run(invalid))).objects[0]!.error).toMatchObject({
      type: 'TooManyQuarantined',
      message: expect.stringMatching(/10 of 10 records are invalid.*allows 9/),
    })
    const allowed = await stage.run({ ...invalid, maxQuarantined: 10 })
    expect(allowed.objects[0]).toMatchObject({ read: 10, quarantined: 10 })
  })

  it('a lane into a lake: what the flow refused goes through the flow as it is by then', async () => {
    put('cast', [{ n: '1' }, { n: 'two' }, { n: 'three' }])
    const loading = flow('cast', { n: 'string' }, { object: { into: 'cast', transform: [{ cast: { n: 'int64' } }] } })
    const casting = { ...loading, destination: { connection: 'lake', prefix: 'replayed' } }
    expect((await stage.run(casting)).objects[0]).toMatchObject({ written: 1, quarantined: 2 })
    const mended = { mapValues: { fields: ['n'], values: { two: '2' } } }
    const { source } = casting as unknown as { source: { objects: object[] } }
    const objects = source.objects.map((one) => ({ ...one, transform: [mended, { cast: { n: 'int64' } }] }))
    const now = { ...casting, source: { ...source, objects } }
    expect(await stage.run({ ...now, run: REPLAY })).toMatchObject({
      objects: [{ read: 2, written: 1, quarantined: 1 }],
    })
    const read = async () => queryFiles(join(stage.lake, 'replayed/cast'), 'SELECT n::text AS n FROM files ORDER BY n')
    expect(await read()).toEqual([{ n: '1' }, { n: '2' }])
    const left = { by: 'flow', rule: 'cast', attempt: 2, record: { n: 'three' } }
    expect(quarantined(now.name, 'lake')).toMatchObject([left])
    expect(await stage.run({ ...now, run: REPLAY })).toMatchObject({
      objects: [{ read: 1, written: 0, quarantined: 1 }],
    })
    expect(await stage.run(now)).toMatchObject({ objects: [{ status: 'nothing' }] })
    expect(await read()).toEqual([{ n: '1' }, { n: '2' }])
  })

  it('wrong inputs are told before anything is written', async () => {
    put('wrong', rowsOf('wrong', 2))
    const keys = ['External_Key__c']
    const renamed = (Phone: string) => ({ object: { keys, transform: [{ rename: { Phone } }] } })
    const keyed = { object: { keys } }
    const wrong: [string, object, RegExp][] = [
      ['no key', {}, /keys are missing.*one of: .*External_Key__c/s],
      ['a key that finds nothing', { object: { keys: ['Phone'] } }, /not found by Phone/],
      ['a key that is not written', { object: { keys, transform: [{ drop: keys }] } }, /External_Key__c is not among/],
      ['a field that is not there', renamed('Phon'), /no field Phon.*Did you mean Phone/s],
      ['a field that is not writable', renamed('SystemModstamp'), /SystemModstamp of Account cannot be written/],
      ['another type', renamed('NumberOfEmployees'), /NumberOfEmployees is string, and Account takes int32/],
      ['an object that is not there', { object: { keys, into: 'Acount' } }, /no Acount/],
      ['keys that are not taken', { ...keyed, destination: { write: 'append' } }, /append finds no records/],
      ['an option that is not there', { ...keyed, destination: { options: { apis: 'rest' } } }, /apis/],
      ['a write that is not there', { ...keyed, destination: { write: 'replace' } }, /replace/],
      ['files', { ...keyed, destination: { prefix: 'a' } }, /`prefix` is for files/],
      ['a replay that reads', { ...keyed, more: { run: { replay: true, full: true } } }, /reads nothing of the source/],
    ]
    // One lane, one run at a time.
    for (const [name, of, pattern] of wrong) {
      expect(JSON.stringify(await failureOf(stage.run(flow('wrong', SCHEMA, of)))), name).toMatch(pattern)
    }
    const body = JSON.stringify([{ errorCode: 'INSUFFICIENT_ACCESS', message: 'insufficient access rights' }])
    control.fault({ match: 'describe', times: 0, do: { answer: { status: 403, body } } })
    expect(JSON.stringify(await failureOf(stage.run(flow('wrong', SCHEMA, keyed))))).toMatch(/insufficient access/)
    expect(written('wrong-')).toEqual([])
  })

  it('the example: files of a bucket become accounts, new ones and known ones, below their parents', async (test) => {
    const s3 = await orSkip(startTestVersitygw(), 'records of a bucket')
    test.skip(s3 === null, 'there is no versitygw here')
    const [parent] = control.insert({ object: 'Account', rows: [{ Name: 'Group', External_Key__c: 'ex-group' }] }).ids
    control.insert({ object: 'Account', rows: [{ Name: 'Old', External_Key__c: 'ex-1', Phone: '1' }] })
    try {
      const bucket = await s3!.createBucket()
      const Body = [
        'number,name,value,closed,parent',
        'ex-1,"New, ""quoted""",1234567890123456.70,yes,ex-group',
        'ex-2,Ünïcode,n/a,no,',
        'ex-3,Third,many,no,',
        'ex-4,Fourth,4,no,ex-nobody',
        '',
      ].join('\n')
      await s3!.client.send(new PutObjectCommand({ Bucket: bucket, Key: 'contracts/1.csv', Body }))
      const { url: endpoint, region } = s3!
      const place = { connector: 's3', bucket, endpoint, region, taskQueue: stage.queue }
      const env = { AWS_ACCESS_KEY_ID: s3!.accessKeyId, AWS_SECRET_ACCESS_KEY: s3!.secretAccessKey }
      await connect({ bucket: place }, env)
      const example = parse(readFileSync(EXAMPLE, 'utf8')) as { source: object; destination: object }
      const destination = { ...example.destination, connection: stage.crm }
      const loading = stage.flow(JSON.stringify({ ...example, maxQuarantined: 2, destination }))
      const [result] = (await stage.run(loading)).objects
      expect(result).toMatchObject({ read: 4, quarantined: 1, delivered: { inserted: 1, updated: 1, rejected: 1 } })
      const first = { Name: 'New, "quoted"', Contract_Value__c: '1234567890123456.70', Active__c: 'false', Phone: '1' }
      expect(written('ex-')).toMatchObject([
        { External_Key__c: 'ex-group' },
        { ...first, External_Key__c: 'ex-1', ParentId: parent },
        { External_Key__c: 'ex-2', Name: 'Ünïcode', Contract_Value__c: '0.00', Active__c: 'true', ParentId: null },
      ])
    } finally {
      await s3!.stop()
    }
  })
})
