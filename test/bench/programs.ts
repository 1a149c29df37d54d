/**
 * What the bench runs: fetched or built once and kept with the other components, outside the repository and its lock.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cacheFolder } from '../../worker/find-binary.ts'
import { goBuild } from '../../worker/go-build.ts'
import { makeOnce } from '../../worker/make-once.ts'
import { Missing, pythonVenv } from '../components.ts'

const run = promisify(execFile)
type Log = (line: string) => void

const NODE = '24.21.0'
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** A Node.js of the version that ratios are judged on: this one, or npm's package of it. */
export async function node24(log: Log): Promise<string> {
  if (process.versions.node.startsWith('24.')) return process.execPath
  const name = `node-${process.platform}-${process.arch}`
  const home = join(cacheFolder(), `${name}-${NODE}`)
  const binary = join(home, 'node_modules', name, 'bin', 'node')
  if (existsSync(binary)) return binary
  log(`fetching Node.js ${NODE} with npm`)
  await mkdir(home, { recursive: true })
  try {
    await run('npm', ['install', '--prefix', home, '--no-save', '--no-audit', '--no-fund', `${name}@${NODE}`])
  } catch (cause) {
    throw new Missing(`Node.js ${NODE} (npm package ${name}): ${(cause as Error).message.split('\n')[0]}`, { cause })
  }
  return binary
}

/** The mock vendor (`vendor/`), built with Go: 20 seconds, once per version of its source. */
export async function vendorBinary(log: Log): Promise<string> {
  const folder = fileURLToPath(new URL('vendor', import.meta.url))
  const hash = createHash('sha256')
  for (const file of ['go.mod', 'main.go', 'records.go', 'soql.go']) hash.update(readFileSync(join(folder, file)))
  const target = join(cacheFolder(), `bench-vendor-${hash.digest('hex').slice(0, 12)}`)
  if (existsSync(target)) return target
  await mkdir(cacheFolder(), { recursive: true })
  const make = async (path: string): Promise<void> => {
    log('building the mock vendor with Go')
    const args = ['build', '-trimpath', '-ldflags', '-s -w', '-o', `${path}.new`, '.']
    try {
      await goBuild({ title: 'the mock vendor', args, cwd: folder, log })
    } catch (cause) {
      throw new Missing(`Go, for the mock vendor: ${(cause as Error).message}`, { cause })
    }
    await rename(`${path}.new`, path)
  }
  await makeOnce({ target, log, good: async (path) => existsSync(path), make })
  return target
}

/** The rivals of Python, with exactly these packages. */
export const pyarrowPython = (): Promise<string> =>
  pythonVenv(['pyarrow==26.0.1', 'orjson==3.13.0', 'requests==2.34.2'])

export const dltPython = (): Promise<string> =>
  pythonVenv(['dlt[filesystem,parquet]==1.31.0', 's3fs==2026.9.0', 'pyarrow==26.0.1'])

/** The package as it is published, built from this clone; removed at the end. */
export async function buildPackage(): Promise<{ folder: string; drop(): Promise<void> }> {
  const folder = join(ROOT, `dist-test-bench-${process.pid}`)
  try {
    await run(process.execPath, [join(ROOT, 'scripts/build.mjs'), folder])
  } catch (error) {
    const { stdout = '', message } = error as { stdout?: string; message: string }
    throw new Error(`the package does not build:\n${stdout || message}`, { cause: error })
  }
  return { folder, drop: () => rm(folder, { recursive: true, force: true }) }
}

/** Pins a process to one processor, where the system can. */
export function pinned(command: string[], processor = 0): string[] {
  return process.platform === 'linux' && existsSync('/usr/bin/taskset')
    ? ['/usr/bin/taskset', '-c', String(processor), ...command]
    : command
}
