/**
 * A lane's schemas are counted: 1 is its first, and an entry whose columns are others than those before it has the next
 * number. Names, types and their order count; what a column is called on the source's screens does not.
 *
 * Every entry holds its schema in full; `since` is the entry that was the first to have it.
 */
import type { Field } from '../connector.ts'
import type { LaneState, SchemaVersion } from './protocol.ts'

/** The version that a run writes under, whose first entry is to be `n`. */
export function schemaVersion(
  { schema, outputSchema }: Pick<LaneState, 'schema' | 'outputSchema'>,
  output: Field[],
  n: number,
): SchemaVersion {
  if (schema && outputSchema && columnsOf(outputSchema) === columnsOf(output)) return schema
  return { version: (schema?.version ?? 0) + 1, since: n }
}

function columnsOf(fields: Field[]): string {
  return JSON.stringify(fields.map(({ name, type }) => [name, type]))
}
