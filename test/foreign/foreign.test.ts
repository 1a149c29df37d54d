/**
 * A project that is not ours, with its own workflow, step and worker: it installs the packed package, adds the plugin,
 * re-exports our workflows, and runs its own workflow and a flow in plain Node.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startSalesforce, type Sandbox } from '../sandboxes/salesforce/salesforce.ts'
import { describeWithTemporal } from '../temporal.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const QUEUE = `foreign-${process.pid}`
const ACCOUNTS = 300

/** npm tells its children about the project that called it, which is not theirs. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^npm_(?!config_(?:cache|registry|userconfig|cafile|.*proxy)$)/.test(name),
  ),
)

async function inFolder(cwd: string, command: string, args: string[], more: NodeJS.ProcessEnv = {}): Promise<string> {
  try {
    return (await promisify(execFile)(command, args, { cwd, env: { ...env, ...more }, maxBuffer: 1e8 })).stdout
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}\n${stderr}`, { cause: error })
  }
}

describeWithTemporal('a foreign project', ({ address }) => {
  let project: string
  let salesforce: Sandbox
  let worker: ChildProcess | undefined
  const server = { FOREIGN_TEMPORAL: address, FOREIGN_QUEUE: QUEUE }

  beforeAll(async () => {
    salesforce = await startSalesforce({ accounts: ACCOUNTS, opportunities: 10 })
    project = await mkdtemp(join(tmpdir(), 'lakeward-foreign-'))
    await cp(join(ROOT, 'test/foreign/project'), project, { recursive: true })
    const packed = await inFolder(ROOT, 'npm', ['pack', '--json', '--pack-destination', project])
    // What the build prints comes first.
    const [{ filename }] = JSON.parse(packed.slice(packed.indexOf('[\n'))) as [{ filename: string }]
    const {
      devDependencies,
      peerDependencies,
    }: Record<string, Record<string, string>> = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))
    const wanted = [...Object.keys(peerDependencies ?? {}), '@types/node', 'typescript']
    const versions = wanted.map((name) => `${name}@${devDependencies?.[name]}`)
    await inFolder(project, 'npm', ['install', '--prefer-offline', '--ignore-scripts', `./${filename}`, ...versions])
    await writeFile(
      join(project, 'lakeward.yaml'),
      `version: 1
connections:
  crm:
    connector: salesforce
    loginUrl: ${salesforce.url}
    auth:
      type: client_credentials
      clientId: { env: FOREIGN_ID }
      clientSecret: { env: FOREIGN_SECRET }
  lake: { connector: file, path: ./lake }
`,
    )
    const flow = {
      version: 1,
      name: QUEUE,
      source: { connection: 'crm', read: 'full', objects: ['Account'] },
      destination: { connection: 'lake', prefix: 'raw', write: 'append', format: 'jsonl' },
    }
    await writeFile(join(project, 'flow.json'), JSON.stringify(flow))
  }, 240_000)

  afterAll(async () => {
    if (worker?.exitCode === null) {
      const gone = new Promise((resolve) => worker?.once('exit', resolve))
      worker.kill('SIGTERM')
      await gone
    }
    await salesforce?.stop()
    await rm(project, { recursive: true, force: true })
  })

  it('compiles against the types of the package', async () => {
    const tsc = ['node_modules/typescript/bin/tsc', '--skipLibCheck', 'false', '--pretty', 'false']
    const said = await inFolder(project, process.execPath, tsc).catch((error: Error) => error.message)
    // Declarations of others may have their faults; ours, and the project itself, may not.
    const problems = said.split('\n').filter((line) => line.includes('error TS'))
    expect(problems.filter((line) => !/^node_modules\/(?!lakeward\/)/.test(line))).toEqual([])
    expect(await readdir(join(project, 'out'))).toEqual(
      expect.arrayContaining(['start.js', 'worker.js', 'workflows.js']),
    )
  })

  it('has the command, with its samples and schemas', async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string }
    const lakeward = (...args: string[]): Promise<string> => inFolder(project, 'node_modules/.bin/lakeward', args)
    expect((await lakeward('--version')).trim()).toBe(version)
    await lakeward('init', 'begun')
    expect((await readdir(join(project, 'begun'))).toSorted()).toContain('lakeward.yaml')
    await lakeward('check', 'flow.json')
  })

  it('runs its own workflow and a flow on its own worker', async () => {
    const secrets = { FOREIGN_ID: 'sandbox-client', FOREIGN_SECRET: 'sandbox-secret' }
    let said = ''
    worker = spawn(process.execPath, ['out/worker.js'], { cwd: project, env: { ...env, ...server, ...secrets } })
    worker.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()))
    worker.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const died = new Promise<never>((_resolve, reject) => {
      worker?.once('exit', (code) => reject(new Error(`the worker ended with ${code}:\n${said}`)))
    })
    const answer = await Promise.race([inFolder(project, process.execPath, ['out/start.js'], server), died])
    const { greetings, connectors } = JSON.parse(answer) as { greetings: string[]; connectors: string[] }
    expect(greetings).toEqual(['hello world', 'hello world'])
    expect(connectors).toEqual(expect.arrayContaining(['file', 'salesforce']))
    const files = (await readdir(join(project, 'lake/raw'), { recursive: true })).filter((path) =>
      path.endsWith('.jsonl'),
    )
    const texts = await Promise.all(files.map((path) => readFile(join(project, 'lake/raw', path), 'utf8')))
    expect(texts.join('').trim().split('\n')).toHaveLength(ACCOUNTS)
  }, 120_000)
})

it('the package that was packed holds what it says, and no sources', async () => {
  const [{ files }] = JSON.parse(await inFolder(ROOT, 'npm', ['pack', '--json', '--dry-run', '--ignore-scripts'])) as [
    { files: { path: string; size: number }[] },
  ]
  const paths = files.map(({ path }) => path)
  const wanted = ['bin/lakeward.js', 'LICENSE', 'README.md', 'CHANGELOG.md', 'client/schemas/flow.schema.json']
  expect(wanted.filter((path) => !paths.includes(path))).toEqual([])
  expect(paths.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))).toEqual([])
  expect(paths.filter((path) => /^(?:test|connectors|worker|\.)/.test(path))).toEqual([])
})
