/** What is typed wrong, and what is told: in this process where that is the same, as a process where it may not be. */
import { execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { afterAll, describe, expect, test } from 'vitest'
import { InputError } from '../../connectors/errors.ts'
import { exitCode, showError } from '../../client/failures.ts'
import type { JsonObject } from '../../connectors/connector.ts'
import { describeWithTemporal } from '../temporal.ts'
import { flowOf, freshName } from './stand-in/flows.ts'
import { recorded } from './stand-in/recorder.ts'

const bin = fileURLToPath(new URL('../../bin/lakeward.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'lakeward-command-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const nowhere = ['--address', '127.0.0.1:1']

function file(name: string, content: JsonObject | string): string {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, typeof content === 'string' ? content : stringify(content))
  return path
}

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

function lakeward(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [bin, ...args],
      { cwd: folder, env: { ...process.env, ...env } },
      (error, stdout, stderr) => {
        resolve({ code: error ? (error.code as number) : 0, stdout, stderr })
      },
    )
  })
}

describe('wrong use', () => {
  test.each([
    [['aply', 'x'], "unknown command 'aply'", 'Did you mean apply?'],
    [['backup'], "unknown command 'backup'", 'lakeward --help'],
    [['run'], "missing required argument 'name|flow'", 'lakeward run --help'],
    [['list', '--jsn'], "unknown option '--jsn'", 'Did you mean --json?'],
    [['list', 'more'], 'too many arguments', 'lakeward list --help'],
    [['runs', 'x', '--limit', 'many', ...nowhere], '--limit: "many" is no number from 1 to 1,000', 'whole number'],
    [['run', 'No Such Name', ...nowhere], 'neither a file nor a name', 'lakeward list'],
    [['list', '--address', 'http://127.0.0.1:7233'], '--address: "http://127.0.0.1:7233" is no address', 'host:port'],
    [['list', '--profile', 'no-such-profile'], '--profile no-such-profile', 'temporal config list'],
    [['worker', '--slots', '0', ...nowhere], '--slots: "0" is no number from 1', 'whole number'],
    [['dev', '--port', 'x'], '--port: "x" is no number', 'whole number'],
  ])('%j is told, with what to do', async (args, what, advice) => {
    const { code, said, out } = await recorded(...args)
    expect(said).toMatch(/^error: /)
    expect(said).toContain(what)
    expect(said).toContain(advice)
    expect(said).not.toMatch(/\n\s+at /)
    expect(out).toBe('')
    expect(code).toBe(2)
  })

  test('help and version are no errors, and every command has an example', async () => {
    for (const args of [['--help'], [], ['help', 'run'], ['--version']]) {
      expect((await recorded(...args)).code).toBe(0)
    }
    const { out } = await recorded('--help')
    const commands = [...out.matchAll(/^ {2}([a-z]+) .*(?:\[|<|[A-Z])/gm)].map((match) => match[1] as string)
    const wanted =
      'init dev worker check render apply run list status runs pause unpause cancel delete objects fields diff doctor repair'
    for (const name of wanted.split(' ')) expect(commands).toContain(name)
    for (const name of wanted.split(' ')) {
      const help = await recorded(name, '--help')
      expect(help.out).toContain(`Usage: lakeward ${name}`)
      expect(help.out).toMatch(/Examples:\n {2}lakeward /)
      expect(help.out).toContain('--address')
    }
  })
})

test('the reference has every command, and no other', async () => {
  const { out } = await recorded('complete', '--', '')
  const reference = readFileSync(new URL('../../docs/commands.md', import.meta.url), 'utf8')
  const rows = reference.split('\n').filter((line) => /^\| `/.test(line) && !line.startsWith('| command'))
  const named = rows.flatMap((row) =>
    [...(row.split(' | ')[0] as string).matchAll(/`([a-z-]+)/g)].map((found) => found[1]),
  )
  const commands = out.split('\n').filter((name) => name !== 'help')
  expect(new Set(named)).toEqual(new Set(commands))
})

