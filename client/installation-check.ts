/** Flows against the installation they will run in: connections, which side they can take, the source's options. */
import { stat } from 'node:fs/promises'
import type { Connector } from '../connectors/connector.ts'
import type { Problem } from '../connectors/errors.ts'
import { InputError } from '../connectors/errors.ts'
import { checkOptions, checkTarget } from '../connectors/flow.ts'
import { connector } from '../connectors/index.ts'
import type { Installation } from '../connectors/installation.ts'
import { readInstallation } from '../connectors/installation.ts'
import { meant } from '../connectors/nearest.ts'
import { type Path, showPath } from '../connectors/strict.ts'
import type { FlowFile } from './flow-files.ts'

type Side = 'source' | 'destination' | 'notify'
const asA: Record<Side, string> = {
  source: 'be a source',
  destination: 'be a destination',
  notify: 'be told how runs go',
}

export function installationPath(config?: string): string {
  return config ?? process.env.LAKEWARD_CONFIG ?? 'lakeward.yaml'
}

/** Path of the installation; null where there is none and none was asked for. */
export async function checkInstallation(flows: FlowFile[], config?: string): Promise<string | null> {
  const path = installationPath(config)
  const asked = config !== undefined || process.env.LAKEWARD_CONFIG !== undefined
  const there = await stat(path).then(
    () => true,
    () => false,
  )
  if (!there && !asked) return null
  const installation = await readInstallation(path)
  const problems: Problem[] = []
  for (const flow of flows) problems.push(...(await problemsOf(flow, installation, path)))
  if (problems.length > 0) throw new InputError(problems)
  return path
}

async function problemsOf(file: FlowFile, installation: Installation, path: string): Promise<Problem[]> {
  const { flow, file: document } = file
  const problems: Problem[] = []
  const end = async (name: string, side: Side, place: Path = [side]): Promise<Connector | null> => {
    const where = `${document.at([...place, 'connection'])} ${showPath([...place, 'connection'])}`
    const connection = installation.connections[name]
    if (!connection) {
      const names = Object.keys(installation.connections)
      const what = `${path} has no connection ${name}${meant(name, names)}`
      problems.push({ where, what, advice: `It has: ${names.join(', ')}.` })
      return null
    }
    const found = await connector(connection.connector)
    if (found[side]) return found
    problems.push({
      where,
      what: `${name} is a connection of ${connection.connector}, which cannot ${asA[side]}`,
      advice: 'Name another connection.',
    })
    return null
  }
  const source = await end(flow.source.connection, 'source')
  const destination = await end(flow.destination.connection, 'destination')
  for (const [at, { connection }] of flow.notify.entries()) await end(connection, 'notify', ['notify', at])
  const gather = (check: () => unknown): void => {
    try {
      check()
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      problems.push(...error.problems)
    }
  }
  if (source) gather(() => checkOptions(flow, source, document))
  if (destination) gather(() => checkTarget(flow, destination, document))
  return problems
}
