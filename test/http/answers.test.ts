import { describe, expect, it } from 'vitest'
import { classify } from '../../connectors/classify.ts'
import type { ErrorRule } from '../../connectors/connector.ts'
import { fill, isSafe, usage } from '../../connectors/http.ts'
import { readTokenAnswer, tokenRequest } from '../../connectors/oauth.ts'
import { redact } from '../../connectors/redact.ts'
import { retryAfterMs } from '../../connectors/retry-after.ts'

describe('Retry-After', () => {
  const date = 'Wed, 06 May 2026 12:00:00 GMT'
  it.each([
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '120' }, 120_000],
    [{ 'retry-after': '1.5' }, 1500],
    [{ 'retry-after': 'Wed, 06 May 2026 12:00:30 GMT', date }, 30_000],
    [{ 'retry-after': 'Wed, 06 May 2026 11:00:00 GMT', date }, 0],
    // Our own clock is not asked: without the server's there is nothing to compare with.
    [{ 'retry-after': 'Wed, 06 May 2026 12:00:30 GMT' }, undefined],
    [{ 'retry-after': '99999999' }, 86_400_000],
    [{ 'retry-after': '-5', date }, undefined],
    [{ 'retry-after': 'soon', date }, undefined],
    [{}, undefined],
  ])('%j', (headers, ms) => expect(retryAfterMs(headers as Record<string, string>)).toBe(ms))
})

describe('what an answer means', () => {
  const shapes = [
    { at: [0], code: 'errorCode', message: 'message' },
    { at: ['error'], code: 'type', message: 'text' },
  ]
  const rules: ErrorRule[] = [
    { code: ['A', 'B'], kind: 'quota', waitMs: 5, advice: 'wait' },
    { message: 'locked', kind: 'transient' },
    { status: [520, 530], kind: 'rejected' },
  ]
  it.each([
    [400, '[{"errorCode":"B","message":"no more"}]', 'quota', '400 B: no more'],
    [400, '{"error":{"type":"C","text":"row is LOCKED now"}}', 'transient', '400 C: row is LOCKED now'],
    [400, '[{"errorCode":"D","message":"bad"}]', 'rejected', '400 D: bad'],
    [525, '', 'rejected', '525 with an empty body'],
    [500, '<html><head><title>Sorry </title>', 'transient', '500 with an HTML page titled "Sorry"'],
    [401, '', 'expired', '401 with an empty body'],
    [403, 'no', 'forbidden', '403 with 2 bytes of an unnamed type'],
    [404, '[]', 'missing', '404 with 2 bytes of an unnamed type'],
    [429, '', 'throttled', '429 with an empty body'],
    [304, '', 'answer', '304 with an empty body'],
  ])('%i %s', (status, body, kind, reason) => {
    expect(classify({ status, headers: {}, body: Buffer.from(body) }, rules, shapes)).toMatchObject({ kind, reason })
  })

  it('takes the wait from the vendor before the table', () => {
    const body = Buffer.from('[{"errorCode":"A","message":""}]')
    expect(classify({ status: 403, headers: { 'retry-after': '9' }, body }, rules, shapes).waitMs).toBe(9000)
    expect(classify({ status: 403, headers: {}, body }, rules, shapes)).toMatchObject({ waitMs: 5, advice: 'wait' })
  })
})

