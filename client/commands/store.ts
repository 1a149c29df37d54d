/** list, status, runs, pause, unpause, cancel, delete: the flows in Temporal. */
import type { ObjectResult } from '../../activities/digests.ts'
import { leftText } from '../../connectors/lake/leftovers.ts'
import { printable } from '../../connectors/printable.ts'
import { triggerText, written } from '../flow-document.ts'
import type { FlowStatus, ListedFlow } from '../lakeward-client.ts'
import type { ListenProgress } from '../listener.ts'
import type { RunSummary } from '../runs.ts'
import { withLedgerRuns } from '../ledger-runs.ts'
import type { LedgerLane } from '../ledger-runs.ts'
import { readFlow } from '../schedules.ts'
import type { StoredFlow } from '../schedules.ts'
import { count, counted, duration, time, when } from '../terminal/numbers.ts'
import { listing, table } from '../terminal/table.ts'
import { progressTable } from '../terminal/progress.ts'
import type { Call, Register } from './call.ts'
import { nextRun, printJson, withJson, withTemporal } from './call.ts'
import { ledgersOf } from './ledger.ts'
import { schemaReport } from './schema-report.ts'
import { whole } from './whole.ts'

/** That `status` shows. */
const MOST_RUNS = 5

interface JsonFlag {
  json?: boolean
}

export function addStoreCommands(register: Register): void {
  register<JsonFlag>({
    usage: 'list',
    about: 'All flows of the namespace.',
    examples: ['lakeward list', 'lakeward list --json'],
    options: withJson,
    work: list,
  })
  register<JsonFlag>({
    usage: 'status <name>',
    about: 'One flow: definition, schedule, last runs, and how far a run is.',
    examples: ['lakeward status salesforce-daily'],
    options: withJson,
    work: status,
  })
  register<JsonFlag & { limit: string }>({
    usage: 'runs <name>',
    about: 'Runs of a flow, the newest first; older ones from the ledger, where a lakeward.yaml leads to it.',
    examples: ['lakeward runs salesforce-daily', 'lakeward runs salesforce-daily --limit 100 --json'],
    options: (command) => withJson(command).option('--limit <n>', 'how many', '20'),
    work: runs,
  })
  register<{ note?: string }>({
    usage: 'pause <name>',
    about: 'Stop starting runs of a flow; one that runs goes on.',
    examples: ['lakeward pause salesforce-daily --note "migration until Friday"'],
    options: (command) => command.option('--note <text>', 'why'),
    work: async (call, { note }, name: string) => {
      await withTemporal(call, (lakeward) => lakeward.pause(name, note))
      call.view.say(`${name} is paused; \`lakeward unpause ${name}\` starts it again`)
    },
  })
  register<{ note?: string }>({
    usage: 'unpause <name>',
    about: 'Start runs of a paused flow again, from its next time on.',
    examples: ['lakeward unpause salesforce-daily'],
    options: (command) => command.option('--note <text>', 'why'),
    work: unpause,
  })
  register<JsonFlag>({
    usage: 'cancel <name>',
    about: 'Cancel the runs of a flow: what they staged is removed, what they committed stays.',
    examples: ['lakeward cancel salesforce-daily'],
    options: withJson,
    work: cancel,
  })
  register<JsonFlag & { cancel?: boolean }>({
    usage: 'delete <name>',
    about: 'Delete a flow. Its files stay, and so does its ledger: applied again, it goes on where it was.',
    examples: ['lakeward delete salesforce-daily', 'lakeward delete salesforce-daily --cancel'],
    options: (command) => withJson(command).option('--cancel', 'cancel its runs as well'),
    work: remove,
  })
}

async function list(call: Call, { json }: JsonFlag): Promise<void> {
  const flows = await withTemporal(call, (lakeward) => lakeward.list())
  if (json) {
    printJson(
      call,
      flows.map(({ problem, ...flow }) => ({ ...flow, ...(problem ? { problem: problem.message } : {}) })),
    )
    return
  }
  if (flows.length === 0) {
    call.view.say('no flows yet; `lakeward apply FLOW` stores one')
    return
  }
  const columns = ['FLOW', 'STATE', 'TRIGGER', 'LAST RUN', 'NEXT RUN'].map((title) => ({ title, most: 48 }))
  call.view.out(table(columns, flows.map(listedRow), call.view.columns))
  for (const { name, problem } of flows) if (problem) call.view.say(`${name}: ${problem.message}`)
}

