/** Credentials of AWS connectors, against the STS and S3 of moto. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { keysOfFlow } from '../../connectors/lake/keys.ts'
import { sessionPolicy } from '../../connectors/s3/session-policy.ts'
import { s3Store } from '../../connectors/lake/s3/s3-store.ts'
import { type AwsConnection, awsLogin } from '../../worker/aws-login.ts'
import { orSkip } from '../components.ts'
import { startTestMoto } from '../s3-servers.ts'

const ROLE = 'arn:aws:iam::123456789012:role/lakeward'
const KEYS = { type: 'aws_keys', accessKeyId: { env: 'LW_TEST_KEY' }, secretAccessKey: { env: 'LW_TEST_SECRET' } }
const of = (more: Partial<AwsConnection>): AwsConnection => ({
  name: 'lake',
  settings: { region: 'eu-central-1' },
  auth: null,
  directory: '.',
  ...more,
})

const moto = await orSkip(startTestMoto(), 'credentials of AWS')
afterAll(() => moto?.stop())
beforeEach(() => {
  vi.stubEnv('LW_TEST_KEY', 'AKIAOFTHISTEST')
  vi.stubEnv('LW_TEST_SECRET', 'secret-of-this-test')
})
afterEach(() => vi.unstubAllEnvs())

/** Nothing of this machine is found by the default chain. */
function bare(): void {
  for (const name of ['AWS_PROFILE', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_WEB_IDENTITY_TOKEN_FILE'])
    vi.stubEnv(name, undefined)
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
  vi.stubEnv('AWS_CONFIG_FILE', '/nowhere/config')
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nowhere/credentials')
}

it('are the keys of the connection, by their references', async () => {
  expect(await awsLogin(of({ auth: KEYS }))()()).toEqual({
    accessKeyId: 'AKIAOFTHISTEST',
    secretAccessKey: 'secret-of-this-test',
  })
  const missing = awsLogin(of({ auth: { ...KEYS, secretAccessKey: { env: 'LW_TEST_NONE' } } }))()()
  await expect(missing).rejects.toThrow(/connections.lake.auth.secretAccessKey: .*LW_TEST_NONE is not set/)
})

it('are found by the default chain, or said to be missing', async () => {
  bare()
  const error = await awsLogin(of({}))()().catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ kind: 'auth', advice: expect.stringContaining('aws_keys') })
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAOFTHEENV')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'x')
  expect(await awsLogin(of({}))()()).toMatchObject({ accessKeyId: 'AKIAOFTHEENV' })
})

describe.skipIf(!moto)('a role', () => {
  const withRole = of({ auth: KEYS, settings: { region: 'us-east-1', role: ROLE, externalId: 'acme-42' } })

  it('is assumed, and its session opens the lake', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_STS', moto!.url)
    const credentials = awsLogin(withRole)(sessionPolicy({ bucket: 'b', path: '', role: ROLE }, ['x/']))
    expect(await credentials()).toMatchObject({ sessionToken: expect.any(String), expiration: expect.any(Date) })
    const bucket = await moto!.createBucket()
    const store = s3Store({ bucket, path: '', region: 'us-east-1', endpoint: moto!.url, credentials })
    expect(await store.create('x/1', Buffer.from('1'))).toBe('created')
  })

  it('is asked for by name, external id and the policy of the flow', async () => {
    let asked = new URLSearchParams()
    const server = createServer((request, answer) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        asked = new URLSearchParams(body)
        answer.writeHead(403, { 'content-type': 'text/xml' })
        answer.end(
          '<ErrorResponse><Error><Code>AccessDenied</Code><Message>not yours</Message></Error></ErrorResponse>',
        )
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    vi.stubEnv('AWS_ENDPOINT_URL_STS', `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const policy = sessionPolicy({ bucket: 'acme', path: '/base/', role: ROLE }, keysOfFlow('daily', 'raw/sf'))
    const error = await awsLogin(withRole)(policy)().catch((thrown: unknown) => thrown)
    server.closeAllConnections()
    server.close()
    expect(error).toMatchObject({ kind: 'auth', advice: expect.stringContaining('sts:AssumeRole') })
    expect(Object.fromEntries(asked)).toMatchObject({
      Action: 'AssumeRole',
      RoleArn: ROLE,
      ExternalId: 'acme-42',
      RoleSessionName: 'lakeward-lake',
    })
    const [objects, bucket] = (JSON.parse(asked.get('Policy')!) as { Statement: { Resource: unknown }[] }).Statement
    expect(objects?.Resource).toEqual([
      'arn:aws:s3:::acme/base/_lakeward/lake.json',
      'arn:aws:s3:::acme/base/_lakeward/daily/*',
      'arn:aws:s3:::acme/base/_lakeward/_events/daily/*',
      'arn:aws:s3:::acme/base/_lakeward/_quarantine/daily/*',
      'arn:aws:s3:::acme/base/_lakeward/_repairs/daily/*',
      'arn:aws:s3:::acme/base/raw/sf/*',
    ])
    expect(bucket?.Resource).toBe('arn:aws:s3:::acme')
  })
})
