/** What people read when a bucket says no, and what the core does about it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { s3Store } from '../../connectors/lake/s3/s3-store.ts'
import type { ObjectStore } from '../../connectors/lake/store.ts'
import { describeOnS3, storeOn } from './s3-place.ts'

const credentials = () => Promise.resolve({ accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'the-secret-itself' })

/** A bucket that answers everything with this error. */
async function refusing(
  [status, code, message]: [status: number, code: string, message?: string],
  work: (store: ObjectStore) => Promise<unknown>,
  headers: Record<string, string> = {},
): Promise<Error> {
  const server = createServer((request, answer) => {
    request.resume()
    const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message ?? 'No.'}</Message></Error>`
    answer.writeHead(status, { 'content-type': 'application/xml', ...headers })
    answer.end(request.method === 'HEAD' ? undefined : body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    return await failure(
      work(s3Store({ bucket: 'acme-lake', path: '', region: 'eu-central-1', endpoint, credentials })),
    )
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

async function failure(working: Promise<unknown>): Promise<Error> {
  const error = await working.then(
    () => new Error('it worked'),
    (thrown: Error) => thrown,
  )
  expect(`${error.message} ${JSON.stringify(error)}`).not.toContain('the-secret-itself')
  return error
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

const get = (store: ObjectStore): Promise<unknown> => store.get('a/b')
const create = (store: ObjectStore): Promise<unknown> => store.create('a/b', new Uint8Array(1))
const stage = (store: ObjectStore): Promise<unknown> => store.stage({ key: 'a/b', area: '', unit: 'u' })
const staged = async (store: ObjectStore): Promise<void> => void (await all(store.staged('', '')))
const list = async (store: ObjectStore): Promise<void> => void (await all(store.list('')))

it('a bucket that never answers is not waited for for ever', async () => {
  const server = createServer((request) => void request.resume())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const store = s3Store({ bucket: 'acme-lake', path: '', endpoint, credentials, silenceMs: 50 })
  for (const work of [get, create, stage, list]) {
    expect(await failure(work(store))).toMatchObject({ kind: 'transient', code: 'network' })
  }
  server.closeAllConnections()
  server.close()
})

it('an upload that somebody else dropped is begun anew: its part is no refusal', async () => {
  const refused = await refusing([404, 'NoSuchUpload', 'The specified multipart upload does not exist.'], stage)
  expect(refused).toMatchObject({ kind: 'transient', advice: expect.stringContaining('staged anew') })
})

describe('a refusal', () => {
  it.each<[string, (store: ObjectStore) => Promise<unknown>, RegExp]>([
    ['get', get, /s3:GetObject, and s3:ListBucket/],
    ['head', (store) => store.head('a/b'), /s3:GetObject, and s3:ListBucket/],
    ['create', create, /s3:PutObject/],
    ['delete', (store) => store.delete('a/b'), /s3:DeleteObject/],
    ['stage', stage, /s3:PutObject/],
    ['staged', staged, /s3:ListBucketMultipartUploads/],
    ['list', list, /s3:ListBucket /],
    ['abort', (store) => store.abort({ key: 'a/b', upload: 'u' }), /s3:AbortMultipartUpload/],
  ])('of %s names the permission', async (_, work, advice) => {
    const error = await refusing([403, 'AccessDenied'], work)
    expect(error).toMatchObject({ name: 'ConnectorError', kind: 'forbidden', advice: expect.stringMatching(advice) })
    expect(error.message).toContain('s3://acme-lake')
  })

  it('names the permission that AWS names', async () => {
    const said = 'User: arn:aws:iam::1:user/x is not authorized to perform: s3:GetObjectTagging on resource: y'
    expect(await refusing([403, 'AccessDenied', said], get)).toMatchObject({
      advice: expect.stringContaining('Allow s3:GetObjectTagging;'),
    })
    const kms = 'User: arn:aws:iam::1:user/x is not authorized to perform: kms:GenerateDataKey on resource: y'
    expect(await refusing([403, 'AccessDenied', kms], create)).toMatchObject({
      kind: 'forbidden',
      advice: expect.stringContaining('key policy'),
    })
  })

  it.each<[number, string, string, RegExp]>([
    [400, 'ExpiredToken', 'expired', /session token has ended/],
    [403, 'InvalidAccessKeyId', 'auth', /access key/],
    [403, 'SignatureDoesNotMatch', 'auth', /access key and its secret/],
    [403, 'RequestTimeTooSkewed', 'transient', /clock.*NTP/],
    [400, 'KMS.DisabledException', 'forbidden', /Enable the KMS key/],
    [400, 'KMS.NotFoundException', 'forbidden', /KMS key/],
    [503, 'SlowDown', 'throttled', /no more requests/],
    [500, 'InternalError', 'transient', /tried again/],
    [400, 'MalformedXML', 'rejected', /refuses/],
  ])('%d %s is %s', async (status, code, kind, advice) => {
    const error = await refusing([status, code], create)
    expect(error).toMatchObject({ name: 'ConnectorError', kind, code, advice: expect.stringMatching(advice) })
    expect(error.message).toContain('[s3] create s3://acme-lake/a/b failed')
  })

  it('of the wrong region names the right one', async () => {
    const error = await refusing([301, 'PermanentRedirect'], list, { 'x-amz-bucket-region': 'us-west-2' })
    expect(error).toMatchObject({ name: 'LakeError', type: 'LakeUnusable' })
    expect(error.message).toMatch(/not in eu-central-1.*region: us-west-2/s)
  })
})

it('a create that meets another is made again until the bucket decides', async () => {
  const answers = [409, 409, 412]
  const server = createServer((request, answer) => {
    request.resume()
    const status = answers.shift() ?? 500
    answer.writeHead(status, { 'content-type': 'application/xml' })
    answer.end(`<Error><Code>${status === 409 ? 'ConditionalRequestConflict' : 'PreconditionFailed'}</Code></Error>`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const store = s3Store({ bucket: 'b-1', path: '', endpoint, credentials })
  expect(await store.create('a/b', new Uint8Array(1))).toBe('exists')
  expect(answers).toEqual([])
  server.closeAllConnections()
  server.close()
})

it('an endpoint where nothing listens may be there later', async () => {
  const store = s3Store({ bucket: 'acme-lake', path: '', endpoint: 'http://127.0.0.1:9', credentials })
  const error = await failure(store.create('a/b', new Uint8Array(1)))
  expect(error).toMatchObject({ kind: 'transient', message: expect.stringContaining('http://127.0.0.1:9') })
})

describeOnS3('a mistake', (server) => {
  it('a bucket that is not there', async () => {
    for (const work of [get, create, list, stage, staged]) {
      const error = await failure(work(storeOn(server, 'no-such-bucket-here')))
      expect(error).toMatchObject({ name: 'LakeError', type: 'LakeUnusable' })
      expect(error.message).toContain('there is no bucket no-such-bucket-here at http://127.0.0.1')
    }
  })

  it('a wrong secret', async (context) => {
    if (server.name === 'moto') context.skip('moto takes any')
    const bucket = await server.createBucket()
    const store = storeOn({ ...server, secretAccessKey: 'the-secret-itself' }, bucket)
    expect(await failure(create(store))).toMatchObject({ kind: 'auth', code: 'SignatureDoesNotMatch' })
    const stranger = storeOn({ ...server, accessKeyId: 'AKIANOBODY' }, bucket)
    expect(await failure(create(stranger))).toMatchObject({ kind: 'auth' })
  })
})