function listedRow({ name, flow, lastRun, listener }: ListedFlow): string[] {
  const last = lastBatch(listener) ?? (lastRun ? `${lastRun.status}, ${when(lastRun.startedAt)}` : 'never')
  if (!flow) return [name, 'unreadable', '', last, '']
  const [nextTime] = flow.nextTimes
  return [name, flow.paused ? 'paused' : 'on', triggerText(flow.document), last, nextTime ? when(nextTime) : '']
}

function lastBatch(listener: ListedFlow['listener']): string | undefined {
  const newest = Math.max(...(listener?.objects ?? []).map(({ lastMs }) => lastMs ?? 0), 0)
  return newest > 0 ? `batch, ${when(new Date(newest))}` : undefined
}

async function status(call: Call, { json }: JsonFlag, name: string): Promise<void> {
  const stored = await withTemporal(call, (lakeward) => lakeward.status(name))
  const ledgers = await ledgersOf(call, stored.document, MOST_RUNS, stored.running.length > 0 || 'listener' in stored)
  const { lanes = [] } = ledgers ?? {}
  const flow = { ...stored, runs: withLedgerRuns(stored.runs, ledgers?.runs ?? [], MOST_RUNS), lanes }
  if (json) return printJson(call, flow)
  const { view } = call
  view.out(listing(describeFlow(flow)))
  if (flow.listener) view.out(`\n${table(LISTENER_COLUMNS, flow.listener.objects.map(listenerRow), view.columns)}`)
  if (flow.listener === null) view.out('\nIts listener does not answer: is a worker running?')
  for (const note of flow.listener?.notes ?? []) view.out(note)
  for (const state of flow.running) {
    view.out(`\n${state.workflowId}: ${state.stage}`)
    if (state.objects.length > 0) view.out(progressTable(state, view.columns))
  }
  if (lanes.length > 0) view.out(`\n${table(LANE_COLUMNS, lanes.map(laneRow), view.columns)}`)
  for (const line of lanes.flatMap(oddities)) view.out(printable(line))
  if (flow.runs.length > 0) view.out(`\n${runTable(flow.runs, view.columns)}`)
  const schemas = schemaReport(flow.runs)
  if (schemas.length > 0) view.out(`\n${listing(schemas)}`)
}

const LISTENER_COLUMNS = [
  { title: 'EVENTS OF' },
  { title: 'STATE' },
  ...['WAITING', 'BATCHES', 'READ', 'WRITTEN'].map((title) => ({ title, align: 'right' as const })),
  { title: 'LAST BATCH' },
  { title: 'PROBLEM', most: 100 },
]

function listenerRow(lane: ListenProgress['objects'][number]): string[] {
  const { object, phase, waiting, batches, read, written: rows, lastMs, problem } = lane
  const last = lastMs === null ? 'none' : when(new Date(lastMs))
  return [object, phase, ...[waiting, batches, read, rows].map(count), last, problem?.message ?? '']
}

const LANE_COLUMNS = [
  { title: 'OBJECT' },
  { title: 'WATERMARK' },
  { title: 'READ FROM' },
  { title: 'ENTRIES', align: 'right' as const },
  { title: 'LAST ENTRY' },
]

function laneRow({ object, watermark, origin, entries, owed, lastEntryAt, problem }: LedgerLane): string[] {
  if (problem !== null) return [object, 'its ledger cannot be read']
  const from = watermark === null ? '' : (origin ?? 'the beginning')
  const told = owed > 0 ? `${count(entries)}, ${count(owed)} to deliver` : count(entries)
  return [object, watermark ?? '', from, told, lastEntryAt ? when(new Date(lastEntryAt)) : 'never']
}

/** What is odd about a ledger, in lines. */
function oddities({ object, open, void: lost, left, problem }: LedgerLane): string[] {
  const lines = [
    ...(problem === null ? [] : [problem]),
    ...open.map((n) => `entry ${n} is committed and not all visible yet: the next run completes it`),
    ...lost.map(({ entry, why }) => `entry ${entry} is void, nothing of it counts: ${why}`),
    ...left.map(leftText),
  ]
  return lines.map((line) => `${object}: ${line}`)
}

