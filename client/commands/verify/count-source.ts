/**
 * Rows of a lane beside what its source counts now, over the same window.
 *
 * Law: a source moves on while nobody looks, so that two numbers may differ rightly. Fewer at the source than were read
 * are told; more are a fault, because they are in no file: they became visible late, or were not read.
 */
import type { Connector, Session } from '../../../connectors/connector.ts'
import { ConnectorError } from '../../../connectors/errors.ts'
import { checkOptions } from '../../../connectors/flow.ts'
import { compareInstants } from '../../../connectors/lake/instants.ts'
import { addCounts, noCounts } from '../../../connectors/lake/counts.ts'
import type { CommitEntry, LakeLane } from '../../../connectors/lake/protocol.ts'
import { history, laneStatus } from '../../../connectors/lake/readers.ts'
import { counted } from '../../terminal/numbers.ts'
import type { Call } from '../call.ts'
import type { LocalFlow } from '../lane.ts'
import type { KnownLane } from './lanes.ts'

export interface SourceCount {
  /** Records read of the current generation, as its entries say, without those a lookback read again. */
  read: number
  /** null: the source cannot count, or could not be asked. */
  now: number | null
  fault: boolean
  /** Both numbers, and what a difference may come of. */
  what: string
}

export async function countSource(call: Call, local: LocalFlow, lane: KnownLane): Promise<SourceCount> {
  const at = local.laneOf(lane.id)
  const { read, from, to } = await readOf(at)
  const say = (now: number | null, what: string, fault = false): SourceCount => ({ read, now, fault, what })
  const own = `${counted(read, 'record')} read`
  const { connection } = lane.flow.source
  try {
    const { connector, session } = await local.parts.connect(connection, {
      signal: AbortSignal.timeout(300_000),
      beat: (position) => call.view.draw?.([position]),
      note: () => {},
    })
    const now = await countNow(connector, session, lane, { from, to })
    if (now === null) return say(null, `${own}; ${connection} cannot count ${lane.object.object}`)
    const both = `${own}, ${counted(now, 'record')} at ${connection} now`
    if (now === read) return say(now, `${both}: equal`)
    if (now < read) return say(now, `${both}: the others were changed, deleted or read more than once since`)
    const since = `${both}: ${counted(now - read, 'record')} more than any entry has`
    const advice = 'they became visible late, or the flow was changed: `run --from --to --again`, or --full, reads them'
    return say(now, `${since}; ${advice}`, true)
  } catch (error) {
    if (!(error instanceof ConnectorError)) throw error
    return say(null, `${own}; not compared: ${error.message}`)
  }
}

/** What the current generation has read, and its window: from its beginning to the watermark; null: all there is. */
async function readOf(at: LakeLane): Promise<{ read: number; from: string | null; to: string | null }> {
  const { state, highest } = await laneStatus(at)
  const done = (await history(at, highest)).flatMap(({ entry, outcome }) =>
    entry.kind === 'commit' && outcome?.outcome === 'done' && entry.runKind.kind !== 'replay' ? [entry] : [],
  )
  // A whole read that is appended is a copy: only the newest is of now.
  const whole = done.find(({ runKind }) => runKind.kind === 'full')
  const since = whole ? Math.min(...done.filter(({ run }) => run === whole.run).map(({ n }) => n)) : state.since
  const { origin } = state
  const isBefore = ({ runKind: { window } }: CommitEntry): boolean =>
    window !== undefined && origin !== null && compareInstants(window.to, origin) <= 0
  const counts = done
    .filter((entry) => entry.n >= since && entry.generation === state.generation && !isBefore(entry))
    .reduce((sum, entry) => addCounts(sum, entry.counts), noCounts())
  return { read: counts.read - (counts.repeated ?? 0), from: origin, to: state.watermark }
}

async function countNow(
  connector: Connector,
  session: Session,
  lane: KnownLane,
  { from, to }: { from: string | null; to: string | null },
): Promise<number | null> {
  const { source } = connector
  if (!source || source.events || source.files) return null
  const { objects } = checkOptions(
    { ...lane.flow, source: { ...lane.flow.source, objects: [lane.object] } },
    connector,
  ).source
  const { object, options, where, cursorField, settleMs } = objects[0]!
  const { showsDeletes } = await import('../../../activities/recipe.ts')
  const schema = await source.describe(session, object, options)
  const plan = await source.plan(session, {
    object,
    options,
    schema,
    fields: [...schema.keys, ...schema.cursors.slice(0, 1)],
    filter: where,
    mode: to === null ? 'full' : 'window',
    includeDeleted: showsDeletes({ flow: lane.flow, object: lane.object }, schema),
    cursorField: cursorField ?? null,
    state: null,
    ...(from !== null && to !== null && { from }),
    ...(to !== null && { to }),
    ceiling: null,
    settleMs: settleMs ?? 0,
    parallel: 1,
    noJob: true,
  })
  return source.count ? source.count(session, plan) : plan.counted
}
