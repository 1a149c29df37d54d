/** The demo's own parts; the whole of it is `npm run demo`. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { expect, test } from 'vitest'
import { flowText, installationText } from '../../client/commands/demo/written.ts'
import { pagesAgain } from '../../client/commands/demo/sandbox-control.ts'
import { flowDocument } from '../../client/flow-document.ts'
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
  expect(parse(installationText('http://127.0.0.1:1'))).toMatchObject({ version: 1 })
})

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
