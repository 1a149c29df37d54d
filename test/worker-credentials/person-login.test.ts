/** A login by a person against the sandbox: what is asked, what is taken for an answer, and what each failure tells. */
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { ConnectorError } from '../../connectors/errors.ts'
import { salesforce } from '../../connectors/salesforce/salesforce.ts'
import { createCredentials } from '../../worker/credentials.ts'
import { directoryState } from '../../worker/installation-state.ts'
import { createWires } from '../../worker/wires.ts'
import { codeOf, logIn } from '../sandbox/browser.ts'
import type { Sandbox, SandboxOptions } from '../sandboxes/salesforce/salesforce.ts'
import { startSalesforce } from '../sandboxes/salesforce/salesforce.ts'

const wires = createWires()
let sandbox: Sandbox
let directory: string
afterEach(async () => {
  await sandbox.stop()
  await wires.close()
})

async function start(options: SandboxOptions = {}): Promise<void> {
  const small = { accounts: 1, opportunities: 1, contacts: 1 }
  const app = { clientId: 'client', clientSecret: 'canary-secret', tokenMark: 'canary', rotate: true }
  sandbox = await startSalesforce({ ...small, ...app, ...options })
  directory = mkdtempSync(join(tmpdir(), 'lakeward-person-'))
}

function credentials(auth: Record<string, unknown> = {}) {
  return createCredentials({
    state: () => Promise.resolve(directoryState(directory, Buffer.alloc(32, 3))),
    login: () =>
      Promise.resolve({
        connection: 'crm',
        connector: salesforce,
        settings: { loginUrl: sandbox.url },
        auth: { type: 'authorization_code', clientId: 'client', clientSecret: { env: 'SECRET' }, ...auth },
        allowInsecure: false,
        directory,
      }),
    wires,
    env: { SECRET: 'canary-secret', OTHER: 'canary-other' },
  })
}

async function refusal(work: Promise<unknown>): Promise<ConnectorError> {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(ConnectorError)
  const { kind, message, advice } = error as ConnectorError
  expect(kind).toBe('auth')
  expect(advice).toBeTruthy()
  expect(message + String(advice)).not.toContain('canary')
  return error as ConnectorError
}

describe('the page that is opened', () => {
  it('is asked for a code with a state and a challenge of this login alone', async () => {
    await start()
    const { url, redirectUri } = await credentials({ redirectPort: 9000 }).login('crm')
    const page = new URL(url)
    expect(page.origin + page.pathname).toBe(`${sandbox.url}/services/oauth2/authorize`)
    expect(redirectUri).toBe('http://localhost:9000/callback')
    const { state, code_challenge, ...asked } = Object.fromEntries(page.searchParams)
    expect(asked).toEqual({
      response_type: 'code',
      client_id: 'client',
      redirect_uri: redirectUri,
      scope: 'api refresh_token',
      code_challenge_method: 'S256',
    })
    const other = new URL((await credentials().login('crm')).url).searchParams
    for (const own of [state, code_challenge]) expect(own).toMatch(/^[\w-]{43}$/)
    expect([other.get('state'), other.get('code_challenge')]).not.toEqual([state, code_challenge])
  })
})

