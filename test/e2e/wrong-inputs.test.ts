/**
 * Wrong inputs, told where they are typed: what is wrong, where, and what to do; the right exit code, no stack trace,
 * and nothing in the lake that was not there before. What needs a run is in `wrong-runs.test.ts`; what the grammar of
 * the two files refuses by itself is in `test/flow`.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { recorded } from '../client/stand-in/recorder.ts'
import type { FaultAction } from '../sandboxes/salesforce/faults.ts'
import { describeWithTemporal } from '../temporal.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'
import { openWrongPlaces } from './wrong-places.ts'
import type { WrongPlaces } from './wrong-places.ts'

/** What is said: what and where, then what to do. */
type Told = [what: RegExp, todo: RegExp]

describeWithTemporal('wrong inputs', (temporal) => {
  let stage: Stage
  let places: WrongPlaces
  let flows = 0
  beforeAll(async () => {
    stage = await openStage(temporal, {
      salesforce: { accounts: 60, opportunities: 20, contacts: 20, pageRows: 20 },
      lake: 'file',
    })
    places = await openWrongPlaces(stage)
    Object.assign(process.env, stage.env)
  })
  afterAll(async () => {
    await places.stop()
    await stage.stop()
  })
  afterEach(() => {
    // Commands that only look leave nothing behind, not even a lake's identity.
    expect(existsSync(stage.lake)).toBe(false)
  })

  const connection = (name: string) => (name === 'crm' || name === 'lake' ? name : `${name}-${stage.id}`)
  const at = () => ['--config', join(stage.directory, 'lakeward.yaml'), '--address', temporal.address]
  async function tells(code: number, [what, todo]: Told, ...args: string[]): Promise<void> {
    const { out, said, code: ended } = await recorded(...args, ...at())
    expect(said).toMatch(/^error: /)
    expect(said.split('\n')[0]).toMatch(what)
    expect(said).toMatch(todo)
    expect(said).not.toMatch(/\n\s+at |undefined|\[object/)
    expect([ended, out]).toEqual([code, ''])
  }
  function file(text: string | object, name = `flow-${flows++}.yaml`): string {
    const path = join(stage.directory, name)
    writeFileSync(path, typeof text === 'string' ? text : stringify(text))
    return path
  }
  const flowOf = (object: object | string, more: object = {}, destination: object = {}) => ({
    version: 1,
    name: `wrong-${stage.id}`,
    taskQueue: stage.queue,
    source: { connection: stage.crm, objects: [object], ...more },
    destination: { connection: 'lake', ...destination },
  })

  describe('credentials', () => {
    it.each<[string, RegExp, RegExp]>([
      ['absent', /log in to absent.*clientSecret: .*NO_SUCH_SECRET is not set/, /Set NO_SUCH_SECRET/],
      ['empty', /variable EMPTY_SECRET is empty/, /Give EMPTY_SECRET its value/],
      ['no-file', /the secret's file .*secrets\/none does not exist/, /Name a file/],
      ['wrong', /400 invalid_client: invalid client credentials/, /Check clientId and clientSecret/],
      ['client', /400 invalid_client_id/, /Check clientId and clientSecret/],
      ['nobody', /no client credentials user enabled/, /Choose a run-as user/],
      ['revoked', /expired access\/refresh token/, /Log in again, put the new refresh token where/],
    ])('%s', async (name, what, todo) => {
      await tells(4, [what, todo], 'fields', connection(name), 'Account')
    })

    it('a session that is refused again and again, and a user that may not', async () => {
      const { control } = stage.sandbox
      const answer = (status: number, errorCode: string) => ({
        answer: { status, body: JSON.stringify([{ errorCode, message: 'no' }]) },
      })
      control.fault({ match: 'sobjects/User/describe', times: 0, do: answer(401, 'INVALID_SESSION_ID') })
      await tells(
        4,
        [/describe User failed: 401 INVALID_SESSION_ID/, /new token was refused/],
        'fields',
        stage.crm,
        'User',
      )
      control.clearFaults()
      control.fault({ match: 'sobjects/User/describe', times: 0, do: answer(403, 'API_DISABLED_FOR_ORG') })
      await tells(4, [/403 API_DISABLED_FOR_ORG/, /profile lacks API access/], 'fields', stage.crm, 'User')
      control.clearFaults()
    })

    it('as a process: the same words, and no stack trace', async () => {
      const { code, stdout, stderr } = await stage.lakeward('fields', connection('wrong'), 'Account')
      expect(stderr).toMatch(/^error: .*invalid client credentials\n {2}Check clientId and clientSecret.*\n$/)
      expect([code, stdout]).toEqual([4, ''])
    })
  })

  describe('hosts', () => {
    it.each<[string, number, RegExp, RegExp]>([
      ['unknown', 1, /no host unknown\.invalid|unknown\.invalid could not be looked up/, /address in lakeward\.yaml/],
      ['refused', 1, /nothing listens at 127\.0\.0\.1:1$/, /address in lakeward\.yaml right/],
      ['tls', 1, /127\.0\.0\.1:\d+ does not speak TLS/, /Is it https in lakeward\.yaml/],
      ['page', 1, /200 with an HTML page titled "Router login" where a token was due/, /address of the connection/],
      ['redirect', 1, /302 sends us away to https:\/\/elsewhere\.invalid$/, /put the right one into lakeward\.yaml/],
      ['missing', 4, /404 with an empty body/, /no token endpoint at this address/],
      ['closes', 1, /127\.0\.0\.1:\d+ closed the connection/, /often heals by itself/],
    ])('%s', async (name, code, what, todo) => {
      await tells(code, [what, todo], 'fields', connection(name), 'Account')
    })
  })

  describe('answers', () => {
    const { longer, stray, boom } = {
      longer: { lengthOff: 7 },
      stray: { answer: { status: 200, body: '{"totalSize":1,"done":true,"records":[{"Name":"x"}]}' } },
      boom: { answer: { status: 500, body: '[{"errorCode":"UNKNOWN_EXCEPTION","message":"boom"}]' } },
    }
    const heals = /often heals by itself/
    const elsewhere = /Perhaps something else answers there/
    // Faults are told apart by the object, so that the pauses between attempts pass side by side.
    it.concurrent.each<[string, string, FaultAction, RegExp, RegExp]>([
      ['a page for people', 'Account', { html: 200 }, /an HTML page titled "Hold on" where whole JSON/, elsewhere],
      ['half a document', 'Opportunity', { cut: 300 }, /200 with 300 bytes of .*json where whole JSON/, elsewhere],
      ['a body that is too short', 'Contact', longer, /closed the connection before its answer was whole/, heals],
      ['500 that stays', 'Task', boom, /500 UNKNOWN_EXCEPTION: boom/, heals],
      [
        'JSON of another kind',
        'User',
        { answer: { status: 200, body: '[1]' } },
        /the answer is of another kind/,
        elsewhere,
      ],
    ])('%s', async (_, object, fault, what, todo) => {
      stage.sandbox.control.fault({ match: `sobjects/${object}/describe`, times: 0, do: fault })
      await tells(1, [what, todo], 'fields', stage.crm, object)
    })

    it.each<[string, FaultAction, RegExp]>([
      ['the same cursor twice', { repeatCursor: true }, /read Account failed: the same nextRecordsUrl came twice/],
      ['a record without its Id', stray, /a record has no Id/],
    ])('%s', async (_, fault, what) => {
      stage.sandbox.control.clearFaults()
      stage.sandbox.control.fault({ match: '/query/?.*(SELECT Id|0r8)', skip: 1, times: 0, do: fault })
      const path = file(flowOf('Account'))
      const { code, said } = await recorded('preview', path, '--rows', '50', ...at())
      stage.sandbox.control.clearFaults()
      expect(said).toMatch(/^error: /)
      expect(said).toMatch(what)
      expect(said).toMatch(elsewhere)
      expect(code).toBe(1)
    })

    it('500s that heal are nobody’s business', async () => {
      stage.sandbox.control.fault({ match: 'sobjects/Account/describe', times: 2, do: boom })
      expect(await recorded('fields', stage.crm, 'Account', ...at())).toMatchObject({ code: 0 })
      expect(stage.sandbox.control.pendingFaults()).toBe(0)
    })
  })

  describe('references', () => {
    const otherKey = Buffer.alloc(32, 2).toString('base64')
    const hashed = (name: string) => ({ object: 'Account', transform: [{ hash: { fields: ['Name'], key: name } }] })
    it('a connection, an object and keys that are not there', async () => {
      const unknown = file(flowOf('Account', { connection: 'cmr' }))
      await tells(2, [/lakeward\.yaml: it has no connection cmr/, /It has: crm-/], 'preview', unknown)
      await tells(
        2,
        [/no object Acount .*did you mean 'Account'/, /lakeward objects/],
        'preview',
        file(flowOf('Acount')),
      )
      await tells(2, [/keys\.none: .*no key none/, /There are: pii, absent/], 'preview', file(flowOf(hashed('none'))))
      const absent = file(flowOf(hashed('absent')))
      await tells(2, [/keys\.absent: .*NO_SUCH_KEY is not set/, /Set NO_SUCH_KEY/], 'preview', absent)
    })

    it('a key of the state that is none, or is not the one it was written with', async () => {
      const fields = ['fields', stage.crm, 'Account']
      process.env['LAKEWARD_STATE_KEY'] = 'short'
      await tells(4, [/LAKEWARD_STATE_KEY is no key: 32 bytes/, /openssl rand -base64 32/], ...fields)
      process.env['LAKEWARD_STATE_KEY'] = otherKey
      await tells(4, [/\.lakeward\/state\/.* was written with another key/, /Set LAKEWARD_STATE_KEY/], ...fields)
      delete process.env['LAKEWARD_STATE_KEY']
      expect(await recorded(...fields, ...at())).toMatchObject({ code: 0 })
    })
  })

  describe('transforms, filters and partitions against the description', () => {
    const steps = (...transform: object[]) => flowOf({ object: 'Account', transform })
    it.each<[string, () => object, RegExp, RegExp]>([
      [
        'a field that is not there',
        () => steps({ drop: ['Nmae'] }),
        /Account transform\[0\]\.drop: .*'Name'\?/,
        /Steps/,
      ],
      [
        'a field that was renamed before',
        () => steps({ rename: { Name: 'n' } }, { mask: { fields: ['Name'] } }),
        /transform\[1\]\.mask\.fields: there is no field 'Name' at this step/,
        /the names that the steps before them leave/,
      ],
      ['mask on a number', () => steps({ mask: { fields: ['NumberOfEmployees'] } }), /is int32, and mask/, /Cast it/],
      ['a cast that cannot be', () => steps({ cast: { IsDeleted: 'date' } }), /cannot be cast to date/, /Cast it to/],
      ['two fields of one name', () => steps({ rename: { Name: 'Phone' } }), /two fields would be called/, /Choose/],
      [
        'a sum with text',
        () => steps({ arithmetic: { into: 'x', add: ['Name', 1] } }),
        /arithmetic\.add\[0\]: 'Name' is string/,
        /Cast it to a number/,
      ],
      [
        'a filter of another type',
        () => flowOf({ object: 'Account', where: { NumberOfEmployees: { eq: 'many' } } }),
        /where\.NumberOfEmployees\.eq: .*'many' is no number/,
        /field's own type/,
      ],
      [
        'a partition by nothing',
        () => flowOf('Account', {}, { partitionBy: ['Regoin'] }),
        /destination\.partitionBy\[0\]: the output has no field 'Regoin'/,
        /names of the output/,
      ],
      [
        'a cursor that is no time',
        () => flowOf({ object: 'Account', cursorField: 'Name' }),
        /Account cursorField: Name is no date-time/,
        /use SystemModstamp/,
      ],
    ])('%s', async (_, flow, what, todo) => {
      await tells(2, [what, todo], 'preview', file(flow()))
    })
  })

  describe('commands', () => {
    it.each<[string, string[], RegExp, RegExp]>([
      [
        'a flow that nobody applied',
        ['run', 'nightly'],
        /nightly: there is no flow of this name/,
        /lakeward (list|apply)/,
      ],
      ['the same, to be paused', ['pause', 'nightly'], /nightly: there is no flow/, /lakeward (list|apply)/],
      ['a file that is not there', ['run', 'no.yaml'], /no\.yaml: does not exist/, /./],
      ['an object of no flow', ['run', 'FLOW', '--objects', 'Acount'], /--objects: .*did you mean/, /It has: Account/],
      ['a time that is none', ['run', 'FLOW', '--from', 'yesterday', '--to', '2026-01-01'], /--from/, /\n {2}\S/],
      ['a window that ends nowhere', ['run', 'FLOW', '--to', '2026-01-01'], /--(from|to)/, /\n {2}\S/],
      ['rows of no number', ['preview', 'FLOW', '--rows', '0'], /--rows: "0" is no number/, /whole number/],
      ['no such option', ['run', 'FLOW', '--wiat'], /unknown option '--wiat'/, /--wait/],
    ])('%s', async (_, args, what, todo) => {
      const flow = file(flowOf('Account'), 'flow.yaml')
      await tells(2, [what, todo], ...args.map((arg) => (arg === 'FLOW' ? flow : arg)))
    })
  })

  describe('an installation that a worker cannot start with', () => {
    const crm = (more: string) =>
      `version: 1\nconnections:\n  crm: { connector: salesforce, loginUrl: https://a.example, ${more} }\n`
    it.each<[string, string | null, RegExp, RegExp]>([
      ['is not there', null, /worker-0\.yaml: does not exist/, /lakeward init.*--config/],
      ['is empty', '', /worker-1\.yaml: is empty/, /version: 1/],
      ['is no YAML', 'version: [', /worker-2\.yaml:\d+/, /./],
      [
        'has an unknown connector',
        'version: 1\nconnections: { a: { connector: salesfroce } }',
        /'salesforce'\?/,
        /known/,
      ],
      [
        'has a secret',
        crm('auth: { type: client_credentials, clientId: a, clientSecret: b }'),
        /plain text/,
        /env: NAME/,
      ],
      ['has a host over plain http', crm('x: 1').replace('https', 'http'), /plain http/, /allowInsecure/],
    ])('%s', async (name, text, what, todo) => {
      const names = ['is not there', 'is empty', 'is no YAML', 'has an unknown connector', 'has a secret']
      const path = `worker-${names.indexOf(name)}.yaml`
      if (text !== null) file(text, path)
      const { code, out, said } = await recorded('worker', '--config', join(stage.directory, path), ...at().slice(2))
      expect(said).toMatch(/^error: /)
      expect(said).toMatch(what)
      expect(said).toMatch(todo)
      expect(said).not.toMatch(/\n\s+at /)
      expect([code, out]).toEqual([2, ''])
    })
  })
})
