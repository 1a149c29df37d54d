/**
 * S3 servers for tests, each with everything in a folder or in memory that goes with it. `orSkip` wraps them where a
 * machine may lack one.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { S3Client } from '@aws-sdk/client-s3'
import { type S3Server, startS3, startVersitygw } from '../worker/s3-server.ts'
import { findVersitygw } from '../worker/versitygw-binary.ts'
import { motoPython } from './components.ts'

export interface TestS3 extends S3Server {
  name: 'versitygw' | 'moto'
  /** Makes a bucket of a new name, and tells it. */
  createBucket(options?: BucketOptions): Promise<string>
  /** A client with the login of the server, for looking from outside. */
  client: S3Client
}

export interface BucketOptions {
  versioned?: boolean
  /** Object Lock with a default retention of a day in governance mode; such buckets are versioned. */
  locked?: boolean
}

export async function startTestVersitygw(): Promise<TestS3> {
  const binary = await findVersitygw()
  const folder = await mkdtemp(join(tmpdir(), 'lakeward-versitygw-'))
  return testS3('versitygw', await startVersitygw(folder, binary), folder)
}

/**
 * moto looks whether a key is free and writes it later, in threads: of fifty creates of one key two may win. A bucket
 * lets one win, so here one looks and writes at a time.
 */
const MOTO = `
import sys, threading
from moto.s3.responses import S3Response
from moto.server import main
put, one = S3Response.put_object, threading.Lock()
def put_object(self, *args, **more):
    with one:
        return put(self, *args, **more)
S3Response.put_object = put_object
main(sys.argv[1:])
`

export async function startTestMoto(): Promise<TestS3> {
  const command = await motoPython()
  const folder = await mkdtemp(join(tmpdir(), 'lakeward-moto-'))
  const server = await startS3({
    title: 'moto',
    command,
    args: (port) => ['-c', MOTO, '-H', '127.0.0.1', '-p', String(port)],
    env: {},
    logFile: join(folder, 'moto.log'),
  })
  return testS3('moto', server, folder)
}

export const s3Servers = { versitygw: startTestVersitygw, moto: startTestMoto }

async function testS3(name: TestS3['name'], server: S3Server, folder: string): Promise<TestS3> {
  const s3 = await import('@aws-sdk/client-s3')
  const { url: endpoint, region, accessKeyId, secretAccessKey } = server
  const client = new s3.S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  })
  let buckets = 0
  return {
    ...server,
    name,
    client,
    async createBucket({ versioned = false, locked = false } = {}) {
      const Bucket = `test-${process.pid}-${++buckets}`
      await client.send(new s3.CreateBucketCommand({ Bucket, ...(locked && { ObjectLockEnabledForBucket: true }) }))
      if (versioned) {
        const VersioningConfiguration = { Status: 'Enabled' as const }
        await client.send(new s3.PutBucketVersioningCommand({ Bucket, VersioningConfiguration }))
      }
      if (locked) {
        const DefaultRetention = { Mode: 'GOVERNANCE' as const, Days: 1 }
        const ObjectLockConfiguration = { ObjectLockEnabled: 'Enabled' as const, Rule: { DefaultRetention } }
        await client.send(new s3.PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }))
      }
      return Bucket
    },
    async stop() {
      client.destroy()
      await server.stop(0)
      await rm(folder, { recursive: true, force: true })
    },
  }
}
