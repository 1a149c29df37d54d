/** EventBridge as records: what arrives at a queue behind the bus, counted by the ids that de-duplicate. */
import { afterAll, beforeAll, beforeEach, describe, it } from 'vitest'
import { eventbridge } from '../../connectors/eventbridge/eventbridge.ts'
import { settings } from '../../connectors/eventbridge/settings.ts'
import type { RecordBatch } from '../../connectors/record-sink.ts'
import { orSkip } from '../components.ts'
import { recordConformance } from '../conformance/index.ts'
import { madeUpSession } from '../contract/made-up-core.ts'
import { startTestMoto } from '../s3-servers.ts'
import type { TestS3 } from '../s3-servers.ts'
import { openEventQueue } from './event-queue.ts'
import type { EventQueue } from './event-queue.ts'

const sink = eventbridge.destination!.record!
let moto: TestS3 | null
let queue: EventQueue
let made = 0
beforeAll(async () => {
  moto = await orSkip(startTestMoto(), 'events of a bus')
  if (moto) queue = await openEventQueue(moto.url)
})
beforeEach((test) => test.skip(moto === null, 'there is no moto here'))
afterAll(async () => moto?.stop())

function batchOf(count: number, spoilt?: number): RecordBatch {
  const lane = `lane-${++made}`
  const rows = Array.from({ length: count }, (_, at) => ({ Name: at === spoilt ? 'x'.repeat(1_100_000) : `n${at}` }))
  return {
    target: { object: 'Account changed', fields: [], open: true },
    write: 'append',
    key: null,
    fields: [{ name: 'Name', type: 'string', nullable: true }],
    rows,
    ids: rows.map((_, at) => `${lane}-${at}`),
    options: sink.options.parse({ source: 'com.acme.crm' }),
  }
}

recordConformance(
  { describe, it },
  {
    name: 'EventBridge',
    open: async () => {
      const place = settings.parse({ bus: queue.bus, region: 'us-east-1', endpoint: moto!.url })
      const keys = { accessKeyId: 'test', secretAccessKey: 'test' }
      return {
        sink,
        session: { ...madeUpSession(() => null, place), aws: () => () => Promise.resolve(keys) },
        batch: async (_, count) => batchOf(count),
        // Too large, and nowhere to claim it from.
        spoilt: async (_, count, at) => batchOf(count, at),
        async found({ ids }) {
          const came = new Set((await queue.take()).map(({ detail }) => detail['_lakeward_id']))
          return ids.map((id) => (came.has(id) ? 1 : 0))
        },
        close: async () => {},
      }
    },
  },
)
