/** S3 servers, and buckets on them as places for lakes. */
import { AbortMultipartUploadCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, describe } from 'vitest'
import type { S3StoreOptions } from '../../connectors/lake/s3/s3-store.ts'
import { s3Store } from '../../connectors/lake/s3/s3-store.ts'
import type { ObjectStore, StagedFile } from '../../connectors/lake/store.ts'
import { orSkip } from '../components.ts'
import { type BucketOptions, s3Servers, type TestS3 } from '../s3-servers.ts'

/** A client of its own over a bucket of a server. */
export function storeOn(server: TestS3, bucket: string, more: Partial<S3StoreOptions> = {}): ObjectStore {
  const { url: endpoint, region, accessKeyId, secretAccessKey } = server
  const credentials = () => Promise.resolve({ accessKeyId, secretAccessKey })
  return s3Store({ bucket, path: 'a/lake', endpoint, region, credentials, ...more })
}

/** An empty folder of a new bucket, and two clients of it. */
export async function s3Harness(server: TestS3, options?: BucketOptions, more: Partial<S3StoreOptions> = {}) {
  const bucket = await server.createBucket(options)
  return {
    bucket,
    store: storeOn(server, bucket, more),
    other: storeOn(server, bucket, more),
    loseStaged: async ({ key, upload }: Pick<StagedFile, 'key' | 'upload'>): Promise<void> => {
      const Key = `${more.path ?? 'a/lake'}/${key}`
      await server.client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId: upload }))
    },
    close: async (): Promise<void> => {},
  }
}

/** Of what is long: on one server, and on the other with LAKEWARD_THOROUGH=1. */
export const THOROUGH_ONLY = process.env['LAKEWARD_THOROUGH'] === '1' ? [] : ['moto']

/** `describe` once for each server that this machine has, but those that are left out. */
export function describeOnS3(name: string, tests: (server: TestS3) => void, leftOut: string[] = []): void {
  for (const [kind, start] of Object.entries(s3Servers)) {
    // Tests are declared before a server runs: what they get is filled in when it does.
    const server = {} as TestS3
    const isLeftOut = leftOut.includes(kind)
    describe.skipIf(isLeftOut)(`${name}, on ${kind}${isLeftOut ? ' [LAKEWARD_THOROUGH=1 runs it]' : ''}`, () => {
      let started: TestS3 | null = null
      beforeAll(async () => {
        started = await orSkip(start(), `${name}, on ${kind}`)
        if (started) Object.assign(server, started)
      })
      beforeEach((test) => test.skip(started === null, `there is no ${kind} here`))
      afterAll(() => started?.stop())
      tests(server)
    })
  }
}
