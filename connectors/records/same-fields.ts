/**
 * Fields found again in another schema, by name; else by a name that differs in upper and lower case alone. To most
 * readers of files the two are one column, so that the second may not stand beside the first.
 */
import type { Field } from '../connector.ts'

/** By name in `before`: its field in `now`. Each field of `now` is found once at most. */
export function sameFields(before: Field[], now: Field[]): Map<string, Field> {
  const exact = new Map(now.map((field) => [field.name, field]))
  const known = new Set(before.map(({ name }) => name))
  const respelled = new Map(
    now.filter(({ name }) => !known.has(name)).map((field) => [field.name.toLowerCase(), field]),
  )
  const found = new Map<string, Field>()
  for (const { name } of before) {
    const folded = name.toLowerCase()
    const field = exact.get(name) ?? respelled.get(folded)
    if (!field) continue
    if (!exact.has(name)) respelled.delete(folded)
    found.set(name, field)
  }
  return found
}
