/** Flows that events feed: what they may say, and what they cannot. */
import { describe, expect, it } from 'vitest'
import { checkOptions, parseFlow } from '../../connectors/flow.ts'
import { salesforce } from '../../connectors/salesforce/salesforce.ts'
import { webhook } from '../../connectors/webhook/webhook.ts'

const flow = (change: object = {}, object: object = {}) => ({
  version: 1,
  name: 'hooks',
  source: { connection: 'shop', objects: [{ object: 'order.*', id: 'orders', into: 'orders', ...object }] },
  destination: { connection: 'lake' },
  trigger: { event: 'webhook' },
  ...change,
})

it('a pattern of kinds is one object, with batches of ten seconds or ten thousand', () => {
  const parsed = checkOptions(parseFlow(flow({}, { schema: { total: 'decimal(10,2)' } })), webhook)
  expect(parsed.trigger).toEqual({ kind: 'event', event: 'webhook', batch: { everyMs: 10_000, rows: 10_000 } })
  expect(parsed.source.objects).toMatchObject([{ object: 'order.*', id: 'orders', options: { schema: {} } }])
})

describe('a flow that events feed cannot say', () => {
  it.each<[string, object, RegExp]>([
    ['how records are read', flow({}, { read: 'full' }), /objects\[0\]\.read: `read` says how records are read/],
    ['where to start', flow({}, { startFrom: '2024-01-01' }), /events come by themselves/],
    ['replace', flow({ destination: { connection: 'lake', write: 'replace' } }), /each batch would take the place/],
    ['times', flow({ trigger: { event: 'webhook', jitter: '1m' } }), /jitter means something to times only/],
    ['two triggers', flow({ trigger: { event: 'webhook', every: '1h' } }), /has every and event/],
    ['batches of nothing', flow({ trigger: { event: 'signal', batch: { rows: 0 } } }), /batch\.rows/],
    ['batches of a day', flow({ trigger: { event: 'signal', batch: { every: '1d' } } }), /too long for events/],
    [
      'batches without events',
      flow({ trigger: { every: '1h', batch: { rows: 5 } } }),
      /batches mean something to events/,
    ],
    ["its listener's id", flow({}, { id: 'listen' }), /'listen' is the id of the flow's listener/],
    ['that all is read again', flow({ run: { full: true } }), /run\.full: `full` reads again/],
    ['a window', flow({ run: { from: '2024-01-01', to: '2024-01-02' } }), /run\.from: `from` reads again/],
    ['whom to tell of runs', flow({ notify: [{ connection: 'bus' }] }), /batches of events are not, yet/],
  ])('%s', (_, written, what) => {
    expect(() => parseFlow(written)).toThrow(what)
  })
})

it('goes with a connector that sends events, and with no other; and such a connector with no other flow', () => {
  expect(() => checkOptions(parseFlow(flow()), salesforce)).toThrow(/is asked for records, and sends no events/)
  const { trigger: _, ...asked } = flow({}, { object: 'order' })
  expect(() => checkOptions(parseFlow(asked), webhook)).toThrow(/cannot be asked for records: it tells of events/)
})
