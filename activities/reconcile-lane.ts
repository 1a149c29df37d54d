/**
 * The source's fields and the flow as they are now, beside what the lane was by its last entry: what this run reads and
 * writes, and what it tells. Pure; what it does not throw, it decides.
 *
 * Law: the lane keeps what its files and its watermark rest on, whatever the source or a default would prefer by now:
 * the column of deletes, there always or never, and the field that tells what changed.
 */
import type { Field, Json, ObjectSchema } from '../connectors/connector.ts'
import { hashOf } from '../connectors/lake/canonical.ts'
import type { LaneState } from '../connectors/lake/protocol.ts'
import { DriftError, atMost, differences, reconcile } from '../connectors/records/drift.ts'
import { laneChanges, partitionText } from '../connectors/records/flow-change.ts'
import type { LaneShape } from '../connectors/records/flow-change.ts'
import { OP_COLUMN, decisiveFields, outputFields } from '../connectors/records/recipe.ts'
import { sameFields } from '../connectors/records/same-fields.ts'
import type { LaneFlow } from './lane.ts'
import type { Place } from './place.ts'
import { recipeHash, showsDeletes, storedRecipe } from './recipe.ts'
import type { StoredRecipe } from './recipe.ts'

export interface ReconciledLane {
  recipe: StoredRecipe
  recipeHash: string
  /** Input of the transforms; vanished fields are among them, marked `gone`. */
  source: Field[]
  output: Field[]
  shape: LaneShape
  includeDeleted: boolean
  /** null: the connector chooses. */
  cursorField: string | null
  /** Sentences for the report. */
  drift: string[]
}

/** `now`: the run's nominal time (ISO) and its key. Throws `DriftError` and `InputError`. */
export function reconcileLane(
  lane: LaneFlow,
  schema: ObjectSchema,
  state: LaneState,
  place: Pick<Place, 'kind' | 'folder'>,
  now: { instant: string; run: string },
): ReconciledLane {
  const { flow } = lane
  const { sourceSchema, outputSchema } = state
  const known = sourceSchema && outputSchema ? { source: sourceSchema, output: outputSchema } : null
  const replaced = flow.destination.write === 'replace'
  const bound = flow.run.full ? null : known
  const made = storedRecipe(lane, schema, place, now.instant, now.run)
  const op = bound && !replaced && place.kind !== 'records' ? keptOp(lane, schema, bound.output) : made.op
  const recipe = { ...made, op }
  const hash = recipeHash(recipe)
  const past = state.shape as unknown as LaneShape | null
  const shape = {
    ...shapeOf(lane, schema, recipe, past),
    folder: place.kind === 'lake' ? recipe.folder : lane.object.into,
  }
  const changes = past ? laneChanges(past, shape, { since: state.n, anew: replaced || flow.run.full }) : []

  const sameRecipe = state.recipeHash === hash && (!past || past.options === shape.options)
  const before = bound && { ...bound, sameRecipe, replaced }
  const outputOf = (fields: Field[]): Field[] => outputFields(recipe, fields)
  const { source, output, drift } = reconcile(flow.onDrift, schema.fields, before, outputOf)
  refuseUndecided(recipe, source)
  const accepted = known && flow.run.full ? differences(known.source, schema.fields) : []
  return {
    recipe,
    recipeHash: hash,
    source,
    output,
    shape,
    includeDeleted: op && showsDeletes(lane, schema),
    cursorField: lane.object.cursorField ?? (past && bound ? shape.cursorField : null),
    drift: atMost([...drift, ...accepted, ...changes]),
  }
}

/** Readers ask the column of deletes of every row: it is in all files or in none, unless the flow says otherwise. */
function keptOp(lane: LaneFlow, schema: ObjectSchema, output: Field[]): boolean {
  const had = output.some(({ name }) => name === OP_COLUMN)
  return (lane.object.includeDeleted ?? had) === had ? had : showsDeletes(lane, schema)
}

function shapeOf(lane: LaneFlow, schema: ObjectSchema, recipe: StoredRecipe, past: LaneShape | null): LaneShape {
  const { flow, object } = lane
  return {
    object: object.object,
    keys: schema.keys,
    cursorField: cursorOf(lane, schema, past?.cursorField ?? null),
    read: object.read,
    write: flow.destination.write,
    folder: recipe.folder,
    format: recipe.format,
    layout: recipe.layout,
    partitionBy: recipe.partitionBy.map(partitionText),
    where: short(recipe.where as Json),
    options: short(object.options),
    steps: recipe.transform.map((step) => `${Object.keys(step)[0]} ${short(step as unknown as Json)}`),
  }
}

/** The flow's, else the lane's as the source spells it now, else the source's best; null: the lane's has vanished. */
function cursorOf({ object }: LaneFlow, { fields, cursors }: ObjectSchema, past: string | null): string | null {
  if (object.cursorField !== undefined && object.cursorField !== past) return object.cursorField
  if (past === null) return cursors[0] ?? null
  const was: Field = { name: past, type: 'timestamp', nullable: true }
  return sameFields([was], fields).get(past)?.name ?? null
}

function short(value: Json): string {
  return hashOf(value).slice(0, 8)
}

/** A filter or a notNull on nulls alone would leave every record out, and the watermark would pass them. */
function refuseUndecided(recipe: StoredRecipe, source: Field[]): void {
  const gone = new Set(source.filter((field) => field.gone).map(({ name }) => name))
  if (gone.size === 0) return
  const missed = decisiveFields(recipe, source).filter((name) => gone.has(name))
  if (missed.length === 0) return
  throw new DriftError(
    'DriftRefused',
    `the filter or a notNull of the flow looks at ${missed.join(', ')}, which the source no longer has: no record ` +
      'would pass. Take it out of the flow, or give the login its field back.',
  )
}
