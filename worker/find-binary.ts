/**
 * Finds a foreign program, or makes it: the environment variable that names it, PATH, the user's cache, then each way
 * of making it. When every way is closed the error has one line for each.
 */
import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { InputError } from '../connectors/errors.ts'
import { makeOnce } from './make-once.ts'

export type Log = (line: string) => void

export interface Program {
  /** Its name on PATH. */
  name: string
  /** The version that is made, part of its name in the cache. */
  version: string
  /** Environment variable that names it. */
  variable: string
  /** Why a file is not it; null: it is. */
  problem: (path: string) => Promise<string | null>
  ways: Way[]
  /** Where people get it. */
  page: string
  /** For the error when there is none: what is missing, and what would do instead of the program. */
  missing: { what: string; where: string; instead: string[] }
}

export interface FindOptions {
  log?: Log
  env?: NodeJS.ProcessEnv
  /** Ways that make a binary where none is; each writes it to the path it is given, or throws. Injected by tests. */
  ways?: Way[]
}

export interface Way {
  /** What a person can do to open this way. */
  advice: string
  /** Why it is closed here, before anything is tried; null: open. */
  closed: (env: NodeJS.ProcessEnv) => Promise<string | null>
  make: (target: string, log: Log) => Promise<void>
}

/** The folder for things made once per user. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.LAKEWARD_CACHE) return env.LAKEWARD_CACHE
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'lakeward')
}

/** Path of a binary that runs here; may take minutes once, which `log` then tells. */
export async function findBinary(program: Program, options: FindOptions = {}): Promise<string> {
  const { name, variable, problem: problemOf } = program
  const env = options.env ?? process.env
  const log = options.log ?? ((line: string) => void process.stderr.write(`${line}\n`))
  const tried = [...program.missing.instead]

  const named = env[variable]
  if (named) {
    const problem = await problemOf(named)
    if (problem === null) return named
    const advice = `Point it to a \`${name}\` binary, or unset it.`
    throw new InputError([{ what: problem, where: `${variable}=${named}`, advice }])
  }
  tried.push(`name the binary: ${variable}=/path/to/${name} (not set)`)

  const exe = process.platform === 'win32' ? `${name}.exe` : name
  let onPath = 'none there'
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const candidate = join(folder || '.', exe)
    if (!(await isExecutable(candidate))) continue
    const problem = await problemOf(candidate)
    if (problem === null) return candidate
    onPath = `${candidate}: ${problem}`
  }
  tried.push(`put \`${name}\` on PATH: ${program.page} (${onPath})`)

  const target = join(cacheFolder(env), `${name}-${program.version}`)
  if ((await problemOf(target)) === null) return target

  for (const way of options.ways ?? program.ways) {
    const closed = await way.closed(env)
    if (closed !== null) {
      tried.push(`${way.advice} (${closed})`)
      continue
    }
    try {
      await makeOnce({ target, log, good: async (path) => (await problemOf(path)) === null, make: way.make })
      return target
    } catch (error) {
      tried.push(`${way.advice} (${error instanceof Error ? error.message : String(error)})`)
    }
  }
  const { what, where } = program.missing
  const advice = ['Any one of these is enough:', ...tried.map((line) => `- ${line}`)].join('\n  ')
  throw new InputError([{ what, where, advice }])
}

/** What a program says of its version, or why it says nothing. */
export async function versionOf(path: string): Promise<{ said: string } | { problem: string }> {
  if (!(await isExecutable(path))) return { problem: 'no executable file is there' }
  try {
    return { said: (await promisify(execFile)(path, ['--version'], { timeout: 20_000 })).stdout }
  } catch (error) {
    return { problem: `it does not run: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}` }
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}
