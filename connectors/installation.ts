/**
 * lakeward.yaml: what this installation can reach. Workers read it, and commands that need no worker; it is never sent
 * to Temporal.
 *
 * Law: secrets stay references here. They are resolved where they are used (`secrets.ts`), and no message has
 * one.
 */
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import type { Connector, JsonObject } from './connector.ts'
import { readDocument } from './document.ts'
import { InputError } from './errors.ts'
import { folder, name, NAME } from './flow-values.ts'
import { isSafe } from './http.ts'
import { type ConnectionAuth, readAuth, secret, type Secret, unfitLogin } from './installation-auth.ts'
import { completeLimits, type ConnectionLimits, limitProblems, limits } from './installation-limits.ts'
import { codecSchema, type CodecSettings } from './installation-codec.ts'
import { type ListenOptions, listenSchema } from './installation-listen.ts'
import { type WorkerOptions, workerSchema } from './installation-worker.ts'
import { meant, nearest } from './nearest.ts'
import {
  examine,
  flag,
  type Found,
  isTable,
  kind,
  notYet,
  type Path,
  problemsOf,
  shown,
  strict,
  text,
  unknownKey,
  words,
} from './strict.ts'
import { validate } from './validate.ts'

export type { ConnectionAuth, Secret, SecretRef } from './installation-auth.ts'

export interface Installation {
  version: 1
  /** The file, as it was asked for. */
  path: string
  /** Absolute; what relative paths in the file rest on. */
  directory: string
  connections: Record<string, Connection>
  /** Where rotating tokens and the ledgers of record destinations are kept: a lake connection, or a directory. */
  state: { connection: string } | { directory: string }
  /** Keys that flows name, for keyed hashes. */
  keys: Record<string, Secret>
  /** null: what lies in Temporal can be read there. */
  codec: CodecSettings | null
  /** Options of the workers; what is absent has a default there. */
  worker: WorkerOptions
  /** Options of the receiver of webhooks. */
  listen: ListenOptions
}

export interface Connection {
  name: string
  connector: string
  /** As the connector's own schema parsed them; paths are absolute. */
  settings: JsonObject
  auth: ConnectionAuth | null
  /** Only workers that hold the connection poll it. */
  taskQueue?: string
  /** Plain http is allowed to any host. */
  allowInsecure: boolean
  limits: ConnectionLimits
  /** Where files lie on their way to it, or from it: a lake connection, and a folder there ('': our own). */
  staging?: { connection: string; prefix: string }
}

export interface Lookup {
  names: readonly string[]
  find(name: string): Connector | undefined | Promise<Connector | undefined>
}

export interface ReadOptions {
  /** Secrets may be text: for a machine of one's own. */
  plainSecrets?: boolean
  /** Default: the registry. */
  connectors?: Lookup
}

const laterConnectors = ['servicenow', 'sap', 'slack', 'zendesk', 'marketo', 'snowflake']

/** What every connection may say, beside its connector's settings. */
export const connectionShape = {
  connector: text('The kind of system: salesforce, file'),
  auth: z.unknown().optional(),
  taskQueue: text('Task queue of the workers that hold this connection').optional(),
  allowInsecure: flag('Plain http to hosts other than this machine').optional(),
  limits: limits.optional(),
  staging: strict('staging', {
    connection: text('A lake connection of this file'),
    prefix: folder('Folder below its path; default: one of our own').optional(),
  })
    .describe('Where lies what is on its way to it or from it, or too large for it')
    .optional(),
}
const ownKeys = Object.keys(connectionShape)
const laterKeys: string[] = []
const connectionKeys = z.object(connectionShape)

const connectionName = name('The name of a connection')
const keyName = name('The name of a key').refine((key) => key !== 'state', {
  error: words("'state' is a reserved name", 'choose another name'),
})

export const installationSchema = (plainSecrets: boolean, connection: z.ZodType = z.unknown()) =>
  strict('lakeward.yaml', {
    version: z
      .literal(1, {
        error: (issue) =>
          issue.input === undefined
            ? words("'version' is missing", 'write version: 1')
            : words('is not a version that this release reads', 'write version: 1'),
      })
      .describe('Version of this format: 1'),
    connections: z.record(connectionName, connection).describe('Name: connection'),
    state: text('The lake connection that keeps state; default: the directory .lakeward/state').optional(),
    keys: z.record(keyName, secret(plainSecrets)).describe('Name: reference; keys for hashes in flows').optional(),
    codec: codecSchema(plainSecrets).optional(),
    worker: workerSchema.optional(),
    listen: listenSchema.optional(),
  }).describe('What an installation of Lakeward can reach')

