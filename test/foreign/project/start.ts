import { readFile } from 'node:fs/promises'
import { Client, Connection } from '@temporalio/client'
import { connectorNames } from 'lakeward/connectors'
import { LakewardClient } from 'lakeward/client'
import type { greetTwice } from './workflows.ts'

const connection = await Connection.connect({ address: process.env.FOREIGN_TEMPORAL ?? '' })
const client = new Client({ connection })
const taskQueue = process.env.FOREIGN_QUEUE ?? ''

const greetings = await client.workflow.execute<typeof greetTwice>('greetTwice', {
  workflowId: `${taskQueue}-greet`,
  taskQueue,
  args: ['world'],
})
const flow: unknown = JSON.parse(await readFile('flow.json', 'utf8'))
const result: unknown = await client.workflow.execute('runFlow', {
  workflowId: `${taskQueue}-run`,
  taskQueue,
  args: [flow],
})
const flows = await new LakewardClient(client).list()
console.log(JSON.stringify({ greetings, result, flows: flows.length, connectors: connectorNames }))
await connection.close()
