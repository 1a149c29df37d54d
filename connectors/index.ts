/**
 * The registry: one line per connector. Importing it is free; a connector's own code loads when it is asked for.
 */
import type { Connector } from './connector.ts'
import { InputError } from './errors.ts'
import { nearest } from './nearest.ts'

const loaders = {
  file: async () => (await import('./file/file.ts')).file,
  s3: async () => (await import('./s3/s3.ts')).s3,
  callback: async () => (await import('./callback/callback.ts')).callback,
  eventbridge: async () => (await import('./eventbridge/eventbridge.ts')).eventbridge,
  redshift: async () => (await import('./redshift/redshift.ts')).redshift,
  webhook: async () => (await import('./webhook/webhook.ts')).webhook,
  salesforce: async () => (await import('./salesforce/salesforce.ts')).salesforce,
} satisfies Record<string, () => Promise<Connector>>

export type ConnectorName = keyof typeof loaders

export const connectorNames = Object.keys(loaders) as ConnectorName[]

export function isConnectorName(name: string): name is ConnectorName {
  return Object.hasOwn(loaders, name)
}

/** @throws InputError where there is none of this name */
export async function connector(name: string): Promise<Connector> {
  if (isConnectorName(name)) return loaders[name]()
  const close = nearest(name, connectorNames)
  throw new InputError([
    {
      what: `there is no connector ${JSON.stringify(name)}`,
      where: 'connector',
      advice: close ? `Did you mean ${close}?` : `There are: ${connectorNames.join(', ')}.`,
    },
  ])
}

/** All of them, loaded: for what checks or documents every connector. */
export async function connectors(): Promise<Record<string, Connector>> {
  const loaded = await Promise.all(connectorNames.map(async (name) => [name, await loaders[name]()] as const))
  return Object.fromEntries(loaded)
}
