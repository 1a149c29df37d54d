/**
 * Where the entries of a lane are delivered to, settled once per run and before anything is read: a table of another
 * shape, a field that cannot be written or missing keys are told while nothing is harmed.
 */
import type { Field, ObjectSchema } from '../connectors/connector.ts'
import { InputError } from '../connectors/errors.ts'
import type { Delivery, RunKind } from '../connectors/lake/protocol.ts'
import type { RecordWrite } from '../connectors/record-sink.ts'
import { outputNames } from '../connectors/records/recipe.ts'
import type { Deps } from './deps.ts'
import { connectEnd } from './lane.ts'
import type { LaneFlow } from './lane.ts'
import type { Place } from './place.ts'
import { planRecords } from './plan-records.ts'
import type { StoredRecipe } from './recipe.ts'
import type { StepContext } from './step.ts'

export interface Shaped {
  recipe: StoredRecipe
  source: Field[]
  output: Field[]
}

/** undefined: the lake is the destination. */
export async function planDelivery(
  deps: Deps,
  lane: LaneFlow,
  { kind: place }: Place,
  {
    schema,
    kind,
    cursorField,
    shaped,
  }: {
    schema: ObjectSchema
    kind: RunKind
    cursorField: string | null
    shaped: Shaped
  },
  context: StepContext,
): Promise<Delivery | undefined> {
  if (place === 'lake') return undefined
  const { flow, object } = lane
  const names = outputNames(shaped.recipe, shaped.source)
  const { connector, session } = await connectEnd(deps, flow.destination.connection, context)
  const about = {
    connection: flow.destination.connection,
    identity: await connector.identity(session),
    target: object.into,
  }
  if (place === 'table') {
    const { table } = connector.destination!
    // What a new generation replaces is the table's rows.
    const anew = kind.kind === 'generation' && !kind.keepOld
    const write = anew ? 'replace' : (flow.destination.write as 'append' | 'replace' | 'upsert')
    const keys = flow.destination.write === 'upsert' ? keysOf(lane, schema, names) : []
    await table!.check(session, {
      table: object.into,
      schema: shaped.output,
      keys,
      write: flow.destination.write as typeof write,
    })
    const order = cursorField === null ? undefined : names.get(cursorField)
    return { kind: 'table', ...about, write, keys, order: order === undefined ? [] : [order] }
  }
  const { record } = connector.destination!
  const gone = shaped.source.flatMap(({ name, gone: lost }) => (lost ? (names.get(name) ?? []) : []))
  // A column of nulls that has no field any more would empty the target's.
  const fields = shaped.output.filter(({ name }) => !gone.includes(name))
  const { key, records } = await planRecords(record!, session, { flow, object }, fields)
  // Whoever replays knows that these were refused.
  if (kind.kind === 'replay') delete records.most
  const write = flow.destination.write as RecordWrite
  return { kind: 'records', ...about, write, keys: key === null ? [] : [key], order: [], records }
}

/** The flow's, else the source's under the names that the output has them by. */
function keysOf({ object }: LaneFlow, { keys }: ObjectSchema, names: Map<string, string>): string[] {
  if (object.keys) return object.keys
  const lost = keys.filter((key) => !names.has(key))
  if (lost.length === 0) return keys.map((key) => names.get(key)!)
  throw new InputError([
    {
      what: `upsert finds rows by ${keys.join(', ')}, and the output does not have ${lost.join(', ')} as it was read`,
      where: 'source.objects[0].transform',
      advice: 'Keep it, or name other output fields as `keys`.',
    },
  ])
}
