/**
 * Filters: AND over fields, AND over the operators of a field. Whether a value fits its field is known with a schema.
 */
import { z } from 'zod'
import type { Condition, Filter } from './connector.ts'
import { fieldName } from './flow-values.ts'
import { always, isTable, list, strict, words } from './strict.ts'

/** Text, number or boolean: `null` is asked for with isNull. */
const value = z
  .union([z.string(), z.number(), z.boolean()], {
    error: (issue) => (issue.input === null ? words('null equals nothing', 'ask with isNull: true') : undefined),
  })
  .describe('Text, a number, true or false; decimals and long numbers in quotes')

const ordered = z.union([z.string(), z.number()]).describe('Text or a number; times and long numbers in quotes')

const shape = {
  eq: value.optional(),
  ne: value.optional(),
  gt: ordered.optional(),
  gte: ordered.optional(),
  lt: ordered.optional(),
  lte: ordered.optional(),
  in: list('One of these values', value).optional(),
  between: list('[least, most], both included', ordered, 2).max(2).optional(),
  contains: z.string().min(1).describe('Text that the field contains, in exact case').optional(),
  isNull: z.boolean().describe('true: only empty values, false: none of them').optional(),
}
const operators = Object.keys(shape)

const condition = strict('a condition', shape, ['containsAny'])
  .superRefine((written, context) => {
    if (!isTable(written)) return
    const say = (message: string, path: string[] = []): void => context.addIssue({ code: 'custom', path, message })
    if (Object.keys(written).length === 0) say(words('has no operator', `one of ${operators.join(', ')}`))
    const { between, in: among } = written
    if (Array.isArray(between) && between.length === 2 && runsBackwards(between)) {
      say(words('runs backwards: nothing lies between', 'write the lower value first'), ['between'])
    }
    if (Array.isArray(among) && new Set(among.map((item) => typeof item === 'boolean')).size > 1) {
      say(words('mixes true or false with other values', 'a field has one type'), ['in'])
    }
  }, always)
  .describe('Operators and values, for example { eq: Acme } or { gte: 1, lt: 10 }')

function runsBackwards([least, most]: unknown[]): boolean {
  return typeof least === 'number' && typeof most === 'number' && most < least
}

export const where = z.record(fieldName, condition).describe('Source field: condition; all of them must hold')

export function completeFilter(written: z.output<typeof where> | undefined): Filter | null {
  if (!written || Object.keys(written).length === 0) return null
  // `between` was read as a list of exactly two.
  return written as Record<string, Condition>
}
