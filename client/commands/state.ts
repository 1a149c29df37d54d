/** state: what an object's ledger says, and its watermark moved by hand. */
import { InputError } from '../../connectors/errors.ts'
import { readTime } from '../../connectors/flow-values.ts'
import type { Move } from '../../connectors/lake/set-watermark.ts'
import type { LaneStatus } from '../../connectors/lake/readers.ts'
import type { Recorded } from '../../connectors/lake/ledger.ts'
import { meant } from '../../connectors/nearest.ts'
import { flowName, objectIds } from '../flow-document.ts'
import { busy, busyLanes } from '../runs.ts'
import { agreed } from '../terminal/agreed.ts'
import { count, counted } from '../terminal/numbers.ts'
import { listing, table } from '../terminal/table.ts'
import type { Call, Register } from './call.ts'
import { printJson, withJson } from './call.ts'
import type { LocalLane } from './lane.ts'
import { withLane } from './lane.ts'
import { whole } from './whole.ts'

interface StateFlags {
  json?: boolean
  yes?: boolean
  watermark?: string
  limit: string
}

export function addStateCommand(register: Register): void {
  register<StateFlags>({
    usage: 'state <show|set> <name|flow> <object>',
    about: "What an object's ledger says: watermark, schema, entries. Or move its watermark by hand, after a yes.",
    examples: [
      'lakeward state show salesforce-daily Account',
      'lakeward state show salesforce-daily Account --limit 50 --json',
      'lakeward state set salesforce-daily Account --watermark 2026-01-01T00:00:00Z',
    ],
    options: (command) =>
      withJson(command)
        .option('--limit <n>', 'show: how many entries', '10')
        .option('--watermark <time>', 'set: where the next run begins to read')
        .option('--yes', 'set: without asking'),
    work: state,
  })
}

async function state(call: Call, flags: StateFlags, ...args: [string, string, string]): Promise<void> {
  const [action, target, object] = args
  if (action !== 'show' && action !== 'set') {
    const what = `there is no \`state ${action}\`${meant(action, ['show', 'set'])}`
    throw new InputError([{ where: 'state', what, advice: 'Write `state show` or `state set`.' }])
  }
  return withLane(call, target, object, async (local) => {
    const { laneStatus } = await import('../../connectors/lake/readers.ts')
    isObject(local)
    const status = await laneStatus(local.at)
    return action === 'show' ? show(call, flags, local, status) : set(call, flags, local, status)
  })
}

function isObject({ at, document }: LocalLane): void {
  const { object } = at.lane
  const known = objectIds(document)
  if (known.includes(object)) return
  const what = `flow ${flowName(document)} has no object ${object}${meant(object, known)}`
  throw new InputError([{ where: `flow ${flowName(document)}`, what, advice: `It has: ${known.join(', ')}.` }])
}

async function show(call: Call, flags: StateFlags, { at }: LocalLane, status: LaneStatus): Promise<void> {
  const { history, currentFiles } = await import('../../connectors/lake/readers.ts')
  const recorded = await history(at, whole('--limit', flags.limit, 1, 10_000))
  const { state: lane, highest, unfinished, owed } = status
  if (flags.json) {
    printJson(call, { ...lane, entries: highest, owed, unfinished: unfinished?.plan.run ?? null, newest: recorded })
    return
  }
  const { view } = call
  const files = await currentFiles(at)
  const pairs: [string, string][] = [
    ['Ledger', `${at.store.name}, ${counted(highest, 'entry', 'entries')}`],
    ['Watermark', lane.watermark ?? (lane.n === 0 ? 'none: it has not been read yet' : 'none: it is not read by time')],
    filesOr(recorded, files, owed),
    ['Generation', `${lane.generation}, from entry ${lane.since} on`],
  ]
  if (lane.watermark !== null) pairs.push(['Read from', lane.origin ?? 'the beginning'])
  if (lane.windows.length > 0) {
    pairs.push(['Windows', lane.windows.map(({ from, to }) => `${from} to ${to}`).join('\n')])
  }
  if (lane.seen) pairs.push(['Looks back', `to ${lane.seen.from}, ${counted(lane.seen.rows, 'record')} kept in mind`])
  if (lane.state !== null) pairs.push(['State', JSON.stringify(lane.state).slice(0, 500)])
  if (lane.sourceIdentity) pairs.push(['Source', lane.sourceIdentity])
  if (lane.outputSchema) {
    pairs.push([
      'Fields',
      lane.outputSchema.map(({ name, type, gone }) => `${name} ${gone ? 'gone' : type}`).join(', '),
    ])
  }
  if (unfinished) pairs.push(['Unfinished', `run ${unfinished.plan.run}: the next run finishes it first`])
  view.out(listing(pairs))
  if (recorded.length > 0)
    view.out(
      `\n${table(
        COLUMNS,
        recorded.map((one) => entryRow(one, owed)),
        view.columns,
      )}`,
    )
}

