/**
 * A temporary copy of the project, one protection of which may be taken out while a test runs in it; the project itself
 * is never touched.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import type { Protection } from './protections.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const APART = new Set(['node_modules', '.git', 'dist', 'docs', 'deploy'])

/** No Temporal server is begun: tests that need one would be skipped, and count as not there. */
const CONFIGURATION = `import { defineConfig } from 'vitest/config'
export default defineConfig({ test: { include: ['test/**/*.test.ts'], testTimeout: 3_600_000, hookTimeout: 600_000 } })
`

const SIMULATION = { test: 'test/faults/simulation/simulation.test.ts', name: 'keep the promise' }
export const seenBy = (protection: Protection): { test: string; name?: string } => protection.seenBy ?? SIMULATION

export interface Verdict {
  passed: number
  failed: number
  /** Of the first failure. */
  message: string
}

export interface EditedProject {
  /** What the test says, with the protection taken out where one is named. */
  run(by: { test: string; name?: string }, without?: Protection, env?: NodeJS.ProcessEnv): Promise<Verdict>
  remove(): void
}

/** @throws where the text does not stand there exactly once */
export function edited({ without, file, find, replace }: Protection, at = root): string {
  const text = readFileSync(join(at, file), 'utf8')
  const times = text.split(find).length - 1
  if (times !== 1) {
    throw new Error(`protections: '${without}' is in ${file} ${times} times: the list is older than the code`)
  }
  return text.replace(find, () => replace)
}

export function copyProject(): EditedProject {
  const copy = mkdtempSync(join(tmpdir(), 'lakeward-without-'))
  for (const name of readdirSync(root)) {
    if (!APART.has(name) && !name.startsWith('dist-')) cpSync(join(root, name), join(copy, name), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  writeFileSync(join(copy, 'vitest.config.ts'), CONFIGURATION)
  return {
    async run(by, without, env = {}) {
      const path = without && join(copy, without.file)
      const before = path && readFileSync(path, 'utf8')
      if (without) writeFileSync(path!, edited(without, copy))
      try {
        return await verdictOf(copy, by, env)
      } finally {
        if (path) writeFileSync(path, before!)
      }
    },
    remove: () => rmSync(copy, { recursive: true, force: true }),
  }
}

interface Report {
  numPassedTests: number
  numFailedTests: number
  testResults: { message: string; assertionResults: { status: string; failureMessages: string[] }[] }[]
}

async function verdictOf(copy: string, { test, name }: { test: string; name?: string }, env: NodeJS.ProcessEnv) {
  const report = join(copy, 'report.json')
  rmSync(report, { force: true })
  const only = name === undefined ? [] : ['-t', name]
  const args = ['node_modules/vitest/vitest.mjs', 'run', test, ...only, '--bail=1', '--reporter=json']
  const child = spawn(process.execPath, [...args, `--outputFile=${report}`], {
    cwd: copy,
    env: { ...process.env, VITEST: undefined, NODE_ENV: undefined, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  await once(child, 'close')
  let told: Report
  try {
    told = JSON.parse(readFileSync(report, 'utf8')) as Report
  } catch (cause) {
    throw new Error(`${test} gave no report: ${errors.slice(-2000)}`, { cause })
  }
  const failures = told.testResults.flatMap(({ assertionResults }) =>
    assertionResults.flatMap(({ failureMessages }) => failureMessages),
  )
  const said = failures[0] ?? told.testResults.find(({ message }) => message !== '')?.message ?? ''
  return { passed: told.numPassedTests, failed: told.numFailedTests, message: firstLine(said) }
}

function firstLine(text: string): string {
  const [line = ''] = stripVTControlCharacters(text).split('\n')
  return line.replace(/^(Assertion)?Error: /, '').slice(0, 110)
}
