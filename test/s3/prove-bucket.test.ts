/** Buckets, proven: good ones pass, a gateway that spoils conditional writes is refused, rules that harm are told. */
import { createServer, request } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import {
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutBucketLifecycleConfigurationCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import type { LifecycleRule } from '@aws-sdk/client-s3'
import { expect, it } from 'vitest'
import type { Check, Finding } from '../../connectors/check.ts'
import { lifecycle } from '../../connectors/lake/s3/prove-bucket.ts'
import { proveStore } from '../../connectors/lake/prove-store.ts'
import type { ObjectStore } from '../../connectors/lake/store.ts'
import type { TestS3 } from '../s3-servers.ts'
import { THOROUGH_ONLY, describeOnS3, storeOn } from './s3-place.ts'

async function named(found: AsyncIterable<Check>): Promise<Map<string, Check>> {
  const checks = new Map<string, Check>()
  for await (const check of found) checks.set(check.name, check)
  return checks
}
const proof = (store: ObjectStore) => named(proveStore(store))
/** Its own part alone. */
const asked = (store: ObjectStore) => named(store.prove!('_lakeward/_doctor/test/'))
const failures = (checks: Map<string, Check>): string[] =>
  [...checks.values()].filter(({ state }) => state === 'failed').map(({ name }) => name)

describeOnS3(
  'doctor',
  (server) => {
    it('a bucket passes, and nothing is left in it', async (test) => {
      if (!server.url) test.skip()
      const bucket = await server.createBucket()
      const checks = await proof(storeOn(server, bucket))
      expect(failures(checks)).toEqual([])
      expect(checks.get('race of creates')?.state).toBe('ok')
      // moto takes whatever checksum it is given: the check sees that.
      const kept = server.name === 'moto' ? 'a part with a wrong CRC32 is accepted' : 'CRC32 is checked and kept'
      expect(checks.get('checksums')?.found).toBe(kept)
      expect(checks.get('versioning')).toMatchObject({ state: 'ok', found: 'off' })
      const left = await server.client.send(new ListObjectsV2Command({ Bucket: bucket }))
      const uploads = await server.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
      expect([left.Contents ?? [], uploads.Uploads ?? []]).toEqual([[], []])
    }, 60_000)

    it('versioned and locked buckets pass, and are told', async (test) => {
      if (!server.url) test.skip()
      const checks = await proof(storeOn(server, await server.createBucket({ locked: true })))
      expect(failures(checks)).toEqual([])
      expect(checks.get('versioning')?.found).toMatch(/^on: /)
      expect(checks.get('object lock')).toMatchObject({ state: 'warning', found: 'governance, 1 days' })
    }, 60_000)

    it('a gateway that lets every conditional write through is refused', async (test) => {
      if (!server.url) test.skip()
      const bucket = await server.createBucket()
      const gateway = await spoilingGateway(server)
      try {
        const checks = await proof(storeOn({ ...server, url: gateway.url }, bucket))
        expect(failures(checks)).toEqual(['create once', 'race of creates'])
        expect(checks.get('create once')?.found).toBe('a second create overwrote the first')
        expect(checks.get('race of creates')?.found).toMatch(/round 1 of 20: 16 of 16 were told/)
        expect(checks.get('race of creates')?.advice).toMatch(/Do not use this store/)
      } finally {
        gateway.close()
      }
    }, 60_000)

    it.for(['s3', 'kms'] as const)(
      'encryption %s is what a look tells, or refused',
      { timeout: 60_000 },
      async (mode, test) => {
        if (!server.url) test.skip()
        const store = storeOn(server, await server.createBucket(), { encryption: { mode } })
        const checks = await asked(store)
        const told = checks.get('encryption')
        // versitygw takes the headers and does not encrypt: that is what the check is for.
        if (server.name === 'moto')
          expect(told).toMatchObject({
            state: 'ok',
            found: expect.stringMatching(mode === 's3' ? /AES256/ : /aws:kms/),
          })
        else expect(told?.state ?? failures(checks)[0]).toMatch(/failed|read after write/)
      },
    )

    it('rules of the bucket are read where the store has them', async (test) => {
      if (!server.url) test.skip()
      const bucket = await server.createBucket()
      const Rules: LifecycleRule[] = [
        { ID: 'sweep', Status: 'Enabled', Filter: { Prefix: '' }, Expiration: { Days: 30 } },
      ]
      const put = server.client.send(
        new PutBucketLifecycleConfigurationCommand({ Bucket: bucket, LifecycleConfiguration: { Rules } }),
      )
      const known = await put.then(
        () => true,
        () => false,
      )
      const told = (await asked(storeOn(server, bucket))).get('lifecycle rules')
      if (known) expect(told).toMatchObject({ state: 'failed', found: "sweep (prefix '') deletes objects" })
      else expect(told?.state).toMatch(/skipped|ok/)
    }, 60_000)

    it('a login that is refused, and a bucket that is not there: one check, with what to do', async (test) => {
      if (!server.url) test.skip()
      const none = await proof(storeOn(server, 'no-such-bucket'))
      expect([...none.values()]).toMatchObject([
        { name: 'lake', state: 'failed', advice: expect.stringContaining('Create it') },
      ])
      if (server.name === 'moto') return // takes every login
      const wrong = await proof(storeOn({ ...server, secretAccessKey: 'another' }, await server.createBucket()))
      expect([...wrong.values()]).toMatchObject([{ name: 'lake', state: 'failed', credentials: true }])
    }, 60_000)
  },
  THOROUGH_ONLY,
)

const rule = (more: Partial<LifecycleRule>): LifecycleRule => ({
  ID: 'r',
  Status: 'Enabled',
  Filter: { Prefix: '' },
  ...more,
})
const expires = { Expiration: { Days: 30 } }
const aborts = (DaysAfterInitiation: number) => ({ AbortIncompleteMultipartUpload: { DaysAfterInitiation } })
it.each<[string, LifecycleRule, string]>([
  ['expires the whole bucket', rule(expires), 'failed'],
  ['expires the ledger', rule({ ...expires, Filter: { Prefix: 'a/lake/_lakeward/' } }), 'failed'],
  ['expires a folder above', rule({ ...expires, Filter: { And: { Prefix: 'a/' } } }), 'failed'],
  ['expires by the old member', rule({ ...expires, Filter: undefined, Prefix: 'a/lake/' }), 'failed'],
  ['archives the ledger', rule({ Transitions: [{ Days: 1, StorageClass: 'GLACIER' }] }), 'failed'],
  ['expires data alone', rule({ ...expires, Filter: { Prefix: 'a/lake/raw/' } }), 'warning'],
  ['aborts uploads after a day', rule(aborts(1)), 'warning'],
  ['aborts uploads after a week', rule(aborts(7)), 'ok'],
  ['is for another folder', rule({ ...expires, Filter: { Prefix: 'b/' } }), 'ok'],
  ['is switched off', rule({ ...expires, Status: 'Disabled' }), 'ok'],
  ['is for tagged objects', rule({ ...expires, Filter: { Tag: { Key: 'tmp', Value: '1' } } }), 'ok'],
  ['moves to a cheaper class', rule({ Transitions: [{ Days: 30, StorageClass: 'STANDARD_IA' }] }), 'ok'],
  ['takes old versions', rule({ NoncurrentVersionExpiration: { NoncurrentDays: 1 } }), 'ok'],
])('a rule that %s', (_, one, state) => {
  const finding: Finding = lifecycle([one], 'a/lake/')
  expect(typeof finding === 'string' ? 'ok' : finding.state).toBe(state)
})

/** Stands before a store as a gateway that drops If-None-Match: where the store refuses, it writes all the same. */
async function spoilingGateway({ url, client }: TestS3): Promise<{ url: string; close(): void }> {
  const behind = new URL(url)
  async function pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const Body = Buffer.concat((await incoming.toArray()) as Buffer[])
    const { method, headers, url: path = '/' } = incoming
    const forward = request({ host: behind.hostname, port: behind.port, method, path, headers }).end(Body)
    const [answer] = (await once(forward, 'response')) as [IncomingMessage]
    if (answer.statusCode === 412 && method === 'PUT') {
      answer.resume()
      const [Bucket, ...key] = decodeURIComponent(path.split('?')[0] as string)
        .slice(1)
        .split('/')
      const { ETag } = await client.send(new PutObjectCommand({ Bucket, Key: key.join('/'), Body }))
      outgoing.writeHead(200, { etag: ETag }).end()
      return
    }
    answer.pipe(outgoing.writeHead(answer.statusCode ?? 500, answer.headers))
  }
  const gateway = createServer((incoming, outgoing) => void pass(incoming, outgoing).catch(() => outgoing.destroy()))
  await once(gateway.listen(0, '127.0.0.1'), 'listening')
  const { port } = gateway.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, close: () => gateway.close() }
}
