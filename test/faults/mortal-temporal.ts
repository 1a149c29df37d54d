/** A Temporal server with its database on disk, which can be killed and comes back with all it knew. */
import { join } from 'node:path'
import { findTemporalCli, startDevServer } from '../../worker/temporal-server.ts'
import type { DevServer } from '../../worker/temporal-server.ts'
import type { TestTemporal } from '../global-setup.ts'

export interface MortalTemporal extends TestTemporal {
  /** `kill -9`. */
  kill(): Promise<void>
  /** At the same address, over the same file. */
  restart(): Promise<void>
}

export async function startMortalTemporal(folder: string): Promise<MortalTemporal> {
  const cli = await findTemporalCli()
  const start = (port?: number): Promise<DevServer> =>
    startDevServer({
      cli,
      // A process is killed here, never the machine: what was written is there.
      args: ['--sqlite-pragma', 'synchronous=off'],
      logFile: join(folder, 'server.log'),
      dbFile: join(folder, 'temporal.db'),
      uiPort: null,
      ...(port !== undefined && { port }),
      searchAttributes: { LakewardFlow: 'Keyword', LakewardConnector: 'Keyword', LakewardDestination: 'Keyword' },
    })
  let server = await start()
  const { address, namespace } = server
  return {
    address,
    namespace,
    uiUrl: '',
    cli,
    folder,
    kill: () => server.stop(0),
    async restart() {
      server = await start(Number(address.split(':').at(-1)))
    },
  }
}
