/**
 * Secrets are found nowhere: a word that stands in the client secret, in every token and in the key of hashes goes
 * through runs that end well and runs that fail in many ways, some of which repeat it to us, and then everything that
 * can be looked at is searched for it. That the search finds words at all, in each place, is shown by one that is
 * planted.
 */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import type { FaultAction } from '../sandboxes/salesforce/faults.ts'
import { describeWithTemporal } from '../temporal.ts'
import { freshWord, inFiles, inProcess, inTemporal, inText, placesOf, spellings } from './canary-search.ts'
import type { Haystack } from './canary-search.ts'
import { failureOf } from './run-failure.ts'
import type { RunFailure } from './run-failure.ts'
import type { Stage, WorkerProcess } from './stage.ts'
import { openStage } from './stage.ts'
import { until } from './until.ts'

const secrets = {
  // Signs that are spelled otherwise in forms and in JSON stand around them.
  clientSecret: freshWord('secret'),
  wrongSecret: freshWord('wrong'),
  refreshToken: freshWord('refresh'),
  everyToken: freshWord('token'),
  hashKey: freshWord('key'),
}
/** Stands in a record, in a flow and on a command line: no secret. */
const planted = freshWord('planted')
const around = (word: string): string => `"/${word}+=`

const PAGES = '^GET /services/data/[^/]+/query(All)?/0r8'
const COUNTS = '^GET /services/data/[^/]+/query.*SELECT COUNT'
const TOKEN = '^POST /services/oauth2/token'