describe('redaction', () => {
  const secret = 's3cr3t/with+signs=='
  it.each([
    `token ${secret} here`,
    `q=${encodeURIComponent(secret)}`,
    `q=${new URLSearchParams({ s: secret }).toString()}`,
    JSON.stringify({ echoed: `"${secret}"` }),
    Buffer.from(secret).toString('base64'),
  ])('takes a known secret out of %s', (text) => {
    const clean = redact(text, [secret])
    expect(clean).toContain('***')
    for (const spelling of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]) {
      expect(clean).not.toContain(spelling)
    }
  })

  it.each([
    ['Authorization: Bearer abc.def-123', 'abc.def'],
    ['authorization: basic dXNlcjpwYXNzd29yZA==', 'dXNlcj'],
    ['{"access_token":"xyz123","x":1}', 'xyz123'],
    ['https://h/cb?refresh_token=5Aep861&state=1', '5Aep861'],
    ['Session 00Dx0000000BV7z!AR8AQAxo9UfVkh8AlV0Gomt9Czx is invalid', 'AR8AQAxo'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc', 'eyJzdWI'],
    ['client_secret = hunter2', 'hunter2'],
  ])('takes out what looks like one: %s', (text, part) => expect(redact(text, [])).not.toContain(part))

  it('leaves ordinary words alone', () => {
    const text = "INVALID_FIELD: No such column 'Token__c' on entity 'Account'; a basic question"
    expect(redact(text, ['ab', ''])).toBe(text)
  })
})

describe('small parts', () => {
  it.each([
    ['{loginUrl}/token', 'https://a/token'],
    ['{instance_url}', undefined],
    ['', undefined],
  ])('template %s', (template, text) => expect(fill(template, { loginUrl: 'https://a' })).toBe(text))

  it.each([
    ['https://a.b', false, true],
    ['http://a.b', false, false],
    ['http://a.b', true, true],
    ['http://127.0.0.1:70', false, true],
    ['http://localhost:70', false, true],
    ['http://[::1]:70', false, true],
    ['http://localhost.evil.com', false, false],
    ['http://127.0.0.1.evil.com', false, false],
    ['ftp://127.0.0.1', true, false],
  ])('%s insecure=%s is safe: %s', (url, allowed, safe) => expect(isSafe(new URL(url), allowed)).toBe(safe))

  it.each([
    ['api-usage=17/15000', { used: 17, max: 15_000 }],
    ['per-app-api-usage=1/2(appName=x); api-usage=3/4', { used: 1, max: 2 }],
    ['nothing', null],
    [undefined, null],
  ])('limit header %s', (header, used) => expect(usage(header, 'api-usage={used}/{max}')).toEqual(used))
})

describe('OAuth', () => {
  it('asks with a form', () => {
    const { body } = tokenRequest({
      type: 'client_credentials',
      clientId: 'a b',
      clientSecret: '&=',
      scopes: ['api', 'x'],
    })
    expect(body).toBe('grant_type=client_credentials&client_id=a+b&client_secret=%26%3D&scope=api+x')
    const refresh = tokenRequest({ type: 'refresh_token', clientId: 'a', refreshToken: 'r+' })
    expect(refresh.body).toBe('grant_type=refresh_token&client_id=a&refresh_token=r%2B')
  })

  const read = (status: number, body: unknown, rules: ErrorRule[] = []) =>
    readTokenAnswer(
      { status, headers: {}, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) },
      ['id'],
      rules,
    )

  it('reads tokens and keeps what is named', () => {
    expect(read(200, { access_token: 't', id: 'https://x/id/1/2', signature: 's', refresh_token: 'r' })).toEqual({
      accessToken: 't',
      refreshToken: 'r',
      kept: { id: 'https://x/id/1/2' },
    })
  })

  it.each([
    [400, { error: 'invalid_grant', error_description: 'expired access/refresh token' }, 'auth'],
    [400, { error: 'invalid_client' }, 'auth'],
    [401, { error: 'invalid_client' }, 'auth'],
    [400, 'nonsense', 'auth'],
    [404, '', 'auth'],
    [429, '', 'throttled'],
    [503, '<html>', 'transient'],
    [200, '<html>', 'answer'],
    [200, { token: 'x' }, 'answer'],
    [200, '{"access_token":"abc', 'answer'],
    [302, '', 'answer'],
  ])('%i %j is %s', (status, body, kind) => expect(read(status, body)).toMatchObject({ kind }))

  it("prefers the connector's own advice", () => {
    const rules: ErrorRule[] = [{ code: 'invalid_grant', message: 'run-as', kind: 'auth', advice: 'choose one' }]
    expect(read(400, { error: 'invalid_grant', error_description: 'no run-as user' }, rules)).toMatchObject({
      advice: 'choose one',
    })
  })
})
