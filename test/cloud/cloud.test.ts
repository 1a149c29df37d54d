/**
 * Through TLS and an API key, in a namespace without our search attributes, all payloads sealed: everything works, and
 * what lies in Temporal can be read with the codec alone.
 */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { serveCodec } from '../../client/codec-server.ts'
import { createCodec } from '../../connectors/codec/codec.ts'
import { openStage } from '../e2e/stage.ts'
import type { Stage, WorkerProcess } from '../e2e/stage.ts'
import { describeWithTemporal } from '../temporal.ts'
import { API_KEY, NAMESPACE, startHosted } from './hosted.ts'
import type { Hosted } from './hosted.ts'

const CODEC_KEY = Buffer.alloc(32, 7).toString('base64')

describeWithTemporal('a hosted Temporal', (temporal) => {
  let hosted: Hosted
  let stage: Stage
  let worker: WorkerProcess
  let health: string
  let metrics: string
  let name: string

  beforeAll(async () => {
    hosted = await startHosted(temporal.cli)
    stage = await openStage(temporal, { salesforce: { accounts: 60, opportunities: 20, contacts: 20, pageRows: 20 } })
    Object.assign(stage.env, hosted.env, { CODEC_KEY })
    health = await freeAddress()
    metrics = await freeAddress()
    const sections = {
      codec: { keys: { k1: { env: 'CODEC_KEY' } } },
      worker: { slots: 4, memory: '95%', pollers: 2, health, metrics: { prometheus: metrics } },
    }
    const file = join(stage.directory, 'lakeward.yaml')
    writeFileSync(file, stringify({ ...parse(readFileSync(file, 'utf8')), ...sections }))
    worker = await stage.startWorker({ args: ['--task-queue', stage.queue] })
  }, 120_000)
  afterAll(async () => {
    await stage?.stop()
    await hosted?.stop()
  })

  it('setup says what is missing and who must register it', async () => {
    const { code, stdout, stderr } = await stage.lakeward('setup')
    expect(stdout).toMatch(/LakewardFlow\s+missing/)
    expect(stderr).toContain(
      `tcld namespace search-attributes add --namespace ${NAMESPACE} --sa "LakewardFlow=Keyword"`,
    )
    expect(stderr).toMatch(/Flows run without them/)
    expect(code).toBe(1)
    const checked = await stage.lakeward('setup', '--check', '--json')
    expect(JSON.parse(checked.stdout)).toMatchObject({ namespace: NAMESPACE, attributes: { LakewardFlow: 'missing' } })
    expect(hosted.front.calls.some(({ refused, path }) => refused && path.endsWith('/AddSearchAttributes'))).toBe(true)
  })

  it('takes a flow, runs it by hand and by its schedule, and tells how it is', async () => {
    const flow = stage.flow(`
name: canary-flow
description: canary of the definition
source: { settle: 1s, objects: [Account] }
destination: { format: jsonl }`)
    name = flow.name
    writeFileSync(join(stage.directory, 'flow.yaml'), stringify(flow))
    const applied = await stage.lakeward('apply', 'flow.yaml')
    expect(applied.stderr).toMatch(/created/)
    const run = await stage.lakeward('run', name, '--wait')
    expect(run.stderr + run.stdout).toMatch(/60 rows/)
    expect(run.code).toBe(0)
    writeFileSync(join(stage.directory, 'flow.yaml'), stringify({ ...flow, trigger: { every: '1s' } }))
    expect((await stage.lakeward('apply', 'flow.yaml')).stderr).toMatch(/updated/)
    await expect.poll(scheduledRuns, { timeout: 60_000, interval: 1_000 }).toContain('done')
    await stage.lakeward('pause', name)
    const status = await stage.lakeward('status', name)
    expect(status.stdout).toMatch(/canary of the definition/)
    expect(status.code).toBe(0)
  }, 120_000)

  async function scheduledRuns(): Promise<string[]> {
    const { stdout } = await stage.lakeward('runs', name, '--json')
    const runs = JSON.parse(stdout) as { scheduled: boolean; outcome?: { status: string } }[]
    return runs.filter(({ scheduled }) => scheduled).map(({ outcome }) => outcome?.status ?? 'running')
  }

  it('holds nothing that can be read, the key of the API nowhere', async () => {
    const shown = await temporalCli('workflow', 'list', '--output', 'json')
    expect(shown).toContain(name)
    const [{ execution }] = JSON.parse(shown) as [{ execution: { workflowId: string } }]
    const history = await temporalCli('workflow', 'show', '--workflow-id', execution.workflowId, '--output', 'json')
    expect(history).toContain(Buffer.from('binary/encrypted').toString('base64'))
    expect(readable(history)).not.toMatch(/canary of the definition|"destination"/)
    expect(history + worker.output()).not.toContain(API_KEY)
    expect(history + worker.output()).not.toContain(CODEC_KEY)
    // Search attributes alone are clear: no codec sees them.
    const clear = JSON.parse(history, (key, value: unknown) => (key === 'searchAttributes' ? null : value)) as object
    expect(JSON.stringify(clear)).not.toContain(Buffer.from('json/plain').toString('base64'))
  })

  it("is shown by Temporal's own CLI through the codec server", async () => {
    const codec = createCodec({ keys: { k1: { env: 'CODEC_KEY' } } }, { env: { CODEC_KEY } })
    const server = await serveCodec({ codec, listen: '127.0.0.1:0', origins: [], token: 'let me in' })
    const schedule = ['schedule', 'describe', '--schedule-id', `flow/${name}`, '--output', 'json']
    const decoded = [...schedule, '--codec-endpoint', server.url, '--codec-auth', 'Bearer let me in']
    expect(readable(await temporalCli(...decoded))).toContain('canary of the definition')
    expect(readable(await temporalCli(...schedule))).not.toContain('canary of the definition')
    await expect(temporalCli(...schedule, '--codec-endpoint', server.url)).rejects.toThrow(/401|token/)
    await server.close()
  })

  it.each([
    ['no codec', {}, /wrong or missing codec/, /codec:.*LAKEWARD_CODEC/],
    ['the key of its id missing', { LAKEWARD_CODEC: '{"keys":{"k1":{"env":"NONE"}}}' }, /NONE is not set/, /Set NONE/],
    [
      'another key of its id',
      { LAKEWARD_CODEC: '{"keys":{"k1":{"env":"OTHER"}}}' },
      /does not open under codec key k1/,
    ],
    ['keys of other ids', { LAKEWARD_CODEC: '{"keys":{"k2":{"env":"OTHER"}}}' }, /codec key k1, which is not known/],
    ['a key that is none', { LAKEWARD_CODEC: '{"keys":{"k1":{"env":"HOME"}}}' }, /k1 is no key: 32 bytes/, /openssl/],
  ])('with %s: says so, and still lists', async (_, more, what, todo = /./) => {
    const elsewhere = hosted.file('none.yaml', 'version: 1\nconnections: {}\n')
    const env = { ...stage.env, OTHER: Buffer.alloc(32, 8).toString('base64'), LAKEWARD_CONFIG: elsewhere, ...more }
    const before = { ...stage.env }
    Object.assign(stage.env, env)
    try {
      const list = await stage.lakeward('list')
      expect(list.stdout, list.stderr).toContain(name)
      expect(list.stderr).toMatch(what)
      expect(list.code).toBe(0)
      const status = await stage.lakeward('status', name)
      expect(status.stderr).toMatch(what)
      expect(status.stderr).toMatch(todo)
      expect(status.stderr).not.toMatch(/\n\s+at /)
      expect(status.code).toBe(1)
    } finally {
      for (const key of Object.keys(stage.env)) if (!(key in before)) delete stage.env[key]
      Object.assign(stage.env, before)
    }
  })

  it('is counted, and ready until it drains', async () => {
    expect(await page(`http://${health}/healthz`)).toEqual([200, '{"status":"alive"}'])
    expect(await page(`http://${health}/readyz`)).toEqual([200, '{"status":"ready"}'])
    const [, text] = await page(`http://${metrics}/metrics`)
    expect(text).toMatch(
      new RegExp(`^lakeward_rows_read_total\\{[^}]*flow="${name}"[^}]*object="Account"[^}]*\\} [1-9]`, 'm'),
    )
    expect(text).toMatch(/^lakeward_calls_total\{.*\} [1-9]/m)
    expect(text).toMatch(/^lakeward_commits_total\{.*\} [1-9]/m)
    expect(text).toMatch(/^lakeward_token_refreshes_total\{.*\} [1-9]/m)
    expect(text).toMatch(/^temporal_worker_task_slots_used/m)
    writeFileSync(join(stage.directory, 'lakeward.yaml'), 'version: 1\nconections: {}\n')
    await sleep(2_100)
    expect(await page(`http://${health}/readyz`)).toEqual([503, expect.stringContaining('lakeward.yaml')])
    const ended = once(worker.process, 'exit')
    worker.process.kill('SIGTERM')
    await expect(Promise.race([ended, page(`http://${health}/readyz`)])).resolves.not.toEqual([200, expect.anything()])
    await ended
  }, 90_000)

  async function temporalCli(...args: string[]): Promise<string> {
    const at = ['--address', hosted.env['TEMPORAL_ADDRESS']!, '--namespace', NAMESPACE, '--api-key', API_KEY]
    const tls = ['--tls', '--tls-ca-path', hosted.env['TEMPORAL_TLS_SERVER_CA_CERT_PATH']!]
    const { stdout } = await promisify(execFile)(temporal.cli, [...args, ...at, ...tls], { maxBuffer: 2 ** 26 })
    return stdout
  }
})

/** What lies in it in base64 as well. */
function readable(json: string): string {
  const inside = [...json.matchAll(/"data": ?"([^"]+)"/g)].map(([, data = '']) =>
    Buffer.from(data, 'base64').toString(),
  )
  return [json, ...inside].join('\n')
}

async function page(url: string): Promise<[number, string]> {
  const answer = await fetch(url)
  return [answer.status, (await answer.text()).trim()]
}

async function freeAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `127.0.0.1:${port}`
}
