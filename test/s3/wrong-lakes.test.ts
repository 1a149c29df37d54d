/**
 * Buckets, keys, roles and rules that are wrong, as `lakeward doctor CONNECTION` tells them: what is wrong, where, and
 * what to do; the right exit code, no stack trace, no secret. What each error of S3 means is in `errors.test.ts`, what
 * each rule means in `prove-bucket.test.ts`; runs that meet them are in `test/e2e/wrong-lakes.test.ts`.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ListObjectsV2Command, PutBucketLifecycleConfigurationCommand } from '@aws-sdk/client-s3'
import type { LifecycleRule } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { stringify } from 'yaml'
import { recorded } from '../client/stand-in/recorder.ts'
import { orSkip } from '../components.ts'
import { startTestMoto, startTestVersitygw } from '../s3-servers.ts'
import { s3Refusal, startStandIn, stsRefusal } from './stand-in.ts'

const SECRET = 'the-secret-itself'
const ROLE = 'arn:aws:iam::123456789012:role/'
const auth = {
  type: 'aws_keys',
  accessKeyId: { env: 'LW_TEST_KEY' },
  secretAccessKey: { env: 'LW_TEST_SECRET' },
}
const said = (action: string) => `User: arn:aws:iam::123456789012:user/lake is not authorized to perform: ${action}`

const s3 = await startStandIn({
  'not-listed': s3Refusal(403, 'AccessDenied', `${said('s3:ListBucket')} on resource: "arn:aws:s3:::not-listed"`),
  'of-another': s3Refusal(403, 'AllAccessDisabled', 'All access to this object has been disabled'),
  'moved-away': {
    ...s3Refusal(301, 'PermanentRedirect', 'The bucket must be addressed using the specified endpoint.'),
    headers: { 'x-amz-bucket-region': 'us-west-2' },
  },
  'signed-for-another': s3Refusal(
    400,
    'AuthorizationHeaderMalformed',
    "the region 'eu-central-1' is wrong; expecting 'ap-south-1'",
    '<Region>ap-south-1</Region>',
  ),
  'a-page': {
    status: 200,
    body: '<!DOCTYPE html><html><head><title>Console</title></head></html>',
    headers: { 'content-type': 'text/html' },
  },
  'an-api': { status: 404, body: '{"error":"no such route"}', headers: { 'content-type': 'application/json' } },
  'token-ended': s3Refusal(400, 'ExpiredToken', 'The provided token has expired.'),
  'clock-is-wrong': s3Refusal(403, 'RequestTimeTooSkewed', 'The difference between the times is too large.'),
})
const sts = await startStandIn({
  untrusting: stsRefusal(403, 'AccessDenied', `${said('sts:AssumeRole')} on resource: ${ROLE}untrusting`),
  'other-external-id': stsRefusal(403, 'AccessDenied', `${said('sts:AssumeRole')} on resource: x`),
  'too-large': stsRefusal(400, 'PackedPolicyTooLarge', 'Packed policy consumes 117% of allotted space'),
  'region-off': stsRefusal(403, 'RegionDisabledException', 'STS is not activated in this region'),
  'keys-of-nobody': stsRefusal(403, 'InvalidClientTokenId', 'The security token included in the request is invalid'),
  'keys-ended': stsRefusal(403, 'ExpiredTokenException', 'The security token included in the request is expired'),
  'not-sts': {
    status: 200,
    body: '<html><title>Router login</title></html>',
    headers: { 'content-type': 'text/html' },
  },
})
const versitygw = await orSkip(startTestVersitygw(), 'wrong buckets of versitygw')
const moto = await orSkip(startTestMoto(), 'rules of buckets')
const folder = mkdtempSync(join(tmpdir(), 'lakeward-wrong-'))
afterAll(async () => {
  for (const server of [s3, sts, versitygw, moto]) await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(() => {
  vi.stubEnv('LW_TEST_KEY', 'AKIAOFTHISTEST')
  vi.stubEnv('LW_TEST_SECRET', SECRET)
})
afterEach(() => vi.unstubAllEnvs())

/** What doctor says of this lake, with its exit code. */
async function doctor(connection: object) {
  const path = join(folder, 'lakeward.yaml')
  const lake = { connector: 's3', region: 'eu-central-1', endpoint: s3.url, auth, ...connection }
  writeFileSync(path, stringify({ version: 1, connections: { lake } }))
  const told = await recorded('doctor', 'lake', '--config', path)
  const text = `${told.said}\n${told.out}`
  expect(text).not.toMatch(/\n\s+at |undefined|\[object/)
  expect(text).not.toContain(SECRET)
  return { ...told, text }
}

async function tells(connection: object, code: number, what: RegExp, todo: RegExp): Promise<void> {
  const told = await doctor(connection)
  expect(told.text).toMatch(what)
  expect(told.said).toMatch(todo)
  expect(told.code).toBe(code)
}

type Case = [name: string, connection: () => object, code: number, what: RegExp, todo: RegExp]

describe('a bucket', () => {
  it.each<Case>([
    [
      'a name that is none',
      () => ({ bucket: 'Acme_Lake' }),
      2,
      /connections\.lake\.bucket: .*no name of a bucket/,
      /3 to 63/,
    ],
    ['an address for a name', () => ({ bucket: 's3://acme/lake' }), 2, /is no name of a bucket/, /without s3:\/\//],
    [
      'an endpoint that is none',
      () => ({ bucket: 'lake', endpoint: 'minio:9000' }),
      2,
      /is no address/,
      /https:\/\/host/,
    ],
    [
      'not to be listed',
      () => ({ bucket: 'not-listed' }),
      4,
      /list s3:\/\/not-listed.*403|AccessDenied/,
      /Allow s3:ListBucket/,
    ],
    ['of another account', () => ({ bucket: 'of-another' }), 4, /AllAccessDisabled/, /Allow s3:/],
    ['moved', () => ({ bucket: 'moved-away' }), 1, /bucket is not in eu-central-1/, /`region: us-west-2`/],
    ['of another region', () => ({ bucket: 'signed-for-another' }), 1, /not in eu-central-1/, /`region: ap-south-1`/],
    ['a page for people', () => ({ bucket: 'a-page' }), 1, /HTML page came for the object/, /`endpoint`/],
    [
      'an API that is not S3',
      () => ({ bucket: 'an-api' }),
      1,
      /404 with something else than XML/,
      /correct `endpoint`/,
    ],
    [
      'nobody listens',
      () => ({ bucket: 'lake', endpoint: 'http://127.0.0.1:9' }),
      1,
      /no answer from http:\/\/127\.0\.0\.1:9/,
      /the endpoint/,
    ],
  ])('%s', async (_, connection, code, what, todo) => tells(connection(), code, what, todo))

  it.skipIf(!versitygw)('that is not there, and keys that are refused, on a real server', async () => {
    const { url: endpoint, accessKeyId, region, secretAccessKey } = versitygw!
    vi.stubEnv('LW_TEST_KEY', accessKeyId)
    const bucket = await versitygw!.createBucket()
    await tells({ endpoint, region, bucket }, 4, /SignatureDoesNotMatch/, /Correct the access key and its secret/)
    vi.stubEnv('LW_TEST_KEY', 'AKIANOBODY')
    await tells(
      { endpoint, region, bucket },
      4,
      /No user exists with the provided access key/,
      /Correct the access key and its secret/,
    )
    const found = await versitygw!.client.send(new ListObjectsV2Command({ Bucket: bucket }))
    expect(found.Contents ?? []).toEqual([])
    vi.stubEnv('LW_TEST_KEY', accessKeyId)
    vi.stubEnv('LW_TEST_SECRET', secretAccessKey)
    const gone = await recorded('doctor', 'lake', '--config', join(folder, 'lakeward.yaml'))
    expect(gone.code).not.toBe(4)
    const missing = { endpoint, region, bucket: 'no-such-bucket' }
    await tells(missing, 1, /there is no bucket no-such-bucket at http/, /Create it, or correct `bucket`/)
  })
})

describe('keys', () => {
  it.each<Case>([
    [
      'a reference to nothing',
      () => ({ bucket: 'lake', auth: { ...auth, secretAccessKey: { env: 'LW_NONE' } } }),
      4,
      /LW_NONE is not set/,
      /Set LW_NONE/,
    ],
    ['whose token has ended', () => ({ bucket: 'token-ended' }), 4, /ExpiredToken/, /session token has ended/],
    ['by a clock that is wrong', () => ({ bucket: 'clock-is-wrong' }), 1, /RequestTimeTooSkewed/, /clock .*NTP/],
    [
      'in plain text',
      () => ({ bucket: 'lake', auth: { ...auth, secretAccessKey: 'plain' } }),
      2,
      /secretAccessKey/,
      /env/,
    ],
  ])('%s', async (_, connection, code, what, todo) => tells(connection(), code, what, todo))

  it('none at all', async () => {
    for (const name of ['PROFILE', 'ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'WEB_IDENTITY_TOKEN_FILE'])
      vi.stubEnv(`AWS_${name}`, undefined)
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    vi.stubEnv('AWS_CONFIG_FILE', '/nowhere/config')
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nowhere/credentials')
    await tells({ bucket: 'lake', auth: undefined }, 4, /find credentials for lake/, /AWS_PROFILE or AWS_ACCESS_KEY_ID/)
  })
})

it.each(['', '0', '2.5', '901', 'soon'])('LAKEWARD_SETTLE_SECONDS=%s is refused', async (seconds) => {
  vi.stubEnv('LAKEWARD_SETTLE_SECONDS', seconds)
  await tells({ bucket: 'lake' }, 2, /LAKEWARD_SETTLE_SECONDS: .*no number of seconds from 1 to 900/, /Leave it out/)
})

describe('a role', () => {
  beforeEach(() => vi.stubEnv('AWS_ENDPOINT_URL_STS', sts.url))
  const of = (name: string, more: object = {}) => ({ bucket: 'lake', role: `${ROLE}${name}`, ...more })
  it.each<Case>([
    [
      'that is no ARN',
      () => ({ bucket: 'lake', role: 'lakeward' }),
      2,
      /connections\.lake\.role: .*no ARN of a role/,
      /arn:aws:iam/,
    ],
    [
      'a user for a role',
      () => ({ bucket: 'lake', role: 'arn:aws:iam::123456789012:user/x' }),
      2,
      /no ARN of a role/,
      /:role\//,
    ],
    [
      'that does not trust us',
      () => of('untrusting'),
      4,
      /assume \S+untrusting for lake.*AccessDenied/,
      /must trust these workers/,
    ],
    [
      'of another external id',
      () => of('other-external-id', { externalId: 'no' }),
      4,
      /AccessDenied/,
      /`externalId` where it asks/,
    ],
    ['whose policy is too large', () => of('too-large'), 1, /PackedPolicyTooLarge/, /shorten `path`, `prefix`/],
    ['in a region without STS', () => of('region-off'), 1, /RegionDisabledException/, /Activate STS for this region/],
    ['assumed by keys of nobody', () => of('keys-of-nobody'), 4, /InvalidClientTokenId/, /the keys that assume it/],
    ['assumed by keys that ended', () => of('keys-ended'), 4, /ExpiredToken/, /keys that assume the role have ended/],
    ['asked of what is not STS', () => of('not-sts'), 1, /assume \S+not-sts for lake/, /AWS_ENDPOINT_URL_STS/],
  ])('%s', async (_, connection, code, what, todo) => tells(connection(), code, what, todo))

  it('asked where nobody answers', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_STS', 'http://127.0.0.1:9')
    await tells(of('any'), 1, /assume \S+any for lake.*ECONNREFUSED/, /AWS_ENDPOINT_URL_STS/)
  })
})

describe.skipIf(!moto)('a rule of the bucket', () => {
  const expires = { Expiration: { Days: 30 } }
  const aborts = { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }
  const archives = { Transitions: [{ Days: 1, StorageClass: 'GLACIER' as const }] }
  it.each<[string, string, Partial<LifecycleRule>, number, RegExp, RegExp]>([
    ['drops uploads after a day', '', aborts, 0, /aborts uploads after 1 day/, /loses what it staged/],
    [
      'deletes what is in the lake',
      'lake/raw/',
      expires,
      0,
      /\(prefix 'lake\/raw\/'\) deletes objects/,
      /readers of manifests miss/,
    ],
    ['deletes the ledger', 'lake/_lakeward/', expires, 1, /deletes objects/, /Keep rules off lake\/_lakeward\//],
    ['deletes the whole lake', 'lake', expires, 1, /deletes objects/, /the ledger would be lost/],
    ['archives the whole bucket', '', archives, 1, /archives objects/, /the ledger would be lost/],
  ])('%s', async (_, Prefix, rule, code, what, todo) => {
    const bucket = await moto!.createBucket()
    const Rules = [{ ID: 'clean-up', Status: 'Enabled' as const, Filter: { Prefix }, ...rule }]
    const input = { Bucket: bucket, LifecycleConfiguration: { Rules } }
    await moto!.client.send(new PutBucketLifecycleConfigurationCommand(input))
    const { url: endpoint, region } = moto!
    await tells({ bucket, endpoint, region, path: 'lake' }, code, what, todo)
    const left = await moto!.client.send(new ListObjectsV2Command({ Bucket: bucket }))
    expect(left.Contents ?? []).toEqual([])
  })
})
