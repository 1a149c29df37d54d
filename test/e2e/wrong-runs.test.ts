/**
 * Wrong inputs that only a run meets: what `run --wait` says of them, its exit code, and a lake in which all that was
 * committed stays as it was.
 */
import { createHash } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { LakewardClient } from '../../client/index.ts'
import { recorded } from '../client/stand-in/recorder.ts'
import type { Recorded } from '../client/stand-in/recorder.ts'
import { describeWithTemporal } from '../temporal.ts'
import { NO_WORK, SAME, dataFiles, sameRows, workOf } from './lane-files.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'
import { until } from './until.ts'
import { openWrongPlaces } from './wrong-places.ts'
import type { WrongPlaces } from './wrong-places.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

describeWithTemporal('wrong runs', (temporal) => {
  let stage: Stage
  let places: WrongPlaces
  let kept: string
  beforeAll(async () => {
    const salesforce = { accounts: 200, opportunities: 20, contacts: 150, pageRows: 100 }
    stage = await openStage(temporal, { salesforce, lake: 'file' })
    places = await openWrongPlaces(stage, { clocks: clocks.length })
    Object.assign(process.env, stage.env)
    await stage.startWorker({ args: ['--task-queue', stage.queue] })
    await runs(0, [/done: 200 rows in 1 file/], flowOf('kept'))
    kept = contentOf('kept')
  })
  afterAll(async () => {
    expect(contentOf('kept'), 'what was committed before all of this').toBe(kept)
    await places.stop()
    await stage.stop()
  })

  const connection = (name: string) => `${name}-${stage.id}`
  function flowOf(name: string, source: object = {}, destination: object = {}) {
    return {
      version: 1,
      name: `${name}-${stage.id}`,
      taskQueue: stage.queue,
      source: { connection: stage.crm, settle: '0s', objects: [{ object: 'Account', into: name }], ...source },
      destination: { connection: 'lake', ...destination },
    }
  }
  /** Runs a flow as typed, and looks at all that a person is told. */
  async function runs(code: number, says: RegExp[], flow: { name: string }, ...flags: string[]): Promise<Recorded> {
    const path = join(stage.directory, `${flow.name}.yaml`)
    writeFileSync(path, stringify(flow))
    const told = await recorded('run', path, '--wait', ...flags, '--address', temporal.address)
    const text = `${told.said}\n${told.out}`
    for (const what of says) expect(text).toMatch(what)
    expect(text).not.toMatch(/\n\s+at |undefined|\[object/)
    expect(told.code, text).toBe(code)
    return told
  }
  const lane = (name: string) => join(stage.lake, '_lakeward', `${name}-${stage.id}`, 'Account')
  const entry = (name: string) => join(lane(name), 'commits', '00000001.json')
  /** Data and ledger of a flow: all that a reader of the lake relies on. */
  function contentOf(name: string): string {
    const ledger = dataFiles(stage, join('_lakeward', `${name}-${stage.id}`, 'Account', 'commits'))
    const hash = createHash('sha256')
    for (const path of [...dataFiles(stage, name), ...ledger]) hash.update(path).update(readFileSync(path))
    return hash.digest('hex')
  }

  describe('flows that the workers cannot run, and logins that are refused', () => {
    const object = (more: object) => ({ objects: [{ object: 'Account', ...more }] })
    it.concurrent.each<[string, number, () => [object, object?], RegExp[]]>([
      [
        'a connection that the workers do not have',
        2,
        () => [{ connection: 'cmr' }],
        [/failed after .*source\.connection: no connection is called cmr/, /The workers' lakeward\.yaml has: crm-/],
      ],
      [
        'files that nothing says how to read',
        2,
        () => [{ connection: 'lake' }],
        [/Account: FlowInvalid: .*file has files, and nothing says how 'Account' is read/],
      ],
      [
        'a destination that has no files',
        2,
        () => [{}, { connection: stage.crm, format: 'csv' }],
        [/destination\.format: `format` is for files, and salesforce has none/],
      ],
      [
        'a step that the description refuses',
        2,
        () => [object({ transform: [{ drop: ['Nmae'] }] })],
        [/Account: FlowInvalid: .*drop: there is no field 'Nmae'/, /failed after .*: 1 of 1 object failed/],
      ],
      [
        'a key whose secret is not there',
        2,
        () => [object({ transform: [{ hash: { fields: ['Name'], key: 'absent' } }] })],
        [/keys\.absent: the environment variable NO_SUCH_KEY is not set.*Set NO_SUCH_KEY/],
      ],
      [
        'a secret that is not there',
        4,
        () => [{ connection: connection('absent') }],
        [/ConnectionUnauthorized: .*clientSecret: the environment variable NO_SUCH_SECRET is not set/],
      ],
      [
        'a secret that is wrong',
        4,
        () => [{ connection: connection('wrong') }],
        [/ConnectionUnauthorized: .*invalid client credentials Check clientId and clientSecret/],
      ],
      [
        'a login that was revoked',
        4,
        () => [{ connection: connection('revoked') }],
        [/ConnectionUnauthorized: .*expired access\/refresh token Salesforce no longer takes this login/],
      ],
      [
        'one object of two that is not there',
        5,
        () => [{ objects: ['Account', 'Acount'] }, { prefix: 'partly' }],
        [/partly after .*: 1 of 2 objects failed/, /Acount: ObjectMissing/],
      ],
      ['a lake that is a file', 1, () => [{}, { connection: 'lake-file' }], [/LakeUnusable: ENOTDIR.*name another/]],
      ['a lake below a file', 1, () => [{}, { connection: 'lake-below' }], [/LakeUnusable: ENOTDIR.*lakeward\.yaml/]],
      ['a lake of a path too long', 1, () => [{}, { connection: 'lake-long' }], [/LakeUnusable: ENAMETOOLONG/]],
    ])('%s', async (name, code, parts, says) => {
      await runs(code, says, flowOf(`r-${name.replaceAll(' ', '-')}`, ...parts()))
    })

    it('a lake that may not be written: the run says so, and waits for a person', async () => {
      const lakeward = new LakewardClient(stage.client)
      const run = await lakeward.run(flowOf('locked', {}, { connection: 'lake-locked' }))
      for await (const { objects } of lakeward.follow(run, { everyMs: 200 })) {
        const held = objects[0]?.held ?? ''
        if (!/attempt 2/.test(held)) continue
        expect(held).toMatch(/E(ACCES|PERM|ROFS): .*mend the permissions; the step is tried again/)
        break
      }
      await stage.client.workflow.getHandle(run.workflowId).terminate()
    })
  })

  describe('a lake that is not what it was', () => {
    beforeAll(async () => {
      await stage.run(flowOf('hurt'))
    })

    it.each<[string, (path: string) => void, RegExp]>([
      [
        'an entry cut in half',
        (path) => writeFileSync(path, readFileSync(path, 'utf8').slice(0, 300)),
        /LedgerDamaged: .*00000001\.json: an entry is not readable as JSON\. Nothing was changed\. Restore the file/,
      ],
      [
        'an entry of another kind',
        (path) => writeFileSync(path, '{"version":1,"n":1,"kind":"rebase"}'),
        /LedgerDamaged: .*00000001\.json: an entry is not of its shape: kind .* Restore the file/,
      ],
      ['an entry that is gone', rmSync, /LedgerDamaged: .*entry 1 is missing from the ledger.* Restore the file/],
      [
        'an entry of a later version',
        (path) => writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), version: 9 })),
        /LedgerDamaged: .*an entry has version 9.*newer Lakeward: use that one/,
      ],
      [
        'an outcome that is none',
        (path) => writeFileSync(path.replace(/json$/, 'outcome'), ''),
        /LedgerDamaged: .*00000001\.outcome: an outcome is not readable.* Restore the file/,
      ],
    ])('%s', async (name, damage, says) => {
      const paths = [entry('hurt'), entry('hurt').replace(/json$/, 'outcome')]
      const whole = paths.map((path) => readFileSync(path))
      damage(entry('hurt'))
      const before = contentOf('hurt')
      // A whole new read could write past the damage; it must not.
      await runs(1, [says], flowOf('hurt'), ...(name.includes('version') ? ['--full'] : []))
      expect(contentOf('hurt')).toBe(before)
      expect(workOf(stage, flowOf('hurt').name, 'Account')).toEqual(NO_WORK)
      for (const [at, path] of paths.entries()) writeFileSync(path, whole[at]!)
    })

    it('is read on from where it was, when it is mended', async () => {
      const before = contentOf('hurt')
      expect(await stage.run(flowOf('hurt'))).toMatchObject({ objects: [{ status: 'nothing' }] })
      expect(contentOf('hurt')).toBe(before)
    })

    it('staged files that somebody deletes: read again, and exact', async () => {
      const { control } = stage.sandbox
      const flow = flowOf('staged', { objects: [{ object: 'Contact', into: 'staged' }] })
      control.fault({ match: '^GET /services/data/[^/]+/query(All)?/0r8', do: { stall: true } })
      const running = runs(0, [/Started again after StagedDataLost: .*staged files are gone/, /done: 150 rows/], flow)
      await until('the run is in its second page', () => control.pendingFaults() === 0)
      // A page is asked for while the one before it is worked on.
      const staged = await until('the first page is staged', () => {
        const { staged: paths } = workOf(stage, flow.name, 'Contact')
        return paths.length > 0 ? paths : null
      })
      for (const path of staged) rmSync(path)
      control.clearFaults()
      await running
      expect(await sameRows(stage, 'staged', control.truth('Contact', { includeDeleted: true }))).toEqual(SAME)
    })
  })

  it('answers that heal: truncated, too short, a page for people, 500 and 429 in one run', async () => {
    const { control } = stage.sandbox
    const match = '/query.*(SELECT|0r8)'
    control.fault({ match, skip: 1, do: { cut: 200 } })
    control.fault({ match, skip: 1, do: { lengthOff: 5 } })
    control.fault({ match, skip: 2, do: { html: 200 } })
    control.fault({ match, skip: 2, do: { answer: { status: 500, body: '' } } })
    control.fault({ match, skip: 2, do: { answer: { status: 429, headers: { 'retry-after': '1' } } } })
    const flow = flowOf('heals', { objects: [{ object: 'Contact', into: 'heals' }] })
    await runs(0, [/done: 150 rows/], flow)
    expect(control.pendingFaults()).toBe(0)
    expect(await sameRows(stage, 'heals', control.truth('Contact', { includeDeleted: true }))).toEqual(SAME)
  })

  /** Where the org's clock stands in the first run, and in the second. */
  const clocks: [string, number, number][] = [
    ['a day ahead', DAY, DAY],
    ['a day behind', -DAY, -DAY],
    ['a year behind', -365 * DAY, -365 * DAY],
    ['an hour ahead from the second run on', 0, HOUR],
    ['an hour ahead, and right from the second run on', HOUR, 0],
  ]
  it.concurrent.each(clocks)("the source's clock is %s", async (name, first, second) => {
    const n = clocks.findIndex(([one]) => one === name)
    const { control } = places.clocks[n]!
    const flow = flowOf(`clock-${n}`, { connection: connection(`clock-${n}`) })
    control.clock({ offsetMs: first })
    const rows = [...control.truth('Account', { includeDeleted: true })].filter(isBefore(control.now()))
    expect(await stage.run(flow)).toMatchObject({ read: rows.length })
    control.clock({ offsetMs: second })
    control.insert({ object: 'Account', count: 7 })
    await new Promise((resolve) => setTimeout(resolve, 1100))
    if (second < first) {
      // Nobody can tell stamps that are given twice apart; what cannot be read is said, with what brings it.
      const { objects } = await stage.run(flow)
      expect(objects[0]?.notes.join()).toMatch(/clock says .* before .*: nothing is read until then.*--full/)
      await stage.run({ ...flow, run: { full: true } })
    } else expect(await stage.run(flow)).toMatchObject({ read: 7 })
    const truth = [...control.truth('Account', { includeDeleted: true })].filter(isBefore(control.now()))
    expect(await sameRows(stage, `clock-${n}`, truth)).toEqual(SAME)
  })
})

/** A source whose clock is behind has rows of what is its future: they come when it gets there. */
function isBefore(now: number): (row: { [name: string]: string | null }) => boolean {
  return (row) => Date.parse(String(row['SystemModstamp']).replace('+0000', 'Z')) < Math.floor(now / 1000) * 1000
}
