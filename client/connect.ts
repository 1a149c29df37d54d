/**
 * The way to Temporal: flags over environment over profile, as Temporal's own tools read them
 * (https://docs.temporal.io/references/client-environment-configuration).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Connection, isGrpcServiceError } from '@temporalio/client'
import type { ConnectionOptions } from '@temporalio/client'
import { loadClientConnectConfig } from '@temporalio/envconfig'
import type { ClientConnectConfig } from '@temporalio/envconfig'
import { CodecError } from '../connectors/codec/codec.ts'
import { findCodec } from '../connectors/codec/installed.ts'
import { InputError } from '../connectors/errors.ts'
import { ClientError } from './client-error.ts'
import { tlsDiagnosis, wrongCertificates } from './tls-diagnosis.ts'

export interface ConnectOptions {
  /** `host:port`; default: TEMPORAL_ADDRESS, the profile's, 127.0.0.1:7233. */
  address?: string
  namespace?: string
  /** A profile of Temporal's configuration file. */
  profile?: string
  /** lakeward.yaml whose `codec:` is used; default: LAKEWARD_CODEC, LAKEWARD_CONFIG, ./lakeward.yaml if it is there. */
  config?: string
}

export interface Connected {
  client: Client
  address: string
  namespace: string
  close(): Promise<void>
}

const CONNECT_MS = 5_000
const LOOK_AFTER_MS = 1_000

export async function connect(options: ConnectOptions = {}): Promise<Connected> {
  const asked = temporalSettings(options)
  const { connection: settings, namespace } = asked
  const { address } = settings
  const codec = await findCodec({ ...(options.config && { installation: options.config }) })
  if (!/^[^\s/]+$/.test(address)) {
    throw new InputError([
      {
        where: options.address ? '--address' : 'TEMPORAL_ADDRESS',
        what: `${JSON.stringify(address)} is no address`,
        advice: 'Write host:port, without http:// in front: 127.0.0.1:7233.',
      },
    ])
  }
  try {
    const connecting = Connection.connect({ ...(settings as ConnectionOptions), connectTimeout: CONNECT_MS })
    const connection = await Promise.race([connecting, told(asked, connecting)])
    return {
      client: new Client({ connection, namespace, ...(codec && { dataConverter: { payloadCodecs: [codec] } }) }),
      address,
      namespace,
      close: () => connection.close(),
    }
  } catch (error) {
    if (error instanceof ClientError) throw error
    throw (await diagnosed(asked, error)) ?? refused(error, `Temporal at ${address}`) ?? unreachable(address, error)
  }
}

/** gRPC tries again for as long as it may; what is wrong with TLS is wrong at once. */
async function told(asked: TemporalSettings, connecting: Promise<Connection>): Promise<Connection> {
  connecting.catch(() => {})
  const done = await Promise.race([connecting.then(() => true), sleep(LOOK_AFTER_MS, false, { ref: false })])
  const wrong = done ? null : await diagnosed(asked)
  if (wrong) throw wrong
  return connecting
}

async function diagnosed(asked: TemporalSettings, cause?: unknown): Promise<ClientError | null> {
  const wrong = await tlsDiagnosis(asked)
  return wrong && new ClientError('server', `Temporal at ${asked.connection.address}`, wrong.what, wrong.advice, cause)
}

export interface TemporalSettings {
  /** Address, TLS, API key and headers, as clients and workers take them. */
  connection: ClientConnectConfig['connectionOptions'] & { address: string }
  namespace: string
}

/** What the environment, the profile and the flags say, without connecting. */
export function temporalSettings(options: ConnectOptions): TemporalSettings {
  let loaded
  try {
    loaded = loadClientConnectConfig(options.profile ? { profile: options.profile } : {})
  } catch (error) {
    throw wrongSettings(error, options)
  }
  const address = options.address ?? (loaded.connectionOptions.address || '127.0.0.1:7233')
  const connection = { ...loaded.connectionOptions, address }
  const wrong = wrongCertificates(connection)
  if (wrong) throw new InputError([{ where: 'TLS to Temporal', ...wrong }])
  return { connection, namespace: options.namespace ?? (loaded.namespace || 'default') }
}

