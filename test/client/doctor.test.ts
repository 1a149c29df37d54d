/** `lakeward doctor` as it is typed: what is well, what is not, and what to do. The proof of stores is in test/lake. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { readFileSync } from 'node:fs'
import type { Check, Finding } from '../../connectors/check.ts'
import { clockFinding } from '../../client/commands/doctor/clocks.ts'
import { nodeVersion } from '../../client/commands/doctor/installation-checks.ts'
import type { Stage } from '../e2e/stage.ts'
import { openStage } from '../e2e/stage.ts'
import { describeWithTemporal } from '../temporal.ts'
import { flowOf } from './stand-in/flows.ts'
import { recorded } from './stand-in/recorder.ts'

const stateOf = (finding: Finding): string => (typeof finding === 'string' ? 'ok' : finding.state)

it.each([
  ['18.20.0', 'failed'],
  ['20.18.9', 'failed'],
  ['20.19.0', 'warning'],
  ['22.1.0', 'ok'],
  ['24.21.0', 'ok'],
])('Node.js %s: %s', (version, state) => {
  expect(stateOf(nodeVersion(version))).toBe(state)
})

it.each([
  [0, 0, 'ok'],
  [2_900, 0, 'ok'],
  [-4_000, 0, 'warning'],
  [60_000, 40_000, 'warning'],
  [40_000, 40_000, 'ok'],
  [-301_000, 0, 'failed'],
  [3_600_000, 40_000, 'failed'],
])('a clock that is %i ms ahead, known within %i ms: %s', (ahead, unsure, state) => {
  expect(stateOf(clockFinding(ahead, unsure))).toBe(state)
})

describeWithTemporal('doctor', (temporal) => {
  let stage: Stage
  const installation = () => join(stage.directory, 'lakeward.yaml')
  const doctor = (...args: string[]) =>
    recorded('doctor', '--address', temporal.address, '--config', installation(), ...args)
  async function checks(
    ...args: string[]
  ): Promise<{ code: number; of: (name: string) => Check | undefined; all: Check[] }> {
    const { code, out } = await doctor('--json', ...args)
    const all = JSON.parse(out) as Check[]
    return { code, all, of: (wanted) => all.find(({ name }) => name === wanted) }
  }
  function connections(more: Record<string, object>): void {
    const written = parse(readFileSync(installation(), 'utf8')) as { connections: Record<string, object> }
    Object.assign(written.connections, more)
    writeFileSync(installation(), stringify(written))
  }

  beforeAll(async () => {
    stage = await openStage(temporal, { salesforce: { accounts: 5, opportunities: 5, contacts: 5 } })
    Object.assign(process.env, stage.env)
    const login = { type: 'client_credentials', clientId: 'stage-client', clientSecret: { env: 'WRONG_SECRET' } }
    process.env['WRONG_SECRET'] = 'another secret'
    const crm = { connector: 'salesforce', loginUrl: stage.sandbox.url, auth: login, taskQueue: stage.queue }
    connections({
      [`wrong-${stage.id}`]: crm,
      [`absent-${stage.id}`]: { ...crm, auth: { ...login, clientSecret: { env: 'NO_SUCH_SECRET' } } },
      [`nowhere-${stage.id}`]: { ...crm, loginUrl: 'http://127.0.0.1:1' },
      'lake-file': { connector: 'file', path: './a-file' },
    })
    writeFileSync(join(stage.directory, 'a-file'), 'not a directory')
  })
  afterAll(async () => {
    await stage.stop()
  })

  describe('of a connection', () => {
    it('a source: who is logged in, the clock, what can be read', async () => {
      const { code, of } = await checks(stage.crm)
      expect(of('login')).toMatchObject({ state: 'ok', found: expect.stringMatching(/^as 00D\w+\/005\w+$/) })
      expect(of('clock')?.state).toBe('ok')
      expect(of('objects')).toMatchObject({ state: 'ok', found: expect.stringMatching(/^\d+ objects can be read/) })
      expect(code).toBe(0)
    })

    it('a lake: a table for people, and nothing is left in it', async () => {
      const { code, out, said } = await doctor('lake')
      expect(out).toMatch(/^ok {2,}race of creates {2,}16 at once for one key, 20 times: always one winner$/m)
      expect(out).toMatch(/^ok {2,}fsync /m)
      expect(said).toMatch(/\d+ checks/)
      expect(code).toBe(0)
    })

    it.each<[string, number, RegExp, RegExp]>([
      ['wrong', 4, /invalid client credentials/, /Check clientId and clientSecret/],
      ['absent', 4, /NO_SUCH_SECRET is not set/, /./],
      ['nowhere', 1, /nothing listens at 127\.0\.0\.1:1/, /./],
      ['lake-file', 1, /ENOTDIR|not a directory/, /./],
    ])('%s: exit code %i', async (name, code, found, advice) => {
      const { code: ended, out, said } = await doctor(name === 'lake-file' ? name : `${name}-${stage.id}`)
      expect(out).toMatch(/^FAILED/m)
      expect(said).toMatch(found)
      expect(said).toMatch(advice)
      expect(said).not.toMatch(/\n\s+at /)
      expect(ended).toBe(code)
    })

    it('one that is not there, and an installation that is not there', async () => {
      const missing = await doctor('lkae')
      expect(missing).toMatchObject({
        code: 2,
        said: expect.stringContaining("no connection lkae, did you mean 'lake'"),
      })
      const none = await recorded('doctor', 'lake', '--config', join(stage.directory, 'none.yaml'))
      expect(none).toMatchObject({ code: 2, said: expect.stringContaining('none.yaml') })
    })
  })

  describe('of the installation', () => {
    it('without a worker: nobody polls, said with the queue; the rest is told all the same', async () => {
      const { code, of } = await checks()
      expect(of('installation')).toMatchObject({ state: 'ok', found: expect.stringContaining(stage.crm) })
      expect(of('key pii')?.state).toBe('ok')
      expect(of('state')).toMatchObject({ state: 'ok', found: expect.stringContaining('the key opens them') })
      expect(of(`clock of ${stage.crm}`)?.state).toBe('ok')
      expect(of('Temporal')?.found).toMatch(/server \d/)
      expect(of('namespace')?.state).toBe('ok')
      expect(of('search attributes')).toMatchObject({ state: 'ok', found: expect.stringContaining('LakewardFlow') })
      expect(of(`worker on ${stage.queue}`)).toMatchObject({
        state: 'failed',
        found: `nobody polls task queue ${stage.queue}`,
        advice: expect.stringContaining('lakeward worker'),
      })
      expect(code).toBe(1)
    })

    it('with a worker, and a flow on a queue that nobody polls', async () => {
      const worker = await stage.startWorker()
      const flow = join(stage.directory, 'queue.yaml')
      writeFileSync(flow, stringify(flowOf(`queue-${stage.id}`, { taskQueue: `${stage.queue}-other` })))
      await recorded('apply', flow, '--address', temporal.address)
      const { of } = await checks()
      await recorded('delete', `queue-${stage.id}`, '--address', temporal.address)
      await worker.kill()
      expect(of(`worker on ${stage.queue}`)).toMatchObject({ state: 'ok', found: '1 worker' })
      expect(of('clock of Temporal')?.state).toBe('ok')
      expect(of(`worker on ${stage.queue}-other`)?.state).toBe('failed')
    })

    it.each<[string, () => string[], RegExp, string[]]>([
      ['no server', () => ['--address', '127.0.0.1:1'], /it does not answer/, ['Temporal']],
      ['no namespace', () => ['--namespace', 'no-such'], /the namespace does not exist/, ['namespace']],
      ['no address', () => ['--address', 'http://x'], /is no address/, ['Temporal']],
      ['no installation', () => ['--config', join(stage.directory, 'none.yaml')], /none\.yaml/, ['installation']],
      [
        'a key that is not there',
        () => ['--config', other('keys: { pii: { env: NO_SUCH_KEY } }')],
        /NO_SUCH_KEY/,
        ['key pii'],
      ],
    ])('%s: what else can be told is told', async (_, args, found, failing) => {
      const { code, all } = await checks(...args())
      const failures = all.filter(({ name, state }) => state === 'failed' && !name.startsWith('worker on'))
      expect(failures.map(({ name }) => name)).toEqual(expect.arrayContaining(failing))
      expect(failures.map((failure) => failure.found).join()).toMatch(found)
      expect(all.length).toBeGreaterThan(2)
      expect(code).toBe(1)
    })

    it('a state that was written with another key', async () => {
      const before = process.env['LAKEWARD_STATE_KEY']
      process.env['LAKEWARD_STATE_KEY'] = Buffer.alloc(32, 7).toString('base64')
      const { of } = await checks()
      if (before === undefined) delete process.env['LAKEWARD_STATE_KEY']
      else process.env['LAKEWARD_STATE_KEY'] = before
      expect(of('state')).toMatchObject({ state: 'failed', found: expect.stringMatching(/another key/) })
    })
  })

  function other(lines: string): string {
    const folder = join(stage.directory, 'other')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'lakeward.yaml'), `version: 1\nconnections: {}\n${lines}\n`)
    return join(folder, 'lakeward.yaml')
  }
})
