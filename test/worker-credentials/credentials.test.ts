import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConnectorError, LoginLost } from '../../connectors/errors.ts'
import { createCredentials } from '../../worker/credentials.ts'
import type { Credentials } from '../../worker/credentials.ts'
import { directoryState } from '../../worker/installation-state.ts'
import { createWires } from '../../worker/wires.ts'
import type { Wires } from '../../worker/wires.ts'
import { loginOf } from './login-of.ts'
import { tokenServer } from './token-server.ts'
import type { TokenServer } from './token-server.ts'

const env = { CLIENT_SECRET: 'canary-client-secret', REFRESH_TOKEN: 'canary-refresh-0' }
let directory: string
let server: TokenServer
let wires: Wires
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lakeward-credentials-'))
  wires = createWires()
})
afterEach(async () => {
  await wires.close()
  server.stop()
})

function open(
  type = 'client_credentials',
  more: { auth?: Record<string, unknown>; env?: NodeJS.ProcessEnv; forsakenMs?: number } = {},
): Credentials {
  return createCredentials({
    state: () => Promise.resolve(directoryState(directory, Buffer.alloc(32, 3))),
    login: () => Promise.resolve(loginOf(server.url, type, more.auth)),
    wires,
    env: more.env ?? env,
    ...(more.forsakenMs === undefined ? {} : { forsakenMs: more.forsakenMs }),
  })
}

const asker = (type: string, stale: number, owner = ''): string[] => [
  '--import',
  'tsx',
  join(import.meta.dirname, 'asker.ts'),
  ...[directory, server.url, type, String(stale), owner],
]
const run = promisify(execFile)

async function refused(promise: Promise<unknown>): Promise<ConnectorError> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(ConnectorError)
  for (const secret of ['canary-client-secret', 'canary-refresh', 'canary-access']) {
    expect(String(error)).not.toContain(secret)
  }
  return error as ConnectorError
}

async function onDisk(): Promise<string> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.json'))
  return (await Promise.all(files.map((file) => readFile(join(directory, file), 'utf8')))).join('\n')
}

describe('a token', () => {
  it('is fetched once, kept sealed, and read by others', async () => {
    server = await tokenServer()
    const one = open()
    expect(await one.current('crm')).toBeNull()
    const versions = await Promise.all(Array.from({ length: 10 }, () => one.refresh('crm', 0, 'ns')))
    expect(new Set(versions.map(({ version }) => version))).toEqual(new Set([1]))
    const token = {
      version: 1,
      accessToken: 'canary-access-1',
      kept: { instance_url: server.url, id: `${server.url}/id/00D1/0051` },
    }
    expect(await one.current('crm')).toEqual(token)
    expect(await open().current('crm')).toEqual(token)
    expect(server.calls).toEqual(['client'])
    expect(await onDisk()).not.toContain('canary')
    expect([...one.secrets('crm')]).toEqual(expect.arrayContaining(['canary-client-secret', 'canary-access-1']))
  })

  it('that is newer than the stale one is used, whoever fetched it', async () => {
    server = await tokenServer()
    const [one, two] = [open(), open()]
    await one.refresh('crm', 0, null)
    await two.current('crm')
    await one.refresh('crm', 1, null)
    expect(await two.refresh('crm', 1, null)).toEqual({ version: 2 })
    expect((await two.current('crm'))?.accessToken).toBe('canary-access-2')
    expect(server.calls).toHaveLength(2)
  })

  it('of another login is not used, and its version does not come again', async () => {
    server = await tokenServer()
    await open().refresh('crm', 0, null)
    const other = open('client_credentials', { auth: { clientId: 'another' } })
    expect(await other.current('crm')).toBeNull()
    expect(await other.refresh('crm', 0, null)).toEqual({ version: 2 })
  })

  it('is fetched once by five processes at once', async () => {
    server = await tokenServer(true)
    server.delayMs = 300
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => run(process.execPath, asker('refresh_token', 0, 'ns'))),
    )
    for (const { stdout } of answers) {
      expect(JSON.parse(stdout)).toEqual({ version: 1, accessToken: 'canary-access-1' })
    }
    expect(server.calls).toEqual(['canary-refresh-0'])
  })
})

