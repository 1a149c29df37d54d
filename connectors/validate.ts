/** A connector's own schema, run so that its complaints read like the core's. */
import { z } from 'zod'
import type { Validator } from './connector.ts'
import { InputError } from './errors.ts'
import { examine, type Found, foundIn, type Path } from './strict.ts'

/** `base` is where the input lies in its document. */
export function validate<T>(validator: Validator<T>, input: unknown, base: Path): { value: T } | { found: Found[] } {
  if (validator instanceof z.ZodType) {
    const result = examine(validator, input)
    if ('value' in result) return { value: result.value as T }
    return { found: result.found.map((problem) => ({ ...problem, path: [...base, ...problem.path] })) }
  }
  try {
    return { value: validator.parse(input) }
  } catch (error) {
    if (error instanceof z.ZodError) return { found: foundIn(error.issues, base) }
    if (error instanceof InputError) {
      return {
        found: error.problems.map(({ what, where, advice }) => ({
          path: [...base, where],
          what,
          ...(advice && { advice }),
        })),
      }
    }
    return { found: [{ path: base, what: error instanceof Error ? error.message : 'is refused' }] }
  }
}