const right = 'right' as const
const COLUMNS = [
  { title: 'ENTRY', align: right },
  { title: 'WRITTEN AT' },
  { title: 'KIND' },
  { title: 'OUTCOME' },
  { title: 'ROWS', align: right },
  { title: 'FILES', align: right },
  { title: 'WATERMARK' },
  { title: 'RUN' },
]

/** What goes on to a table or to records is deleted behind its receipt: only what is owed has files. */
function filesOr(recorded: Recorded[], files: { rows: number }[], owed: number[]): [string, string] {
  const further = recorded.some(({ entry }) => entry.kind === 'commit' && entry.delivery)
  if (!further)
    return ['Files', `${count(files.length)}, ${count(files.reduce((sum, { rows }) => sum + rows, 0))} rows`]
  const next = `${owed.length === 1 ? 'entry' : 'entries'} ${owed.join(', ')}: the next run brings them first`
  return ['To deliver', owed.length === 0 ? 'nothing' : next]
}

function entryRow({ n, entry, outcome }: Recorded, owed: number[]): string[] {
  if (entry.kind === 'fence') return [String(n), entry.writtenAt, 'fence', '', '', '', '', entry.run]
  const { runKind, last, counts, files, after, parent, run, writtenAt } = entry
  return [
    String(n),
    writtenAt,
    `${runKind.kind}${last ? '' : ', in steps'}`,
    outcome?.outcome === 'done' && entry.delivery && !owed.includes(n) ? 'delivered' : (outcome?.outcome ?? 'owed'),
    count(counts.written),
    count(files.length),
    after.watermark ?? '',
    parent ?? run,
  ]
}

async function set(call: Call, flags: StateFlags, local: LocalLane, status: LaneStatus): Promise<void> {
  const { moveOf, setWatermark } = await import('../../connectors/lake/set-watermark.ts')
  const { at, document, lakeward } = local
  const { object } = at.lane
  const move = moveOf(status, timeOf(flags.watermark), Date.now())
  const held = await busyLanes(lakeward.temporal, document, [object])
  if (held.length > 0) throw busy(flowName(document), held)
  if (!flags.json) tell(call, move)
  if (!(await agreed(call.view, `Set the watermark of ${object} to ${move.after}?`, flags.yes === true))) {
    call.view.say('nothing was changed')
    return
  }
  const entry = await setWatermark(at, move)
  if (flags.json) return printJson(call, { ...move, entry: entry.n })
  call.view.say(`entry ${entry.n}: the next run of ${object} reads from ${move.after}`)
}

function tell({ view }: Call, { before, after, means }: Move): void {
  view.say(`${before} -> ${after}`)
  for (const sentence of means) view.say(`  ${sentence}`)
  view.say('  A run that begins meanwhile finds its number taken, and starts again from there.')
}

function timeOf(given: string | undefined): string {
  const where = '--watermark'
  const advice = 'For example --watermark 2026-01-31T10:30:00Z.'
  if (given === undefined) throw new InputError([{ where, what: 'it is not said where the watermark goes', advice }])
  const read = readTime(given)
  if ('value' in read) return read.value
  const [what = '', more = advice] = read.refused.split('\n')
  throw new InputError([{ where, what, advice: more }])
}
