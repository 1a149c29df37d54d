/** Where the lake of the demo is: a directory beside its other files, or a bucket on an S3 server of its own. */
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

export interface DemoLake {
  /** As `lakeward.yaml` has it, below `connections:`. */
  connection: string
  /** What its workers need to reach it. */
  env: Record<string, string>
  /** As people name it: a path from here, or `s3://bucket/path`. */
  name: string
  /** Where its files are when the demo has ended. */
  onDisk: string
  /** How its files come to the reader, for the sentence that says what was read. */
  readFrom: string
  /** The folder that holds the files below this prefix as they are now: the lake itself, or what was downloaded. */
  files(prefix: string): Promise<string>
  /** How to look into it while the demo keeps it running; `glob` is below the lake. */
  look(glob: string): string[]
  stop(): Promise<void>
}

export function directoryLake(folder: string): DemoLake {
  const lake = join(folder, 'lake')
  return {
    connection: `  lake:
    connector: file
    path: ./lake
`,
    env: {},
    name: relative('.', lake),
    onDisk: lake,
    readFrom: '',
    files: async (prefix) => join(lake, prefix),
    look: () => [],
    stop: async () => {},
  }
}

const BUCKET = 'lakeward-demo'
const PATH = 'lake'

/** Finds or makes an S3 server, which `log` tells, and a bucket on it. */
export async function bucketLake(folder: string, log: (line: string) => void): Promise<DemoLake> {
  const { findVersitygw } = await import('../../../worker/versitygw-binary.ts')
  const { startVersitygw } = await import('../../../worker/s3-server.ts')
  const server = await startVersitygw(join(folder, 's3'), await findVersitygw({ log }))
  const { url: endpoint, region, accessKeyId, secretAccessKey } = server
  const sdk = await import('@aws-sdk/client-s3')
  const credentials = { accessKeyId, secretAccessKey }
  const client = new sdk.S3Client({ endpoint, region, forcePathStyle: true, credentials })
  try {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
    await client.send(new sdk.CreateBucketCommand({ Bucket: BUCKET }))
  } catch (error) {
    await server.stop(0)
    throw error
  }
  log(`S3 server (versitygw): ${endpoint}, bucket ${BUCKET}`)
  return {
    connection: `  lake:
    connector: s3
    bucket: ${BUCKET}
    path: ${PATH}
    endpoint: ${endpoint}
    auth:
      type: aws_keys
      accessKeyId: { env: LAKEWARD_DEMO_S3_KEY }
      secretAccessKey: { env: LAKEWARD_DEMO_S3_SECRET }
`,
    env: { LAKEWARD_DEMO_S3_KEY: accessKeyId, LAKEWARD_DEMO_S3_SECRET: secretAccessKey },
    name: `s3://${BUCKET}/${PATH}`,
    onDisk: join(folder, 's3', 'buckets', BUCKET, PATH),
    readFrom: ' from the objects of the bucket, downloaded',
    async files(prefix) {
      const target = join(folder, 'downloaded')
      // https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
      const pages = sdk.paginateListObjectsV2({ client }, { Bucket: BUCKET, Prefix: `${PATH}/${prefix}/` })
      for await (const { Contents = [] } of pages) {
        for (const { Key = '' } of Contents) {
          const path = join(target, Key.slice(PATH.length + 1))
          await mkdir(dirname(path), { recursive: true })
          const { Body } = await client.send(new sdk.GetObjectCommand({ Bucket: BUCKET, Key }))
          await pipeline(Body as Readable, createWriteStream(path))
        }
      }
      return join(target, prefix)
    },
    look(glob) {
      const secret = `KEY_ID '${accessKeyId}', SECRET '${secretAccessKey}', REGION '${region}'`
      const where = `ENDPOINT '${endpoint.replace('http://', '')}', USE_SSL false, URL_STYLE 'path'`
      return [
        `S3       ${endpoint}, keys ${accessKeyId} / ${secretAccessKey}, region ${region}`,
        `AWS CLI  AWS_ACCESS_KEY_ID=${accessKeyId} AWS_SECRET_ACCESS_KEY=${secretAccessKey} AWS_REGION=${region} ` +
          `aws s3 ls --recursive --endpoint-url ${endpoint} s3://${BUCKET}/${PATH}/`,
        // https://duckdb.org/docs/stable/core_extensions/httpfs/s3api
        `DuckDB   CREATE SECRET (TYPE s3, ${secret}, ${where}); FROM 's3://${BUCKET}/${PATH}/${glob}'`,
      ]
    },
    async stop() {
      client.destroy()
      await server.stop(2_000)
    },
  }
}
