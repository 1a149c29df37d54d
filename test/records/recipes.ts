/** Recipes for tests, and rows run through them. */
import { createSecretKey } from 'node:crypto'
import type { Field, FieldType, Row } from '../../connectors/connector.ts'
import { compileRecipe, outputFields } from '../../connectors/records/recipe.ts'
import type { Recipe, Step } from '../../connectors/records/recipe.ts'
import { decodedRows, fieldsOf, textRows } from './tables.ts'

export const key = createSecretKey(Buffer.from('a secret of the installation'))
export const recipeOf = (more: Partial<Recipe>): Recipe => ({
  where: null,
  transform: [],
  onInvalid: 'quarantine',
  partitionBy: [],
  op: false,
  ...more,
})
export type Types = Record<string, FieldType>

export function run(recipe: Recipe, types: Types, rows: Row[], output?: Field[]) {
  const fields = fieldsOf(types)
  const pipeline = compileRecipe(recipe, fields, output ?? outputFields(recipe, fields), () => key)
  const [outcome] = decodedRows(fields, rows).map((decoded) => pipeline.run(decoded))
  return outcome!
}
/** One step on rows: the output and, where a row was refused, the reason. */
export function apply(transform: Step | Step[], types: Types, rows: Row[]) {
  const recipe = recipeOf({ transform: [transform].flat() })
  const { batch, rejects } = run(recipe, types, rows)
  return { types: batch.fields.map(({ name, type }) => `${name} ${type}`), rows: textRows(batch), rejects }
}
export const values = (step: Step | Step[], type: FieldType, ...written: Row[string][]) =>
  apply(
    step,
    { v: type },
    written.map((v) => ({ v })),
  ).rows.map(({ v }) => v)
