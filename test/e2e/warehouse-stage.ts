/** A stage with a warehouse: Redshift's stand-in, whose files are staged in the stage's bucket. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import type { TestTemporal } from '../global-setup.ts'
import { duckdbReader } from '../redshift/parquet-reader.ts'
import { type RedshiftSandbox, startRedshift } from '../sandboxes/redshift/redshift.ts'
import { openStage, type Stage, type StageOptions } from './stage.ts'

export const COPY_ROLE = 'arn:aws:iam::123456789012:role/copy'

export interface WarehouseStage {
  stage: Stage
  redshift: RedshiftSandbox
  /** Rows of a query as text: PostgreSQL's own SQL, from outside. */
  rows: (sql: string) => Promise<(string | null)[][]>
  /** Adds connections to the stage's lakeward.yaml, or changes those it has. */
  connect: (connections: Record<string, object>) => void
  /** The connection `warehouse`, as lakeward.yaml has it. */
  warehouse: Record<string, unknown>
  stop(): Promise<void>
}

export async function openWarehouse(
  temporal: TestTemporal,
  postgres: string,
  options: StageOptions = {},
): Promise<WarehouseStage> {
  const stage = await openStage(temporal, { ...options, lake: 'versitygw' })
  const parquet = await duckdbReader()
  const { url: endpoint } = stage.s3!.gate
  const [accessKeyId = '', secretAccessKey = ''] = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].map(
    (name) => stage.env[name],
  )
  const path = join(stage.directory, 'lakeward.yaml')
  const written = () => parse(readFileSync(path, 'utf8')) as { connections: Record<string, { region?: string }> }
  const region = written().connections['lake']!.region!
  const redshift = await startRedshift({
    postgres,
    parquet,
    s3: { endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true },
    roles: [COPY_ROLE],
    workgroups: ['lake'],
    database: 'dev',
  })
  const connect = (connections: Record<string, object>): void => {
    const installation = written()
    Object.assign(installation.connections, connections)
    writeFileSync(path, stringify(installation))
  }
  const warehouse = {
    connector: 'redshift',
    workgroup: 'lake',
    database: 'dev',
    region,
    endpoint: redshift.url,
    copyRole: COPY_ROLE,
    staging: { connection: 'lake' },
  }
  connect({ warehouse })
  return {
    stage,
    redshift,
    rows: async (sql) => (await redshift.look(sql)).rows,
    connect,
    warehouse,
    async stop() {
      await stage.stop()
      await redshift.stop()
      parquet.close()
    },
  }
}
