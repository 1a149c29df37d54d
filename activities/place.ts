/**
 * Where a lane lies: the lake that holds its ledger and what it stages, and what its destination is made of.
 *
 * Law: a destination that is a lake holds its own lanes. A table's lie in the lake that its connection names as
 * `staging`, those of records in the installation's state; what their entries owe is delivered from there.
 */
import type { Connector } from '../connectors/connector.ts'
import { InputError } from '../connectors/errors.ts'
import { connector } from '../connectors/index.ts'
import type { Flow } from '../connectors/flow.ts'
import type { Connection, Installation } from '../connectors/installation.ts'
import { keysOfFlow, segment } from '../connectors/lake/keys.ts'
import type { ObjectStore } from '../connectors/lake/store.ts'
import type { Deps } from './deps.ts'
import type { LaneFlow } from './lane.ts'
import { dataFolder } from './recipe.ts'

/** What finding a place asks of the worker. */
export type Places = Pick<Deps, 'installation' | 'lake' | 'stateLake'>

export interface Place {
  kind: 'lake' | 'table' | 'records'
  store: ObjectStore
  /** Folder of the data files, without slashes around it. */
  folder: string
}

/** What an installation opens. */
export interface Stores extends Pick<Deps, 'lake' | 'stateLake'> {
  installation: Installation
}

export async function placeOf(deps: Places, lane: LaneFlow): Promise<Place> {
  const { flow, object } = lane
  const stores = await storesOf(deps)
  const connection = destinationIn(stores.installation, flow.destination.connection)
  const kind = kindOf(await connector(connection.connector))
  if (kind === 'lake') {
    const folder = dataFolder(lane)
    const touched = keysOfFlow(flow.name, flow.destination.prefix || folder)
    return { kind, folder, store: await storeFor(stores, connection, kind, touched) }
  }
  const { prefix } = connection.staging ?? {}
  const folder = [prefix || '_lakeward/_staged', segment(flow.name), segment(object.id)].join('/')
  return { kind, folder, store: await storeFor(stores, connection, kind, keysOfFlow(flow.name, folder)) }
}

/** Where the lanes of all flows lie whose destination is this connection. */
export async function storeOf(stores: Stores, destination: string): Promise<ObjectStore> {
  const connection = destinationIn(stores.installation, destination)
  return storeFor(stores, connection, kindOf(await connector(connection.connector)))
}

export async function storesOf(deps: Places): Promise<Stores> {
  return {
    installation: await deps.installation(),
    lake: (connection, touched) => deps.lake(connection, touched),
    stateLake: () => deps.stateLake(),
  }
}

async function storeFor(
  stores: Stores,
  { name, staging }: Connection,
  kind: Place['kind'],
  touched?: string[],
): Promise<ObjectStore> {
  if (kind === 'lake') return stores.lake(name, touched)
  if (kind === 'records') return stores.stateLake()
  if (staging) return stores.lake(staging.connection, touched)
  throw new InputError([
    {
      what: `${name} does not say where files are staged for it`,
      where: `connections.${name}.staging`,
      advice: 'Name a lake connection that it can read: staging: { connection: lake }.',
    },
  ])
}

/** The kind of a flow's destination; a lake where it has none yet. */
export async function endOf({ connections }: Installation, { destination }: Flow): Promise<Place['kind']> {
  const connection = connections[destination.connection]
  return connection ? kindOf(await connector(connection.connector)) : 'lake'
}

/** @throws InputError where it is no destination */
export function kindOf({ name, destination }: Connector): Place['kind'] {
  if (destination?.lake) return 'lake'
  if (destination?.table) return 'table'
  if (destination?.record) return 'records'
  throw new InputError([{ what: `${name} cannot be a destination`, where: 'destination.connection' }])
}

function destinationIn({ connections }: Installation, name: string): Connection {
  const found = connections[name]
  if (found) return found
  throw new InputError([
    {
      what: `no connection is called ${name}`,
      where: 'destination.connection',
      advice: `The workers' lakeward.yaml has: ${Object.keys(connections).join(', ') || 'none'}.`,
    },
  ])
}