/** A profile that is not there, a file that cannot be read, a configuration that is no TOML. */
function wrongSettings(error: unknown, { profile }: ConnectOptions): InputError {
  const { code, path, message } = error as NodeJS.ErrnoException
  if (code && path) {
    const what = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`
    const advice = 'TEMPORAL_TLS_…_PATH, TEMPORAL_CONFIG_FILE or the profile names it: correct the path.'
    return new InputError([{ where: path, what, advice }])
  }
  return new InputError([
    {
      where: profile ? `--profile ${profile}` : "Temporal's configuration",
      what: message,
      advice: 'See `temporal config list`, or leave the profile out and give --address and --namespace.',
    },
  ])
}

function unreachable(address: string, cause: unknown): ClientError {
  return new ClientError(
    'server',
    `Temporal at ${address}`,
    'it does not answer',
    'Start one with `lakeward dev`, or say where it is: --address host:port, TEMPORAL_ADDRESS, or --profile.',
    cause,
  )
}

// https://grpc.github.io/grpc/core/md_doc_statuscodes.html
const UNAUTHENTICATED = 16
const PERMISSION_DENIED = 7
const NOT_FOUND = 5
const UNAVAILABLE = 14
const DEADLINE_EXCEEDED = 4

/** Errors of the server that mean the same wherever they come; null: not one of them. */
export function refused(error: unknown, where: string): ClientError | null {
  let cause = error
  while (cause instanceof Error && !isGrpcServiceError(cause) && !ofCodec(cause) && cause.cause) cause = cause.cause
  if (cause instanceof CodecError) return new ClientError('codec', where, cause.message, cause.advice, error)
  if (cause instanceof InputError && ofCodec(cause)) {
    const { where: place, what, advice } = cause.problems[0] ?? { where: 'codec', what: cause.message }
    return new ClientError('codec', where, `${what} (${place})`, advice, error)
  }
  if (cause instanceof Error && /Unknown encoding|no converter/i.test(cause.message)) return undecodable(where, error)
  if (error instanceof Error && error.name === 'NamespaceNotFoundError') return noNamespace(where, error)
  if (!isGrpcServiceError(cause)) return null
  const { code, details } = cause as unknown as { code: number; details: string }
  if (code === UNAUTHENTICATED || code === PERMISSION_DENIED) {
    return new ClientError(
      'credentials',
      where,
      `Temporal refuses: ${details || 'not allowed'}`,
      'Check the API key or client certificate (TEMPORAL_API_KEY, TEMPORAL_TLS_…, or the profile) and the namespace.',
      error,
    )
  }
  if (code === NOT_FOUND && /namespace/i.test(details)) return noNamespace(where, error)
  if (code === UNAVAILABLE || code === DEADLINE_EXCEEDED) {
    return new ClientError('server', where, 'Temporal does not answer', 'Try again, or check the address.', error)
  }
  return null
}

/** Keys are looked for when the first payload needs them. */
function ofCodec(error: Error): boolean {
  if (error instanceof InputError) return error.problems[0]?.where.startsWith('codec.') === true
  return error instanceof CodecError
}

function noNamespace(where: string, cause: unknown): ClientError {
  return new ClientError(
    'server',
    where,
    'the namespace does not exist',
    'Give the right one with --namespace or TEMPORAL_NAMESPACE; `temporal operator namespace list` shows them.',
    cause,
  )
}

export function undecodable(where: string, cause: unknown): ClientError {
  return new ClientError(
    'codec',
    where,
    'wrong or missing codec: what lies in Temporal is encoded, and nothing here decodes it',
    'Give the codec of the workers: `codec:` in lakeward.yaml (--config), or LAKEWARD_CODEC. A codec of your own ' +
      "goes into the library: new LakewardClient(client), from 'lakeward/client'.",
    cause,
  )
}
