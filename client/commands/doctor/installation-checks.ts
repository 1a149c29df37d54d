/** The installation as it lies here: Node.js, lakeward.yaml, keys, state, and the clocks of the sources. */
import type { Check, Finding } from '../../../connectors/check.ts'
import { check, failed, warning } from '../../../connectors/check.ts'
import { connector } from '../../../connectors/index.ts'
import type { Installation } from '../../../connectors/installation.ts'
import { installationPath } from '../../installation-check.ts'
import { counted } from '../../terminal/numbers.ts'
import type { GlobalOptions } from '../call.ts'
import { clockFinding } from './clocks.ts'

const ANSWER_MS = 10_000

/** Adds the queues that connections name to `queues`. */
export async function* installationChecks(options: GlobalOptions, queues: Set<string>): AsyncGenerator<Check> {
  yield await check('Node.js', async () => nodeVersion(process.versions.node))
  const { openParts } = await import('../../../worker/assemble.ts')
  const path = installationPath(options.config)
  let parts: Awaited<ReturnType<typeof openParts>> | null = null
  yield await check('installation', async () => {
    parts = await openParts({ installation: path })
    const { connections, directory } = parts.installation
    const names = Object.keys(connections)
    return `${path} in ${directory}: ${names.length === 0 ? 'no connections' : names.join(', ')}`
  })
  const opened = parts as Awaited<ReturnType<typeof openParts>> | null
  if (!opened) return
  const { installation } = opened
  for (const { taskQueue } of Object.values(installation.connections)) if (taskQueue) queues.add(taskQueue)
  try {
    for (const name of Object.keys(installation.keys)) {
      yield await check(`key ${name}`, async () => {
        await opened.key(name)
        return 'is there'
      })
    }
    yield await check('state', () => usableState(opened))
    for (const name of Object.keys(installation.connections)) {
      const { source, clockUrl } = await connector(installation.connections[name]!.connector)
      if (!source || !clockUrl) continue
      yield await check(`clock of ${name}`, async () => {
        const signal = AbortSignal.timeout(ANSWER_MS)
        const { session } = await opened.connect(name, { signal, beat: () => {}, note: () => {} })
        return clockFinding(Date.now() - (await session.now()))
      })
    }
  } finally {
    await opened.close()
  }
}

/** Node.js 20 is out of support since April 2026: https://github.com/nodejs/release#release-schedule */
export function nodeVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const advice = 'Node.js 24 is recommended.'
  if (major < 20 || (major === 20 && minor < 19)) return failed(`${version}; 20.19 is the first that works`, advice)
  return major < 22 ? warning(`${version} gets no security fixes any more`, advice) : version
}

/** Reads what is stored of every connection: that the store answers, and that the key opens what is there. */
async function usableState(parts: {
  installation: Installation
  state(): Promise<{ read(name: string): Promise<{ version: number }> }>
}): Promise<Finding> {
  const { state: place, connections } = parts.installation
  const store = await parts.state()
  let stored = 0
  for (const name of Object.keys(connections)) if ((await store.read(`connection/${name}`)).version > 0) stored += 1
  const where = 'directory' in place ? place.directory : `connection ${place.connection}`
  return `${where}: logins of ${counted(stored, 'connection')}, and the key opens them`
}
