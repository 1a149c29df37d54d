/** `lakeward listen`: webhooks of this installation's connections, kept in the lakes of the flows that take them. */
import type { Client } from '@temporalio/client'
import { InputError } from '../../connectors/errors.ts'
import { connector } from '../../connectors/index.ts'
import type { Connection } from '../../connectors/installation.ts'
import type { SecretRef } from '../../connectors/secrets.ts'
import { resolveSecret } from '../../connectors/secrets.ts'
import { installationPath, openParts } from '../assemble.ts'
import { polledQueues } from '../queues.ts'
import { listeningFlows } from './event-flows.ts'
import type { ListeningFlow } from './event-flows.ts'
import type { HookConnection } from './hooks.ts'
import { Hooks } from './hooks.ts'
import { serveHooks } from './hooks-server.ts'

export interface ReceiverSettings {
  installation?: string
  client: Client
  /** Instead of `listen.address`. */
  address?: string
  /** Flows of other queues are another installation's; default: as its workers have them. */
  taskQueues?: string[]
  log: (line: string) => void
  ready?(at: { url: string; connections: string[] }): void
  /** Ends it. */
  stop: AbortSignal
}

const ADDRESS = '127.0.0.1:8480'
const MB = 1024 * 1024
/** Flows are looked for so often, and sooner where somebody sends to a connection that none takes. */
const LOOK_MS = 10_000
const LOOK_SOON_MS = 1_000
/** Without a look at the flows for so long, nobody knows who takes what. */
const STALE_MS = 60_000

export async function runReceiver(settings: ReceiverSettings): Promise<void> {
  const { client, stop } = settings
  const log = sparingly(settings.log)
  const parts = await openParts({ installation: installationPath(settings) })
  const { listen, connections, directory, path } = parts.installation
  const { address = ADDRESS, maxBody = MB, rate = 1000, waiting = 1_000_000 } = listen
  const taken = await hookConnections(Object.values(connections), { directory, path, log })
  const places = { ...parts, installation: async () => parts.installation }
  const hooks = new Hooks(client, places, { rate, waiting }, log)
  const queues = polledQueues(parts.installation, settings.taskQueues)
  const foreign = new Set<string>()
  const isOurs = ({ flow: { name, source }, taskQueue }: ListeningFlow): boolean => {
    if (queues.includes(taskQueue)) return true
    const why = `its task queue is ${taskQueue}, and the workers of this installation poll ${queues.join(', ')}`
    if (taken.has(source.connection) && !foreign.has(name)) settings.log(`${name} is left out: ${why}`)
    foreign.add(name)
    return false
  }
  let [looked, tried] = [0, 0]
  let looking: Promise<void> | undefined
  const look = async (): Promise<void> => {
    tried = Date.now()
    try {
      hooks.follow((await listeningFlows(client, log)).filter(isOurs))
      looked = Date.now()
    } catch (error) {
      log(`the flows cannot be read: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const lookAgain = (): Promise<void> => (looking ??= look().finally(() => (looking = undefined)))
  await lookAgain()
  const timer = setInterval(() => void lookAgain(), LOOK_MS)
  const unread = (): string | null => (Date.now() - looked > STALE_MS ? 'the flows cannot be read from Temporal' : null)
  const server = await serveHooks({
    address: settings.address ?? address,
    maxBody,
    async takes(name) {
      if (!taken.has(name)) return false
      if (!hooks.takesEventsOf(name) && Date.now() - tried > LOOK_SOON_MS) await lookAgain()
      return hooks.takesEventsOf(name) || (unread() ?? 'no flow takes events here now')
    },
    take: (name, request) => hooks.take(taken.get(name)!, request),
    problem: () => unread() ?? hooks.problem(),
  })
  try {
    settings.ready?.({ url: server.url, connections: [...taken.keys()] })
    await new Promise<void>((resolve) => {
      if (stop.aborted) resolve()
      stop.addEventListener('abort', () => resolve(), { once: true })
    })
  } finally {
    clearInterval(timer)
    await server.close()
    // What is not told by then lies in the lake, and is found there.
    await Promise.race([hooks.settled(), new Promise((resolve) => setTimeout(resolve, 5_000).unref())])
    await parts.close()
  }
}

/** By name: those whose connector proves requests, and that say who signs. */
async function hookConnections(
  connections: Connection[],
  { directory, path, log }: { directory: string; path: string; log: (line: string) => void },
) {
  const found = new Map<string, HookConnection>()
  for (const connection of connections) {
    const { name, auth } = connection
    const { events } = await connector(connection.connector)
    if (!events?.verify) continue
    const secrets = secretsOf(connection, directory)
    // A secret that is not there is told now, and not to the first who sends.
    if (auth) await secrets()
    else log(`${name} has no auth: nobody can prove to be its sender, and it is left out here`)
    if (auth) found.set(name, { connection, verify: (...given) => events.verify!(...given), secrets })
  }
  if (found.size > 0) return found
  const advice =
    'Add one: { connector: webhook, scheme: slack, auth: { type: signing_secret, secret: { env: NAME } } }.'
  throw new InputError([{ where: path, what: 'no connection takes events over HTTP', advice }])
}

/** Read again after a while: a secret that was changed is used without a new start. */
function secretsOf({ name, auth }: Connection, directory: string): () => Promise<string[]> {
  const KEPT_MS = 30_000
  let known: { atMs: number; secrets: Promise<string[]> } | undefined
  return () => {
    if (known && Date.now() - known.atMs < KEPT_MS) return known.secrets
    const named = Object.entries(auth ?? {}).filter(([field]) => field !== 'type')
    const secrets = Promise.all(
      named.map(async ([field, value]) => {
        if (typeof value === 'string') return value
        return resolveSecret(value as SecretRef, { where: `connections.${name}.auth.${field}`, directory })
      }),
    )
    secrets.catch(() => (known = undefined))
    known = { atMs: Date.now(), secrets }
    return secrets
  }
}

/** The same line at most every ten seconds: whoever sends in vain, sends often. */
function sparingly(log: (line: string) => void): (line: string) => void {
  const EVERY_MS = 10_000
  const said = new Map<string, number>()
  return (line) => {
    const now = Date.now()
    if (now - (said.get(line) ?? 0) < EVERY_MS) return
    if (said.size > 100) said.clear()
    said.set(line, now)
    log(line)
  }
}