describe('flow files', () => {
  test('all that is wrong in all files is told at once, with file and line', async () => {
    file('flows/a.yaml', flowOf('twice', { color: 'red', onDrift: 'evolv' }))
    file('flows/b.yaml', 'version: 1\nname: [\n')
    file('flows/c.yaml', flowOf('twice'))
    file('flows/d.json', JSON.stringify(flowOf('twice')))
    file('flows/notes.txt', 'not a flow')
    const { code, said } = await recorded('check', join(folder, 'flows'))
    expect(code).toBe(2)
    expect(said).toMatch(/a\.yaml:\d+ color: unknown key 'color'/)
    expect(said).toMatch(/a\.yaml:\d+ onDrift: .*did you mean 'evolve'/)
    expect(said).toMatch(/b\.yaml:\d+/)
    expect(said).toMatch(/d\.json name: twice is also the name of the flow in .*c\.yaml/)
    expect(said).toMatch(/\d+ problems$/)
  })

  test.each([
    ['a file that is not there', () => join(folder, 'no.yaml'), /no\.yaml: does not exist/],
    [
      'an empty directory',
      () => (mkdirSync(join(folder, 'empty'), { recursive: true }), join(folder, 'empty')),
      /no flow/,
    ],
    ['the installation', () => file('lakeward.yaml', 'version: 1'), /this is the installation, not a flow/],
    ['an empty file', () => file('nothing.yaml', ''), /nothing\.yaml: is empty/],
    ['options of a run in what is applied', () => file('run.yaml', flowOf('r', { run: { full: true } })), /run/],
  ])('%s', async (_, path, message) => {
    for (const command of ['check', 'apply']) {
      if (command === 'check' && String(message) === '/run/') continue
      const { code, said } = await recorded(command, path(), ...(command === 'apply' ? nowhere : []))
      expect(said).toMatch(message)
      expect(code).toBe(2)
    }
  })

  test('check uses the installation: connections, sides and options', async () => {
    const config = file(
      'installed/lakeward.yaml',
      `version: 1
connections:
  crm:
    connector: salesforce
    loginUrl: http://127.0.0.1:1
    auth: { type: client_credentials, clientId: x, clientSecret: { env: NO } }
  lake: { connector: file, path: ./lake }
`,
    )
    const good = file('installed/good.yaml', flowOf('good'))
    expect(await recorded('check', good, '--config', config)).toMatchObject({ code: 0, out: '' })
    const bad = file(
      'installed/bad.yaml',
      flowOf('bad', {
        source: { connection: 'cmr', objects: ['Account'] },
        destination: { connection: 'crm', format: 'csv' },
      }),
    )
    const told = await recorded('check', bad, '--config', config)
    expect(told.code).toBe(2)
    expect(told.said).toMatch(/bad\.yaml:\d+ source\.connection: .* no connection cmr, did you mean 'crm'/)
    expect(told.said).toMatch(/bad\.yaml:\d+ destination\.format: .*salesforce has none/)
    const options = file(
      'installed/options.yaml',
      flowOf('options', { source: { connection: 'crm', objects: ['Account'], options: { api: 'soap' } } }),
    )
    expect((await recorded('check', options, '--config', config)).said).toMatch(
      /options\.yaml:\d+ source\.options\.api/,
    )
    expect((await recorded('check', good, '--config', join(folder, 'none.yaml'))).code).toBe(2)
  })

  test('render prints what runFlow takes, in the order of the file, run options and all', async () => {
    const document = flowOf('rendered', { run: { full: true } })
    const { code, out } = await recorded('render', file('rendered.yaml', document))
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual(document)
    expect(Object.keys(JSON.parse(out) as object)).toEqual(Object.keys(document))
  })

  test('init writes what check takes, and overwrites nothing', async () => {
    const directory = join(folder, 'fresh')
    expect((await recorded('init', directory)).code).toBe(0)
    const config = join(directory, 'lakeward.yaml')
    const check = await recorded('check', join(directory, 'flows'), '--config', config)
    expect(check).toMatchObject({ code: 0, said: expect.stringContaining('sample is fine, 2 objects') })
    writeFileSync(config, '# mine\n')
    rmSync(join(directory, 'flows'), { recursive: true })
    const again = await recorded('init', directory)
    expect(again.code).toBe(2)
    expect(again.said).toContain('it is there already')
    expect(readFileSync(config, 'utf8')).toBe('# mine\n')
  })
})

describe('as a process', () => {
  test('a server that is not there: said within seconds, exit code 1, no stack trace', async () => {
    const { code, stdout, stderr } = await lakeward(['list', ...nowhere])
    expect(stderr).toMatch(/^error: Temporal at 127\.0\.0\.1:1: it does not answer\n {2}Start one/)
    expect(stderr).not.toMatch(/\n\s+at /)
    expect([code, stdout]).toEqual([1, ''])
  })

  test('the stack trace is there for who asks, and nothing is coloured that is no terminal', async () => {
    const { code, stderr } = await lakeward(['list', ...nowhere], { LAKEWARD_DEBUG: '1', FORCE_COLOR: '1' })
    expect(stderr).toMatch(/\n\s+at /)
    expect(stderr).not.toContain('\u001b[')
    expect(code).toBe(1)
  })

  test('a reader that goes away is no error', async () => {
    const child = spawn('sh', ['-c', `"$0" "${bin}" --help | head -1; exit "\${PIPESTATUS:-0}"`, process.execPath])
    let stderr = ''
    child.stderr.on('data', (data) => (stderr += data))
    const code = await new Promise((resolve) => child.on('close', resolve))
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })
})