describeWithTemporal('a canary', (temporal) => {
  let stage: Stage
  let worker: WorkerProcess
  const told: string[] = []
  beforeAll(async () => {
    stage = await openStage(temporal, {
      salesforce: {
        ...{ accounts: 250, opportunities: 10, contacts: 10, pageRows: 100 },
        ...{ clientSecret: around(secrets.clientSecret), refreshToken: around(secrets.refreshToken) },
        ...{ tokenMark: secrets.everyToken, rotate: true },
      },
    })
    Object.assign(stage.env, {
      SF_CLIENT_SECRET: around(secrets.clientSecret),
      SF_WRONG_SECRET: around(secrets.wrongSecret),
      SF_REFRESH_TOKEN: around(secrets.refreshToken),
      PII_HASH_KEY: around(secrets.hashKey),
      LAKEWARD_DEBUG: '1',
    })
    const path = join(stage.directory, 'lakeward.yaml')
    const installation = parse(readFileSync(path, 'utf8')) as { connections: Record<string, { auth: object }> }
    const crm = installation.connections[stage.crm]!
    const person = { ...crm.auth, type: 'refresh_token', refreshToken: { env: 'SF_REFRESH_TOKEN' } }
    installation.connections[`person-${stage.id}`] = { ...crm, auth: person }
    const wrong = { ...crm.auth, clientSecret: { env: 'SF_WRONG_SECRET' } }
    installation.connections[`wrong-${stage.id}`] = { ...crm, auth: wrong }
    writeFileSync(path, stringify(installation))
    const { control } = stage.sandbox
    control.update({ object: 'Account', ids: control.ids({ object: 'Account', limit: 1 }), values: { Name: planted } })
    await new Promise((resolve) => setTimeout(resolve, 1100)) // stamps are whole seconds
    worker = await stage.startWorker({ args: ['--task-queue', stage.queue] })
  })
  afterAll(() => stage.stop())

  function flowOf(name: string, format: string, source: object = {}) {
    const transform = [{ hash: { fields: ['Website'], key: 'pii' } }]
    return {
      version: 1,
      name: `${name}-${stage.id}`,
      taskQueue: stage.queue,
      source: {
        connection: stage.crm,
        settle: '0s',
        objects: [{ object: 'Account', into: name, transform }],
        ...source,
      },
      destination: { connection: 'lake', format },
    }
  }
  const failed = (flow: object, faults: [string, FaultAction, number?][] = []): Promise<RunFailure> => {
    for (const [match, action, times = 0] of faults) stage.sandbox.control.fault({ match, do: action, times })
    return failureOf(stage.run(flow)).finally(() => stage.sandbox.control.clearFaults())
  }
  /** A command as a person types it, in another process. */
  async function typed(...args: string[]) {
    const ended = await stage.lakeward(...args)
    told.push(ended.stdout, ended.stderr)
    return ended
  }

  it('sings in runs that end well, with tokens that expire on the way', async () => {
    const { control } = stage.sandbox
    const first = await stage.run(flowOf('good', 'parquet'))
    expect(first).toMatchObject({ read: 250, objects: [{ status: 'done' }] })
    control.fault({ match: PAGES, do: { expireTokens: true } })
    control.fault({ match: PAGES, do: { echo: { status: 500 } } })
    const person = flowOf('person', 'jsonl', { connection: `person-${stage.id}` })
    expect(await stage.run(person)).toMatchObject({ read: 250, objects: [{ status: 'done' }] })
    expect(control.pendingFaults()).toBe(0)
    expect(control.counts()['token']).toBeGreaterThan(2)
  })

  it('sings in runs that fail, and in answers that repeat it', async () => {
    const echoed = /failed: 40\d .*\*\*\*/
    const plain = await failed(flowOf('f1', 'csv'), [[COUNTS, { echo: { status: 400 } }]])
    expect(plain.message).toMatch(echoed)
    const title = await failed(flowOf('f2', 'csv'), [[COUNTS, { echo: { status: 400, title: true } }]])
    expect(title.message).toMatch(/HTML page titled .*\*\*\*/)
    // The message is cut somewhere in the secret.
    for (const after of [320, 340]) {
      await failed(flowOf(`f3-${after}`, 'csv'), [[COUNTS, { echo: { status: 400, after } }]])
    }
    const unheard = await failed(flowOf('f4', 'csv'), [[COUNTS, { echo: { status: 401 } }]])
    expect(unheard.message).toContain('ConnectionUnauthorized')
    // A step that fails and is tried again leaves its failure in the history.
    stage.sandbox.control.fault({ match: COUNTS, do: { echo: { status: 500 } }, times: 5 })
    await stage.run(flowOf('f5', 'csv'))
    expect(stage.sandbox.control.pendingFaults()).toBe(0)
  })

  it('sings at a token endpoint that refuses it, and repeats it', async () => {
    const wrong = flowOf('f6', 'csv', { connection: `wrong-${stage.id}` })
    expect((await failed(wrong)).message).toContain('invalid client credentials')
    for (const after of [0, 290, 310, 330]) {
      const refused = await failed(wrong, [[TOKEN, { echo: { status: 400, after } }]])
      expect(refused.message).toContain('ConnectionUnauthorized')
      if (after === 0) expect(refused.message).toContain('***')
    }
    const { control } = stage.sandbox
    control.expireTokens()
    const person = flowOf('person', 'jsonl', { connection: `person-${stage.id}` })
    const repeated = await failed(person, [[TOKEN, { echo: { status: 400 } }]])
    expect(repeated.message).toContain('***')
    control.revokeRefreshTokens()
    expect((await failed(person)).message).toContain('expired access/refresh token')
  })

  it('sings on terminals, with LAKEWARD_DEBUG', async () => {
    const { control } = stage.sandbox
    writeFileSync(join(stage.directory, 'flow.yaml'), stringify(flowOf('shown', 'csv')))
    control.fault({ match: TOKEN, do: { echo: { status: 400 } } })
    const fields = await typed('fields', `wrong-${stage.id}`, 'Account')
    const [preview, run] = await Promise.all([
      typed('preview', 'flow.yaml', '--json', '--rows', '300'),
      typed('run', 'flow.yaml', '--wait'),
    ])
    expect(fields).toMatchObject({ code: 4, stderr: expect.stringMatching(/\n\s+at /) as string })
    expect(preview.stdout).toContain(planted)
    expect(run.code).toBe(0)
  })

  it('is found nowhere, and the search finds what is there', async () => {
    const plant = flowOf('planted', 'csv', { connection: planted })
    writeFileSync(join(stage.directory, 'planted.yaml'), stringify(plant))
    expect(await typed('run', 'planted.yaml', '--wait')).toMatchObject({ code: 2 })
    await stage.client.schedule.create({
      scheduleId: `planted-${stage.id}`,
      spec: {},
      action: { type: 'startWorkflow', workflowType: 'runFlow', taskQueue: stage.queue, args: [plant] },
    })
    const bird = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', planted], { stdio: 'ignore' })
    const haystacks = await until('the index has all runs', async () => {
      const all = await everywhere(bird.pid!)
      return placesOf(planted, all).includes('histories') ? all : null
    })
    bird.kill()
    await stage.client.schedule.getHandle(`planted-${stage.id}`).delete()

    const found = placesOf(planted, haystacks)
    for (const place of ['histories', 'answers of workflows', 'schedules', 'terminals', 'log of the worker']) {
      expect(found).toContain(place)
    }
    if (process.platform === 'linux') expect(found).toContain('process titles')
    for (const part of [/^the server's files: temporal\.db/, /^values of .*\.parquet$/, /^files: lake\/.*\.jsonl$/]) {
      expect(found.filter((place) => part.test(place)).length, String(part)).toBeGreaterThan(0)
    }
    const places = haystacks.map(([place]) => place).join('\n')
    for (const part of [/\.lakeward\/state\//, /_lakeward\/.*\/commits\/00000001\.json/, /worker-.*\.log/]) {
      expect(places).toMatch(part)
    }
    for (const [what, word] of Object.entries(secrets)) expect(placesOf(word, haystacks), what).toEqual([])
  })

  it.each([0, 1, 2, 3])('would be found behind %i letters, in base64, hex and UTF-16', (letters) => {
    const text = `${'x'.repeat(letters)}${planted}and more`
    for (const encoding of ['base64', 'base64url', 'hex', 'utf16le', 'utf8'] as const) {
      const piece =
        encoding === 'utf16le' ? Buffer.from(text, encoding) : Buffer.from(Buffer.from(text).toString(encoding))
      const bytes = encoding === 'utf8' ? Buffer.from(text) : piece
      expect(placesOf(planted, [['here', [bytes]]]), encoding).toEqual(['here'])
    }
    expect(spellings(planted).every((spelling) => spelling.length > 20)).toBe(true)
  })

  async function everywhere(planter: number): Promise<Haystack[]> {
    const [, titles] = inProcess(worker.pid)
    const [, more] = inProcess(planter)
    return [
      ...(await inTemporal(stage, temporal.folder)),
      ...(await inFiles(stage)),
      inText('log of the worker', [worker.output()]),
      inText('terminals', told),
      ['process titles', [...titles, ...more]],
    ]
  }
})
