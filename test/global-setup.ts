/**
 * One Temporal dev server for the whole test run, on free ports, its database in a temporary folder. Tests reach it by
 * `test/temporal.ts`. A server that is configured on this machine (TEMPORAL_ADDRESS, a profile) is never touched.
 *
 * Where there is no Temporal to be had, tests that need it are skipped and said so; with CI set that is a failure.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
  }
}

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
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
  const folder = mkdtempSync(join(tmpdir(), 'lakeward-test-temporal-'))
  process.env.TEMPORAL_CONFIG_FILE = join(folder, 'no-profiles.toml')
  const drop = (): void => rmSync(folder, { recursive: true, force: true })

  let cli: string
  try {
    cli = await findTemporalCli()
  } catch (error) {
    drop()
    if (process.env.CI) throw error
    process.stderr.write(
      `\n${error instanceof Error ? error.message : String(error)}\nTests that need it are skipped.\n\n`,
    )
    project.provide('temporal', null)
    return undefined
  }
  const server = await startDevServer({
    cli,
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
  return async () => {
    // What it holds is thrown away: no need to let it end in order.
    await server.stop(0)
    drop()
  }
}
