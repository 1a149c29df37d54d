/** The demo's own parts; the whole of it is `npm run demo`. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { expect, test, vi } from 'vitest'
import { flowText, installationText } from '../../client/commands/demo/written.ts'
import { bucketLake, directoryLake } from '../../client/commands/demo/lake.ts'
import { pagesAgain } from '../../client/commands/demo/sandbox-control.ts'
import { flowDocument } from '../../client/flow-document.ts'
import { openParts } from '../../worker/assemble.ts'
import { findVersitygw } from '../../worker/versitygw-binary.ts'
import { orSkip } from '../components.ts'
import { describeWithTemporal } from '../temporal.ts'

test('pages that are in no committed unit were read twice', () => {
  const read = (rows: number, object = 'Account', status = 200) => ({
    route: 'query',
    status,
    read: { object, offset: 0, rows },
  })
  const straight = [read(1000), read(1000), read(500), read(0)]
  expect(pagesAgain(straight, 'Account', 3)).toEqual({ pages: 3, again: 0 })
  const log = [...straight, read(1000), read(500), read(1000, 'Contact'), read(1000, 'Account', 500)]
  expect(pagesAgain(log, 'Account', 3)).toEqual({ pages: 5, again: 2 })
  expect(pagesAgain([], 'Account', 0)).toEqual({ pages: 0, again: 0 })
})

test('the files of the demo are what they say', () => {
  expect(flowDocument(parse(flowText('demo')))).toMatchObject({ name: 'demo', source: { connection: 'crm' } })
  const { connection } = directoryLake('.')
  expect(parse(installationText('http://127.0.0.1:1', connection))).toMatchObject({
    version: 1,
    connections: { crm: { connector: 'salesforce' }, lake: { connector: 'file', path: './lake' } },
  })
})

const versitygw = await orSkip(findVersitygw(), 'the bucket of the demo')

test.skipIf(!versitygw)(
  'the bucket of the demo is one that its lakeward.yaml reaches, and gives its files back',
  async () => {
    // Named from here, as the demo names it.
    const folder = relative('.', mkdtempSync(join(tmpdir(), 'lakeward-demo-')))
    const said: string[] = []
    const lake = await bucketLake(folder, (line) => said.push(line))
    try {
      for (const [name, value] of Object.entries(lake.env)) vi.stubEnv(name, value)
      writeFileSync(join(folder, 'lakeward.yaml'), installationText('http://127.0.0.1:1', lake.connection))
      const parts = await openParts({ installation: join(folder, 'lakeward.yaml') })
      const store = await parts.lake('lake')
      expect(store.name).toBe(lake.name)
      await store.put('salesforce/raw/accounts/one.parquet', Buffer.from('one'))
      await store.put('_lakeward/lake.json', Buffer.from('{}'))
      const raw = await lake.files('salesforce/raw')
      expect(readdirSync(raw, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())).toHaveLength(1)
      expect(readFileSync(join(raw, 'accounts/one.parquet'), 'utf8')).toBe('one')
      expect(readFileSync(join(lake.onDisk, 'salesforce/raw/accounts/one.parquet'), 'utf8')).toBe('one')
      const [endpoint = ''] = /http:\S+\d/.exec(said.join()) ?? []
      expect(lake.look('**/*.parquet').join('\n')).toContain(`--endpoint-url ${endpoint} s3://lakeward-demo/lake/`)
      await parts.close()
      await lake.stop()
      await expect(fetch(endpoint)).rejects.toThrow()
    } finally {
      vi.unstubAllEnvs()
      await lake.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  },
  60_000,
)

describeWithTemporal('Ctrl-C', ({ cli }) => {
  test('ends everything that the demo started', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lakeward-demo-'))
    const bin = fileURLToPath(new URL('../../bin/lakeward.js', import.meta.url))
    const env = { ...process.env, TEMPORAL_CLI_PATH: cli }
    const child = spawn(process.execPath, [bin, 'demo'], { cwd: folder, env })
    let told = ''
    child.stdout.on('data', (data) => (told += data))
    child.stderr.on('data', (data) => (told += data))
    try {
      await expect.poll(() => told, { timeout: 45_000 }).toMatch(/started flow\/salesforce-daily\/run-/)
      const [, worker] = /worker pid (\d+)/.exec(told) ?? []
      const [, uiUrl = ''] = /Web UI: (\S+)/.exec(told) ?? []
      const [run = ''] = readdirSync(join(folder, '.lakeward/demo'))
      const yaml = readFileSync(join(folder, '.lakeward/demo', run, 'lakeward.yaml'), 'utf8')
      const { connections } = parse(yaml) as { connections: { crm: { loginUrl: string } } }
      const { loginUrl } = connections.crm
      expect((await fetch(uiUrl)).ok).toBe(true)
      child.kill('SIGINT')
      const code = await new Promise((resolve) => child.on('close', resolve))
      expect(code).toBe(130)
      expect(told).not.toMatch(/\n\s+at /)
      expect(() => process.kill(Number(worker), 0)).toThrow('ESRCH')
      await expect(fetch(uiUrl)).rejects.toThrow()
      await expect(fetch(loginUrl)).rejects.toThrow()
    } finally {
      child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    }
  }, 90_000)
})