/** @throws InputError with every problem found, with file and line */
export async function readInstallation(path: string, options: ReadOptions = {}): Promise<Installation> {
  const document = await readDocument(path, '`lakeward init` writes one, --config names another; ')
  const { plainSecrets = false, connectors = await registry() } = options
  const directory = dirname(resolve(path))
  const input = document.value
  const found: Found[] = []
  const read = examine(installationSchema(plainSecrets), input)
  if ('found' in read) found.push(...read.found)
  // Names are looked up as flows spell them: `constructor` must be nobody's.
  const connections = Object.create(null) as Record<string, Connection>
  const lakes = new Set<string>()
  const written = isTable(input) && isTable(input['connections']) ? input['connections'] : {}
  for (const [one, raw] of Object.entries(written)) {
    const result = await readConnection(one, raw, { plainSecrets, connectors, directory })
    if ('found' in result) found.push(...result.found)
    else connections[one] = result.connection
    if (result.lake) lakes.add(one)
  }
  found.push(...stateProblems(input, written, lakes, connections))
  found.push(...stagingProblems(written, lakes, connections))
  if (found.length > 0 || !('value' in read)) {
    throw new InputError(problemsOf(found, path, (place) => document.at(place)))
  }
  const { state, keys = {}, codec = null, worker = {}, listen = {} } = read.value
  return {
    version: 1,
    path,
    directory,
    connections,
    state: state === undefined ? { directory: resolve(directory, '.lakeward', 'state') } : { connection: state },
    keys: Object.assign(Object.create(null), keys) as Record<string, Secret>,
    codec: codec as CodecSettings | null,
    worker,
    listen,
  }
}

interface Context {
  plainSecrets: boolean
  connectors: Lookup
  directory: string
}
type ReadConnection = ({ connection: Connection } | { found: Found[] }) & { lake: boolean }

async function readConnection(one: string, raw: unknown, context: Context): Promise<ReadConnection> {
  const base: Path = ['connections', one]
  if (!isTable(raw)) {
    const what = raw === null ? 'has no value' : `must be a mapping (key: value), not ${kind(raw)}`
    return { found: [{ path: base, what, advice: 'a connection begins with `connector: …`' }], lake: false }
  }
  const common = examine(connectionKeys, raw)
  const found =
    'found' in common ? common.found.map((problem) => ({ ...problem, path: [...base, ...problem.path] })) : []
  const connector = await connectorOf(raw['connector'], [...base, 'connector'], context.connectors, found)
  if (!connector) return { found, lake: false }

  const lake = connector.destination?.lake !== undefined
  const rest = Object.fromEntries(Object.entries(raw).filter(([key]) => !ownKeys.includes(key)))
  const settings = validate(connector.settings, rest, base)
  if ('found' in settings) found.push(...settings.found.map((problem) => namedAnew(problem, base, connector)))
  const auth = readAuth(raw['auth'], connector.auth, connector.name, [...base, 'auth'], context.plainSecrets)
  if ('found' in auth) found.push(...auth.found)
  const allowInsecure = raw['allowInsecure'] === true
  found.push(...addressProblems(raw, base, allowInsecure))
  if (raw['staging'] !== undefined && connector.staging === undefined) {
    const what = `nothing lies anywhere on its way to ${connector.name}`
    found.push({ path: [...base, 'staging'], what, advice: 'remove it' })
  }
  if ('value' in auth && 'value' in settings) {
    found.push(...unfitLogin(auth.value, connector.auth, settings.value as JsonObject, [...base, 'auth']))
  }
  if ('value' in common) found.push(...limitProblems(common.value.limits, connector, [...base, 'limits']))
  if (found.length > 0 || 'found' in common || 'found' in settings || 'found' in auth) return { found, lake }

  const { taskQueue, staging } = common.value
  const parsed = settings.value as JsonObject
  for (const key of connector.paths ?? []) {
    const value = parsed[key]
    if (typeof value === 'string') parsed[key] = resolve(context.directory, value)
  }
  const connection: Connection = {
    name: one,
    connector: connector.name,
    settings: parsed,
    auth: auth.value,
    ...(taskQueue !== undefined && { taskQueue }),
    allowInsecure,
    limits: completeLimits(common.value.limits, connector),
    ...(staging !== undefined && { staging: { connection: staging.connection, prefix: staging.prefix ?? '' } }),
  }
  return { connection, lake }
}

