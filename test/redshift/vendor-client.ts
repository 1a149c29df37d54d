/** The Data API by the vendor's own client, for looking at the stand-in. */
import {
  BatchExecuteStatementCommand,
  DescribeStatementCommand,
  type DescribeStatementCommandOutput,
  ExecuteStatementCommand,
  GetStatementResultCommand,
  RedshiftDataClient,
} from '@aws-sdk/client-redshift-data'
import { setTimeout as sleep } from 'node:timers/promises'

export const AT = { WorkgroupName: 'lake', Database: 'dev' }

export function vendorClient(endpoint: string, accessKeyId = 'lakeward'): RedshiftDataClient {
  const credentials = { accessKeyId, secretAccessKey: 'any' }
  return new RedshiftDataClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 })
}

export async function ended(client: RedshiftDataClient, Id: string): Promise<DescribeStatementCommandOutput> {
  for (;;) {
    const found = await client.send(new DescribeStatementCommand({ Id }))
    if (['FINISHED', 'FAILED', 'ABORTED'].includes(found.Status ?? '')) return found
    await sleep(10)
  }
}

/** One transaction; the error of what failed. */
export async function batch(client: RedshiftDataClient, ...Sqls: string[]): Promise<DescribeStatementCommandOutput> {
  const { Id } = await client.send(new BatchExecuteStatementCommand({ ...AT, Sqls }))
  return ended(client, Id!)
}

/** Rows of one statement, all pages. */
export async function rowsOf(client: RedshiftDataClient, Sql: string): Promise<unknown[][]> {
  const { Id } = await client.send(new ExecuteStatementCommand({ ...AT, Sql }))
  const { Status, Error: said } = await ended(client, Id!)
  if (Status !== 'FINISHED') throw new Error(said)
  const rows: unknown[][] = []
  let NextToken: string | undefined
  do {
    const page = await client.send(new GetStatementResultCommand({ Id, ...(NextToken && { NextToken }) }))
    for (const record of page.Records ?? []) {
      rows.push(record.map((one) => (one.isNull ? null : Object.values(one).find((value) => value !== undefined))))
    }
    NextToken = page.NextToken
  } while (NextToken)
  return rows
}
