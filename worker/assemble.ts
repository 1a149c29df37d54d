/**
 * Puts a worker's parts together: the installation file, secrets, tokens, connections and lakes, each made when it is
 * first needed and then kept. What fails is not kept: a file that was mended is read again.
 */
import { createSecretKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { ConnectionUse, Connected, Deps } from '../activities/deps.ts'
import { UnitThreads } from '../activities/unit-threads.ts'
import type { Connector, Session } from '../connectors/connector.ts'
import { InputError } from '../connectors/errors.ts'
import { connector } from '../connectors/index.ts'
import { readInstallation } from '../connectors/installation.ts'
import type { Connection, Installation } from '../connectors/installation.ts'
import { givenNumber } from '../connectors/given-number.ts'
import { kept } from '../connectors/kept.ts'
import type { DataKeys } from '../connectors/lake/data-keys.ts'
import type { ObjectStore } from '../connectors/lake/store.ts'
import { awsLogin } from './aws-login.ts'
import { createBudgets } from './budgets.ts'
import type { Budgets } from './budgets.ts'
import { createCredentials } from './credentials.ts'
import type { Credentials } from './credentials.ts'
import { drainSignal } from './drain.ts'
import { resolveSecret } from '../connectors/secrets.ts'
import { directoryState, lakeState, stateDirectory } from './installation-state.ts'
import { makeSession } from './session.ts'
import { signer } from './signer.ts'
import { stateKey } from './state-key.ts'
import type { StateStore } from './state.ts'
import { createWires } from './wires.ts'
import type { Wires } from './wires.ts'

export interface AssembleOptions {
  /** Path of lakeward.yaml; default: LAKEWARD_CONFIG, then ./lakeward.yaml. */
  installation?: string
  /** Secrets may stand in lakeward.yaml in plain text: for a machine of one's own. */
  plainSecrets?: boolean
  /**
   * Silence after which a step goes to another worker, 5 to 600; default: LAKEWARD_HEARTBEAT_SECONDS, then
   * `worker.heartbeat` of the file, then 45.
   */
  heartbeatSeconds?: number
  /** Most threads that work on records, 1 to 256; default: LAKEWARD_THREADS, then one per processor. */
  threads?: number
  /** Queues beside which the process polls one for units. */
  unitsBeside?: readonly string[]
}

const HEARTBEAT = { name: 'LAKEWARD_HEARTBEAT_SECONDS', of: 'seconds', least: 5, most: 600, otherwise: 45 }
const THREADS = { name: 'LAKEWARD_THREADS', of: 'threads', least: 1, most: 256, otherwise: 'one per processor' }

/**
 * The parts as commands use them too, that run where they are typed: without `renew`, they ask the vendor themselves.
 */
export interface Parts {
  installation: Installation
  credentials: Credentials
  state(): Promise<StateStore>
  connect(name: string, use: Omit<ConnectionUse, 'renew' | 'sent'> & Partial<ConnectionUse>): Promise<Connected>
  lake(name: string, touched?: string[]): Promise<ObjectStore>
  stateLake(): Promise<ObjectStore>
  key(name: string): Promise<KeyObject>
  close(): Promise<void>
}

export function assemble(options: AssembleOptions = {}): Deps {
  const parts = kept(() => openParts(options))
  const given = givenNumber(HEARTBEAT, options.heartbeatSeconds)
  const threads = new UnitThreads({ threads: givenNumber(THREADS, options.threads) })
  return {
    installation: async () => (await parts()).installation,
    connect: async (name, use) => (await parts()).connect(name, use),
    lake: async (name, touched) => (await parts()).lake(name, touched),
    stateLake: async () => (await parts()).stateLake(),
    refresh: async ({ connection, staleVersion }, namespaceId) =>
      (await parts()).credentials.refresh(connection, staleVersion, namespaceId),
    key: async (name) => (await parts()).key(name),
    threads,
    drain: drainSignal(),
    heartbeatSeconds: async () =>
      given ?? ((await parts()).installation.worker.heartbeat ?? HEARTBEAT.otherwise * 1000) / 1000,
    ...(options.unitsBeside ? { unitsBeside: options.unitsBeside } : {}),
  }
}

export async function openParts(options: AssembleOptions): Promise<Parts> {
  const { plainSecrets = false } = options
  const installation = await readInstallation(installationPath(options), { plainSecrets })
  const { directory } = installation
  const state = kept(async (): Promise<StateStore> => {
    const { state: place } = installation
    if ('directory' in place) return directoryState(place.directory, await stateKey())
    const { connector: found, session } = await quiet(named(installation, place.connection), house())
    return lakeState(lakeOf(found, session), found, found.destination?.dataKeys?.(session) as DataKeys | null)
  })
  const stateLake = kept(async (): Promise<ObjectStore> => {
    const { state: place } = installation
    if ('directory' in place) return stateDirectory(place.directory)
    return openLake(named(installation, place.connection))
  })
  const wires = createWires((name) => ({ parallel: installation.connections[name]?.limits.parallel }))
  const budgets = createBudgets(state)
  const credentials: Credentials = createCredentials({
    state,
    async login(name) {
      const connection = named(installation, name)
      const { settings, auth, allowInsecure } = connection
      return {
        connection: name,
        connector: await connector(connection.connector),
        settings,
        auth: auth && { ...auth },
        allowInsecure,
        directory,
      }
    },
    wires,
  })
  const house = (): House => ({ credentials, wires, directory, budgets, lake })
  const lakes = new Map<string, () => Promise<ObjectStore>>()
  const openLake = async (connection: Connection, touched?: string[]): Promise<ObjectStore> => {
    const { connector: found, session } = await quiet(connection, house())
    return lakeOf(found, session, touched)
  }
  async function lake(name: string, touched?: string[]): Promise<ObjectStore> {
    const connection = named(installation, name)
    // A role is assumed for each flow, and may then do no more than that flow needs; else they share a lake.
    const narrowed = connection.settings['role'] === undefined ? undefined : touched
    const id = JSON.stringify([name, narrowed])
    let made = lakes.get(id)
    if (!made) lakes.set(id, (made = kept(() => openLake(connection, narrowed))))
    return made()
  }
  return {
    installation,
    credentials,
    state,
    connect: (name, use) => connect(named(installation, name), house(), use),
    lake,
    stateLake,
    async key(name) {
      const where = `keys.${name}`
      const reference = installation.keys[name]
      if (!reference) throw missing(`the workers have no key ${name}`, where, Object.keys(installation.keys))
      const text = typeof reference === 'string' ? reference : await resolveSecret(reference, { where, directory })
      return createSecretKey(text, 'utf8')
    },
    close: () => wires.close(),
  }
}

export function installationPath(options: AssembleOptions): string {
  return options.installation ?? process.env['LAKEWARD_CONFIG'] ?? 'lakeward.yaml'
}

/** What every session is made of. */
interface House {
  credentials: Credentials
  wires: Wires
  directory: string
  budgets: Budgets
  lake: Parts['lake']
}

/** Of what a source exports: no flow's folder begins so. */
const EXPORTS = '_exports'

async function connect(
  connection: Connection,
  { credentials, wires, directory, budgets, lake }: House,
  use: Omit<ConnectionUse, 'renew' | 'sent'> & Partial<ConnectionUse>,
): Promise<Connected> {
  const found = await connector(connection.connector)
  const { name, settings, auth, allowInsecure, staging } = connection
  const takes = (kind: string): boolean => found.auth.some(({ type }) => type === kind)
  const budget = budgets.of(connection, found)
  const session = makeSession({
    connection: name,
    connector: found,
    settings,
    authType: auth?.type ?? null,
    allowInsecure,
    credentials,
    wires,
    ...(takes('aws_keys') && { aws: awsLogin({ ...connection, directory }) }),
    ...(takes('signing_secret') && { sign: signer({ ...connection, directory }) }),
    ...(staging && {
      async staging() {
        const folder = `${staging.prefix || '_lakeward'}/${EXPORTS}`
        return { store: await lake(staging.connection, [`${folder}/`]), folder }
      },
    }),
    meter: { sent: () => (budget.sent(), use.sent?.()), told: (used) => budget.told(used) },
    ...use,
  })
  return { connector: found, session, budget }
}

/** Outside of any step: nobody cancels it, and nobody is told how far it is. */
async function quiet(connection: Connection, house: House): Promise<Connected> {
  return connect(connection, house, {
    signal: new AbortController().signal,
    beat: () => {},
    note: () => {},
  })
}

function lakeOf({ destination }: Connector, session: Session, touched?: string[]): ObjectStore {
  if (destination?.lake) return destination.lake(session, touched) as ObjectStore
  const what = destination?.record ? 'takes records, which flows do not send yet' : 'is no lake'
  throw missing(`${session.connection} ${what}`, 'destination.connection', [])
}

function named(installation: Installation, name: string): Connection {
  const connection = installation.connections[name]
  if (connection) return connection
  throw missing(`no connection is called ${name}`, installation.path, Object.keys(installation.connections))
}

function missing(what: string, where: string, names: string[]): InputError {
  return new InputError([{ what, where, ...(names.length > 0 ? { advice: `There are: ${names.join(', ')}.` } : {}) }])
}
