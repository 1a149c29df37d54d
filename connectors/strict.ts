/**
 * zod in this project's words: objects that refuse unknown keys with the nearest known one, keys and values that come
 * later, and problems (what, where, what to do) instead of issues.
 *
 * Law: a message names keys and kinds, never a value that was written, except where a schema asks for it by `shown`:
 * the same words are used for files that hold secrets.
 *
 * A message is `what`, or `what` and advice on a second line.
 */
import { z } from 'zod'
import type { Problem } from './errors.ts'
import { meant, nearest } from './nearest.ts'

export type Path = (string | number)[]
/** A problem before it knows in which file it is. */
export interface Found {
  path: Path
  what: string
  advice?: string
}
type Issue = z.core.$ZodIssue
export type RawIssue = z.core.$ZodRawIssue

export const words = (what: string, advice?: string): string => (advice ? `${what}\n${advice}` : what)
export const notYet = (what: string): string => `not yet: ${what} comes in a later release`
export const shown = (value: string): string => `'${value.length > 60 ? `${value.slice(0, 57)}...` : value}'`
export const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Runs a check of a mapping even where a member is wrong, so that one reading tells everything. */
export const always = { when: ({ value }: { value: unknown }) => isTable(value) }

const homes = new Map<string, Set<string>>()

/**
 * A mapping with exactly these keys. `place` says in messages what it is (`an object`), `later` are keys of the grammar
 * that a later release brings.
 */
export function strict<S extends z.core.$ZodLooseShape>(
  place: string,
  shape: S,
  later: string[] = [],
  error?: (issue: RawIssue) => string | undefined,
): z.ZodObject<S, z.core.$strict> {
  const known = Object.keys(shape)
  for (const key of [...known, ...later]) homes.set(key, (homes.get(key) ?? new Set()).add(place))
  const unknown = z.unknown().refine(() => false, {
    error: (issue) => unknownKey(String(issue.path?.at(-1)), known, later, place),
  })
  closed.add(unknown)
  return z.object(shape, error && { error }).catchall(unknown)
}

const closed = new WeakSet<z.core.$ZodType>()

/** For `z.toJSONSchema`: an object made by `strict` takes no other keys. */
export const jsonSchemaOverride: NonNullable<z.core.ToJSONSchemaParams['override']> = ({ zodSchema, jsonSchema }) => {
  const catchall = zodSchema instanceof z.ZodObject ? zodSchema.def.catchall : undefined
  if (catchall && closed.has(catchall)) jsonSchema.additionalProperties = false
}

export function unknownKey(key: string, known: string[], later: string[] = [], place?: string): string {
  if (later.includes(key)) return words(notYet(key), 'remove it until then')
  if (key === '<<') return words("unknown key '<<'", 'YAML 1.2 has no merge keys: write the keys out')
  const close = nearest(key, [...known, ...later])
  if (close !== undefined) return `unknown key '${key}', did you mean '${close}'?`
  const elsewhere = [...(homes.get(key) ?? [])].filter((home) => home !== place)
  if (elsewhere.length > 0 && place)
    return words(`unknown key '${key}' in ${place}`, `it belongs to ${elsewhere.join(' or ')}`)
  return words(
    `unknown key '${key}'${place ? ` in ${place}` : ''}`,
    known.length > 0 ? `known keys: ${known.join(', ')}` : 'remove it',
  )
}

/** One of some words; `later` are words that a later release brings. */
export function choice<const T extends readonly [string, ...string[]]>(about: string, values: T, later: string[] = []) {
  const error = (issue: RawIssue): string => {
    const input = issue.input
    const all = values.join(' | ')
    if (input === undefined) return words(`'${String(issue.path?.at(-1))}' is missing`, `write ${all}`)
    if (typeof input !== 'string') return words(`must be ${all}, not ${kind(input)}`)
    if (later.includes(input)) return words(notYet(shown(input)), `until then: ${all}`)
    return words(`${shown(input)} is not one of ${all}${meant(input, [...values, ...later])}`, about)
  }
  return z.enum(values, { error }).describe(about)
}

export const text = (about: string) => z.string().min(1).describe(about)
export const flag = (about: string) => z.boolean().describe(about)
export const integer = (about: string, least: number) => z.int().min(least).describe(about)
export const list = <T extends z.ZodType>(about: string, item: T, least = 1) => z.array(item).min(least).describe(about)

/** Text with a meaning of its own: `read` answers the meaning, or says what is wrong with the text. */
export type Read<T> = { value: T } | { refused: string }
export function parsed<T>(about: string, read: (written: string) => Read<T>, meta: { pattern?: string } = {}) {
  const error = (issue: RawIssue): string =>
    issue.input === undefined
      ? words(`'${String(issue.path?.at(-1))}' is missing`, about)
      : words(`must be text, not ${kind(issue.input)}`, about)
  return z
    .string({ error })
    .meta({ description: about, ...meta })
    .transform((written, context): T => {
      const result = read(written)
      if ('value' in result) return result.value
      context.addIssue({ code: 'custom', message: result.refused })
      return z.NEVER
    })
}

/** The same thing twice in a list. */
export function noRepeats<T>(items: T[], context: z.core.$RefinementCtx<T[]>): void {
  const seen = new Set<string>()
  items.forEach((item, index) => {
    const key = JSON.stringify(item)
    const what = typeof item === 'string' ? shown(item) : 'this'
    if (seen.has(key)) context.addIssue({ code: 'custom', path: [index], message: `${what} is listed twice` })
    seen.add(key)
  })
}

