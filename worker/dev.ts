/** `lakeward dev`: server, Web UI and worker in one, with all state below `.lakeward/`. */
import { join, resolve } from 'node:path'
import { attributeNames } from '../activities/namespace.ts'
import { installationPath } from './assemble.ts'
import { findTemporalCli, startDevServer } from './temporal-server.ts'
import type { DevServer } from './temporal-server.ts'
import { runWorker } from './worker.ts'

export interface DevSettings {
  installation?: string
  /** Default: `.lakeward` in the current folder. */
  folder?: string
  /** Defaults: Temporal's own, 7233 and 8233. */
  port?: number
  uiPort?: number
  log: (line: string) => void
  ready?(dev: { address: string; uiUrl: string | null; taskQueues: string[]; folder: string }): void
}

export async function runDev(settings: DevSettings): Promise<void> {
  const { log } = settings
  const folder = resolve(settings.folder ?? '.lakeward')
  const server = await devServer(settings, folder)
  try {
    const worker = runWorker({
      installation: installationPath(settings),
      // A machine of one's own: secrets may stand in lakeward.yaml here, and only here.
      plainSecrets: true,
      connection: { address: server.address },
      namespace: server.namespace,
      log,
      ready: ({ taskQueues }) => settings.ready?.({ address: server.address, uiUrl: server.uiUrl, taskQueues, folder }),
    })
    const lost = server.ended.then((why) => {
      throw new Error(`the Temporal server has ended: ${why}`)
    })
    lost.catch(() => {})
    await Promise.race([worker, lost])
  } finally {
    await server.stop()
  }
}

async function devServer({ port = 7233, uiPort = 8233, log }: DevSettings, folder: string): Promise<DevServer> {
  const cli = await findTemporalCli({ log })
  return startDevServer({
    cli,
    port,
    uiPort,
    dbFile: join(folder, 'temporal.db'),
    logFile: join(folder, 'temporal.log'),
    searchAttributes: Object.fromEntries(attributeNames.map((name) => [name, 'Keyword' as const])),
  })
}
