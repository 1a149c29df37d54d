/** Amazon EventBridge: records as events of a bus. */
import type { Connector } from '../connector.ts'
import { type Bus, settings } from './settings.ts'
import { sink } from './sink.ts'

export const eventbridge: Connector = {
  name: 'eventbridge',
  title: 'Events of a bus of Amazon EventBridge',
  settings,
  staging: 'Records that are too large for an event',
  auth: [{ type: 'aws_keys', send: 'none', optional: true }],
  limits: [],
  errors: [],
  identity(session) {
    const { endpoint, region, bus } = session.settings as unknown as Bus
    return Promise.resolve([endpoint ?? region ?? 'eventbridge', bus].join('/'))
  },
  destination: { record: sink },
}