function describeFlow(flow: FlowStatus): [string, string][] {
  const { source, destination, description, trigger } = written(flow.document)
  const { catchUp = '6h' } = trigger ?? {}
  const objects = source.objects.map((object) => (typeof object === 'string' ? object : object.object))
  const to = [destination.connection, destination.prefix].filter(Boolean).join('/')
  const pairs: [string, string][] = [['Flow', flow.name]]
  if (description) pairs.push(['About', description])
  pairs.push(['State', onOrPaused(flow)])
  pairs.push(['From', `${source.connection}: ${objects.join(', ')} (${source.read ?? 'incremental'})`])
  pairs.push(['To', `${to} (${[destination.write ?? 'append', destination.format].filter(Boolean).join(', ')})`])
  pairs.push(['Trigger', triggerText(flow.document)])
  if (flow.nextTimes.length > 0) pairs.push(['Next runs', flow.nextTimes.slice(0, 3).map(time).join('\n')])
  pairs.push(['Task queue', flow.taskQueue])
  if (flow.skipped > 0) pairs.push(['Skipped', `${counted(flow.skipped, 'time')}, while the run before went on`])
  if (flow.missed > 0) pairs.push(['Missed', `${counted(flow.missed, 'time')}, more than ${catchUp} late`])
  pairs.push(['Applied', time(flow.updatedAt ?? flow.createdAt)])
  return pairs
}

function onOrPaused(flow: StoredFlow): string {
  if (!flow.paused) return 'on'
  return flow.note ? `paused: ${flow.note}` : 'paused'
}

async function runs(call: Call, { json, limit }: JsonFlag & { limit: string }, name: string): Promise<void> {
  const most = whole('--limit', limit, 1, 1000)
  const { kept, document } = await withTemporal(call, async (lakeward) => ({
    kept: await lakeward.runs(name, most),
    document: (await readFlow(lakeward.temporal, name))?.document,
  }))
  const ledgers = document ? await ledgersOf(call, document, most) : null
  const found = withLedgerRuns(kept, ledgers?.runs ?? [], most)
  for (const { object, problem } of ledgers?.lanes ?? []) if (problem) call.view.say(printable(`${object}: ${problem}`))
  if (json) return printJson(call, found)
  if (found.length === 0) return call.view.say(`${name} has not run yet; \`lakeward run ${name}\` starts it`)
  call.view.out(runTable(found, call.view.columns))
}

function runTable(found: RunSummary[], most: number): string {
  const right = 'right' as const
  const columns = [
    { title: 'STARTED' },
    { title: 'STATUS' },
    { title: 'TOOK', align: right },
    { title: 'READ', align: right },
    { title: 'WRITTEN', align: right },
    { title: 'FILES', align: right },
    { title: 'CALLS', align: right },
    { title: 'RUN' },
    { title: 'PROBLEM', most: 100 },
  ]
  return table(columns, found.map(runRow), most)
}

function runRow(run: RunSummary): string[] {
  const { outcome } = run
  const total = (member: 'read' | 'written' | 'files'): string => {
    const objects = outcome?.result?.objects
    return objects ? count(objects.reduce((sum: number, object: ObjectResult) => sum + object[member], 0)) : ''
  }
  const took = (run.endedAt ?? new Date()).getTime() - run.startedAt.getTime()
  return [
    time(run.startedAt),
    outcome?.status ?? run.status,
    duration(took),
    total('read'),
    total('written'),
    total('files'),
    outcome?.result?.calls === undefined ? '' : count(outcome.result.calls),
    run.workflowId,
    run.ledger ? 'from the ledger: Temporal no longer keeps it' : (outcome?.error?.message ?? ''),
  ]
}

async function unpause(call: Call, { note }: { note?: string }, name: string): Promise<void> {
  const flow = await withTemporal(call, async (lakeward) => {
    await lakeward.unpause(name, note)
    return lakeward.flow(name)
  })
  call.view.say(`${name} is on${nextRun(flow)}`)
}

async function cancel(call: Call, { json }: JsonFlag, name: string): Promise<void> {
  const cancelled = await withTemporal(call, (lakeward) => lakeward.cancel(name))
  if (json) return printJson(call, { cancelled })
  if (cancelled.length === 0) return call.view.say(`${name} has no run that goes on`)
  for (const id of cancelled) call.view.say(`asked to stop: ${id}`)
  call.view.say(`\`lakeward runs ${name}\` shows when it has`)
}

async function remove(call: Call, { json, cancel: all }: JsonFlag & { cancel?: boolean }, name: string): Promise<void> {
  const { cancelled, running } = await withTemporal(call, (lakeward) => lakeward.delete(name, { cancel: all === true }))
  if (json) return printJson(call, { deleted: name, cancelled, running })
  call.view.say(`${name} is deleted; its files and its ledger stay`)
  for (const id of cancelled) call.view.say(`asked to stop: ${id}`)
  for (const id of running) {
    call.view.say(`goes on: ${id}; \`lakeward cancel ${name}\` stops it`)
  }
}
