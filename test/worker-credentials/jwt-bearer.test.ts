/** The JWT bearer login against the sandbox: every form of a key, and what each refusal tells a person. */
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { ConnectorError } from '../../connectors/errors.ts'
import { salesforce } from '../../connectors/salesforce/salesforce.ts'
import { createCredentials } from '../../worker/credentials.ts'
import { directoryState } from '../../worker/installation-state.ts'
import { createWires } from '../../worker/wires.ts'
import type { Sandbox, SandboxOptions } from '../sandboxes/salesforce/salesforce.ts'
import { startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import { keys, PASSPHRASE } from './keys.ts'

const CLIENT = 'the-consumer-key'
const wires = createWires()
let sandbox: Sandbox
afterEach(async () => {
  await sandbox.stop()
  await wires.close()
})

async function start(options: SandboxOptions = {}): Promise<void> {
  const small = { accounts: 1, opportunities: 1, contacts: 1 }
  sandbox = await startSalesforce({ ...small, clientId: CLIENT, certificate: keys().public, ...options })
}

function credentials(privateKey: string, auth: Record<string, unknown> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'lakeward-jwt-'))
  return createCredentials({
    state: () => Promise.resolve(directoryState(directory, Buffer.alloc(32, 3))),
    login: () =>
      Promise.resolve({
        connection: 'crm',
        connector: salesforce,
        settings: { loginUrl: sandbox.url },
        auth: {
          type: 'jwt_bearer',
          clientId: CLIENT,
          subject: 'user0@acme.example',
          privateKey: { env: 'KEY' },
          ...auth,
        },
        allowInsecure: false,
        directory,
      }),
    wires,
    env: { KEY: privateKey, PASSPHRASE, WRONG: 'canary-wrong' },
  })
}

async function refusal(privateKey: string, auth: Record<string, unknown> = {}): Promise<ConnectorError> {
  const error = await credentials(privateKey, auth)
    .refresh('crm', 0, null)
    .then(
      () => null,
      (thrown: unknown) => thrown,
    )
  expect(error).toBeInstanceOf(ConnectorError)
  const { kind, message, advice = '' } = error as ConnectorError
  expect(kind).toBe('auth')
  for (const secret of ['canary', privateKey.split('\n')[1] || 'none', 'eyJ']) {
    expect(message + advice).not.toContain(secret)
  }
  return error as ConnectorError
}

describe('a JWT bearer login', () => {
  it.each([
    ['PKCS #8', () => keys().pkcs8, {}],
    ['PKCS #1', () => keys().pkcs1, {}],
    ['encrypted PKCS #8', () => keys().encrypted8, { passphrase: { env: 'PASSPHRASE' } }],
    ['encrypted PKCS #1', () => keys().encrypted1, { passphrase: { env: 'PASSPHRASE' } }],
    ['a key in one line', () => keys().pkcs8.replaceAll('\n', String.raw`\n`), {}],
    ['a key that needs no passphrase', () => keys().pkcs8, { passphrase: { env: 'PASSPHRASE' } }],
  ])('takes %s', async (_, key, auth) => {
    await start()
    const login = credentials(key(), auth)
    expect(await login.refresh('crm', 0, null)).toEqual({ version: 1 })
    expect((await login.current('crm'))?.accessToken).toMatch(/^00D/)
    expect([...login.secrets('crm')]).toEqual(expect.arrayContaining([key()]))
    expect(await login.refresh('crm', 1, null)).toEqual({ version: 2 })
    expect(await login.rotates('crm')).toBe(false)
  })

  it("goes by the vendor's clock once it is known", async () => {
    await start()
    sandbox.control.clock({ offsetMs: 3_600_000 })
    expect((await refusal(keys().pkcs8)).message).toContain('expired authorization code')
    expect(await credentials(keys().pkcs8).refresh('crm', 0, null)).toEqual({ version: 1 })
  })

  it.each<[string, SandboxOptions, Record<string, unknown>, RegExp, RegExp]>([
    ['a user not let in', { preAuthorized: [] }, {}, /user hasn't approved this consumer/, /Permitted Users/],
    [
      'another user',
      {},
      { subject: 'nobody@acme.example' },
      /user hasn't approved this consumer/,
      /permission sets or profiles/,
    ],
    ['a sandbox org', { audience: 'https://test.salesforce.com' }, {}, /audience is invalid/, /test\.salesforce\.com/],
    ['no certificate', { certificate: null }, {}, /invalid assertion/, /certificate/],
    ['another app', {}, { clientId: 'other' }, /invalid_client_id/, /clientId/],
    ['our clock behind', {}, {}, /expired authorization code/, /clock of this machine/],
  ])('refused by the vendor: %s', async (name, options, auth, message, advice) => {
    await start(options)
    if (name === 'our clock behind') sandbox.control.clock({ offsetMs: 3_600_000 })
    const error = await refusal(keys().pkcs8, auth)
    expect(error.message).toMatch(message)
    expect(error.advice).toMatch(advice)
  })

  it('is addressed to whom the connection says', async () => {
    await start({ audience: 'https://test.salesforce.com' })
    const login = credentials(keys().pkcs8, { audience: 'https://test.salesforce.com' })
    expect(await login.refresh('crm', 0, null)).toEqual({ version: 1 })
  })

  const short = () => generateKeyPairSync('rsa', { modulusLength: 1024 })
  const curve = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = { type: 'pkcs8', format: 'pem' } as const
  it.each<[string, () => string, Record<string, unknown>, RegExp, RegExp]>([
    ['no PEM', () => 'a key', {}, /auth\.privateKey is no PEM/, /BEGIN PRIVATE KEY/],
    ['a public key', () => keys().public, {}, /is a public key, not the private key/, /certificate goes into the app/],
    ['OpenSSH', () => '-----BEGIN OPENSSH PRIVATE KEY-----\nAA\n', {}, /OpenSSH/, /ssh-keygen/],
    ['half a key', () => keys().pkcs8.slice(0, 400), {}, /is damaged/, /whole/],
    ['no passphrase', () => keys().encrypted8, {}, /encrypted, and there is no passphrase/, /passphrase: \{ env/],
    ['a wrong passphrase', () => keys().encrypted8, { passphrase: { env: 'WRONG' } }, /passphrase is wrong/, /Check/],
    ['a wrong one, older', () => keys().encrypted1, { passphrase: { env: 'WRONG' } }, /passphrase is wrong/, /Check/],
    ['a short key', () => short().privateKey.export(pem) as string, {}, /RSA with 1024 bits/, /2048/],
    ['a key of a curve', () => curve().privateKey.export(pem) as string, {}, /another kind: ec/, /RSA/],
  ])('a key that cannot be used is not sent: %s', async (_, key, auth, message, advice) => {
    await start()
    const error = await refusal(key(), auth)
    expect(error.message).toMatch(message)
    expect(error.advice).toMatch(advice)
    expect(sandbox.control.counts()).toEqual({})
  })
})
