/** Transforms as a flow spells them: each step has exactly one key. */
import { z } from 'zod'
import type { FieldType } from './connector.ts'
import { castType, fieldName, fields, newField, plainValue, templateText, timezoneName } from './flow-values.ts'
import { datePattern } from './records/date-pattern.ts'
import { always, choice, integer, isTable, list, parsed, type Read, strict, text, words } from './strict.ts'

export type OnInvalid = 'drop' | 'quarantine' | 'fail'
export type PlainValue = string | number | boolean
export type Rule = 'notNull' | 'notZero' | 'notNegative' | 'numeric'
export type Operator = 'add' | 'subtract' | 'multiply' | 'divide'

/** A parsed step; everything that has a default has a value. Field names are those at this step. */
export type Step =
  | { keep: string[] }
  | { drop: string[] }
  | { rename: Record<string, string> }
  | { cast: Record<string, FieldType> }
  | { set: Record<string, PlainValue> }
  | { concat: { into: string; template: string } }
  | { arithmetic: { into: string; operator: Operator; operands: (string | number)[] } }
  | { truncate: { fields: string[]; length: number } }
  | { formatDate: { fields: string[]; pattern: string; timezone: string } }
  /** `otherwise` absent: other values stay as they are. */
  | { mapValues: { fields: string[]; values: Record<string, PlainValue | null>; otherwise?: PlainValue | null } }
  | { hash: { fields: string[]; key: string } }
  /** None of the four: all is masked. */
  | { mask: Mask }
  | { validate: { fields: string[]; rule: Rule; onInvalid: OnInvalid } }

export interface Mask {
  fields: string[]
  /** One character. */
  with: string
  hideFirst?: number
  hideLast?: number
  keepFirst?: number
  keepLast?: number
}

const operators = ['add', 'subtract', 'multiply', 'divide'] as const
const parts = ['hideFirst', 'hideLast', 'keepFirst', 'keepLast'] as const

export const onInvalid = choice('What becomes of a record that fails a validation', ['drop', 'quarantine', 'fail'])

const operands = list(
  'Fields or numbers, from left to right',
  z.union([text('A field'), z.number()]).describe('A field or a number'),
  2,
).optional()

const arithmetic = strict('arithmetic', {
  into: newField('The field that takes the result'),
  add: operands,
  subtract: operands,
  multiply: operands,
  divide: operands,
}).superRefine((value, context) => {
  if (!isTable(value)) return
  const named = operators.filter((operator) => operator in value)
  if (named.length !== 1) {
    const what = named.length === 0 ? 'says no operation' : `says ${named.join(' and ')}`
    context.addIssue({ code: 'custom', message: words(what, 'exactly one of add, subtract, multiply, divide') })
  }
  for (const operator of named) {
    const written: unknown = value[operator]
    if (!Array.isArray(written)) continue
    if (written.every((operand) => typeof operand === 'number') && written.length > 1) {
      const message = words('names no field', 'write a constant with set')
      context.addIssue({ code: 'custom', path: [operator], message })
    }
    if (operator === 'divide' && written.slice(1).includes(0)) {
      context.addIssue({ code: 'custom', path: [operator], message: 'divides by zero' })
    }
  }
}, always)

const hidden = integer('How many characters', 1).optional()
const mask = strict('mask', {
  fields: fields('The text fields to mask'),
  with: z
    .string()
    .refine((character) => /^.$/su.test(character), { error: words('must be one character', 'for example "*"') })
    .describe('The character that stands for each hidden one; default *')
    .optional(),
  hideFirst: hidden,
  hideLast: hidden,
  keepFirst: hidden,
  keepLast: hidden,
}).superRefine((value, context) => {
  if (!isTable(value)) return
  const named = parts.filter((part) => part in value)
  if (named.length < 2 || named.every((part) => part.startsWith('keep'))) return
  const message = words(
    `${named.join(' and ')} cannot stand together`,
    'one of them, or keepFirst with keepLast, or none',
  )
  context.addIssue({ code: 'custom', message })
}, always)

const keyName = z
  .string()
  .min(1)
  .refine((name) => name !== 'state', {
    error: words("'state' is a reserved key", 'name another key of lakeward.yaml'),
  })
  .describe('The name of a key below `keys` in lakeward.yaml')

