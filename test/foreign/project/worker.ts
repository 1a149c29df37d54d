import { fileURLToPath } from 'node:url'
import { NativeConnection, Worker } from '@temporalio/worker'
import { LakewardPlugin } from 'lakeward'
import * as activities from './activities.ts'

const connection = await NativeConnection.connect({ address: process.env.FOREIGN_TEMPORAL ?? '' })
const worker = await Worker.create({
  connection,
  taskQueue: process.env.FOREIGN_QUEUE ?? '',
  workflowsPath: fileURLToPath(new URL('./workflows.js', import.meta.url)),
  activities,
  plugins: [new LakewardPlugin({ installation: 'lakeward.yaml' })],
})
await worker.run()
await connection.close()
