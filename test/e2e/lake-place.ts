/** Where a stage's lake is: a directory, or a bucket that is seen as one. */
import { join } from 'node:path'
import type { Client } from '@temporalio/client'
import { s3Servers } from '../s3-servers.ts'
import { LakeMirror } from './lake-mirror.ts'
import type { Bucket } from './lake-mirror.ts'
import { openS3Gate } from './s3-gate.ts'
import type { S3Gate } from './s3-gate.ts'

export type LakeKind = 'file' | keyof typeof s3Servers

export interface LakePlace {
  /** The lake's connection, as lakeward.yaml has it. */
  connection: Record<string, unknown>
  /** What the processes that reach it need. */
  env: Record<string, string>
  /** The lake as files: itself, or what was pulled last. */
  folder: string
  pull(): Promise<void>
  /** Null for a directory. */
  s3: { gate: S3Gate; at: Bucket } | null
  stop(): Promise<void>
}

/** Stages that do not say where their lake is have it there: so the whole suite can be run on each. */
const usual = (process.env['LAKEWARD_TEST_LAKE'] ?? 'file') as LakeKind

export async function openLakePlace(directory: string, client: Client, kind = usual): Promise<LakePlace> {
  const folder = join(directory, 'lake')
  if (kind === 'file') {
    const connection = { connector: 'file', path: './lake' }
    return { connection, env: {}, folder, pull: async () => {}, s3: null, stop: async () => {} }
  }
  const server = await s3Servers[kind]()
  const gate = await openS3Gate(server.url)
  const bucket = await server.createBucket()
  const at = { client: server.client, bucket }
  const { namespaceInfo } = await client.workflowService.describeNamespace({ namespace: client.options.namespace })
  const mirror = new LakeMirror(folder, at, namespaceInfo?.id ?? '')
  return {
    connection: { connector: 's3', bucket, endpoint: gate.url, region: server.region },
    env: { AWS_ACCESS_KEY_ID: server.accessKeyId, AWS_SECRET_ACCESS_KEY: server.secretAccessKey },
    folder,
    pull: () => mirror.pull(),
    s3: { gate, at },
    async stop() {
      await gate.stop()
      await server.stop()
    },
  }
}
