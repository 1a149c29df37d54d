/**
 * What extraction needs of the flow, as it is stored in the plan: a retry reads it there, whatever the flow says by
 * then.
 */
import { createHash } from 'node:crypto'
import type { Filter, Json, ObjectSchema } from '../connectors/connector.ts'
import type { Recipe } from '../connectors/records/recipe.ts'
import type { LaneFlow } from './lane.ts'

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

export function storedRecipe(
  { flow, object }: LaneFlow,
  schema: ObjectSchema,
  runInstant: string,
  runId: string,
): StoredRecipe {
  const { destination } = flow
  return {
    where: object.where,
    transform: object.transform,
    onInvalid: object.onInvalid,
    partitionBy: destination.partitionBy,
    op: showsDeletes({ flow, object }, schema),
    format: destination.format,
    layout: destination.layout,
    folder: dataFolder({ flow, object }),
    fileSizeBytes: destination.fileSizeBytes,
    runInstant,
    runId,
  }
}

/** Below it lies what the lane writes. */
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