test('errors of the machine are told without a stack trace, problems with their number', () => {
  const full = Object.assign(new Error("ENOSPC: no space left on device, open 'x'"), { code: 'ENOSPC' })
  expect(showError(full)).toEqual([`error: ${full.message}`, '  Check the path, its permissions and the free space.'])
  expect(exitCode(full)).toBe(1)
  const two = new InputError([
    { where: 'a', what: 'is wrong', advice: 'mend it' },
    { where: 'b', what: 'is wrong' },
  ])
  expect(showError(two)).toEqual(['error: a: is wrong', '  mend it', 'error: b: is wrong', '2 problems'])
  expect(exitCode(two)).toBe(2)
})

describeWithTemporal('against Temporal', ({ address }) => {
  const there = ['--address', address]

  test('a life of a flow, as lines and as JSON', async () => {
    const name = freshName('life')
    const path = file(`${name}.yaml`, flowOf(name, { trigger: { every: '1h' }, taskQueue: name }))
    expect(await recorded('apply', path, ...there)).toMatchObject({
      code: 0,
      said: expect.stringMatching(new RegExp(`^${name} created, next run \\d{4}-`)),
    })
    expect((await recorded('apply', path, ...there)).said).toContain(`${name} unchanged`)
    expect((await recorded('pause', name, '--note', 'until Friday', ...there)).said).toContain(`${name} is paused`)
    const status = await recorded('status', name, ...there)
    expect(status.out).toMatch(/^State +paused: until Friday$/m)
    expect(status.out).toMatch(/^Trigger +every 1h$/m)
    const refused = await recorded('run', name, ...there)
    expect(refused).toMatchObject({ code: 1, said: expect.stringContaining('it is paused: until Friday') })
    expect((await recorded('unpause', name, ...there)).said).toMatch(/is on, next run/)

    const run = await recorded('run', name, '--from', 'yesterday', '--to', '2026-01-01', ...there)
    expect(run.code).toBe(2)
    expect(run.said).toContain('--from')
    const started = await recorded('run', name, '--objects', 'Account', '--json', ...there)
    expect(started.code).toBe(0)
    const { workflowId, hasWorker } = JSON.parse(started.out) as { workflowId: string; hasWorker: boolean }
    expect(workflowId).toContain(`flow/${name}/run-`)
    expect(hasWorker).toBe(false)
    await expect
      .poll(async () => (await recorded('runs', name, ...there)).out, { timeout: 15_000 })
      .toContain(workflowId)
    const deleted = await recorded('delete', name, '--cancel', '--json', ...there)
    expect(JSON.parse(deleted.out)).toEqual({ deleted: name, cancelled: [workflowId], running: [] })
    const gone = await recorded('status', name, ...there)
    expect(gone).toMatchObject({ code: 2, said: expect.stringContaining('there is no flow of this name') })
  })

  test('run --wait without a worker says so, and Ctrl-C leaves the run running', async () => {
    const name = freshName('waits')
    const path = file(`${name}.yaml`, flowOf(name, { taskQueue: name }))
    const child = spawn(process.execPath, [bin, 'run', path, '--wait', ...there], { cwd: folder })
    let stderr = ''
    child.stderr.on('data', (data) => (stderr += data))
    await expect.poll(() => stderr, { timeout: 15_000 }).toContain(`no worker polls task queue ${name}`)
    child.kill('SIGINT')
    const code = await new Promise((resolve) => child.on('close', resolve))
    expect(code).toBe(130)
    expect(stderr).toContain('the run goes on without this command')
    expect(stderr).toContain(`lakeward cancel ${name}`)
    const { said } = await recorded('cancel', name, ...there)
    expect(said).toContain(`asked to stop: flow/${name}/run-`)
  })

  test('a namespace that is not there', async () => {
    for (const args of [['list'], ['worker', '--config', file('w/lakeward.yaml', 'version: 1\nconnections: {}\n')]]) {
      const { code, said } = await recorded(...args, ...there, '--namespace', 'no-such-namespace')
      expect(said).toContain('the namespace does not exist')
      expect(code).toBe(1)
    }
  })
})
