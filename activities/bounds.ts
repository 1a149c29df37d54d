/**
 * What a run's time means for the lane as it is: the nominal time of a schedule or backfill, and a window that is read
 * again.
 *
 * Laws
 * - No run moves the watermark backwards: a nominal time before it leaves nothing to read, and a whole read, which
 *   cannot show an hour that is gone, reads what there is now.
 * - A lookback is read again only up to a bound that is not before the watermark.
 */
import type { Ask, ObjectSchema, Plan } from '../connectors/connector.ts'
import { InputError } from '../connectors/errors.ts'
import { compareInstants } from '../connectors/lake/instants.ts'
import type { LaneState, RunPlan } from '../connectors/lake/protocol.ts'
import type { Ruling } from '../connectors/lake/windows.ts'
import type { LaneFlow } from './lane.ts'

export interface Ceiling {
  /** Epoch milliseconds; null: the source's clock alone bounds the run. */
  ceiling: number | null
  /** For the report. */
  told: string[]
}

export function ceilingOf(nominalMs: number | null, { watermark }: LaneState, { mode }: Pick<Ruling, 'mode'>): Ceiling {
  if (nominalMs === null) return { ceiling: null, told: [] }
  const nominal = new Date(nominalMs).toISOString()
  if (watermark === null || compareInstants(nominal, watermark) > 0) return { ceiling: nominalMs, told: [] }
  const late = `The nominal time ${nominal} is not after the watermark ${watermark}`
  if (mode === 'full') return { ceiling: null, told: [`${late}: everything is read as it is now.`] }
  return { ceiling: nominalMs, told: [`${late}: what this run was to read has been read.`] }
}

/** Plans; without the lookback where its bound would lie before the watermark. */
export async function planFrom(plan: (ask: Ask) => Promise<Plan>, ask: Ask, { watermark }: LaneState): Promise<Plan> {
  const planned = await plan(ask)
  const tooEarly = planned.bound !== null && watermark !== null && compareInstants(planned.bound, watermark) < 0
  if (ask.mode !== 'incremental' || !tooEarly) return planned
  return plan({ ...ask, from: watermark })
}

/** @throws InputError where a record could not be known again */
export function lookbackOf(
  { object }: LaneFlow,
  schema: ObjectSchema,
  { cursorField }: Plan,
): Pick<RunPlan, 'lookback'> {
  if (object.lookbackMs === undefined) return {}
  const refused = (what: string): InputError =>
    new InputError([
      { where: `source.objects ${object.id} lookback`, what, advice: 'Remove lookback for this object.' },
    ])
  if (schema.keys.length === 0) throw refused(`${schema.object} has no key that its records could be known by`)
  const cursor = schema.fields.find(({ name }) => name === cursorField)
  if (cursor?.type !== 'timestamp') throw refused(`${schema.object} is not read by a date-time`)
  return { lookback: { ms: object.lookbackMs, keys: schema.keys, cursorField: cursor.name } }
}
