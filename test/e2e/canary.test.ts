/**
 * Secrets that are known are looked for everywhere: in histories, logs, the terminal, errors, the ledger, files,
 * process titles. The search is shown to find one first.
 */
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWithTemporal } from '../temporal.ts'
import type { Stage, WorkerProcess } from './stage.ts'
import { openStage } from './stage.ts'

const CLIENT_SECRET = 'canary-client-secret-4711'
const HASH_KEY = 'canary-hash-key-0815'
const ORG = '00D5g00000CANARYAA'
/** Access tokens begin with the org's id and this. */
const TOKEN = `${ORG}!AQ`
const canaries = [CLIENT_SECRET, HASH_KEY, TOKEN]

describeWithTemporal('a canary', (temporal) => {
  let stage: Stage
  let worker: WorkerProcess
  const told: string[] = []
  beforeAll(async () => {
    stage = await openStage(temporal, {
      salesforce: { accounts: 300, opportunities: 10, clientSecret: CLIENT_SECRET, orgId: ORG },
    })
    Object.assign(stage.env, { SF_CLIENT_SECRET: CLIENT_SECRET, PII_HASH_KEY: HASH_KEY, LAKEWARD_DEBUG: '1' })
    worker = await stage.startWorker({ env: stage.env })
  })
  afterAll(() => stage.stop())

  const flow = () =>
    stage.flow(`
name: canary
source:
  settle: 0s
  objects:
    - object: Account
      transform: [{ hash: { fields: [Website], key: pii } }]
destination: { prefix: raw }
`)

  it('is used: a run, an expired token, a vendor that repeats what it was sent, a login that is refused', async () => {
    const { control } = stage.sandbox
    expect(await stage.run(flow())).toMatchObject({ read: 300 })
    control.expireTokens()
    await stage.run(flow())

    const echo = JSON.stringify([{ errorCode: 'MALFORMED_QUERY', message: `no: Bearer ${TOKEN}abc ${CLIENT_SECRET}` }])
    control.fault({ match: 'GET .*/query', times: 0, do: { answer: { status: 400, headers: {}, body: echo } } })
    await expect(stage.run(flow())).rejects.toThrow()
    told.push(...Object.values(await stage.lakeward('preview', await flowFile())).map(String))
    control.clearFaults()

    const refused = JSON.stringify({ error: 'invalid_client', error_description: `bad secret ${CLIENT_SECRET}` })
    control.expireTokens()
    control.fault({ match: 'POST .*/token', times: 0, do: { answer: { status: 400, headers: {}, body: refused } } })
    await expect(stage.run(flow())).rejects.toThrow()
    for (const args of [
      ['fields', 'crm', 'Account'],
      ['run', await flowFile(), '--wait'],
      ['runs', flow().name],
    ]) {
      told.push(...Object.values(await stage.lakeward(...args)).map(String))
    }
    control.clearFaults()
    expect(told.join('\n')).toContain('MALFORMED_QUERY')
  })

  it('is found where it is planted', () => {
    const planted = join(stage.lake, 'planted.bin')
    for (const canary of canaries) {
      writeFileSync(planted, Buffer.concat([Buffer.alloc(10), Buffer.from(canary), Buffer.alloc(10)]))
      expect(filesWith([canary])).toEqual([planted])
    }
    rmSync(planted)
  })

  it('is nowhere in files, state and logs included', () => {
    expect(filesWith(canaries)).toEqual([])
  })

  it('is nowhere in the terminal, the worker or its title', () => {
    const cmdline = readFileSync(`/proc/${worker.pid}/cmdline`, 'utf8')
    for (const text of [...told, worker.output(), cmdline])
      for (const canary of canaries) expect(text).not.toContain(canary)
  })

  it('is nowhere in any history or detail', async () => {
    let events = 0
    const mine = [stage.id, encodeURIComponent(stage.id)]
    for await (const run of stage.client.workflow.list()) {
      const refresh = run.workflowId.startsWith('connection/')
      if (!refresh && !mine.some((id) => run.workflowId.includes(id))) continue
      const handle = stage.client.workflow.getHandle(run.workflowId, run.runId)
      const history = await handle.fetchHistory()
      const text = decoded(history)
      events += history.events?.length ?? 0
      for (const canary of canaries) expect(text.includes(canary), run.workflowId).toBe(false)
    }
    expect(events).toBeGreaterThan(50)
    const planted = { data: Buffer.from(`"${CLIENT_SECRET}"`) }
    expect(decoded({ events: [planted] })).toContain(CLIENT_SECRET)
  })

  async function flowFile(): Promise<string> {
    const path = join(stage.directory, 'canary.json')
    writeFileSync(path, JSON.stringify(flow()))
    return Promise.resolve(path)
  }

  function filesWith(wanted: string[]): string[] {
    const names = readdirSync(stage.directory, { recursive: true, withFileTypes: true })
    const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    expect(files.length).toBeGreaterThan(5)
    return files.filter((file) => {
      const bytes = readFileSync(file)
      return wanted.some((canary) => bytes.includes(canary))
    })
  }
})

/** All of a history as text, payloads as what they hold. */
function decoded(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8')
  if (Array.isArray(value)) return value.map(decoded).join('\n')
  if (value !== null && typeof value === 'object') return Object.values(value).map(decoded).join('\n')
  return String(value)
}
