/**
 * Foreign tools that tests compare with, fetched once and kept in the user's cache: never part of the package.
 *
 * Where a tool cannot be had, a developer is told and the test is skipped; in CI it fails.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { InputError } from '../connectors/errors.ts'
import { cacheFolder } from '../worker/find-binary.ts'

const run = promisify(execFile)
const INSTALL_MS = 240_000

const CACHE = cacheFolder()

/** A tool that is not to be had here, and why. */
export class Missing extends Error {
  override readonly name = 'Missing'
}

/**
 * The Python of a virtual environment with exactly these packages (`['simple-salesforce==1.12.10']`), made once per set
 * of pins. A venv cannot be moved, so each is made under a name of its own; the first that is ready is written down,
 * and later ones of the same pins give way to it.
 */
export async function pythonVenv(pins: string[]): Promise<string> {
  const key = createHash('sha256').update(JSON.stringify(pins.toSorted())).digest('hex').slice(0, 12)
  const chosen = join(CACHE, `venv-${key}.path`)
  const ready = await readFile(chosen, 'utf8').catch(() => null)
  if (ready !== null && (await exists(ready))) return ready
  await rm(chosen, { force: true })
  await mkdir(CACHE, { recursive: true })
  const home = await mkdtemp(join(CACHE, `venv-${key}-`))
  const python = join(home, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
  try {
    await run('python3', ['-m', 'venv', home], { timeout: INSTALL_MS })
    await run(python, [...pip, ...pins], { timeout: INSTALL_MS })
  } catch (cause) {
    await rm(home, { recursive: true, force: true })
    const error = cause as { stderr?: string; message: string }
    const reason = (error.stderr || error.message).trim().split('\n').at(-1)
    throw new Missing(`python3 with ${pins.join(', ')}: ${reason}`, { cause })
  }
  try {
    await writeFile(chosen, python, { flag: 'wx' })
    return python
  } catch {
    await rm(home, { recursive: true, force: true })
    return readFile(chosen, 'utf8')
  }
}

/** A Python with moto, a second S3 to test against (https://docs.getmoto.org/en/latest/docs/server_mode.html). */
export async function motoPython(): Promise<string> {
  return pythonVenv(['moto[server]==5.2.3'])
}

/** A Python that parses SQL as others do (https://sqlglot.com). */
export async function sqlglotPython(): Promise<string> {
  return pythonVenv(['sqlglot==30.30.0'])
}

/** The folder of PostgreSQL's programs: what `POSTGRES_BIN` names, or `PATH` has, or Debian installs beside it. */
export async function postgresPrograms(): Promise<string> {
  const debian = '/usr/lib/postgresql'
  const versions = await readdir(debian).catch((): string[] => [])
  const newest = versions.toSorted((a, b) => Number(b) - Number(a)).map((version) => join(debian, version, 'bin'))
  const named = process.env['POSTGRES_BIN']
  const folders = [...(named ? [named] : []), ...(process.env['PATH'] ?? '').split(delimiter), ...newest]
  for (const folder of folders.filter(Boolean)) {
    if ((await exists(join(folder, 'initdb'))) && (await exists(join(folder, 'postgres')))) return folder
  }
  throw new Missing('PostgreSQL: install it (apt-get install postgresql), or name the folder of initdb in POSTGRES_BIN')
}

/** The component, or null and a loud line about what is skipped; in CI nothing is skipped. */
export async function orSkip<T>(component: Promise<T>, what: string): Promise<T | null> {
  try {
    return await component
  } catch (error) {
    const missing = error instanceof Missing || error instanceof InputError
    if (!missing || process.env['CI']) throw error
    process.stderr.write(`\nSKIPPED ${what}: ${error.message}\n`)
    return null
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