describe('a refresh token that changes with every use', () => {
  it('is stored before the access token is used, and sent the next time', async () => {
    server = await tokenServer(true)
    for (let version = 0; version < 4; version++) {
      expect(await open('refresh_token').refresh('crm', version, 'ns')).toEqual({ version: version + 1 })
    }
    expect(server.calls).toEqual(['canary-refresh-0', 'canary-refresh-1', 'canary-refresh-2', 'canary-refresh-3'])
    expect(await onDisk()).not.toContain('canary')
  })

  it('belongs to the namespace that used it first', async () => {
    server = await tokenServer(true)
    await open('refresh_token').refresh('crm', 0, 'namespace-a')
    const error = await refused(open('refresh_token').refresh('crm', 1, 'namespace-b'))
    expect(error).toMatchObject({ kind: 'auth', message: expect.stringContaining('namespace-a') as string })
    expect(await open('refresh_token').refresh('crm', 1, null)).toEqual({ version: 2 })
    expect(await open('refresh_token').refresh('crm', 2, 'namespace-a')).toEqual({ version: 3 })
  })

  it('gives way to a new one in the configuration', async () => {
    server = await tokenServer(true)
    await open('refresh_token').refresh('crm', 0, 'namespace-a')
    const login = open('refresh_token', { env: { ...env, REFRESH_TOKEN: 'canary-refresh-1' } })
    expect(await login.refresh('crm', 0, 'namespace-b')).toEqual({ version: 2 })
    expect(server.calls.at(-1)).toBe('canary-refresh-1')
  })

  it('is known to be lost with an answer that never came', async () => {
    server = await tokenServer(true)
    server.instead.push('close')
    expect((await refused(open('refresh_token').refresh('crm', 0, 'ns'))).kind).toBe('transient')
    const error = await refused(open('refresh_token').refresh('crm', 0, 'ns'))
    expect(error).toMatchObject({
      kind: 'auth',
      advice: expect.stringContaining('answer to an earlier refresh was lost') as string,
    })
  })

  it('is known to be in doubt after a process was killed in the middle, and nobody waits for the dead', async () => {
    server = await tokenServer(true)
    let reached: () => void = () => {}
    const atVendor = new Promise<void>((resolve) => (reached = resolve))
    server.before = async () => {
      reached()
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
    const child = spawn(process.execPath, asker('refresh_token', 0, 'ns'), { stdio: 'ignore' })
    await atVendor
    child.kill('SIGKILL')
    await once(child, 'exit')
    server.before = null
    const started = Date.now()
    const error = await refused(open('refresh_token').refresh('crm', 0, 'ns'))
    expect(error.advice).toContain('answer to an earlier refresh was lost')
    expect(Date.now() - started).toBeLessThan(5000)
  })
})

describe('a request that another machine has under way', () => {
  const state = () => directoryState(directory, Buffer.alloc(32, 3))
  // The number is of a process that lives here: it says nothing of a process there.
  const marker = { by: 'somebody', machine: 'elsewhere', pid: process.pid, login: 'theirs' }
  let begun = 0
  const begin = () => {
    // Each is seen for the first time.
    const refreshing = { ...marker, by: `somebody ${begun++}` }
    return state().write('connection/crm', { logins: {}, lastVersion: 0, refreshing }, 0)
  }

  it('is waited for, and its token is used', async () => {
    server = await tokenServer(true)
    await begin()
    const waiting = open('refresh_token', { forsakenMs: 60_000 }).refresh('crm', 0, 'ns')
    const answer = { accessToken: 'canary-access-9', refreshToken: 'canary-refresh-9', kept: {} }
    await open('refresh_token').store('crm', answer)
    expect(await waiting).toEqual({ version: 1 })
    expect(server.calls).toEqual([])
  })

  it('is given up when it was seen unchanged for long enough, whatever any clock says', async () => {
    server = await tokenServer(true)
    await begin()
    const started = performance.now()
    expect(await open('refresh_token', { forsakenMs: 500 }).refresh('crm', 0, 'ns')).toEqual({ version: 1 })
    expect(performance.now() - started).toBeGreaterThan(500)
  })
})

describe('a state store that is away', () => {
  it('when the answer comes gets it when it is back: nothing is lost', async () => {
    server = await tokenServer(true)
    let away = 0
    const inner = directoryState(directory, Buffer.alloc(32, 3))
    const credentials = createCredentials({
      state: () =>
        Promise.resolve({
          read: (name) => (away > 0 ? Promise.reject(new Error('away')) : inner.read(name)),
          write: (name, value, after) =>
            away-- > 0 ? Promise.reject(new Error('away')) : inner.write(name, value, after),
        }),
      login: () => Promise.resolve(loginOf(server.url, 'refresh_token')),
      wires,
      env,
    })
    server.before = () => Promise.resolve(void (away = 3))
    expect(await credentials.refresh('crm', 0, 'ns')).toEqual({ version: 1 })
    server.before = null
    expect(await open('refresh_token').refresh('crm', 1, 'ns')).toEqual({ version: 2 })
    expect(server.calls).toEqual(['canary-refresh-0', 'canary-refresh-1'])
  })
})

describe('a refresh token that is refused', () => {
  const revoked = '{"error":"invalid_grant","error_description":"expired access/refresh token"}'

  it('is not sent again by workers, until another one is configured or a person tries', async () => {
    server = await tokenServer(true)
    server.instead.push({ status: 400, body: revoked })
    const lost = await refused(open('refresh_token').refresh('crm', 0, 'ns'))
    expect(lost).toBeInstanceOf(LoginLost)
    for (let again = 0; again < 3; again++) {
      const next = await refused(open('refresh_token').refresh('crm', 0, 'ns'))
      expect(next).toBeInstanceOf(LoginLost)
      expect([next.message, next.advice]).toEqual([lost.message, lost.advice])
    }
    expect(server.calls).toHaveLength(1)

    const other = { env: { ...env, REFRESH_TOKEN: 'canary-refresh-1' } }
    expect(await open('refresh_token', other).refresh('crm', 0, 'ns')).toEqual({ version: 1 })
    await refused(open('refresh_token').refresh('crm', 1, 'ns'))
    expect(server.calls).toEqual(['canary-refresh-0', 'canary-refresh-1'])
  })

  it('is sent again when the secret of the app was mended, and the mark goes with a success', async () => {
    server = await tokenServer(true)
    server.instead.push({ status: 400, body: revoked })
    await refused(open('refresh_token').refresh('crm', 0, 'ns'))
    server.valid = 'canary-refresh-0' // the vendor has let the user in again
    const mended = { env: { ...env, CLIENT_SECRET: 'canary-client-secret-2' } }
    expect(await open('refresh_token', mended).refresh('crm', 0, 'ns')).toEqual({ version: 1 })
    expect(await open('refresh_token', mended).refresh('crm', 1, 'ns')).toEqual({ version: 2 })
  })

  it.each([
    { status: 400, body: '{"error":"invalid_client"}' },
    { status: 503, body: '' },
  ])('is not marked by a refusal of something else: %j', async (instead) => {
    server = await tokenServer(true)
    server.instead.push(instead)
    expect(await refused(open('refresh_token').refresh('crm', 0, 'ns'))).not.toBeInstanceOf(LoginLost)
    server.valid = 'canary-refresh-0'
    expect(await open('refresh_token').refresh('crm', 0, 'ns')).toEqual({ version: 1 })
  })

  it('is forgotten with a login by a person, which counts on from the versions before', async () => {
    server = await tokenServer(true)
    await open('refresh_token').refresh('crm', 0, 'ns')
    server.instead.push({ status: 400, body: revoked })
    expect(await refused(open('refresh_token').refresh('crm', 1, 'ns'))).toBeInstanceOf(LoginLost)
    const answer = { accessToken: 'canary-access-new', refreshToken: 'canary-refresh-new', kept: {} }
    expect(await open('refresh_token').store('crm', answer)).toEqual({ version: 2 })
    expect(await open('refresh_token').current('crm')).toMatchObject({ accessToken: 'canary-access-new' })
    server.valid = 'canary-refresh-new'
    expect(await open('refresh_token').refresh('crm', 2, 'another namespace')).toEqual({ version: 3 })
    expect(server.calls.at(-1)).toBe('canary-refresh-new')
    expect(await onDisk()).not.toContain('canary')
  })

  it('does not replace what a person brought while the vendor was asked', async () => {
    server = await tokenServer(true)
    const answer = { accessToken: 'canary-access-new', refreshToken: 'canary-refresh-new', kept: {} }
    server.before = async () => void (await open('refresh_token').store('crm', answer))
    expect(await open('refresh_token').refresh('crm', 0, 'ns')).toEqual({ version: 1 })
    server.before = null
    expect(await open('refresh_token').current('crm')).toMatchObject({ accessToken: 'canary-access-new' })
  })
})

describe('a login that fails', () => {
  it.each([
    [
      { status: 400, body: '{"error":"invalid_grant","error_description":"expired access/refresh token"}' },
      'auth',
      'Log in again, put the new refresh token where connections.crm.auth.refreshToken',
    ],
    [
      { status: 400, body: '{"error":"invalid_client","error_description":"canary-client-secret is wrong"}' },
      'auth',
      'clientSecret',
    ],
    [
      { status: 400, body: '{"error":"invalid_grant","error_description":"no client credentials user enabled"}' },
      'auth',
      'run-as user',
    ],
    [{ status: 429, body: '' }, 'throttled', undefined],
    [{ status: 503, body: '' }, 'transient', undefined],
    [{ status: 200, body: '<html><title>Login</title></html>' }, 'answer', undefined],
  ])('%j', async (instead, kind, advice) => {
    server = await tokenServer()
    server.instead.push(instead)
    const error = await refused(open('refresh_token').refresh('crm', 0, null))
    expect(error.kind).toBe(kind)
    expect(error.message).toContain('[salesforce] log in to crm failed')
    if (advice) expect(error.advice).toContain(advice)
    expect(await open('refresh_token').refresh('crm', 0, null)).toEqual({ version: 1 })
  })

  it.each([
    ['a missing variable', {}, { env: {} }, 'CLIENT_SECRET is not set'],
    ['a missing member', { clientSecret: undefined }, {}, 'auth.clientSecret is missing'],
    ['a kind that is not offered', { type: 'basic' }, {}, 'no login of type basic'],
    ['a token endpoint without https', { tokenUrl: 'http://login.example/token' }, {}, 'is not https'],
  ])('for %s', async (_, auth, more, message) => {
    server = await tokenServer()
    const error = await refused(open('client_credentials', { auth, ...more }).refresh('crm', 0, null))
    expect(error).toMatchObject({ kind: 'auth', message: expect.stringContaining(message) as string })
    expect(server.calls).toEqual([])
  })

  it('for a state of another key', async () => {
    server = await tokenServer()
    await directoryState(directory, Buffer.alloc(32, 9)).write('connection/crm', {}, 0)
    const error = await refused(open().current('crm'))
    expect(error).toMatchObject({
      kind: 'auth',
      message: expect.stringContaining('written with another key') as string,
    })
  })
})
