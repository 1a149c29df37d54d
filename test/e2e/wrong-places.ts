/** Connections that lead nowhere good: logins that are refused, hosts that are not Salesforce, lakes that are none. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { createServer as createSocketServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import type { Sandbox } from '../sandboxes/salesforce/salesforce.ts'
import { SECRET } from './stage.ts'
import type { Stage } from './stage.ts'

export interface WrongPlaces {
  /** Orgs with clocks of their own: connections `clock-0-<stage>`, `clock-1-<stage>` … */
  clocks: Sandbox[]
  stop(): Promise<void>
}

const REFRESH_TOKEN = 'a refresh token that is revoked'

/** Adds them to the stage's installation, and what they refer to to its environment. */
export async function openWrongPlaces(stage: Stage, { clocks: count = 0 } = {}): Promise<WrongPlaces> {
  const own = { clientId: 'stage-client', clientSecret: SECRET, contacts: 5 }
  const org = (more: object) => startSalesforce({ ...own, accounts: 60, opportunities: 5, ...more })
  const nobody = await org({ runAsUser: false })
  const revoked = await org({ refreshToken: REFRESH_TOKEN })
  revoked.control.revokeRefreshTokens()
  const clocks = await Promise.all(Array.from({ length: count }, () => org({})))
  const servers = {
    page: pages((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' })
      response.end('<!DOCTYPE html><html><head><title>Router login</title></head></html>')
    }),
    redirect: pages((_, response) => response.writeHead(302, { location: 'https://elsewhere.invalid/?code=1' }).end()),
    missing: pages((_, response) => response.writeHead(404).end()),
    closes: createSocketServer((socket) => socket.destroy()),
  }
  await Promise.all(Object.values(servers).map((server) => once(server.listen(0, '127.0.0.1'), 'listening')))
  const at = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  Object.assign(stage.env, { WRONG_SECRET: 'another secret', EMPTY_SECRET: ' ', REVOKED_TOKEN: REFRESH_TOKEN })
  const login = { type: 'client_credentials', clientId: 'stage-client', clientSecret: { env: 'SF_CLIENT_SECRET' } }
  const crm = (loginUrl: string, auth: object = {}) => ({
    connector: 'salesforce',
    loginUrl,
    taskQueue: stage.queue,
    auth: { ...login, ...auth },
  })
  const { url } = stage.sandbox
  const named = {
    absent: crm(url, { clientSecret: { env: 'NO_SUCH_SECRET' } }),
    empty: crm(url, { clientSecret: { env: 'EMPTY_SECRET' } }),
    'no-file': crm(url, { clientSecret: { file: 'secrets/none' } }),
    wrong: crm(url, { clientSecret: { env: 'WRONG_SECRET' } }),
    client: crm(url, { clientId: 'another-client' }),
    nobody: crm(nobody.url),
    revoked: crm(revoked.url, { type: 'refresh_token', refreshToken: { env: 'REVOKED_TOKEN' } }),
    unknown: crm('https://unknown.invalid'),
    refused: crm('http://127.0.0.1:1'),
    tls: crm(url.replace('http:', 'https:')),
    page: crm(at(servers.page)),
    redirect: crm(at(servers.redirect)),
    missing: crm(at(servers.missing)),
    closes: crm(at(servers.closes)),
    elsewhere: { ...crm(url), taskQueue: `${stage.queue}-elsewhere` },
    ...Object.fromEntries(clocks.map((clock, n) => [`clock-${n}`, crm(clock.url)])),
  }
  const path = join(stage.directory, 'lakeward.yaml')
  const installation = parse(readFileSync(path, 'utf8')) as Record<string, Record<string, unknown>>
  Object.assign(installation['connections']!, {
    // One refresh is made per name and namespace.
    ...Object.fromEntries(Object.entries(named).map(([name, connection]) => [`${name}-${stage.id}`, connection])),
    'lake-file': { connector: 'file', path: './a-file' },
    'lake-below': { connector: 'file', path: './a-file/lake' },
    'lake-long': { connector: 'file', path: `./${'long/'.repeat(900)}` },
    'lake-locked': { connector: 'file', path: locked(stage) },
  })
  Object.assign(installation['keys']!, { absent: { env: 'NO_SUCH_KEY' } })
  writeFileSync(path, stringify(installation))
  writeFileSync(join(stage.directory, 'a-file'), 'not a directory')
  return {
    clocks,
    async stop() {
      for (const server of Object.values(servers)) server.close()
      await Promise.all([nobody, revoked, ...clocks].map((sandbox) => sandbox.stop()))
    },
  }
}

function pages(answer: RequestListener): Server {
  return createServer({ keepAliveTimeout: 1 }, answer)
}

/** A directory that cannot be written into. Root may write everywhere but where the kernel makes the files. */
function locked({ directory }: Stage): string {
  if (process.getuid?.() === 0) return '/sys/lakeward-test'
  mkdirSync(join(directory, 'locked'), { mode: 0o500 })
  return join(directory, 'locked', 'lake')
}