describe('what came back', () => {
  it.each([
    ['the whole address', (address: string) => address],
    ['the address with blanks around it', (address: string) => ` ${address}\n`],
    ['its query', (address: string) => new URL(address).search],
    ['its query without the mark', (address: string) => new URL(address).search.slice(1)],
    ['the code alone', codeOf],
    ['the code as it stands in the address', (address: string) => /code=([^&]+)/.exec(address)?.[1] ?? ''],
    ['another issuer than the host', (address: string) => `${address}&iss=https%3A%2F%2Facme.my.salesforce.com`],
  ])('is taken once: %s', async (_, given) => {
    await start()
    const keeper = credentials()
    const login = await keeper.login('crm')
    const address = (await logIn(login.url)) ?? ''
    expect(await login.take(given(address))).toEqual({ version: 1 })
    expect((await keeper.current('crm'))?.accessToken).toMatch(/^00D/)
    expect((await refusal(login.take(given(address)))).message).toContain('answered already')
    // Somebody who has seen the address can do nothing with it.
    const again = await credentials().login('crm')
    expect((await refusal(again.take(codeOf(address)))).message).toContain('expired authorization code')
  })

  it.each<[string, (address: string) => string, RegExp]>([
    ['of another login', (address) => address.replace('state=', 'state=x'), /its state differs/],
    ['without a state', (address) => address.replace(/&state=.*/, ''), /its state differs/],
    ['with two states', (address) => `${address}&state=x`, /its state differs/],
    [
      'the page itself',
      () => `${sandbox.url}/services/oauth2/authorize?client_id=x`,
      /neither the code nor the address/,
    ],
    ['nothing', () => '', /neither the code nor the address/],
    ['a sentence', () => 'where do I find it?', /neither the code nor the address/],
    ['a broken code', () => 'aPrx%ZZaaaaaaa', /neither the code nor the address/],
  ])('is refused and not sent: %s', async (_, given, message) => {
    await start()
    const login = await credentials().login('crm')
    const answer = (await logIn(login.url)) ?? ''
    sandbox.control.reset()
    expect((await refusal(login.take(given(answer)))).message).toMatch(message)
    expect(sandbox.control.counts()).toEqual({})
    // A slip of the hand does not use it up.
    expect(await login.take(answer)).toEqual({ version: 1 })
  })

  it('the code of another login alone: the verifier tells', async () => {
    await start()
    const [one, two] = [await credentials().login('crm'), await credentials().login('crm')]
    const error = await refusal(two.take(codeOf(await logIn(one.url))))
    expect(error).toMatchObject({ message: expect.stringContaining('invalid code verifier') as string })
    expect(error.advice).toContain('lakeward login')
  })

  it('no: the person refused', async () => {
    await start()
    const login = await credentials().login('crm')
    const error = await refusal(login.take((await logIn(login.url, 'deny')) ?? ''))
    expect(error.message).toContain('access_denied: end-user denied authorization')
    expect(error.advice).toContain('allow')
  })

  it('no: the app may not ask for that', async () => {
    await start({ scopes: ['api'] })
    const login = await credentials().login('crm')
    const error = await refusal(login.take((await logIn(login.url)) ?? ''))
    expect(error.message).toContain('invalid_scope')
    expect(error.advice).toContain('Perform requests at any time')
  })

  it('tokens without a refresh token: nothing is stored', async () => {
    await start()
    const keeper = credentials({ scopes: ['api'] })
    const login = await keeper.login('crm')
    const error = await refusal(login.take((await logIn(login.url)) ?? ''))
    expect(error.message).toContain('no refresh token')
    expect(error.advice).toContain('refresh_token, offline_access')
    expect(readdirSync(directory, { recursive: true })).toEqual([])
    expect((await refusal(keeper.refresh('crm', 0, 'ns'))).advice).toContain('lakeward login crm')
  })

  it('an address that is not registered: the browser shows it, and nothing comes back', async () => {
    await start({ callbackUrls: ['http://localhost:1/callback'] })
    expect(await logIn((await credentials().login('crm')).url)).toBeNull()
  })

  it('a wrong secret of the app', async () => {
    await start()
    const login = await credentials({ clientSecret: { env: 'OTHER' } }).login('crm')
    const error = await refusal(login.take((await logIn(login.url)) ?? ''))
    expect(error.message).toContain('invalid_client')
  })
})

describe('the login that is stored', () => {
  const entered = async (auth: Record<string, unknown> = {}): Promise<void> => {
    const login = await credentials(auth).login('crm')
    await login.take((await logIn(login.url)) ?? '')
  }

  it('is sealed, and goes on with each refresh token that follows', async () => {
    await start()
    await entered()
    for (const version of [1, 2, 3]) {
      expect(await credentials().refresh('crm', version, 'ns')).toEqual({ version: version + 1 })
    }
    const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
    const files = entries.flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []))
    expect(files.length).toBeGreaterThan(0)
    for (const file of files) expect(readFileSync(file, 'utf8')).not.toContain('canary')
    expect(await credentials().rotates('crm')).toBe(true)
  })

  it('of an app without a secret goes without one', async () => {
    await start({ requireSecret: false })
    await entered({ clientSecret: undefined })
    expect(await credentials({ clientSecret: undefined }).refresh('crm', 1, null)).toEqual({ version: 2 })
  })

  it("stays when the app's secret is replaced", async () => {
    await start({ requireSecret: false })
    await entered()
    expect((await credentials({ clientSecret: undefined }).current('crm'))?.version).toBe(1)
  })

  it('is replaced by the next one, for whoever uses it first', async () => {
    await start()
    await entered()
    await credentials().refresh('crm', 1, 'namespace-a')
    sandbox.control.revokeRefreshTokens()
    const error = await refusal(credentials().refresh('crm', 2, 'namespace-a'))
    expect(error.advice).toContain('lakeward login')
    await entered()
    expect((await credentials().current('crm'))?.version).toBe(3)
    expect(await credentials().refresh('crm', 3, 'namespace-b')).toEqual({ version: 4 })
  })
})
