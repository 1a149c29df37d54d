import { afterEach, describe, expect, it } from 'vitest'
import { type Sandbox, type SandboxOptions, startSalesforce } from '../sandboxes/salesforce/salesforce.ts'
import { DATA, login, tokenRequest } from './org-client.ts'

let sandbox: Sandbox
const start = async (options: SandboxOptions = {}): Promise<void> => {
  sandbox = await startSalesforce({ accounts: 1, opportunities: 1, contacts: 1, ...options })
}
afterEach(() => sandbox.stop())

const ask = async (form: Record<string, string>): Promise<[number, Record<string, string>]> => {
  const answer = await tokenRequest(sandbox, form)
  return [answer.status, (await answer.json()) as Record<string, string>]
}
const works = async (token: string): Promise<boolean> => {
  const answer = await fetch(`${sandbox.url}${DATA}/limits`, { headers: { authorization: `Bearer ${token}` } })
  return answer.status === 200
}
const CLIENT = { grant_type: 'client_credentials' }
const REFRESH = (token: string): Record<string, string> => ({ grant_type: 'refresh_token', refresh_token: token })
const DEAD = [400, { error: 'invalid_grant', error_description: 'expired access/refresh token' }]

describe('client credentials', () => {
  it('answers as documented, without a lifetime', async () => {
    await start()
    const [status, body] = await ask(CLIENT)
    expect(status).toBe(200)
    expect(body).toMatchObject({ token_type: 'Bearer', instance_url: sandbox.url, scope: 'api' })
    expect(body['issued_at']).toMatch(/^\d{13}$/)
    expect(body['id']).toMatch(/\/id\/00D5g000004XyZaEAK\/005\w{15}$/)
    expect(body).not.toHaveProperty('expires_in')
    expect(body).not.toHaveProperty('refresh_token')
    expect(await works(body['access_token']!)).toBe(true)
    expect(sandbox.control.counts()).toMatchObject({ token: 1 })
  })

  it.each([
    [{}, { client_secret: 'wrong' }, 'invalid_client', 'invalid client credentials'],
    [{}, { client_id: 'wrong' }, 'invalid_client_id', 'client identifier invalid'],
    [{}, { grant_type: 'password' }, 'unsupported_grant_type', 'grant type not supported'],
    [{ runAsUser: false }, {}, 'invalid_grant', 'no client credentials user enabled'],
  ])('%o %o: %s', async (options, form, error, description) => {
    await start(options)
    expect(await ask({ ...CLIENT, ...form })).toEqual([400, { error, error_description: description }])
  })

  it('names another address for the data where the org has one', async () => {
    await start({ separateInstance: true })
    const client = await login(sandbox)
    expect(client.instanceUrl).not.toBe(sandbox.url)
    expect((await client.get(`${DATA}/limits`)).status).toBe(200)
    expect(await works(client.token)).toBe(false)
  })
})

describe('tokens', () => {
  it('end by time and by command', async () => {
    await start({ tokenLifetimeMs: 60_000 })
    const [, one] = await ask(CLIENT)
    sandbox.control.clock({ offsetMs: 61_000 })
    expect(await works(one['access_token']!)).toBe(false)
    const [, two] = await ask(CLIENT)
    expect(await works(two['access_token']!)).toBe(true)
    sandbox.control.expireTokens()
    expect(await works(two['access_token']!)).toBe(false)
  })

  it('are refreshed again and again without rotation', async () => {
    await start({ refreshToken: 'r' })
    const [status, body] = await ask(REFRESH('r'))
    expect([status, body['refresh_token']]).toEqual([200, undefined])
    expect((await ask(REFRESH('r')))[0]).toBe(200)
    expect(await ask(REFRESH('other'))).toEqual(DEAD)
    sandbox.control.revokeRefreshTokens()
    expect(await ask(REFRESH('r'))).toEqual(DEAD)
    sandbox.control.login({ refreshToken: 'again' })
    expect((await ask(REFRESH('again')))[0]).toBe(200)
  })

  it('rotate: the next one works, and ends the session before', async () => {
    await start({ refreshToken: 'r', rotate: true })
    const [, one] = await ask(REFRESH('r'))
    const [, two] = await ask(REFRESH(one['refresh_token']!))
    expect(two['refresh_token']).not.toBe(one['refresh_token'])
    expect(await works(one['access_token']!)).toBe(false)
    expect(await works(two['access_token']!)).toBe(true)
  })

  it('rotate: one used twice ends the whole login', async () => {
    await start({ refreshToken: 'r', rotate: true })
    const [, one] = await ask(REFRESH('r'))
    expect(await ask(REFRESH('r'))).toEqual(DEAD)
    expect(await ask(REFRESH(one['refresh_token']!))).toEqual(DEAD)
    expect(await works(one['access_token']!)).toBe(false)
  })

  it('say which org they reach', async () => {
    await start()
    sandbox.control.setOrg({ orgId: '00D5g00000OTHERXXX' })
    const client = await login(sandbox)
    expect((await client.query('SELECT Id FROM Organization')).records[0]).toMatchObject({ Id: '00D5g00000OTHERXXX' })
    expect(await (await client.get('/services/oauth2/userinfo')).json()).toMatchObject({
      organization_id: '00D5g00000OTHERXXX',
    })
  })
})