const datePatternText = parsed('How to write them, for example yyyy-MM-dd', (written): Read<string> => {
  const read = datePattern(written, 'UTC')
  return 'wrong' in read ? { refused: words(read.wrong, 'for example yyyy-MM-dd or HH:mm:ss') } : { value: written }
})

const shape = {
  keep: fields('The fields that stay'),
  drop: fields('The fields that go'),
  rename: filled('Old name: new name', z.record(fieldName, newField('The new name'))).superRefine(
    (renames, context) => {
      if (!isTable(renames)) return
      const targets = Object.values(renames)
      Object.entries(renames).forEach(([from, to], index) => {
        if (targets.indexOf(to) === index) return
        context.addIssue({ code: 'custom', path: [from], message: `two fields are renamed to '${to}'` })
      })
    },
    always,
  ),
  cast: filled('Field: type', z.record(fieldName, castType)),
  set: filled('Field: constant', z.record(newField('The field'), plainValue('Text, a number, true or false'))),
  concat: strict('concat', { into: newField('The field that takes the text'), template: templateText }),
  arithmetic,
  truncate: strict('truncate', {
    fields: fields('The fields to shorten'),
    length: integer('How many characters stay', 1),
  }),
  formatDate: strict('formatDate', {
    fields: fields('The dates or timestamps to write as text'),
    pattern: datePatternText,
    timezone: timezoneName.optional(),
  }),
  mapValues: strict('mapValues', {
    fields: fields('The fields whose values are replaced'),
    values: filled(
      'Value: new value',
      z.record(z.string(), plainValue('Text, a number, true, false or null').nullable()),
    ),
    otherwise: plainValue('What every other value becomes; default: it stays').nullable().optional(),
  }),
  hash: strict('hash', { fields: fields('The fields to hash'), key: keyName }),
  mask,
  validate: strict('validate', {
    fields: fields('The fields to look at; any bad one counts'),
    rule: choice('What a good value is', ['notNull', 'notZero', 'notNegative', 'numeric']),
    onInvalid: onInvalid.optional(),
  }),
}
const names = Object.keys(shape)

export const step = strict('a step', partial(shape))
  .superRefine((value, context) => {
    if (!isTable(value)) return
    const known = Object.keys(value).filter((key) => names.includes(key))
    if (known.length > 1) {
      const message = words(`one step has ${known.length} keys: ${known.join(', ')}`, 'write each as a step of its own')
      context.addIssue({ code: 'custom', message })
    }
    if (Object.keys(value).length === 0) {
      context.addIssue({ code: 'custom', message: words('an empty step', `write one of ${names.join(', ')}`) })
    }
  }, always)
  .meta({ description: 'One transform: exactly one key', minProperties: 1, maxProperties: 1 })

type Written = z.output<typeof step>

/** Fills in what a step leaves open; `ruled` is what the object does with invalid records. */
export function completeStep(written: Written, ruled: OnInvalid): Step {
  const { arithmetic: sum, mask: masked, formatDate, validate } = written
  if (sum) {
    const operator = operators.find((name) => sum[name] !== undefined) ?? 'add'
    return { arithmetic: { into: sum.into, operator, operands: sum[operator] ?? [] } }
  }
  if (masked) return { mask: { ...masked, with: masked.with ?? '*' } }
  if (formatDate) return { formatDate: { ...formatDate, timezone: formatDate.timezone ?? 'UTC' } }
  if (validate) return { validate: { ...validate, onInvalid: validate.onInvalid ?? ruled } }
  // The schema let exactly one key through, and the other steps are complete as they are written.
  return written as Step
}

/** A mapping that says something. */
function filled<T extends z.ZodType<Record<string, unknown>>>(about: string, table: T): T {
  return table
    .refine((value) => !isTable(value) || Object.keys(value).length > 0, { error: words('is empty', about) })
    .meta({ description: about, minProperties: 1 })
}

function partial<S extends Record<string, z.ZodType>>(members: S) {
  type Optional = { [K in keyof S]: z.ZodOptional<S[K]> }
  return Object.fromEntries(Object.entries(members).map(([key, schema]) => [key, schema.optional()])) as Optional
}
