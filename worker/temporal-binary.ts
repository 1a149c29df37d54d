/**
 * Finds the `temporal` binary, or makes it: TEMPORAL_CLI_PATH, PATH, the user's cache, the SDK's official download, a
 * Go build of the small module beside this file. When every way is closed the error has one line for each.
 */
import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { InputError } from '../connectors/errors.ts'
import { makeOnce } from './make-once.ts'
import { buildTemporal, goProblem } from './temporal-build.ts'
import { downloadTemporal } from './temporal-download.ts'

/** Version of the CLI that `temporal-cli/go.mod` builds. */
export const TEMPORAL_VERSION = '1.8.2'
/** Current details and summaries of runs need at least this server. */
const LEAST_SERVER: [major: number, minor: number] = [1, 27]

type Log = (line: string) => void

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

/** Path of a `temporal` binary that runs here; may take minutes once, which `log` then tells. */
export async function findTemporalCli(options: FindOptions = {}): Promise<string> {
  const env = options.env ?? process.env
  const log = options.log ?? ((line: string) => void process.stderr.write(`${line}\n`))
  const tried: string[] = ['use a running server: TEMPORAL_ADDRESS=host:7233 or TEMPORAL_PROFILE=name']

  if (env.TEMPORAL_CLI_PATH) {
    const problem = await binaryProblem(env.TEMPORAL_CLI_PATH)
    if (problem === null) return env.TEMPORAL_CLI_PATH
    const advice = 'Point it to a `temporal` binary, or unset it.'
    throw new InputError([{ what: problem, where: `TEMPORAL_CLI_PATH=${env.TEMPORAL_CLI_PATH}`, advice }])
  }
  tried.push('name the binary: TEMPORAL_CLI_PATH=/path/to/temporal (not set)')

  const exe = process.platform === 'win32' ? 'temporal.exe' : 'temporal'
  let onPath = 'none there'
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const candidate = join(folder || '.', exe)
    if (!(await isExecutable(candidate))) continue
    const problem = await binaryProblem(candidate)
    if (problem === null) return candidate
    onPath = `${candidate}: ${problem}`
  }
  tried.push(`put \`temporal\` on PATH: https://docs.temporal.io/cli/setup-cli (${onPath})`)

  const cache = cacheFolder(env)
  const target = join(cache, `temporal-${TEMPORAL_VERSION}`)
  if ((await binaryProblem(target)) === null) return target

  for (const way of options.ways ?? WAYS) {
    const closed = await way.closed(env)
    if (closed !== null) {
      tried.push(`${way.advice} (${closed})`)
      continue
    }
    try {
      await makeOnce({ target, log, good: async (path) => (await binaryProblem(path)) === null, make: way.make })
      return target
    } catch (error) {
      tried.push(`${way.advice} (${error instanceof Error ? error.message : String(error)})`)
    }
  }
  throw new InputError([
    {
      what: 'there is no Temporal server, and no way to make one worked',
      where: 'Temporal',
      advice: ['Any one of these is enough:', ...tried.map((line) => `- ${line}`)].join('\n  '),
    },
  ])
}

const WAYS: Way[] = [
  {
    advice: 'let it be downloaded from https://temporal.download',
    closed: async (env) => (env.LAKEWARD_OFFLINE ? 'LAKEWARD_OFFLINE is set' : null),
    make: downloadTemporal,
  },
  {
    advice: 'install Go 1.21 or newer (https://go.dev/dl): Temporal is then built once, in about 5 minutes',
    closed: goProblem,
    make: buildTemporal,
  },
]

/** Why a file is no `temporal` binary that we can use; null: it is one. */
export async function binaryProblem(path: string): Promise<string | null> {
  if (!(await isExecutable(path))) return 'no executable file is there'
  let said: string
  try {
    said = (await promisify(execFile)(path, ['--version'], { timeout: 20_000 })).stdout
  } catch (error) {
    return `it does not run: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`
  }
  const server = /^temporal version \S+ \(Server (\d+)\.(\d+)/m.exec(said)
  if (!server) return 'it is not the Temporal CLI'
  const [major, minor] = [Number(server[1]), Number(server[2])]
  const old = major < LEAST_SERVER[0] || (major === LEAST_SERVER[0] && minor < LEAST_SERVER[1])
  return old ? `its server is ${major}.${minor}, and ${LEAST_SERVER.join('.')} is the least` : null
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}
