/** Temporal as this command reaches it: server, namespace, attributes, workers, flows. Nothing is written. */
import type { Check, Finding } from '../../../connectors/check.ts'
import { check, failed, skipped, warning } from '../../../connectors/check.ts'
import { ClientError } from '../../client-error.ts'
import type { Connected } from '../../connect.ts'
import { connect, refused } from '../../connect.ts'
import { LakewardClient } from '../../lakeward-client.ts'
import { attributeNames, attributeStates } from '../../search-attributes.ts'
import { counted, duration } from '../../terminal/numbers.ts'
import type { Poller } from '../../waiting.ts'
import { POLL_MS, pollersOf } from '../../waiting.ts'
import type { GlobalOptions } from '../call.ts'
import { clockFinding } from './clocks.ts'

/** `queues`: those that connections name; the flows' own are added. */
export async function* temporalChecks(options: GlobalOptions, queues: Set<string>): AsyncGenerator<Check> {
  const connected: Connected[] = []
  const said = (name: string, look: () => Promise<Finding>): Promise<Check> => check(name, () => spoken(look))
  yield await said('Temporal', async () => {
    const made = await connect(options)
    connected.push(made)
    const { serverVersion } = await made.client.workflowService.getSystemInfo({})
    return `${made.address}, server ${serverVersion || 'of unknown version'}`
  })
  const [there] = connected
  if (!there) return
  const { client, namespace } = there
  const found = await said('namespace', () => describeNamespace(there))
  yield found
  if (found.state === 'failed') return
  yield await said('search attributes', () => searchAttributes(there))
  const lakeward = new LakewardClient(client)
  yield await said('flows', async () => {
    const listed = await lakeward.list()
    for (const { flow } of listed) if (flow) queues.add(flow.taskQueue)
    const unread = listed.filter(({ flow }) => !flow)
    const [first] = unread
    if (!first) return `${counted(listed.length, 'flow')} in ${namespace}, all readable`
    const { message, advice = '' } = first.problem ?? {}
    return failed(`${counted(unread.length, 'flow')} of ${listed.length} cannot be read: ${message}`, advice)
  })
  if (queues.size === 0) queues.add('lakeward')
  let newest = 0
  for (const queue of queues) {
    yield await said(`worker on ${queue}`, async () => {
      const pollers = await pollersOf(client, queue)
      const live = pollers.filter(({ at }) => Date.now() - at < POLL_MS)
      newest = Math.max(newest, ...live.map(({ at }) => at))
      return workers(queue, live, Math.max(0, ...pollers.map(({ at }) => at)))
    })
  }
  yield await said('clock of Temporal', async () => serverClock(newest))
}

async function spoken(look: () => Promise<Finding>): Promise<Finding> {
  try {
    return await look()
  } catch (error) {
    const told = error instanceof ClientError ? error : refused(error, 'Temporal')
    if (!told) throw error
    const { where, message, advice = '', kind } = told
    const credentials = kind === 'credentials' ? { credentials: true as const } : {}
    return { state: 'failed', found: `${where}: ${message}`, advice, ...credentials }
  }
}

async function describeNamespace({ client, namespace }: Connected): Promise<Finding> {
  const { config } = await client.workflowService.describeNamespace({ namespace })
  const seconds = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0)
  return `${namespace}${seconds > 0 ? `, keeps closed runs for ${duration(seconds * 1000)}` : ''}`
}

async function searchAttributes({ client }: Connected): Promise<Finding> {
  const states = await attributeStates(client)
  const missing = attributeNames.filter((name) => states[name] !== 'registered')
  if (missing.length === 0) return `${attributeNames.join(', ')} are registered`
  return warning(
    `not registered: ${missing.join(', ')}; runs work, and cannot be searched by them`,
    '`lakeward setup` registers them, or says who must.',
  )
}

function workers(queue: string, live: Poller[], last: number): Finding {
  const advice = 'Start one where the secrets are: `lakeward worker`.'
  const of = (kind: string): number => new Set(live.filter((one) => one.kind === kind).map(({ who }) => who)).size
  const [workflows, activities] = [of('workflow'), of('activity')]
  if (live.length === 0) {
    const ago = last === 0 ? '' : `; somebody did ${duration(Date.now() - last)} ago, or this machine's clock is wrong`
    return failed(`nobody polls task queue ${queue}${ago}`, advice)
  }
  if (workflows === 0) return failed(`nobody polls task queue ${queue} for workflows`, advice)
  if (activities === 0) return failed(`nobody polls task queue ${queue} for activities`, advice)
  return counted(activities, 'worker')
}

/** The server tells its time in when a worker last polled, and a worker does so every minute at least. */
function serverClock(newest: number): Finding {
  if (newest === 0) return skipped('no worker polls, and the server tells its time by nothing else')
  return clockFinding(Date.now() - newest - POLL_MS / 2, POLL_MS / 2)
}
