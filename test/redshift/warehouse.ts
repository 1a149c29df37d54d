/** The stand-in for Redshift beside an S3 server, where this machine has PostgreSQL and versitygw. */
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { orSkip, postgresPrograms } from '../components.ts'
import { startTestVersitygw, type TestS3 } from '../s3-servers.ts'
import { type RedshiftSandbox, startRedshift } from '../sandboxes/redshift/redshift.ts'
import { duckdbReader } from './parquet-reader.ts'

export const ROLE = 'arn:aws:iam::123456789012:role/copy'

export interface Warehouse {
  redshift: RedshiftSandbox
  s3: TestS3
  bucket: string
  /** Puts an object into the bucket, and tells its address. */
  put(key: string, body: Uint8Array | string): Promise<string>
}

/** Filled in before the first test; without the components the tests of the file are skipped. */
export function useWarehouse(): Warehouse {
  const warehouse = {} as Warehouse
  const closes: (() => unknown)[] = []
  let started = false
  beforeAll(async () => {
    const postgres = await orSkip(postgresPrograms(), 'Redshift')
    const s3 = postgres && (await orSkip(startTestVersitygw(), 'Redshift'))
    if (!postgres || !s3) return
    closes.push(() => s3.stop())
    const parquet = await duckdbReader()
    closes.push(() => parquet.close())
    const { url: endpoint, region, accessKeyId, secretAccessKey } = s3
    const credentials = { accessKeyId, secretAccessKey }
    const redshift = await startRedshift({
      postgres,
      parquet,
      s3: { endpoint, region, credentials, forcePathStyle: true },
      roles: [ROLE],
      readers: ['reading'],
      secrets: ['arn:aws:secretsmanager:us-east-1:123456789012:secret:warehouse'],
    })
    closes.push(() => redshift.stop())
    const bucket = await s3.createBucket()
    const put = async (key: string, body: Uint8Array | string): Promise<string> => {
      await s3.client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }))
      return `s3://${bucket}/${key}`
    }
    Object.assign(warehouse, { redshift, s3, bucket, put })
    started = true
  })
  beforeEach((test) => test.skip(!started, 'there is no PostgreSQL or no versitygw here'))
  afterAll(async () => {
    for (const close of closes.toReversed()) await close()
  })
  return warehouse
}
