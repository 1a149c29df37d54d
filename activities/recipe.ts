/**
 * What extraction needs of the flow, as it is stored in the plan: a retry reads it there, whatever the flow says by
 * then.
 */
import { createHash } from 'node:crypto'
import type { Filter, Json, ObjectSchema } from '../connectors/connector.ts'
import type { Recipe } from '../connectors/records/recipe.ts'
import type { LaneFlow } from './lane.ts'
import type { Place } from './place.ts'

export interface StoredRecipe extends Recipe {
  format: 'parquet' | 'jsonl' | 'csv'
  layout: 'lakeward' | 'appflow'
  /** Folder of the data files, below the lake's path. */
  folder: string
  fileSizeBytes: number
  /** Nominal time of the run, or its start: what `day(run)` means. */
  runInstant: string
  /** What the partition `runId` names. */
  runId: string
}

/** Formats of what is staged for a destination that is no lake. */
const STAGED = { table: 'parquet', records: 'jsonl' } as const
/** A file of records is what a delivery holds in memory. */
const RECORDS_BYTES = 16 * 1024 * 1024

export function storedRecipe(
  { flow, object }: LaneFlow,
  schema: ObjectSchema,
  { kind, folder }: Pick<Place, 'kind' | 'folder'>,
  runInstant: string,
  runId: string,
): StoredRecipe {
  const { destination } = flow
  return {
    where: object.where,
    transform: object.transform,
    onInvalid: object.onInvalid,
    partitionBy: destination.partitionBy,
    // A record that is gone at the source is gone there: whether it should be here too, no write says.
    op: kind !== 'records' && showsDeletes({ flow, object }, schema),
    format: kind === 'lake' ? destination.format : STAGED[kind],
    layout: destination.layout,
    folder,
    fileSizeBytes: kind === 'records' ? RECORDS_BYTES : destination.fileSizeBytes,
    runInstant,
    runId,
  }
}

/** Below it lies what a lane of a lake writes. */
export function dataFolder({ flow: { name, destination }, object }: LaneFlow): string {
  return [destination.prefix, destination.layout === 'appflow' ? name : object.into].filter(Boolean).join('/')
}

/** Deletes come with incremental reads of sources that show them, unless the flow says otherwise. */
export function showsDeletes({ object }: LaneFlow, schema: ObjectSchema): boolean {
  return schema.deletes && (object.includeDeleted ?? object.read === 'incremental')
}

/** Differs when the flow would shape the same source records another way. */
export function recipeHash(recipe: StoredRecipe): string {
  const shape: { where: Filter | null; rest: Json } = {
    where: recipe.where,
    rest: [recipe.transform as unknown as Json, recipe.op],
  }
  return createHash('sha256').update(JSON.stringify(shape)).digest('hex').slice(0, 16)
}
