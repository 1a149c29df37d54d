/**
 * The way to Temporal: flags over environment over profile, as Temporal's own tools read them
 * (https://docs.temporal.io/references/client-environment-configuration).
 */
import { Client, Connection, isGrpcServiceError } from '@temporalio/client'
import type { ConnectionOptions } from '@temporalio/client'
import { loadClientConnectConfig } from '@temporalio/envconfig'
import type { ClientConnectConfig } from '@temporalio/envconfig'
import { InputError } from '../connectors/errors.ts'
import { ClientError } from './client-error.ts'

export interface ConnectOptions {
  /** `host:port`; default: TEMPORAL_ADDRESS, the profile's, 127.0.0.1:7233. */
  address?: string
  namespace?: string
  /** A profile of Temporal's configuration file. */
  profile?: string
}

export interface Connected {
  client: Client
  address: string
  namespace: string
  close(): Promise<void>
}

const CONNECT_MS = 5_000

export async function connect(options: ConnectOptions = {}): Promise<Connected> {
  const { connection: settings, namespace } = temporalSettings(options)
  const { address } = settings
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
    const connection = await Connection.connect({ ...(settings as ConnectionOptions), connectTimeout: CONNECT_MS })
    return {
      client: new Client({ connection, namespace }),
      address,
      namespace,
      close: () => connection.close(),
    }
  } catch (error) {
    throw refused(error, `Temporal at ${address}`) ?? unreachable(address, error)
  }
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
    throw new InputError([
      {
        where: options.profile ? `--profile ${options.profile}` : "Temporal's configuration",
        what: error instanceof Error ? error.message : String(error),
        advice: 'See `temporal config list`, or leave the profile out and give --address and --namespace.',
      },
    ])
  }
  const address = options.address ?? (loaded.connectionOptions.address || '127.0.0.1:7233')
  return {
    connection: { ...loaded.connectionOptions, address },
    namespace: options.namespace ?? (loaded.namespace || 'default'),
  }
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
  while (cause instanceof Error && !isGrpcServiceError(cause) && cause.cause) cause = cause.cause
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
    'what lies in Temporal is encoded by a codec that this command does not have',
    "Use the client library with your own data converter: new LakewardClient(client), from 'lakeward/client'.",
    cause,
  )
}
