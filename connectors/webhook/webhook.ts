/** Webhooks: whoever signs with the connection's secret tells of events, and flows take them. */
import type { Connector } from '../connector.ts'
import { eventSource } from '../event-source.ts'
import { schemeOf, webhookSettings } from './settings.ts'
import { verify } from './verify.ts'

export const webhook: Connector = {
  name: 'webhook',
  title: 'Webhooks: signed requests to `lakeward listen`, and signals',
  settings: webhookSettings,
  auth: [
    {
      type: 'signing_secret',
      send: 'none',
      optional: true,
      unfit: ({ scheme }) =>
        scheme === 'none' ? 'scheme none signs nothing, and so needs no secret\nremove `auth`' : undefined,
    },
  ],
  limits: [],
  errors: [],
  identity: ({ settings }) => Promise.resolve(`webhooks, ${settings['scheme'] as string}`),
  source: eventSource,
  events: {
    verify(request, { settings, ...by }) {
      const scheme = schemeOf(settings)
      if (!scheme) return { reject: 'this connection takes signals alone', status: 401 }
      return verify(scheme, request, by)
    },
  },
}
