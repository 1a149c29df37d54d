/** `lakeward login` against the sandbox: who is logged in, and what each failure tells, with its exit code. */
import { createServer } from 'node:http'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { runCommand } from '../../client/command.ts'
import { logIn, visit } from '../sandbox/browser.ts'
import type { Sandbox } from '../sandboxes/salesforce/salesforce.ts'
import { startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import { freePort } from '../../worker/ports.ts'
import { keys } from '../worker-credentials/keys.ts'

const folder = mkdtempSync(join(tmpdir(), 'lakeward-login-'))
const config = join(folder, 'lakeward.yaml')
let sandbox: Sandbox
let redirectPort: number

beforeAll(async () => {
  redirectPort = await freePort()
  sandbox = await startSalesforce({
    accounts: 1,
    opportunities: 1,
    contacts: 1,
    clientId: 'me',
    clientSecret: 'canary-secret',
    tokenMark: 'canary',
    certificate: keys().public,
    callbackUrls: [`http://localhost:${redirectPort}/callback`],
  })
  process.env.LAKEWARD_TEST_SECRET = 'canary-secret'
  process.env.LAKEWARD_TEST_KEY = keys().pkcs8
  process.env.LAKEWARD_STATE_KEY = Buffer.alloc(32, 7).toString('base64')
  const secret = { env: 'LAKEWARD_TEST_SECRET' }
  const byPerson = { type: 'authorization_code', clientId: 'me', clientSecret: secret, redirectPort }
  const jwt = { type: 'jwt_bearer', clientId: 'me', privateKey: { env: 'LAKEWARD_TEST_KEY' } }
  const org = (auth: object) => ({ connector: 'salesforce', loginUrl: sandbox.url, auth })
  const connections = {
    person: org(byPerson),
    narrow: org({ ...byPerson, scopes: ['api'] }),
    client: org({ type: 'client_credentials', clientId: 'me', clientSecret: secret }),
    stranger: org({ type: 'client_credentials', clientId: 'stranger', clientSecret: secret }),
    jwt: org({ ...jwt, subject: 'user0@acme.example' }),
    unapproved: org({ ...jwt, subject: 'user1@acme.example' }),
    keyless: org({ ...jwt, subject: 'user0@acme.example', privateKey: { file: 'absent.pem' } }),
    lake: { connector: 'file', path: './lake' },
  }
  writeFileSync(config, stringify({ version: 1, connections }))
})
beforeEach(() => sandbox.control.reset())
afterAll(async () => {
  await sandbox.stop()
  rmSync(folder, { recursive: true, force: true })
})

interface Told {
  code: number
  out: string
  said: string
}

/** `person` is told the address of the login page as soon as it is on the screen. */
async function lakeward(args: string[], person?: (url: string) => Promise<unknown>): Promise<Told> {
  const [out, said]: [string[], string[]] = [[], []]
  const acted: Promise<unknown>[] = []
  const code = await runCommand([...args, '--config', config], {
    out: (text) => out.push(text),
    say: (text) => {
      said.push(text)
      if (text.startsWith('http')) acted.push(Promise.resolve(person?.(text)))
    },
    draw: null,
    columns: Infinity,
    color: (text) => text,
  })
  await Promise.all(acted)
  const all = [...out, ...said].join('\n')
  for (const secret of ['canary', 'aPrx', 'eyJ']) expect(all).not.toContain(secret)
  return { code, out: out.join('\n'), said: said.join('\n') }
}

const byPerson =
  (decision: 'allow' | 'deny' = 'allow') =>
  async (url: string) => {
    return visit((await logIn(url, decision)) ?? '')
  }

describe('a login by a person', () => {
  it('comes back to this machine, and says who is logged in', async () => {
    let page = { status: 0, text: '' }
    const told = await lakeward(['login', 'person', '--no-browser'], async (url) => (page = await byPerson()(url)))
    expect(told).toMatchObject({ code: 0, out: expect.stringContaining('person: logged in') as string })
    expect(told.out).toMatch(
      /organization: 00D5g000004XyZaEAK\n {2}instance: http:.*\n {2}user: user0@acme.example \(005/,
    )
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining('You are logged in') as string })
    // What is stored is used from here on.
    const again = await lakeward(['objects', 'person', '--match', 'Account'])
    expect(again.code).toBe(0)
    expect(sandbox.control.counts()).toMatchObject({ token: 1 })
  })

  it('as JSON', async () => {
    const { code, out } = await lakeward(['login', 'person', '--no-browser', '--json'], byPerson())
    expect([code, JSON.parse(out)]).toMatchObject([0, { connection: 'person', organization: '00D5g000004XyZaEAK' }])
  })

  it('that is refused ends with 4, and the page says so too', async () => {
    let page = { status: 0, text: '' }
    const denied = byPerson('deny')
    const told = await lakeward(['login', 'person', '--no-browser'], async (url) => (page = await denied(url)))
    expect(told).toMatchObject({ code: 4, said: expect.stringMatching(/access_denied.*\n.*allow it/) as string })
    expect(page).toMatchObject({ status: 400, text: expect.stringContaining('login failed') as string })
  })

  it('of somebody else is not taken: its state differs', async () => {
    const forged = `http://localhost:${redirectPort}/callback?code=aPrxforged&state=none`
    const told = await lakeward(['login', 'person', '--no-browser'], () => visit(forged))
    expect(told).toMatchObject({ code: 4, said: expect.stringMatching(/state differs\n.*again/) as string })
    expect(sandbox.control.counts()).toEqual({})
  })

  it('is not ended by a visit to another page', async () => {
    const other = `http://localhost:${redirectPort}/favicon.ico?code=x`
    const told = await lakeward(['login', 'person', '--no-browser'], async (url) => {
      expect((await visit(other)).status).toBe(404)
      await byPerson()(url)
    })
    expect(told.code).toBe(0)
  })

  it('without a refresh token is no login', async () => {
    const { code, said } = await lakeward(['login', 'narrow', '--no-browser'], byPerson())
    expect([code, said]).toEqual([4, expect.stringMatching(/no refresh token.*\n.*offline_access/)])
  })

  it('that nobody makes ends, and says what the browser may have shown', async () => {
    const { code, said } = await lakeward(['login', 'person', '--no-browser', '--timeout', '1s'])
    expect([code, said]).toEqual([4, expect.stringMatching(/nobody logged in within 1s\n.*redirect_uri_mismatch/)])
  })

  it('needs its port', async () => {
    const other = createServer().listen(redirectPort, '127.0.0.1')
    await once(other, 'listening')
    const { code, said } = await lakeward(['login', 'person', '--no-browser'])
    other.close()
    expect([code, said]).toEqual([4, expect.stringMatching(/port \d+ .* used by another process.*\n.*redirectPort/)])
    expect(said).not.toContain('http')
  })
})

describe('a login that is configured is tried', () => {
  it.each(['client', 'jwt'])('%s: works', async (connection) => {
    for (const _ of [1, 2]) {
      const { code, out } = await lakeward(['login', connection])
      expect([code, out]).toEqual([0, expect.stringMatching(/organization: 00D.*\n.*\n {2}user: user0@acme\.example/)])
    }
    expect(sandbox.control.counts()).toMatchObject({ token: 2 })
  })

  it.each([
    ['stranger', 4, /invalid_client_id.*\n.*clientId/],
    ['unapproved', 4, /user hasn't approved this consumer.*\n.*Permitted Users/],
    ['keyless', 4, /absent\.pem does not exist/],
    ['lake', 2, /needs no login/],
    ['persn', 2, /no connection persn, did you mean 'person'/],
  ])('%s: %i', async (connection, code, said) => {
    expect(await lakeward(['login', connection])).toMatchObject({ code, said: expect.stringMatching(said) as string })
  })

  it('a time that is none', async () => {
    const { code, said } = await lakeward(['login', 'person', '--timeout', 'soon'])
    expect([code, said]).toEqual([2, expect.stringMatching(/--timeout.*"soon".*\n.*5m/)])
  })
})