async function connectorOf(
  written: unknown,
  path: Path,
  lookup: Lookup,
  found: Found[],
): Promise<Connector | undefined> {
  if (typeof written !== 'string' || written === '') return undefined
  const connector = lookup.names.includes(written) ? await lookup.find(written) : undefined
  if (connector) return connector
  const known = `known connectors: ${lookup.names.join(', ')}`
  if (laterConnectors.includes(written))
    found.push({ path, what: notYet(`connector ${shown(written)}`), advice: known })
  else {
    const what = `there is no connector ${shown(written)}${meant(written, [...lookup.names, ...laterConnectors])}`
    found.push({ path, what, advice: known })
  }
  return undefined
}

/** The connector knows its own keys; the ones that every connection has may be what was meant. */
function namedAnew(problem: Found, base: Path, { settings }: Connector): Found {
  const key = problem.path.at(-1)
  if (!problem.what.startsWith('unknown key') || problem.path.length !== base.length + 1) return problem
  const own = settings instanceof z.ZodObject ? Object.keys(settings.def.shape) : []
  const known = [...ownKeys, ...own]
  if (laterKeys.includes(String(key)) || nearest(String(key), known)) {
    const [what = problem.what, advice] = unknownKey(String(key), known, laterKeys).split('\n')
    return { path: problem.path, what, ...(advice && { advice }) }
  }
  return { ...problem, advice: `known keys: ${known.join(', ')}` }
}

/** Credentials go over https, to this machine, or where plain http was asked for; none stand in an address. */
function addressProblems(value: unknown, path: Path, allowInsecure: boolean): Found[] {
  if (isTable(value)) {
    return Object.entries(value).flatMap(([key, one]) => addressProblems(one, [...path, key], allowInsecure))
  }
  if (typeof value !== 'string' || !/^https?:\/\//i.test(value)) return []
  if (!URL.canParse(value)) return [{ path, what: 'is not an address', advice: 'for example https://acme.example.com' }]
  const url = new URL(value)
  const found: Found[] = []
  if (url.username || url.password) {
    found.push({ path, what: 'has a user or a password in the address', advice: 'remove it; logins belong below auth' })
  }
  if (!isSafe(url, allowInsecure)) {
    const advice = 'use https, or set `allowInsecure: true` for this connection'
    found.push({ path, what: `would send the login to ${url.hostname} over plain http`, advice })
  }
  return found
}

function stateProblems(
  input: unknown,
  written: Record<string, unknown>,
  lakes: Set<string>,
  good: Record<string, Connection>,
): Found[] {
  const state = isTable(input) ? input['state'] : undefined
  const kept = {
    absent: 'or remove it: the default is .lakeward/state',
    other: 'state is kept in a directory or in s3',
  }
  return lakeProblems(state, ['state'], kept, written, lakes, good)
}

function stagingProblems(
  written: Record<string, unknown>,
  lakes: Set<string>,
  good: Record<string, Connection>,
): Found[] {
  return Object.entries(written).flatMap(([one, connection]) => {
    const staging = isTable(connection) && isTable(connection['staging']) ? connection['staging']['connection'] : null
    const staged = { absent: 'as s3 is', other: 'files are staged in s3' }
    return lakeProblems(staging, ['connections', one, 'staging', 'connection'], staged, written, lakes, good)
  })
}

/** A name that has to be that of a lake connection. */
function lakeProblems(
  one: unknown,
  path: Path,
  advice: { absent: string; other: string },
  written: Record<string, unknown>,
  lakes: Set<string>,
  good: Record<string, Connection>,
): Found[] {
  if (typeof one !== 'string' || one === '') return []
  if (!Object.hasOwn(written, one)) {
    const shownName = NAME.test(one) ? shown(one) : 'this'
    const what = `${shownName} is no connection of this file${meant(one, Object.keys(written))}`
    return [{ path, what, advice: `name a lake connection, ${advice.absent}` }]
  }
  if (lakes.has(one) || !Object.hasOwn(good, one)) return []
  return [{ path, what: `${shown(one)} is no lake`, advice: advice.other }]
}

async function registry(): Promise<Lookup> {
  const { connector, connectorNames } = await import('./index.ts')
  return { names: connectorNames, find: (one) => connector(one) }
}
