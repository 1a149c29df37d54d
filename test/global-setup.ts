/**
 * One Temporal dev server for the whole test run, on free ports, its database in a temporary folder. Tests reach it by
 * `test/temporal.ts`. A server that is configured on this machine (TEMPORAL_ADDRESS, a profile) is never touched.
 *
 * All that a run writes, by its tests and by processes they kill, lies in one temporary folder that goes with it.
 *
 * Where there is no Temporal to be had, tests that need it are skipped and said so; with CI set that is a failure.
 */
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { findTemporalCli, startDevServer } from '../worker/temporal-server.ts'

export interface TestTemporal {
  address: string
  namespace: string
  uiUrl: string
  /** The `temporal` binary the server was started with. */
  cli: string
  /** Folder of its database and its log. */
  folder: string
}

declare module 'vitest' {
  export interface ProvidedContext {
    temporal: TestTemporal | null
    /** Folder of the run's build (`built.ts`). */
    built: string
  }
}

const root = fileURLToPath(new URL('..', import.meta.url))
const BUILD = 'dist-test-'
const TEMPORARY = 'lakeward-test-'
const DAY_MS = 86_400_000

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const built = join(root, `${BUILD}${process.pid}`)
  project.provide('built', built)
  const outer = tmpdir()
  process.env.TMPDIR = mkdtempSync(join(outer, TEMPORARY))
  // Hundreds of processes load the same modules; Node.js 22.1 and newer compile them once.
  process.env.NODE_COMPILE_CACHE ??= join(process.env.TMPDIR, 'compiled')
  const temporary = basename(process.env.TMPDIR)
  // PostgreSQL does not run as root: its user comes to its own folder through this one.
  chmodSync(process.env.TMPDIR, 0o711)
  const stop = await startTemporal(project)
  project.onTestsRerun(async () => drop(root, BUILD, basename(built)))
  return async () => {
    await stop?.()
    drop(root, BUILD, basename(built))
    drop(outer, TEMPORARY, temporary)
  }
}

/** Removes what is a run's own, and what runs left that were killed. */
function drop(folder: string, prefix: string, own: string): void {
  for (const name of readdirSync(folder).filter((found) => found.startsWith(prefix))) {
    const path = join(folder, name)
    const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() }
    const isForsaken = Date.now() - mtimeMs > DAY_MS
    if (name.startsWith(own) || isForsaken) rmSync(path, { recursive: true, force: true, maxRetries: 3 })
  }
}

async function startTemporal(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  for (const name of [
    'TEMPORAL_ADDRESS',
    'TEMPORAL_NAMESPACE',
    'TEMPORAL_PROFILE',
    'TEMPORAL_API_KEY',
    'TEMPORAL_TLS',
  ]) {
    delete process.env[name]
  }
  // A file that is not there: no profile of the user's reaches a test.
  const folder = mkdtempSync(join(tmpdir(), 'temporal-'))
  process.env.TEMPORAL_CONFIG_FILE = join(folder, 'no-profiles.toml')

  let cli: string
  try {
    cli = await findTemporalCli()
  } catch (error) {
    if (process.env.CI) throw error
    process.stderr.write(
      `\n${error instanceof Error ? error.message : String(error)}\nTests that need it are skipped.\n\n`,
    )
    project.provide('temporal', null)
    return undefined
  }
  // What it holds is thrown away: it need not reach the disk, and memory costs less here than collecting garbage.
  process.env.GOGC ??= '400'
  const server = await startDevServer({
    cli,
    args: ['--sqlite-pragma', 'synchronous=off'],
    logFile: join(folder, 'server.log'),
    dbFile: join(folder, 'temporal.db'),
    searchAttributes: { LakewardFlow: 'Keyword', LakewardConnector: 'Keyword', LakewardDestination: 'Keyword' },
  })
  project.provide('temporal', {
    address: server.address,
    namespace: server.namespace,
    uiUrl: server.uiUrl ?? '',
    cli,
    folder,
  })
  // Nor need it end in order.
  return () => server.stop(0)
}
