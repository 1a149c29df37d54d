/**
 * A hosted Temporal for tests: a server of its own, without our search attributes, behind TLS and an API key; and what
 * it takes to reach it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DevServer } from '../../worker/temporal-server.ts'
import { startDevServer } from '../../worker/temporal-server.ts'
import { makeAuthority } from '../sandboxes/temporal-cloud/certificates.ts'
import type { Authority } from '../sandboxes/temporal-cloud/certificates.ts'
import { startFront } from '../sandboxes/temporal-cloud/front.ts'
import type { Front, FrontOptions } from '../sandboxes/temporal-cloud/front.ts'

export const NAMESPACE = 'acme-data.a1b2c'
export const API_KEY = 'canary-api-key-of-the-cloud'
const HOSTS = ['localhost', '127.0.0.1']

export interface Hosted {
  server: DevServer
  authority: Authority
  /** The front that all is well with. */
  front: Front
  /** `localhost:port` of a front. */
  at(front: Front): string
  /** A front that differs from the good one. */
  another(options: Partial<FrontOptions> & { hosts?: string[]; days?: number }): Promise<Front>
  /** A file with this text; its path. */
  file(name: string, text: string): string
  /** The environment that reaches the good front. */
  env: Record<string, string>
  folder: string
  stop(): Promise<void>
}

export async function startHosted(cli: string): Promise<Hosted> {
  const folder = mkdtempSync(join(tmpdir(), 'lakeward-hosted-'))
  const server = await startDevServer({ cli, logFile: join(folder, 'log'), uiPort: null, namespace: NAMESPACE })
  const authority = makeAuthority('Authority of the hosted Temporal')
  const fronts: Front[] = []
  const another: Hosted['another'] = async ({ hosts = HOSTS, days, ...more }) => {
    const certificate = authority.issue(hosts, days)
    const front = await startFront({
      target: server.address,
      namespace: NAMESPACE,
      apiKey: API_KEY,
      certificate,
      ...more,
    })
    fronts.push(front)
    return front
  }
  const at = (front: Front): string => front.address.replace('127.0.0.1', 'localhost')
  const file = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }
  const front = await another({})
  return {
    server,
    authority,
    front,
    at,
    another,
    file,
    folder,
    env: {
      TEMPORAL_ADDRESS: at(front),
      TEMPORAL_NAMESPACE: NAMESPACE,
      TEMPORAL_API_KEY: API_KEY,
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: file('ca.pem', authority.cert),
    },
    async stop() {
      await Promise.all(fronts.map((one) => one.stop()))
      await server.stop(0)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
