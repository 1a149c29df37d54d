/** Amazon EventBridge: records as events of a bus, and what happens to runs. */
import type { Connector } from '../connector.ts'
import { refused } from './errors.ts'
import { findBus, putEvents } from './event-bus.ts'
import { type Bus, settings, SOURCE } from './settings.ts'
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
  account: async (session) => ({ bus: await findBus(session) }),
  async notify(session, { id, type, time, detail }) {
    const { bus } = session.settings as unknown as Bus
    const Detail = JSON.stringify({ 'notification-id': id, ...detail })
    const entry = { Source: SOURCE, DetailType: type, Detail, EventBusName: bus, Time: new Date(time) }
    const [outcome] = await putEvents(session, [entry])
    if (outcome && !outcome.ok) throw refused(type, outcome)
  },
  destination: { record: sink },
}
