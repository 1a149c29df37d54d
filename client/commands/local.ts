/**
 * What runs where the command runs: a connection of the local lakeward.yaml, with the worker's own code, loaded here
 * and only then. No record passes through Temporal.
 */
import type { Connector, ObjectInfo, Session, Source } from '../../connectors/connector.ts'
import { ConnectorError, InputError } from '../../connectors/errors.ts'
import type { Connection, Installation } from '../../connectors/installation.ts'
import { meant } from '../../connectors/nearest.ts'
import type { Parts } from '../../worker/assemble.ts'
import { INTERRUPTED } from '../failures.ts'
import { installationPath } from '../installation-check.ts'
import type { Call } from './call.ts'

export interface Local {
  connector: Connector
  source: Source
  session: Session
  installation: Installation
  /** A key that flows name, for keyed hashes. */
  key: (name: string) => Promise<import('node:crypto').KeyObject>
  /** What the connector found worth saying. */
  notes: Set<string>
}

/** A connection of the local lakeward.yaml, before anything is asked of its system. */
export interface Opened {
  parts: Parts
  configured: Connection
  /** Aborted by Ctrl-C. */
  signal: AbortSignal
}

/** Ctrl-C ends what is being done. */
export async function withConnection(
  { options }: Call,
  connection: string,
  work: (opened: Opened) => Promise<void>,
): Promise<number> {
  const { openParts } = await import('../../worker/assemble.ts')
  const parts = await openParts({ installation: installationPath(options.config) })
  const { connections, path } = parts.installation
  const configured = connections[connection]
  if (!configured) {
    const names = Object.keys(connections)
    throw new InputError([
      {
        where: path,
        what: `it has no connection ${connection}${meant(connection, names)}`,
        advice: `It has: ${names.join(', ') || 'none'}.`,
      },
    ])
  }
  const stop = new AbortController()
  const onInterrupt = (): void => stop.abort()
  process.once('SIGINT', onInterrupt)
  try {
    await work({ parts, configured, signal: stop.signal })
    return 0
  } catch (error) {
    if (stop.signal.aborted) return INTERRUPTED
    throw error
  } finally {
    process.removeListener('SIGINT', onInterrupt)
    await parts.close()
  }
}

export async function withSource(
  call: Call,
  connection: string,
  work: (local: Local) => Promise<void>,
): Promise<number> {
  return withConnection(call, connection, async ({ parts, signal }) => {
    const notes = new Set<string>()
    const { connector, session } = await parts.connect(connection, {
      signal,
      beat: () => {},
      note: (text) => notes.add(text),
    })
    if (!connector.source) {
      throw new InputError([
        {
          where: `connection ${connection}`,
          what: `${connector.name} has nothing to read`,
          advice: 'Name a connection to a source.',
        },
      ])
    }
    await work({
      connector,
      source: connector.source,
      session,
      installation: parts.installation,
      key: (name) => parts.key(name),
      notes,
    })
  })
}

/** Says which object was probably meant, where the source says that there is none of the name. */
export async function withNearest<T>({ source, session }: Local, object: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ConnectorError) || error.kind !== 'missing') throw error
    const names = (await listObjects(source, session)).map(({ name }) => name)
    throw new InputError([
      {
        where: `connection ${session.connection}`,
        what: `there is no object ${object} that this login can see${meant(object, names)}`,
        advice: `\`lakeward objects ${session.connection}\` lists them.`,
      },
    ])
  }
}

export async function listObjects(source: Source, session: Session, parent?: string): Promise<ObjectInfo[]> {
  const found: ObjectInfo[] = []
  for await (const object of source.objects(session, parent)) found.push(object)
  return found
}
