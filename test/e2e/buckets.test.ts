/**
 * Runs into buckets: every object of an encrypted lake is encrypted as its connection says; and what `run --wait` says
 * of buckets, keys and roles that are wrong, before a record is read.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HeadObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { recorded } from '../client/stand-in/recorder.ts'
import { motoPython, orSkip } from '../components.ts'
import { s3Refusal, startStandIn, stsRefusal } from '../s3/stand-in.ts'
import type { StandIn } from '../s3/stand-in.ts'
import { describeWithTemporal } from '../temporal.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'

const moto = await orSkip(motoPython(), 'runs into buckets')
type Case = [connection: string, code: number, what: RegExp, todo: RegExp]
const tokenEnded: Case = ['token-ended', 4, /ExpiredToken/, /session token has ended/]
const ROLE = 'arn:aws:iam::123456789012:role/untrusting'

describeWithTemporal('a run into a bucket', (temporal) => {
  describe.skipIf(!moto)('on moto', () => {
    let stage: Stage
    let wrong: StandIn
    let sts: StandIn
    beforeAll(async () => {
      stage = await openStage(temporal, { salesforce: { accounts: 50, opportunities: 0, contacts: 0 }, lake: 'moto' })
      wrong = await startStandIn({
        'not-listed': s3Refusal(403, 'AccessDenied', 'Access Denied'),
        'keys-of-nobody': s3Refusal(403, 'InvalidAccessKeyId', 'The key does not exist in our records.'),
        'token-ended': s3Refusal(400, 'ExpiredToken', 'The provided token has expired.'),
        'signed-for-another': s3Refusal(
          400,
          'AuthorizationHeaderMalformed',
          "the region 'us-east-1' is wrong; expecting 'ap-south-1'",
        ),
      })
      sts = await startStandIn({ untrusting: stsRefusal(403, 'AccessDenied', 'not authorized: sts:AssumeRole') })
      stage.env['AWS_ENDPOINT_URL_STS'] = sts.url
      const path = join(stage.directory, 'lakeward.yaml')
      const installation = parse(readFileSync(path, 'utf8')) as { connections: Record<string, object> }
      const { lake } = installation.connections
      const on = (bucket: string) => ({ ...lake, bucket, endpoint: wrong.url })
      Object.assign(installation.connections, {
        'lake-kms': { ...lake, path: 'kms', encryption: { mode: 'kms', keyId: 'alias/lake' } },
        'lake-s3': { ...lake, path: 's3', encryption: { mode: 's3' } },
        'no-such-bucket': { ...lake, bucket: 'no-such-bucket' },
        role: { ...lake, role: ROLE },
        ...Object.fromEntries(
          ['not-listed', 'keys-of-nobody', 'token-ended', 'signed-for-another'].map((name) => [name, on(name)]),
        ),
      })
      writeFileSync(path, stringify(installation))
      await stage.startWorker({ args: ['--task-queue', stage.queue] })
    })
    afterAll(async () => {
      await stage.stop()
      await Promise.all([wrong, sts].map((server) => server.stop()))
    })
    const flowOf = (name: string, connection = name) => ({
      version: 1,
      name: `${name}-${stage.id}`,
      taskQueue: stage.queue,
      source: { connection: stage.crm, settle: '0s', objects: [{ object: 'Account', into: 'accounts' }] },
      destination: { connection },
    })

    it.each([
      ['kms', { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'alias/lake' }],
      ['s3', { ServerSideEncryption: 'AES256' }],
    ])('with encryption by %s has every object so: data, ledger, plans', async (mode, expected) => {
      const { client, bucket: Bucket } = stage.s3!.at
      const before = stage.s3!.gate.seen.length
      const { objects } = await stage.run(flowOf(`lake-${mode}`))
      expect(objects).toMatchObject([{ status: 'done', written: 50 }])
      const keys: string[] = []
      for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket, Prefix: `${mode}/` })) {
        for (const { Key = '' } of Contents) {
          keys.push(Key)
          expect(await client.send(new HeadObjectCommand({ Bucket, Key })), Key).toMatchObject(expected)
        }
      }
      for (const kind of [/lake\.json$/, /commits\/00000001\.json$/, /commits\/00000001\.outcome$/, /\.parquet$/]) {
        expect(
          keys.filter((key) => kind.test(key)),
          String(kind),
        ).toHaveLength(1)
      }
      // What was removed again: plans and unit records.
      const writes = stage.s3!.gate.seen.slice(before).filter(({ method, path }) => {
        return (method === 'PUT' && !path.includes('partNumber=')) || path.endsWith('?uploads=')
      })
      expect(writes.filter(({ path }) => /\/(plans|units)\//.test(path)).length).toBeGreaterThan(1)
      for (const { path, headers } of writes) {
        expect(headers['x-amz-server-side-encryption'], path).toBe(expected.ServerSideEncryption)
        // moto does not tell it of files that were uploaded in parts.
        const bucketKey = headers['x-amz-server-side-encryption-bucket-key-enabled']
        expect(bucketKey, path).toBe(mode === 'kms' ? 'true' : undefined)
      }
    })

    it.concurrent.each<Case>([
      ['no-such-bucket', 1, /there is no bucket no-such-bucket at http/, /Create it, or correct `bucket`/],
      ['signed-for-another', 1, /the bucket is not in us-east-1/, /`region: ap-south-1`/],
      ['not-listed', 4, /s3:\/\/not-listed.* failed: AccessDenied/, /Allow s3:/],
      ['keys-of-nobody', 4, /InvalidAccessKeyId/, /Correct the access key and its secret/],
      // Asked for again for a minute: another login may have been found by then.
      ...(process.env['LAKEWARD_THOROUGH'] ? [tokenEnded] : []),
      ['role', 4, /assume arn:aws:iam::123456789012:role\/untrusting for role/, /must trust these workers/],
    ])('%s: said, and nothing is read or written', async (name, code, what, todo) => {
      const path = join(stage.directory, `${name}.yaml`)
      writeFileSync(path, stringify(flowOf(`wrong-${name}`, name)))
      const told = await recorded('run', path, '--wait', '--address', temporal.address)
      const text = `${told.said}\n${told.out}`
      expect(text).toMatch(what)
      expect(text).toMatch(todo)
      expect(text).not.toMatch(/\n\s+at |undefined|\[object/)
      expect(told.code, text).toBe(code)
      const asked = stage.s3!.gate.seen.filter(({ path: at }) => at.includes(`wrong-${name}`))
      expect(asked.filter(({ method }) => method !== 'GET' && method !== 'HEAD')).toEqual([])
    })

    it('no record was asked for by a run that could not keep it', () => {
      const { rows } = stage.sandbox.control.served({ object: 'Account' })
      expect(rows).toBe(100)
    })
  })
})
