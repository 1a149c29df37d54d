import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { JsonObject } from '../../connectors/connector.ts'
import { salesforce } from '../../connectors/salesforce/salesforce.ts'
import { createCredentials } from '../../worker/credentials.ts'
import type { Credentials } from '../../worker/credentials.ts'
import { makeSession } from '../../worker/session.ts'
import { directoryState } from '../../worker/installation-state.ts'
import { createWires } from '../../worker/wires.ts'
import type { Wires } from '../../worker/wires.ts'
import { startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import type { Sandbox, SandboxOptions } from '../sandboxes/salesforce/salesforce.ts'
import { loginOf } from './login-of.ts'

let sandbox: Sandbox
let wires: Wires
beforeEach(() => {
  wires = createWires()
})
afterEach(async () => {
  await wires.close()
  await sandbox.stop()
})

async function start(options: SandboxOptions = {}): Promise<void> {
  sandbox = await startSalesforce({ accounts: 50, opportunities: 5, contacts: 5, ...options })
}

/** The credentials of one machine: its own state directory. */
async function machine(type: string): Promise<Credentials> {
  const directory = await mkdtemp(join(tmpdir(), 'lakeward-session-'))
  return createCredentials({
    state: () => Promise.resolve(directoryState(directory, Buffer.alloc(32, 5))),
    login: () => Promise.resolve(loginOf(sandbox.url, type, { clientId: 'sandbox-client' })),
    wires,
    env: { CLIENT_SECRET: 'sandbox-secret', REFRESH_TOKEN: 'sandbox-refresh' },
  })
}

function session(credentials: Credentials, authType: string, renew?: (staleVersion: number) => Promise<void>) {
  return makeSession({
    connection: 'crm',
    connector: salesforce,
    settings: salesforce.settings.parse({ loginUrl: sandbox.url }) as JsonObject,
    authType,
    credentials,
    wires,
    signal: new AbortController().signal,
    beat: () => {},
    note: () => {},
    ...(renew ? { renew } : {}),
  })
}

const describeAccount = (of: ReturnType<typeof session>) => salesforce.source!.describe(of, 'Account', {})

it('asks for one new token, however many sessions meet the end of the old one', async () => {
  await start()
  const credentials = await machine('client_credentials')
  const asked: number[] = []
  const renew = async (staleVersion: number): Promise<void> => {
    asked.push(staleVersion)
    await credentials.refresh('crm', staleVersion, 'namespace')
  }
  const sessions = Array.from({ length: 20 }, () => session(credentials, 'client_credentials', renew))
  await Promise.all(sessions.map(describeAccount))
  sandbox.control.expireTokens()
  await Promise.all(sessions.map(describeAccount))
  expect(sandbox.control.counts().token).toBe(2)
  expect(new Set(asked)).toEqual(new Set([0, 1]))
})

it('does not ask where another process has renewed the token already', async () => {
  await start()
  const credentials = await machine('client_credentials')
  const one = session(credentials, 'client_credentials')
  await describeAccount(one)
  sandbox.control.expireTokens()
  await credentials.refresh('crm', 1, null)
  const two = session(credentials, 'client_credentials', () => Promise.reject(new Error('asked')))
  await describeAccount(two)
  expect(sandbox.control.counts().token).toBe(2)
})

it('logs in by itself where a worker of another machine was asked and its state is not here', async () => {
  await start()
  const [here, there] = [await machine('client_credentials'), await machine('client_credentials')]
  const renew = async (staleVersion: number): Promise<void> => void (await there.refresh('crm', staleVersion, 'ns'))
  await describeAccount(session(here, 'client_credentials', renew))
  expect(sandbox.control.counts().token).toBe(2)
})

it('does not use up a rotating login on a second machine, and says why', async () => {
  await start({ rotate: true })
  const [here, there] = [await machine('refresh_token'), await machine('refresh_token')]
  await describeAccount(session(here, 'refresh_token'))
  sandbox.control.expireTokens()
  const renew = (): Promise<void> => Promise.resolve()
  await expect(describeAccount(session(here, 'refresh_token', renew))).rejects.toMatchObject({
    kind: 'auth',
    advice: expect.stringContaining('one state') as string,
  })
  expect(await there.rotates('crm')).toBe(false)
})

it('does not go on in another org than it began with; the next session does', async () => {
  await start({ separateInstance: true })
  const credentials = await machine('client_credentials')
  const one = session(credentials, 'client_credentials')
  const before = await salesforce.identity(one)
  sandbox.control.setOrg({ orgId: '00D5g00000Other0AA' })
  sandbox.control.expireTokens()
  await expect(describeAccount(one)).rejects.toMatchObject({ kind: 'moved' })
  const after = await salesforce.identity(session(credentials, 'client_credentials'))
  expect(after).not.toBe(before)
  expect(after).toContain('00D5g00000Other0AA')
})
