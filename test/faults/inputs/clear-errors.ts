/** What an error must be for a person: what, where and what to do, in plain text. */
import { ConnectorError, InputError } from '../../../connectors/errors.ts'
import { LakeError } from '../../../connectors/lake/errors.ts'

/** What is left over of a program in a text for people. */
const INNARDS = new RegExp(
  [
    /\bundefined\b|\bNaN\b|\[object \w+\]|TypeError|RangeError|SyntaxError/,
    /Cannot read|is not a function|is not iterable|\n {4}at /,
  ]
    .map(({ source }) => source)
    .join('|'),
)
/** Control characters, and those that turn the direction of text. */
const UNPRINTABLE = /[^\P{Cc}\n]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/u
const LONGEST = 20_000

/** What is unclear about it; undefined: nothing. `written`: what the input itself says, and may be said back. */
export function unclear(error: unknown, written = ''): string | undefined {
  const parts = partsOf(error)
  if (parts === undefined) return `no error for people: ${error instanceof Error ? error.stack : String(error)}`
  if (parts.length === 0) return 'an error without a problem'
  for (const { where, what, advice } of parts) {
    if (where.trim() === '' || what.trim() === '') return `where or what is empty: ${JSON.stringify({ where, what })}`
    const all = [where, what, advice ?? ''].join('\n')
    const innards = INNARDS.exec(all)?.[0]
    if (innards !== undefined && !written.includes(innards)) return `says ${JSON.stringify(innards)}: ${all}`
    if (UNPRINTABLE.test(all)) return `has unprintable characters: ${JSON.stringify(all)}`
    if (all.length > LONGEST) return `is ${all.length} characters long: ${all.slice(0, 200)}`
  }
  return undefined
}

function partsOf(error: unknown): { where: string; what: string; advice?: string }[] | undefined {
  if (error instanceof InputError) return error.problems
  if (error instanceof LakeError) return [error]
  if (error instanceof ConnectorError) {
    const { message, reason, advice } = error
    return [{ where: message, what: reason, ...(advice !== undefined && { advice }) }]
  }
  return undefined
}