// ---------------------------------------------------------------------------------------------------------- words

export function kind(value: unknown): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') return 'text'
  if (typeof value === 'number') return 'a number'
  if (typeof value === 'boolean') return `the word ${value}`
  return 'a mapping'
}

const nouns: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping (key: value)',
  record: 'a mapping (key: value)',
}

function say(issue: RawIssue): string | undefined {
  // What a check complains about belongs to the schema it hangs on.
  const owner = [issue.inst, issue.schema].find((one) => one instanceof z.ZodType)
  const about = owner && z.globalRegistry.get(owner)?.description
  const key = issue.path?.at(-1)
  if (issue.input === undefined && typeof key === 'string') return words(`'${key}' is missing`, about)
  if (issue.code === 'invalid_type') {
    const wanted = nouns[issue.expected] ?? issue.expected
    if (issue.input === null) return words('has no value', `write ${about ? lower(about) : wanted}, or remove the key`)
    return words(`must be ${wanted}, not ${kind(issue.input)}`, repair(issue.expected, issue.input) ?? about)
  }
  if (issue.code === 'unrecognized_keys' && owner instanceof z.ZodObject) {
    // zod keeps what is added to an issue: the keys are known here alone.
    Object.assign(issue, { known: Object.keys(owner.def.shape) })
    return undefined
  }
  if (issue.code === 'invalid_value') return words(`must be ${issue.values.map(String).join(' | ')}`, about)
  if (issue.code === 'invalid_union') return words(`cannot be ${kind(issue.input)}`, about)
  if (issue.code === 'too_small') {
    if (issue.origin === 'string') return words('is empty', about)
    if (issue.origin === 'array')
      return words(`needs at least ${String(issue.minimum)}, has ${lengthOf(issue.input)}`, about)
    return words(`must be at least ${String(issue.minimum)}`, about)
  }
  if (issue.code === 'too_big') return words(`must be at most ${String(issue.maximum)}`, about)
  return undefined
}

const lower = (sentence: string): string => sentence.charAt(0).toLowerCase() + sentence.slice(1)
const lengthOf = (value: unknown): string => (Array.isArray(value) ? String(value.length) : 'none')

function repair(expected: string, input: unknown): string | undefined {
  if (expected === 'string' && (typeof input === 'number' || typeof input === 'boolean')) return 'put it in quotes'
  if (expected === 'array' && typeof input === 'string') return 'write a list, also of one: [ ... ]'
  if (expected === 'boolean') return 'YAML 1.2 knows true and false; yes, no, on and off are text'
  if ((expected === 'number' || expected === 'int') && typeof input === 'string') return 'write it without quotes'
  return undefined
}

// ------------------------------------------------------------------------------------------------------- problems

/** Parses; everything that is wrong comes back at once. */
export function examine<S extends z.ZodType>(schema: S, input: unknown): { value: z.output<S> } | { found: Found[] } {
  const result = schema.safeParse(input, { error: say })
  return result.success ? { value: result.data } : { found: foundIn(result.error.issues) }
}

export function foundIn(issues: readonly Issue[], base: Path = []): Found[] {
  return issues.flatMap((issue) => {
    const path = [...base, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))]
    if (issue.code === 'invalid_union') {
      const fitting = issue.errors.filter((branch) => !branch.some(isOfOtherKind))
      const chosen = fitting.toSorted((a, b) => a.length - b.length)[0]
      return chosen ? foundIn(chosen, path) : [split(path, issue.message)]
    }
    if (issue.code === 'unrecognized_keys') {
      const { keys, known = [] } = issue as typeof issue & { known?: string[] }
      return keys.map((key) => split([...path, key], unknownKey(key, known)))
    }
    if (issue.code === 'invalid_key') return [split(path, issue.issues[0]?.message ?? issue.message)]
    return [split(path, issue.message)]
  })
}

/** A branch of a union that was not meant: the value is of another kind altogether. */
const isOfOtherKind = (issue: Issue): boolean =>
  issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value')

function split(path: Path, message: string): Found {
  const [what, ...advice] = message.split('\n')
  return advice.length > 0 ? { path, what: what!, advice: advice.join(' ') } : { path, what: what! }
}

/** `source.objects[0].where["Name of it"]` */
export function showPath(path: Path): string {
  let shownPath = ''
  for (const part of path) {
    if (typeof part === 'number') shownPath += `[${part}]`
    else if (/^[A-Za-z_][\w-]{0,59}$/.test(part)) shownPath += shownPath ? `.${part}` : part
    else shownPath += `[${JSON.stringify(part.length > 60 ? `${part.slice(0, 57)}...` : part)}]`
  }
  return shownPath
}

/**
 * In the order of the file, where there is one: `at` is then the file and line of a path. `whole` names an input that
 * came from no file.
 */
export function problemsOf(found: Found[], whole: string, at?: (path: Path) => string): Problem[] {
  const problems = found.map(({ path, what, advice }): Problem => {
    const inside = showPath(path)
    const where = at ? `${at(path)} ${inside}`.trimEnd() : inside || whole
    return advice === undefined ? { what, where } : { what, where, advice }
  })
  const line = ({ where }: Problem): number => Number(/^\S.*?:(\d+)(?: |$)/.exec(where)?.[1] ?? 0)
  const unique = new Map(problems.map((problem) => [`${problem.where}\n${problem.what}`, problem]))
  return at ? [...unique.values()].toSorted((a, b) => line(a) - line(b)) : [...unique.values()]
}
